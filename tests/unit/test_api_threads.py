"""The client for threads: where it may be called, many calls at once, and a loop that is blocked or gone."""

import asyncio
import threading
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import pytest
from google.protobuf.message import Message

from mattermost_plugin import _api_client
from mattermost_plugin.api import APIDeadlineExceeded, APIUnavailable
from mattermost_plugin.models import User
from mattermost_pluginapi.v1.api_user_pb2 import GetUserResponse
from tests.unit.api_host import connected

PARALLEL = 200


def test_a_call_on_the_loops_thread_is_refused_at_once() -> None:
    async def scenario() -> None:
        async with connected() as (host, api):
            with pytest.raises(RuntimeError, match=r"use `await self\.api\.aio\.get_user\(\.\.\.\)` in async handlers"):
                api.get_user("u")
            assert host.calls == []

    asyncio.run(scenario())


def test_the_async_client_belongs_to_one_loop() -> None:
    async def scenario() -> None:
        async with connected() as (host, api):

            def elsewhere() -> User:
                return asyncio.run(api.aio.get_user("u"))

            with pytest.raises(
                RuntimeError, match=r"another event loop .* use self\.api\.get_user\(\.\.\.\) in threads"
            ):
                await asyncio.to_thread(elsewhere)
            assert host.calls == []

    asyncio.run(scenario())


async def echo(request: Any, context: Any) -> Message:
    return GetUserResponse(user=User(id=request.user_id))


def test_many_threads_at_once() -> None:
    async def scenario() -> None:
        async with connected() as (host, api):
            all_there = threading.Barrier(PARALLEL)

            def call(number: int) -> str:
                all_there.wait()
                return api.get_user(str(number)).id

            host.answers["GetUser"] = echo
            loop = asyncio.get_running_loop()
            with ThreadPoolExecutor(PARALLEL) as pool:
                calls = [loop.run_in_executor(pool, call, number) for number in range(PARALLEL)]
                assert await asyncio.gather(*calls) == [str(number) for number in range(PARALLEL)]
            assert len(host.calls) == PARALLEL
            assert not api._waiting

    asyncio.run(scenario())


def test_many_tasks_at_once() -> None:
    async def scenario() -> None:
        async with connected() as (host, api):
            host.answers["GetUser"] = echo
            users = await asyncio.gather(*(api.aio.get_user(str(number)) for number in range(PARALLEL)))
            assert [user.id for user in users] == [str(number) for number in range(PARALLEL)]

    asyncio.run(scenario())


def test_threads_outlive_the_loop() -> None:
    async def scenario() -> Any:
        async with connected() as (_, api):
            await api.aio.get_user("u")
            return api

    api = asyncio.run(scenario())
    with pytest.raises(APIUnavailable, match="get_user: the plugin has stopped") as caught:
        call_in_thread(api)
    assert not caught.value.may_have_taken_effect


def test_a_loop_that_ended_without_closing_the_client() -> None:
    kept: list[Any] = []

    async def scenario() -> None:
        async with connected() as (_, api):
            kept.append(api)

    asyncio.run(scenario())
    # As if nobody had closed it.
    kept[0]._closed = False
    with pytest.raises(APIUnavailable, match="the plugin has stopped"):
        call_in_thread(kept[0])


def call_in_thread(api: Any) -> Any:
    with ThreadPoolExecutor(1) as pool:
        return pool.submit(api.get_user, "u").result()


def test_a_loop_that_stands_still_is_not_waited_for(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(_api_client, "_LATE_S", 0.01)

    async def scenario() -> None:
        async with connected() as (host, api):
            with ThreadPoolExecutor(1) as pool:
                call = pool.submit(api.get_user, "u", timeout=0.01)
                # Blocks the loop on purpose.
                error = call.exception()
            assert isinstance(error, APIDeadlineExceeded)
            assert "the plugin's event loop did not run in time" in str(error)
            await asyncio.sleep(0)
            await api.aio.get_user("next")
            assert [call.request.user_id for call in host.calls] == ["next"]

    asyncio.run(scenario())


def test_closing_wakes_a_thread_whose_call_was_not_begun(monkeypatch: pytest.MonkeyPatch) -> None:
    waits = threading.Event()
    result = _api_client._Waiting.result

    def waiting_result(waiting: Any, limit_s: float) -> Any:
        waits.set()
        return result(waiting, limit_s)

    monkeypatch.setattr(_api_client._Waiting, "result", waiting_result)

    async def scenario() -> None:
        async with connected() as (host, api):
            with ThreadPoolExecutor(1) as pool:
                call = pool.submit(api.get_user, "u")
                # Blocks the loop on purpose: it must not begin the call before it is given up.
                waits.wait()
                (waiting,) = api._waiting
                waiting.stop()
                error = call.exception()
            assert isinstance(error, APIUnavailable)
            assert not error.may_have_taken_effect
            await api.aio.get_user("next")
            assert [call.request.user_id for call in host.calls] == ["next"]

    asyncio.run(scenario())


def test_exceptions_do_not_pile_up_in_the_client() -> None:
    async def scenario() -> None:
        async with connected() as (_, api):
            for _ in range(3):
                with pytest.raises(ValueError, match="timeout"):
                    await asyncio.to_thread(api.get_user, "u", timeout=-1)
            assert not api._waiting

    asyncio.run(scenario())
