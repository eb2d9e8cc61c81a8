"""The client for threads: where it may be called, many calls at once, and a loop that is blocked or gone."""

import _thread
import asyncio
import os
import threading
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import grpc
import pytest
from google.protobuf.message import Message

from mattermost_plugin.api import APIUnavailable
from mattermost_plugin.models import User
from mattermost_pluginapi.v1.api_user_pb2 import GetUserResponse
from tests.unit.api_host import client, connected, host_in_thread

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


@pytest.mark.filterwarnings("ignore:This process .* is multi-threaded:DeprecationWarning")
def test_a_forked_process_is_told_at_once() -> None:
    def call_in_fork(api: Any) -> int:
        child = os.fork()
        if child:
            return os.waitstatus_to_exitcode(os.waitpid(child, 0)[1])
        code = 1
        try:
            api.get_user("u")
        except RuntimeError as error:
            code = 0 if "self.api.get_user was called in a process that was forked" in str(error) else 2
        finally:
            os._exit(code)

    async def scenario() -> None:
        async with connected() as (host, api):
            # From a handler's thread, and from a coroutine: the child's one thread goes on where it was.
            assert await asyncio.to_thread(call_in_fork, api) == 0
            assert call_in_fork(api) == 0
            await asyncio.to_thread(api.get_user, "parent")
            assert [call.request.user_id for call in host.calls] == ["parent"]

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

    asyncio.run(scenario())


def test_many_tasks_at_once() -> None:
    async def scenario() -> None:
        async with connected() as (host, api):
            host.answers["GetUser"] = echo
            users = await asyncio.gather(*(api.aio.get_user(str(number)) for number in range(PARALLEL)))
            assert [user.id for user in users] == [str(number) for number in range(PARALLEL)]

    asyncio.run(scenario())


def test_many_threads_at_the_end() -> None:
    """Each call is answered, or fails because the plugin has stopped; none is lost or raises what gRPC raises."""
    answered, stopped = [], []

    async def scenario() -> None:
        async with connected() as (host, api):
            some_answered = threading.Semaphore(0)

            def call_on_and_on() -> None:
                while True:
                    try:
                        answered.append(api.get_user("u"))
                    except APIUnavailable as error:
                        stopped.append(str(error))
                        return
                    some_answered.release()

            loop = asyncio.get_running_loop()
            with ThreadPoolExecutor(PARALLEL) as pool:
                calls = [loop.run_in_executor(pool, call_on_and_on) for _ in range(PARALLEL)]
                for _ in range(PARALLEL):
                    await asyncio.to_thread(some_answered.acquire)
                await api.close()
                await asyncio.gather(*calls)
            assert len(host.calls) >= len(answered)

    asyncio.run(scenario())
    assert len(stopped) == PARALLEL
    assert {text.partition(" (")[0] for text in stopped} == {"get_user: the plugin has stopped"}


def test_a_loop_that_stands_still_keeps_no_thread_waiting() -> None:
    async def scenario(target: str) -> None:
        async with client(target) as api:
            with ThreadPoolExecutor(1) as pool:
                # Blocks the loop on purpose, until the call is answered.
                assert pool.submit(api.get_user, "u").result().id == "u"

    with host_in_thread() as host:
        host.answers["GetUser"] = echo
        asyncio.run(scenario(host.target))


def test_ctrl_c_ends_a_call() -> None:
    """In a plugin it never reaches such a thread, but where a plugin is embedded, the main thread may be one."""
    made: list[Any] = []
    over = threading.Event()
    cancelled = threading.Event()

    async def interrupt(request: Any, context: Any) -> Message:
        _thread.interrupt_main()
        try:
            return await asyncio.Future[Message]()
        finally:
            cancelled.set()

    async def hold(target: str, there: threading.Event) -> None:
        async with client(target) as api:
            made.append(api)
            there.set()
            await asyncio.to_thread(over.wait)

    with host_in_thread() as host:
        host.answers["GetUser"] = interrupt
        there = threading.Event()
        loop_thread = threading.Thread(target=lambda: asyncio.run(hold(host.target, there)))
        loop_thread.start()
        there.wait()
        with pytest.raises(KeyboardInterrupt):
            made[0].get_user("u")
        assert cancelled.wait(30)
        over.set()
        loop_thread.join()


def test_threads_outlive_the_loop() -> None:
    async def scenario() -> Any:
        async with connected() as (_, api):
            await api.aio.get_user("u")
            await asyncio.to_thread(api.get_user, "u")
            return api

    api = asyncio.run(scenario())
    with ThreadPoolExecutor(1) as pool, pytest.raises(APIUnavailable, match="get_user: the plugin has stopped") as end:
        pool.submit(api.get_user, "u").result()
    assert not end.value.may_have_taken_effect
    # The loop's own thread is free by now, in functions that run at the interpreter's end for example.
    with pytest.raises(APIUnavailable, match="get_user: the plugin has stopped") as end:
        api.get_user("u")
    assert not end.value.may_have_taken_effect


def test_an_error_of_grpc_that_nobody_knows_is_not_hidden() -> None:
    class Odd(grpc.RpcError):
        pass

    def fail(*arguments: Any, **options: Any) -> Any:
        raise Odd

    async def scenario() -> None:
        async with connected() as (_, api):
            await asyncio.to_thread(api.get_user, "u")
            wire: Any = api._wire
            wire._calls = dict.fromkeys(wire._calls, fail)
            with pytest.raises(Odd):
                await asyncio.to_thread(api.get_user, "u")

    asyncio.run(scenario())
