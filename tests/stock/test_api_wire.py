"""Calls of threads over the API stream, in orders that need luck elsewhere."""

import asyncio
import queue
import threading
from collections.abc import Callable
from types import SimpleNamespace
from typing import Any, cast
from unittest.mock import patch

from mattermost_plugin._api_wire import CallFailed
from mattermost_plugin._stock import api_wire
from mattermost_plugin._stock.api_link import StockApi
from mattermost_plugin._stock.api_wire import StockThreadWire
from mattermost_pluginapi.api.methods import METHODS

GET_USER = METHODS["GetUser"]


class SlowApi:
    """Sends a request once its caller has given up."""

    def __init__(self) -> None:
        self.place = SimpleNamespace(loop=asyncio.get_running_loop())
        self.reached, self.given_up = threading.Event(), threading.Event()
        self.forgotten: list[str] = []

    def begin(self, method: object, request: object, done: Callable[..., None]) -> Callable[[], None]:
        self.reached.set()
        assert self.given_up.wait(20)
        return lambda: self.forgotten.append("forgotten")


def test_a_call_that_is_given_up_while_it_is_sent_is_forgotten() -> None:
    async def scenario() -> tuple[Any, list[str]]:
        api = SlowApi()
        wire = StockThreadWire(cast("StockApi", api))

        def run_out(call: object, timeout_s: float) -> None:
            assert api.reached.wait(20)
            raise queue.Empty

        def call() -> Any:
            outcome = wire.send(GET_USER, GET_USER.request_type(), 1, "")
            api.given_up.set()
            return outcome

        with patch.object(api_wire._Waiting, "outcome", run_out):
            return await asyncio.to_thread(call), api.forgotten

    outcome, forgotten = asyncio.run(scenario())
    assert outcome == CallFailed("DEADLINE_EXCEEDED", "no answer in time: the event loop is blocked")
    assert forgotten == ["forgotten"]
