"""Calls of the plugin API when no answer comes: deadlines, a server that is away, repetition, cancellation, the end."""

import asyncio
import threading
from collections.abc import Awaitable, Callable
from typing import Any

import grpc
import pytest
from google.protobuf.message import Message

from mattermost_plugin._api_call import RetryPolicy
from mattermost_plugin.api import APIDeadlineExceeded, APITransportError, APIUnavailable
from mattermost_plugin.models import User
from mattermost_pluginapi.api.methods import METHODS
from mattermost_pluginapi.v1.api_file_pb2 import GetFileResponse
from mattermost_pluginapi.v1.api_user_pb2 import CreateUserResponse, GetUserResponse
from tests.unit.api_host import AT_ONCE, LIMIT_S, ApiHost, Hanging, api_host, call_both, client, connected, refuse

SHORT_S = 0.05
"""A deadline that is meant to pass."""


def failing(times: int, answer: Message) -> Callable[[Any, Any], Awaitable[Message]]:
    """Unavailable a number of times, then an answer."""
    left = times

    async def handle(request: Any, context: Any) -> Message:
        nonlocal left
        if left:
            left -= 1
            await context.abort(grpc.StatusCode.UNAVAILABLE, "shutting down")
        return answer

    return handle


@pytest.mark.parametrize("options", [{}, {"timeout": SHORT_S}], ids=["client's", "call's"])
def test_a_server_that_hangs(options: dict[str, float]) -> None:
    async def scenario() -> None:
        timeout_s = SHORT_S if not options else 30.0
        async with connected(timeout_s=timeout_s) as (host, api):
            hanging = Hanging()
            host.answers["CreateUser"] = hanging
            for raised in await call_both(api, "create_user", User(), **options):
                assert isinstance(raised, APIDeadlineExceeded)
                assert (raised.method, raised.may_have_taken_effect) == ("create_user", True)
                assert raised.elapsed_s > 0
                assert str(raised).startswith("create_user: no answer in time (after ")
                assert raised.__cause__ is raised.__context__ is None
            await hanging.cancelled.wait()
            assert len(host.calls) == 2

    asyncio.run(scenario())


def test_the_server_knows_the_deadline() -> None:
    remaining = []

    async def note(request: Any, context: Any) -> Message:
        remaining.append(context.time_remaining())
        return GetUserResponse()

    async def scenario() -> None:
        async with connected(timeout_s=100) as (host, api):
            host.answers["GetUser"] = note
            await call_both(api, "get_user", "u")
            await call_both(api, "get_user", "u", timeout=1000)

    asyncio.run(scenario())
    assert [round(seconds, -2) for seconds in remaining] == [100, 100, 1000, 1000]


@pytest.mark.parametrize("target", ["unix:/no/such/socket", "127.0.0.1:1"])
@pytest.mark.parametrize("method", ["get_user", "delete_user"])
def test_a_server_that_is_away(target: str, method: str) -> None:
    async def scenario() -> None:
        async with client(target) as api:
            for raised in await call_both(api, method, "u"):
                assert isinstance(raised, APIUnavailable)
                assert not raised.may_have_taken_effect
                assert "failed to connect" in str(raised)
                assert "the server never got the call" in str(raised)

    asyncio.run(scenario())


def test_a_call_that_waits_for_a_server_until_its_deadline() -> None:
    async def scenario() -> None:
        async with client("unix:/no/such/socket", retry=RetryPolicy(reconnect_s=60)) as api:
            for raised in await call_both(api, "get_user", "u", timeout=SHORT_S):
                assert isinstance(raised, (APIUnavailable, APIDeadlineExceeded))
                # gRPC does not tell whether a call that ran out of time was still waiting for the connection.
                assert raised.may_have_taken_effect is isinstance(raised, APIDeadlineExceeded)

    asyncio.run(scenario())


def test_the_first_call_after_the_server_is_back_works() -> None:
    async def scenario() -> None:
        async with connected(retry=RetryPolicy(attempts=1)) as (host, api):
            await call_both(api, "delete_user", "before")
            await host.stop()
            for _ in range(3):
                for raised in await call_both(api, "delete_user", "away", timeout=SHORT_S):
                    assert isinstance(raised, APIUnavailable)
                    assert not raised.may_have_taken_effect
            again = ApiHost(host.target)
            await again.start()
            # Neither is repeated: they are sent once there is a connection.
            assert await call_both(api, "delete_user", "back") == [None, None]
            assert [call.request.user_id for call in (*host.calls, *again.calls)] == ["before"] * 2 + ["back"] * 2
            await again.stop()

    asyncio.run(scenario())


@pytest.mark.parametrize("method", ["delete_user", "get_user"])
def test_a_server_that_goes_away_in_mid_call(method: str) -> None:
    async def scenario(in_thread: bool) -> None:
        async with api_host() as host, client(host.target, retry=AT_ONCE) as api:
            hanging = Hanging()
            host.answers.update({"DeleteUser": hanging, "GetUser": hanging})
            called = asyncio.to_thread(getattr(api, method), "u") if in_thread else getattr(api.aio, method)("u")
            waiting = asyncio.ensure_future(called)
            await hanging.started.wait()
            await host.stop()
            with pytest.raises(APITransportError) as caught:
                await waiting
            # Repeating it did not make it certain that the first try was lost.
            assert caught.value.may_have_taken_effect
            assert len(host.calls) == 1

    for in_thread in (False, True):
        asyncio.run(scenario(in_thread))


def test_a_read_is_repeated_until_it_is_answered() -> None:
    async def scenario() -> None:
        async with connected(retry=RetryPolicy(attempts=3, first_pause_s=0)) as (host, api):
            for _ in range(2):
                host.answers["GetUser"] = failing(2, GetUserResponse(user=User(id="u")))
                assert (await api.aio.get_user("u")).id == "u"
                host.answers["GetUser"] = failing(2, GetUserResponse(user=User(id="u")))
                assert (await asyncio.to_thread(api.get_user, "u")).id == "u"
            assert len(host.calls) == 12

    asyncio.run(scenario())


def test_a_read_is_not_repeated_for_ever() -> None:
    async def scenario() -> None:
        async with connected(retry=RetryPolicy(attempts=4, first_pause_s=0)) as (host, api):
            host.answers["GetUser"] = refuse(grpc.StatusCode.UNAVAILABLE, "shutting down")
            for raised in await call_both(api, "get_user", "u"):
                assert isinstance(raised, APIUnavailable)
                assert raised.may_have_taken_effect
            assert len(host.calls) == 8

    asyncio.run(scenario())


def test_a_call_waits_for_a_server_that_starts() -> None:
    async def scenario() -> None:
        async with api_host() as host:
            await host.stop()
            async with client(host.target, retry=RetryPolicy(attempts=1, reconnect_s=LIMIT_S)) as api:
                in_thread, in_task = SpyOnPauses(), asyncio.Event()
                api._stopped = in_thread
                aio: Any = api.aio
                pause = aio._pause

                async def spied(seconds: float) -> None:
                    in_task.set()
                    await pause(seconds)

                aio._pause = spied
                calls = asyncio.gather(asyncio.to_thread(api.delete_user, "u"), aio.delete_user("u"))
                await asyncio.gather(asyncio.to_thread(in_thread.begun.wait), in_task.wait())
                starting = ApiHost(host.target)
                await starting.start()
                await calls
                assert len(starting.calls) == 2
                await starting.stop()

    asyncio.run(scenario())


class SpyOnPauses(threading.Event):
    """Tells when somebody begins to wait for it."""

    def __init__(self) -> None:
        super().__init__()
        self.begun = threading.Event()

    def wait(self, timeout: float | None = None) -> bool:
        self.begun.set()
        return super().wait(timeout)


def test_a_pause_that_would_pass_the_deadline_is_not_made() -> None:
    async def scenario() -> None:
        async with connected(retry=RetryPolicy(first_pause_s=10**6, longest_pause_s=10**6)) as (host, api):
            host.answers["GetUser"] = refuse(grpc.StatusCode.UNAVAILABLE, "shutting down")
            for raised in await call_both(api, "get_user", "u"):
                assert isinstance(raised, APIUnavailable)
            assert len(host.calls) == 2

    asyncio.run(scenario())


@pytest.mark.parametrize("name", METHODS)
def test_only_what_may_be_repeated_is_repeated(name: str) -> None:
    method = METHODS[name]

    async def scenario() -> None:
        async with connected(retry=RetryPolicy(attempts=3, first_pause_s=0)) as (host, api):
            host.answers[name] = refuse(grpc.StatusCode.UNAVAILABLE, "shutting down")
            with pytest.raises(APIUnavailable):
                await api.aio._call(method, method.request_type(), None)
            assert len(host.calls) == (3 if method.repeatable else 1)

    asyncio.run(scenario())


@pytest.mark.parametrize("code", [code for code in grpc.StatusCode if code.name not in ("OK", "UNAVAILABLE")])
def test_other_failures_are_not_repeated(code: grpc.StatusCode) -> None:
    async def scenario() -> None:
        async with connected() as (host, api):
            host.answers["GetUser"] = refuse(code, "no")
            await call_both(api, "get_user", "u")
            assert len(host.calls) == 2

    asyncio.run(scenario())


def test_cancelling_a_task_cancels_the_call() -> None:
    async def scenario() -> None:
        async with connected() as (host, api):
            hanging = Hanging()
            host.answers["GetUser"] = hanging
            task = asyncio.create_task(api.aio.get_user("u"))
            await hanging.started.wait()
            task.cancel()
            with pytest.raises(asyncio.CancelledError):
                await task
            await hanging.cancelled.wait()
            assert len(host.calls) == 1

    asyncio.run(scenario())


def test_closing_ends_pauses() -> None:
    async def scenario() -> None:
        async with connected(retry=RetryPolicy(first_pause_s=20, longest_pause_s=20)) as (host, api):
            refused = [asyncio.Event(), asyncio.Event()]

            async def unavailable(request: Any, context: Any) -> Message:
                refused[int(request.user_id)].set()
                await context.abort(grpc.StatusCode.UNAVAILABLE, "shutting down")
                raise AssertionError("abort raises")

            host.answers["GetUser"] = unavailable
            calls = asyncio.gather(asyncio.to_thread(api.get_user, "0"), api.aio.get_user("1"), return_exceptions=True)
            await asyncio.gather(*(event.wait() for event in refused))
            await api.close()
            for raised in await calls:
                assert isinstance(raised, APIUnavailable)
                # A try was answered with a refusal: who knows what came before it.
                assert raised.may_have_taken_effect
            assert len(host.calls) == 2

    asyncio.run(scenario())


def test_a_task_can_be_cancelled_while_it_waits_to_try_again() -> None:
    async def scenario() -> None:
        async with connected(retry=RetryPolicy(first_pause_s=20, longest_pause_s=20)) as (host, api):
            refused = asyncio.Event()

            async def unavailable(request: Any, context: Any) -> Message:
                refused.set()
                await context.abort(grpc.StatusCode.UNAVAILABLE, "shutting down")
                raise AssertionError("abort raises")

            host.answers["GetUser"] = unavailable
            task = asyncio.create_task(api.aio.get_user("u"))
            await refused.wait()
            task.cancel()
            with pytest.raises(asyncio.CancelledError):
                await task

    asyncio.run(scenario())


@pytest.mark.parametrize(
    "reply", [b"\xff", b"\x12\x03\x0a\x01\xff", b"\x12\x7f"], ids=["no message", "text that is not UTF-8", "cut off"]
)
def test_a_reply_that_cannot_be_read(reply: bytes) -> None:
    async def scenario() -> list[Any]:
        server = grpc.aio.server()

        async def garbage(request: bytes, context: Any) -> bytes:
            return reply

        service: dict[str, Any] = {"GetUser": grpc.unary_unary_rpc_method_handler(garbage)}
        server.add_generic_rpc_handlers(
            [grpc.method_handlers_generic_handler("mattermost.pluginapi.v1.PluginAPI", service)]
        )
        port = server.add_insecure_port("127.0.0.1:0")
        await server.start()
        async with client(f"127.0.0.1:{port}") as api:
            found = await call_both(api, "get_user", "u")
        await server.stop(None)
        return found

    for raised in asyncio.run(scenario()):
        assert type(raised) is APITransportError
        assert "get_user: DATA_LOSS: the reply cannot be read (after " in str(raised)
        assert raised.may_have_taken_effect


def test_files_of_64_mib() -> None:
    content = bytes(range(256)) * (256 * 1024)

    async def scenario() -> None:
        async with api_host(max_receive_message_length=-1) as host:
            host.answers["GetFile"] = GetFileResponse(data=content)
            async with client(host.target, max_message_bytes=len(content) + 1024) as api:
                for outcome in await call_both(api, "get_file", "f"):
                    assert outcome == content
                await call_both(api, "upload_file", content, "c", "f.bin")
            assert [call.request.data == content for call in host.calls if call.name == "UploadFile"] == [True, True]

    asyncio.run(scenario())


def test_closing_ends_calls_that_wait() -> None:
    async def scenario() -> None:
        async with connected() as (host, api):
            creating, deleting = Hanging(), Hanging()
            host.answers.update({"CreateUser": creating, "DeleteUser": deleting})
            in_thread = asyncio.create_task(asyncio.to_thread(api.create_user, User()))
            in_task = asyncio.create_task(api.aio.delete_user("u"))
            await asyncio.gather(creating.started.wait(), deleting.started.wait())
            await api.close()
            for raised in await asyncio.gather(in_thread, in_task, return_exceptions=True):
                assert isinstance(raised, APIUnavailable)
                assert raised.may_have_taken_effect
            await asyncio.gather(creating.cancelled.wait(), deleting.cancelled.wait())

    asyncio.run(scenario())


def test_calls_after_the_end() -> None:
    async def scenario() -> Any:
        async with connected() as (host, api):
            host.answers["CreateUser"] = CreateUserResponse()
            await api.aio.create_user(User())
            await api.close()
            await api.close()
            for raised in await call_both(api, "get_user", "u"):
                assert isinstance(raised, APIUnavailable)
                assert not raised.may_have_taken_effect
                assert "the plugin has stopped" in str(raised)
            assert len(host.calls) == 1
            return api

    asyncio.run(scenario())


def test_the_environments_proxy_is_not_asked(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("http_proxy", "https_proxy", "grpc_proxy"):
        monkeypatch.setenv(name, "http://127.0.0.1:1")

    async def scenario() -> None:
        server = ApiHost("127.0.0.1:0")
        await server.start()
        async with client(f"localhost:{server.port}") as api:
            await api.aio.get_user("u")
        await server.stop()

    asyncio.run(scenario())
