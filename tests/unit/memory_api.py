"""A plugin API in memory, for both clients: keys and values, and what a test adds. Others may act in between."""

import asyncio
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

from google.protobuf.message import Message

from mattermost_plugin.api import AsyncPluginAPI, PluginAPI
from mattermost_plugin.kv import AsyncKVStore, KVStore
from mattermost_pluginapi.api.method import ApiMethod

Answer = Callable[[Any], Any]


def nothing(method: str) -> None:
    """What happens before a call unless a test says otherwise."""


@dataclass
class Memory:
    """What the server keeps."""

    values: dict[str, bytes] = field(default_factory=dict)
    answers: dict[str, Answer] = field(default_factory=dict)
    """What answers a method other than those of keys and values: its request becomes the fields of its response."""
    before: Callable[[str], None] = nothing
    """Called with the method's name before each call takes effect: here others act."""
    requests: list[Any] = field(default_factory=list)
    timeouts: list[float | None] = field(default_factory=list)

    @property
    def called(self) -> list[str]:
        """The methods that were called."""
        return [type(request).__name__.removesuffix("Request") for request in self.requests]

    def answer(self, method: ApiMethod[Any, Any], request: Message, timeout: float | None) -> Any:
        self.before(method.name)
        copy = type(request)()
        copy.CopyFrom(request)
        self.requests.append(copy)
        self.timeouts.append(timeout)
        answer = self.answers.get(method.name) or getattr(self, f"_{method.method}")
        return method.response_type(**answer(request))

    def _kv_get(self, request: Any) -> dict[str, Any]:
        return {"value": self.values.get(request.key, b"")}

    def _kv_set(self, request: Any) -> dict[str, Any]:
        self._put(request.key, request.value)
        return {}

    _kv_set_with_expiry = _kv_set

    def _kv_set_with_options(self, request: Any) -> dict[str, Any]:
        assert request.options.atomic
        return self._swap(request.key, request.options.old_value, request.value)

    def _kv_compare_and_delete(self, request: Any) -> dict[str, Any]:
        return self._swap(request.key, request.old_value, b"") if request.old_value else {"success": False}

    def _kv_delete(self, request: Any) -> dict[str, Any]:
        self._put(request.key, b"")
        return {}

    def _kv_list(self, request: Any) -> dict[str, Any]:
        first = request.page * request.per_page
        return {"keys": sorted(self.values)[first : first + request.per_page]}

    def _swap(self, key: str, old: bytes, new: bytes) -> dict[str, Any]:
        matches = self.values.get(key, b"") == old
        if matches:
            self._put(key, new)
        return {"success": matches}

    def _put(self, key: str, value: bytes) -> None:
        if value:
            self.values[key] = value
        else:
            self.values.pop(key, None)


class AsyncMemoryAPI(AsyncPluginAPI):
    """The client for coroutines; each call gives way first."""

    def __init__(self, memory: Memory, give_way: Callable[[], Any] = lambda: asyncio.sleep(0)) -> None:
        self.memory = memory
        self.give_way = give_way

    async def _call(
        self,
        method: ApiMethod[Any, Any],
        request: Any,
        timeout: float | None,  # noqa: ASYNC109 - the API's
    ) -> Any:
        await self.give_way()
        return self.memory.answer(method, request, timeout)


class MemoryAPI(PluginAPI):
    """The client for threads."""

    def __init__(self, memory: Memory) -> None:
        self.memory = memory

    @property
    def aio(self) -> AsyncPluginAPI:
        return AsyncMemoryAPI(self.memory)

    def _call(self, method: ApiMethod[Any, Any], request: Any, timeout: float | None) -> Any:
        return self.memory.answer(method, request, timeout)


class Store:
    """One of the two stores, called alike."""

    def __init__(self, client: str) -> None:
        self.memory = Memory()
        kv = KVStore(MemoryAPI(self.memory))
        self._store: KVStore | AsyncKVStore = kv.aio if client == "coroutines" else kv

    def __call__(self, method: str, /, *arguments: Any, **named: Any) -> Any:
        """What a method returns; a list, if it is an iterator."""
        result = getattr(self._store, method)(*arguments, **named)
        if hasattr(result, "__await__"):
            return asyncio.run(result)
        if hasattr(result, "__aiter__"):
            return asyncio.run(_list(result))
        return list(result) if hasattr(result, "__next__") else result


async def _list(items: Any) -> list[Any]:
    return [item async for item in items]
