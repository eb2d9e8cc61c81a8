"""Fuzzing of the whole stock wire: a plugin under a host that sends anything, without sockets and in virtual time."""

from __future__ import annotations

import asyncio
import contextlib
import logging
from collections.abc import Sequence
from functools import cache
from random import Random
from typing import Any, Final

from mattermost_plugin._api_link import ApiLink
from mattermost_plugin._bound_plugin import BoundPlugin
from mattermost_plugin._stock import hook_service
from mattermost_plugin._stock.server import StockServer
from mattermost_plugin.config import RuntimeConfig
from mattermost_plugin.errors import PluginError
from tests.fuzz.gob_mutation import mutated as mutated_gob
from tests.fuzz.pipe import Pipe
from tests.fuzz.stock_plugin import Hosted
from tests.fuzz.target import Mutate
from tests.fuzz.virtual_loop import VirtualLoop
from tests.fuzz.yamux_mutation import Frame, frames, invented, joined, mutated
from tests.stock.recording import HOST, connection_bytes

__all__ = ["HEAD", "StockTarget"]

HEAD: Final = 2
"""Size of the pieces, where zero stands for frame by frame, and turns of the loop after each."""

_LOG: Final = logging.getLogger("mattermost_plugin")
_EXPECTED: Final = (PluginError, TimeoutError, RuntimeError, AssertionError)
"""What the plugin's handlers raise, of their own or because the host answers their calls as it likes."""

_ALL_LIMITS_S: Final = 1000.0
"""Longer than any time limit of the wire and of handlers."""


class StockTarget:
    """See FuzzTarget."""

    name = "stock"
    max_bytes = 32 * 1024

    def run(self, data: bytes) -> None:
        if len(data) < HEAD:
            return
        stream, size = data[HEAD:], data[0]
        if size:
            pieces = [stream[start : start + size * 16] for start in range(0, len(stream), size * 16)]
        else:
            found, rest = frames(stream)
            pieces = [*[frame.encoded() for frame in found], rest]
        with VirtualRunner() as runner:
            runner.run(pieces, turns=data[1] % 16)

    def corpus(self) -> Sequence[bytes]:
        return _corpus()

    def mutate(self, data: bytes, random: Random, blind: Mutate) -> bytes:
        if len(data) < HEAD:
            return random.choice(_corpus())
        head, stream = data[:HEAD], data[HEAD:]
        if random.random() < 0.1:
            head = bytes((random.choice((0, 0, 1, 255)), random.randrange(16)))
        match random.randrange(12):
            case 0:
                return head + blind(stream, self.max_bytes - HEAD)
            case 1 | 2 | 3:
                return head + mutated(stream, random, _corpus())
            case 4:
                found, rest = frames(stream)
                place = random.randint(0, len(found))
                return head + joined(found[:place]) + invented(random) + joined(found[place:], rest)
        return head + _with_other_payload(stream, random)


def _with_other_payload(stream: bytes, random: Random) -> bytes:
    """What is sent on one stream, changed as gob."""
    found, rest = frames(stream)
    places = [place for place, frame in enumerate(found) if frame.payload]
    if not places:
        return stream
    place = random.choice(places)
    frame = found[place]
    others = [found[each].payload for each in places]
    payload = mutated_gob(frame.payload, random, others)
    found[place] = Frame(0, frame.kind, frame.flags, frame.stream_id, len(payload), payload)
    return joined(found, rest)


@cache
def _corpus() -> tuple[bytes, ...]:
    recorded = connection_bytes(HOST)
    found, _ = frames(recorded)
    parts = [joined(found[:count]) for count in range(4, len(found), 6)]
    return (b"\0\x08" + recorded, b"\x01\x02" + recorded, b"\xff\0" + recorded, *(b"\0\x06" + part for part in parts))


class VirtualRunner:
    """A plugin's process, as far as the wire goes."""

    def __init__(self) -> None:
        self._loop = VirtualLoop()
        self._faults: list[BaseException] = []
        self._log = _Log(self._faults)

    def __enter__(self) -> VirtualRunner:
        self._loop.set_exception_handler(self._note)
        _LOG.addHandler(self._log)
        _LOG.propagate = False
        return self

    def __exit__(self, *_: object) -> None:
        _LOG.removeHandler(self._log)
        _LOG.propagate = True
        self._loop.close()

    def run(self, pieces: Sequence[bytes], turns: int) -> None:
        """Run a session. Raises the first fault."""
        self._loop.run_until_complete(self._session(pieces, turns))
        if self._faults:
            raise self._faults[0]

    def _note(self, loop: asyncio.AbstractEventLoop, context: dict[str, Any]) -> None:
        self._faults.append(context.get("exception") or AssertionError(context["message"]))

    async def _session(self, pieces: Sequence[bytes], turns: int) -> None:
        config = RuntimeConfig()
        bound = BoundPlugin(Hosted.create(config), config)
        bound.background.open()
        server = StockServer(bound, config, lambda: None, lambda _: None)
        link = bound.plugin._api_link = ApiLink(config, server.connect_api)
        transport = Pipe(server._connection())
        for piece in pieces:
            transport.deliver(piece)
            for _ in range(turns):
                await asyncio.sleep(0)
        await asyncio.sleep(_ALL_LIMITS_S)
        transport.close()
        with contextlib.suppress(PluginError):
            await bound.lifecycle.deactivate(None)
        bound.background.stop_waiting()
        await server.stop(0.5)
        bound.close()
        await bound.background.close()
        await link.close()
        await server.close()
        await asyncio.sleep(_ALL_LIMITS_S)
        left = asyncio.all_tasks() - {asyncio.current_task()}
        assert not left, f"tasks are left: {left}"
        sent, rest = frames(transport.written)
        assert not rest, "a frame that is not there as a whole"
        assert all(frame.version == 0 and frame.kind in range(4) for frame in sent)


class _Log(logging.Handler):
    """Takes what is logged with a traceback as a fault, unless the plugin's own code may have raised it."""

    def __init__(self, faults: list[BaseException]) -> None:
        super().__init__(logging.WARNING)
        self._faults = faults

    def emit(self, record: logging.LogRecord) -> None:
        assert record.getMessage().isprintable() or record.exc_info, repr(record.getMessage())
        error = record.exc_info[1] if record.exc_info else None
        # What handlers raise has become a reply before it comes here.
        is_own = record.name == hook_service.__name__
        if error is not None and (is_own or not isinstance(error, _EXPECTED)):
            self._faults.append(error)
