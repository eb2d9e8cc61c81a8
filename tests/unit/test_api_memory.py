"""Calls of the plugin API leave nothing behind: neither those that succeed nor what they raise."""

import asyncio
import gc
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

import grpc
import pytest

from mattermost_plugin._api_client import ThreadClient
from mattermost_plugin.errors import PluginError
from mattermost_plugin.models import AppError, User
from mattermost_pluginapi.v1.api_kv_pb2 import KVGetResponse
from mattermost_pluginapi.v1.api_user_pb2 import CreateUserResponse
from tests.unit.api_host import Answer, Hanging, client, connected, refuse

ROUND = 500
ROOM = 250
"""Half a block of memory for each call of a round: what caches and allocators may take, and no leak."""

FAILURES: dict[str, tuple[Answer, dict[str, Any]]] = {
    "error in the reply": (CreateUserResponse(error=AppError(id="a.b", status_code=404)), {}),
    "status": (refuse(grpc.StatusCode.INTERNAL, "a.b: No."), {}),
    "cut off": (refuse(grpc.StatusCode.UNAVAILABLE, "gone"), {}),
    "deadline": (Hanging(), {"timeout": 0.01}),
}


@contextmanager
def without_gc() -> Iterator[None]:
    gc.collect()
    gc.disable()
    try:
        yield
    finally:
        gc.enable()


def alive() -> int:
    """How many exceptions of the kinds that calls raise somebody holds."""
    kinds = (PluginError, TypeError, ValueError)
    return sum(isinstance(thing, kinds) for thing in gc.get_objects())


# Any: what is called is a method of either client.


def fail(call: Callable[..., Any], *arguments: Any, **options: Any) -> None:
    with pytest.raises((PluginError, TypeError, ValueError)):
        call(*arguments, **options)


async def fail_awaiting(call: Callable[..., Any], *arguments: Any, **options: Any) -> None:
    with pytest.raises((PluginError, TypeError, ValueError)):
        await call(*arguments, **options)


@pytest.mark.parametrize(("answer", "options"), FAILURES.values(), ids=FAILURES)
def test_an_exception_goes_without_the_garbage_collector(answer: Answer, options: dict[str, Any]) -> None:
    """One that is part of a cycle stays until the next collection, and with it the frames that hold what was sent."""

    async def scenario() -> None:
        async with connected() as (host, api):
            host.answers["CreateUser"] = answer
            await call_both_in_vain(api, "create_user", User(), **options)

    asyncio.run(scenario())


def test_an_exception_of_a_call_that_is_not_sent_goes_too() -> None:
    async def scenario() -> None:
        async with client("unix:/no/such/socket") as api:
            await call_both_in_vain(api, "kv_set", "key", 5)
            await call_both_in_vain(api, "kv_set", "key", b"", timeout=-1)
            await call_both_in_vain(api, "kv_set", "key", b"")

    asyncio.run(scenario())


async def call_both_in_vain(api: ThreadClient, method: str, *arguments: Any, **options: Any) -> None:
    with without_gc():
        before = alive()
        await asyncio.to_thread(fail, getattr(api, method), *arguments, **options)
        assert alive() == before
        await fail_awaiting(getattr(api.aio, method), *arguments, **options)
        assert alive() == before


def test_calls_leave_nothing_behind() -> None:
    async def scenario() -> None:
        async with connected() as (host, api):
            host.answers["KVGet"] = KVGetResponse(value=b"value")
            host.answers["CreateUser"] = refuse(grpc.StatusCode.INTERNAL, "no")

            def in_thread() -> None:
                for _ in range(ROUND):
                    api.kv_get("key")
                    fail(api.create_user, User())

            async def in_task() -> None:
                for _ in range(ROUND):
                    await api.aio.kv_get("key")
                    await fail_awaiting(api.aio.create_user, User())

            async def blocks() -> int:
                await asyncio.to_thread(in_thread)
                await in_task()
                host.calls.clear()
                gc.collect()
                return sys.getallocatedblocks()

            await blocks()
            first = await blocks()
            assert await blocks() - first < ROOM

    asyncio.run(scenario())
