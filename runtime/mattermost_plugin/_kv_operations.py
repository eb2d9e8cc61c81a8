"""What the key-value store does, written once for both clients of the plugin API."""

from __future__ import annotations

import copy
import inspect
from collections.abc import AsyncIterator, Awaitable, Callable
from datetime import timedelta
from typing import TYPE_CHECKING, Final, TypeAlias

from mattermost_plugin._both_clients import answer_of
from mattermost_plugin._kv_errors import KVConflictError
from mattermost_plugin._kv_rules import (
    checked_attempts,
    checked_key,
    checked_prefix,
    is_reserved,
    pause_s,
    whole_seconds,
)
from mattermost_plugin._kv_values import DELETE, checked_type, decode, encode, is_same_json
from mattermost_pluginapi.api.pages import Walk
from mattermost_pluginapi.models import PluginKVSetOptions

if TYPE_CHECKING:
    from mattermost_plugin._both_clients import EitherAPI

ATTEMPTS: Final = 20
"""How often an update is tried. With the pauses in between, the last try comes some four seconds after the first."""

_PAGE_SIZE: Final = 1000
"""Of keys, which are short."""

Pause: TypeAlias = Callable[[float], "Awaitable[None] | None"]
"""Waits for some seconds."""


class KVOperations:
    """The store's methods, with the same arguments. `timeout_s` is for each call of the API.

    Args:
        api: the client that is asked.
        pause: waits between two attempts, in the way that goes with the client.
    """

    def __init__(self, api: EitherAPI, pause: Pause) -> None:
        self._api = api
        self._pause = pause

    # One value

    async def get(self, key: str, as_type: type | None, default: object, timeout_s: float | None) -> object:
        checked_key(key)
        kind = checked_type(as_type)
        value = decode(key, await self._read(key, timeout_s), kind)
        return default if value is None else value

    async def set(self, key: str, value: object, expires_in: timedelta | float | None, timeout_s: float | None) -> None:
        data = encode(checked_key(key), value)
        seconds = whole_seconds(expires_in)
        # Neither needs a condition, so that both may be repeated when the server is away for a moment.
        if seconds:
            await answer_of(self._api.kv_set_with_expiry(key, data, seconds, timeout=timeout_s))
        else:
            await answer_of(self._api.kv_set(key, data, timeout=timeout_s))

    async def delete(self, key: str, timeout_s: float | None) -> None:
        await answer_of(self._api.kv_delete(checked_key(key), timeout=timeout_s))

    # One value, on a condition

    async def set_if_absent(
        self, key: str, value: object, expires_in: timedelta | float | None, timeout_s: float | None
    ) -> bool:
        data = encode(checked_key(key), value)
        return await self._swap(key, b"", data, whole_seconds(expires_in), timeout_s)

    async def compare_and_set(
        self,
        key: str,
        old: object,
        new: object,
        expires_in: timedelta | float | None,
        timeout_s: float | None,
    ) -> bool:
        checked_key(key)
        seconds = whole_seconds(expires_in)
        expected = b"" if old is None else encode(key, old)
        data = b"" if new is DELETE else encode(key, new)
        if old is None and new is DELETE:
            return not await self._read(key, timeout_s)
        if await self._swap(key, expected, data, seconds, timeout_s):
            return True
        if old is None:
            return False
        # The same value may be stored in another form: by another program, or with its keys in another order.
        stored = await self._read(key, timeout_s)
        return is_same_json(stored, expected) and await self._swap(key, stored, data, seconds, timeout_s)

    async def update(
        self,
        key: str,
        function: Callable[..., object],
        as_type: type | None,
        initial: object,
        expires_in: timedelta | float | None,
        attempts: int,
        timeout_s: float | None,
    ) -> object:
        checked_key(key)
        kind = checked_type(as_type)
        seconds = whole_seconds(expires_in)
        for attempt in range(checked_attempts(attempts)):
            if attempt:
                await answer_of(self._pause(pause_s(attempt)))
            stored = await self._read(key, timeout_s)
            value = decode(key, stored, kind)
            # A copy: the function may change it, and may be called again.
            new = function(copy.deepcopy(initial) if value is None else value)
            data = b"" if new is DELETE else _encode_result(key, new)
            if (not stored and not data) or await self._swap(key, stored, data, seconds, timeout_s):
                return new
        raise KVConflictError(key, attempts)

    # Many values

    async def keys(self, prefix: str, timeout_s: float | None) -> list[str]:
        checked_prefix(prefix)
        walk: Walk[str] = Walk("kv_list", _PAGE_SIZE)
        # A dict keeps the order, and a key apart that moved from one page to the next meanwhile.
        found: dict[str, None] = {}
        while not walk.has_ended:
            page = await answer_of(self._api.kv_list(walk.number, walk.size, timeout=timeout_s))
            found |= dict.fromkeys(key for key in walk.take(page) if key.startswith(prefix))
        return [key for key in found if not is_reserved(key)]

    def items(self, prefix: str, as_type: type | None, timeout_s: float | None) -> AsyncIterator[tuple[str, object]]:
        return self._items(checked_prefix(prefix), checked_type(as_type), timeout_s)

    async def _items(
        self, prefix: str, kind: type | None, timeout_s: float | None
    ) -> AsyncIterator[tuple[str, object]]:
        for key in await self.keys(prefix, timeout_s):
            value = decode(key, await self._read(key, timeout_s), kind)
            if value is not None:
                yield key, value

    async def delete_all(self, prefix: str, timeout_s: float | None) -> int:
        keys = await self.keys(prefix, timeout_s)
        for key in keys:
            await answer_of(self._api.kv_delete(key, timeout=timeout_s))
        return len(keys)

    # Bytes

    async def _read(self, key: str, timeout_s: float | None) -> bytes:
        return await answer_of(self._api.kv_get(key, timeout=timeout_s)) or b""

    async def _swap(self, key: str, old: bytes, new: bytes, seconds: int, timeout_s: float | None) -> bool:
        """Put one value in the place of another; an empty one is none."""
        if not new:
            return await answer_of(self._api.kv_compare_and_delete(key, old, timeout=timeout_s))
        options = PluginKVSetOptions(atomic=True, old_value=old, expire_in_seconds=seconds)
        return await answer_of(self._api.kv_set_with_options(key, new, options, timeout=timeout_s))


def _encode_result(key: str, new: object) -> bytes:
    """What the function of an update returned, as it is stored.

    Raises:
        TypeError: it is nothing that can be stored.
        ValueError: JSON cannot hold it.
    """
    if inspect.isawaitable(new):
        if inspect.iscoroutine(new):
            new.close()
        raise TypeError("the function that updates a value must not be async: it runs between reading and writing")
    if new is None:
        raise TypeError("the function that updates a value returned None: it must return the new value, or DELETE")
    return encode(key, new)
