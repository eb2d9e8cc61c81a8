"""Streams that fail while the connection and its pings go on: the host would never notice, so the plugin must."""

import asyncio
import json
import os
import subprocess
import sys
import threading
from collections.abc import Awaitable, Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any, cast

import pytest

from mattermost_plugin import Plugin
from mattermost_plugin._gob.go_types import BOOL
from mattermost_plugin._handshake import COOKIE_KEY, COOKIE_VALUE
from mattermost_plugin._stock.rpc_streams import CallRefusedError
from mattermost_plugin._yamux import StreamIdsUsedUpError
from mattermost_plugin.api import APIUnavailable
from mattermost_plugin.config import RuntimeConfig
from mattermost_plugin.models import PluginContext, Post
from tests.stock.stand_in import StandInHost, served

NO_CALL = b"\x05\x0c\x00\x02ab"
"""A gob text where a header is due."""

PLUGIN = """
import mattermost_plugin
class Idle(mattermost_plugin.Plugin):
    def on_deactivate(self):
        self.logger.info("deactivated")
mattermost_plugin.run_plugin(Idle)
"""


class Slow(Plugin):
    """Answers a hook when it may."""

    def __init__(self, **settings: Any) -> None:
        super().__init__(**settings)
        self.may_answer = asyncio.Event()

    async def message_will_be_posted(self, context: PluginContext, post: Post) -> Post:
        await self.may_answer.wait()
        post.message = "late"
        return post


def user(arguments: Any) -> object:
    return {"A": {"Id": arguments["A"], "Username": "joe"}}


def run(scenario: Callable[[], Awaitable[None]]) -> None:
    asyncio.run(cast("Any", scenario()))


def break_hooks(host: StandInHost) -> None:
    host.hooks._stream.write(NO_CALL)


def break_control(host: StandInHost) -> None:
    host.control._stream.write(NO_CALL)


def cut_hooks_off(host: StandInHost) -> None:
    host.hooks._stream.reset()


def close_hooks_within_a_call(host: StandInHost) -> None:
    host.hooks._stream.write(b"\x30")
    host.hooks._stream.close()


@pytest.mark.parametrize(
    ("harm", "words"),
    [
        (break_hooks, "the stream of hooks: the calls cannot be read"),
        (break_control, "the stream of control: the calls cannot be read"),
        (cut_hooks_off, "the stream of hooks: stream"),
        (close_hooks_within_a_call, "the stream of hooks: the host has ended its calls in the midst of one"),
    ],
)
def test_a_plugin_that_cannot_be_called_gives_up(
    harm: Callable[[StandInHost], None], words: str, caplog: pytest.LogCaptureFixture
) -> None:
    async def scenario() -> None:
        async with served(Plugin) as (host, server):
            assert server.failure == ""
            harm(host)
            await server.wait_stop_requested()
            assert server.failure.startswith(words)

    run(scenario)
    assert [words in record.getMessage() for record in caplog.records if record.levelname == "ERROR"] == [True]


def close_api(host: StandInHost) -> None:
    assert host.api_stream is not None
    host.api_stream.close()


def break_api(host: StandInHost) -> None:
    assert host.api_stream is not None
    host.api_stream.write(NO_CALL)


@pytest.mark.parametrize(
    ("harm", "words"), [(close_api, "the other end has closed the stream"), (break_api, "the replies cannot be read")]
)
def test_a_plugin_without_its_api_gives_up(harm: Callable[[StandInHost], None], words: str) -> None:
    async def scenario() -> None:
        async with served(Plugin, {"GetUser": user}) as (host, server):
            aio = server.plugin.api.aio
            assert (await aio.get_user("u1")).username == "joe"
            harm(host)
            await server.wait_stop_requested()
            assert server.failure.startswith(f"the stream of the plugin API: {words}")
            with pytest.raises(APIUnavailable, match=words) as error:
                await aio.get_user("u1")
            assert not error.value.may_have_taken_effect

    run(scenario)


def test_the_end_of_an_earlier_activations_api_is_no_failure() -> None:
    async def scenario() -> None:
        async with served(Plugin, {"GetUser": user}) as (host, server):
            aio = server.plugin.api.aio
            assert (await aio.get_user("u1")).username == "joe"
            earlier = host.api_stream
            assert await host.activate() == ""
            assert earlier is not None
            earlier.close()
            assert (await aio.get_user("u1")).username == "joe"
            assert server.failure == ""

    run(scenario)


def test_a_host_that_makes_no_more_calls_gets_its_answers() -> None:
    async def scenario() -> None:
        async with served(Slow) as (host, server):
            answer = asyncio.create_task(host.hook("MessageWillBePosted", {"A": {}, "B": {"Message": "m"}}))
            await asyncio.sleep(0)
            host.hooks._stream.close()
            # What comes on another stream afterwards is read afterwards.
            await host.control.call("Control.Ping", True, BOOL)
            cast("Slow", server.plugin).may_answer.set()
            assert (await answer)["A"] == {"Message": "late"}
            assert server.failure == ""

    run(scenario)


def test_a_connection_without_stream_ids_ends() -> None:
    async def scenario() -> None:
        async with served(Plugin, {"GetUser": user}) as (_, server):
            connection = cast("Any", server)._wire._host.mux
            connection.session._next_id = 1 << 32
            with pytest.raises(StreamIdsUsedUpError):
                connection.open()
            await server.wait_stop_requested()
            assert "all stream ids of this connection are used up" in server.failure

    run(scenario)


class Hanging(Plugin):
    """Keeps the threads of its handlers."""

    def __init__(self, **settings: Any) -> None:
        super().__init__(**settings)
        self.release = threading.Event()

    def message_has_been_posted(self, context: PluginContext, post: Post) -> None:
        if post.message == "hang":
            self.release.wait()


def test_pings_fail_while_every_thread_is_stuck() -> None:
    async def scenario() -> None:
        config = RuntimeConfig(workers=2, hook_timeout_s=0.05)
        async with served(Hanging, config=config) as (host, server):
            await host.control.call("Control.Ping", True, BOOL)
            hang = {"A": {}, "B": {"Message": "hang"}}
            await asyncio.gather(*[host.hook("MessageHasBeenPosted", hang) for _ in range(2)])
            with pytest.raises(CallRefusedError, match="Every thread of the plugin is stuck"):
                await host.control.call("Control.Ping", True, BOOL)
            cast("Hanging", server.plugin).release.set()
            await host.hook("MessageHasBeenPosted", {"A": {}, "B": {}})
            await host.control.call("Control.Ping", True, BOOL)

    run(scenario)


@contextmanager
def started() -> Iterator[tuple[subprocess.Popen[bytes], str]]:
    """A plugin's process, and its socket."""
    env = {"PATH": os.environ["PATH"], "PYTHONPATH": os.pathsep.join(sys.path), COOKIE_KEY: COOKIE_VALUE}
    process = subprocess.Popen(
        [sys.executable, "-c", PLUGIN],
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        env={**env, "PLUGIN_PROTOCOL_VERSIONS": "1"},
        cwd=Path(__file__).parent,
    )
    try:
        assert process.stdout is not None
        yield process, process.stdout.readline().decode().split("|")[3]
    finally:
        process.kill()
        process.communicate()


async def leave(host: StandInHost) -> None:
    await host.close()


async def quit_and_leave(host: StandInHost) -> None:
    await host.quit()
    await host.close()


async def send_no_call(host: StandInHost) -> None:
    break_hooks(host)
    await host.lost


@pytest.mark.timeout(60)
@pytest.mark.parametrize(
    ("end", "code", "told"),
    [
        (send_no_call, 1, "the calls cannot be read"),
        (leave, 1, "the host has closed it"),
        (quit_and_leave, 0, ""),
    ],
)
def test_the_process_tells_by_its_exit_code(
    end: Callable[[StandInHost], Awaitable[None]], code: int, told: str
) -> None:
    async def scenario(address: str) -> None:
        host = StandInHost(address)
        await host.connect()
        assert await host.activate() == ""
        await end(host)

    with started() as (process, address):
        asyncio.run(asyncio.wait_for(scenario(address), 20))
        _, stderr = process.communicate(timeout=20)
    records = [json.loads(line) for line in stderr.splitlines()]
    errors = [record["@message"] for record in records if record["@level"] == "error"]
    assert len(errors) == (1 if told else 0), errors
    assert all(told in error for error in errors)
    assert process.returncode == code
