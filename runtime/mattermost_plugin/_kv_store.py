"""The key-value store for threads."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from datetime import timedelta
from typing import TYPE_CHECKING, overload

from mattermost_plugin._both_clients import run, run_each
from mattermost_plugin._kv_async_store import AsyncKVStore
from mattermost_plugin._kv_operations import ATTEMPTS, KVOperations
from mattermost_plugin._kv_values import DefaultT, Deletion, JsonValue, NewT, Storable, ValueT

if TYPE_CHECKING:
    from mattermost_pluginapi.api.client import PluginAPI


class KVStore:
    """A plugin's own keys and values, kept by the server: the same on all nodes of a cluster, and after a restart.

    Values are JSON: text, numbers, True and False, lists and dicts of them, or pydantic models (any class with
    `model_validate_json` and `model_dump_json`). None is no value: it is what reading gives where there is none.
    Raw bytes are stored with `self.api.kv_set`.

    Keys have 1 to 150 characters. Those that begin with "mmi_" are the server's own, those with "pysdk:" belong to
    mutexes and jobs; no method here touches them.
    With another key, every method raises ValueError before the server is asked. All raise `PluginAPIError` if the
    server refuses a call, and `APITransportError` if no answer comes.

    `timeout` is the seconds that each call of the server may take; None stands for the client's setting.

    Args:
        api: the client of the plugin API, or anything in its place.
    """

    def __init__(self, api: PluginAPI) -> None:
        self._api = api
        self._operations = KVOperations(api, time.sleep)

    @property
    def aio(self) -> AsyncKVStore:
        """The same methods for coroutines."""
        return AsyncKVStore(self._api.aio)

    @overload
    def get(self, key: str, *, timeout: float | None = None) -> JsonValue: ...
    @overload
    def get(self, key: str, *, default: DefaultT, timeout: float | None = None) -> JsonValue | DefaultT: ...
    @overload
    def get(self, key: str, as_type: type[ValueT], *, timeout: float | None = None) -> ValueT | None: ...
    @overload
    def get(
        self, key: str, as_type: type[ValueT], *, default: DefaultT, timeout: float | None = None
    ) -> ValueT | DefaultT: ...
    def get(
        self,
        key: str,
        as_type: type[object] | None = None,
        *,
        default: object = None,
        timeout: float | None = None,
    ) -> object:
        """Read the value of a key.

        Args:
            key: the key.
            as_type: what the value must be: a model, str, int, float, bool, JsonArray or JsonObject. None: any JSON.
            default: what is returned if there is no value.
            timeout: see the class.

        Raises:
            KVValueError: the value is no JSON, or does not fit `as_type`.
        """
        return run(self._operations.get(key, as_type, default, timeout))

    def set(
        self,
        key: str,
        value: Storable,
        *,
        expires_in: timedelta | float | None = None,
        timeout: float | None = None,
    ) -> None:
        """Store a value in the place of the present one, if there is one.

        Args:
            key: the key.
            value: the new value.
            expires_in: after which time, or how many seconds, the value vanishes. Servers count whole seconds, so a
                part of one counts as one. None: never, whatever was said when the present value was stored.
            timeout: see the class.

        Raises:
            TypeError: the value is None, or neither JSON nor a model.
            ValueError: JSON cannot hold the value, or `expires_in` is not above 0.
        """
        run(self._operations.set(key, value, expires_in, timeout))

    def set_if_absent(
        self,
        key: str,
        value: Storable,
        *,
        expires_in: timedelta | float | None = None,
        timeout: float | None = None,
    ) -> bool:
        """Store a value if the key has none. Of several that do so at once, on whatever node, one succeeds.

        Args:
            key: the key.
            value: the new value.
            expires_in: as for `set`.
            timeout: see the class.

        Returns:
            Whether it was stored.

        Raises:
            TypeError: as `set`.
            ValueError: as `set`.
        """
        return run(self._operations.set_if_absent(key, value, expires_in, timeout))

    def compare_and_set(
        self,
        key: str,
        old: Storable | None,
        new: Storable | Deletion,
        *,
        expires_in: timedelta | float | None = None,
        timeout: float | None = None,
    ) -> bool:
        """Store a value if the present one is as expected, and nobody else can change it in between.

        Values are compared as JSON: the order of keys, spaces and the like do not count.

        Args:
            key: the key.
            old: the value that is expected to be there; None if none is.
            new: the new value; DELETE deletes the key.
            expires_in: as for `set`.
            timeout: see the class.

        Returns:
            Whether the present value was the expected one, and the new one is stored.

        Raises:
            TypeError: as `set`.
            ValueError: as `set`.
        """
        return run(self._operations.compare_and_set(key, old, new, expires_in, timeout))

    @overload
    def update(
        self,
        key: str,
        function: Callable[[JsonValue], NewT],
        *,
        initial: JsonValue = None,
        expires_in: timedelta | float | None = None,
        attempts: int = ATTEMPTS,
        timeout: float | None = None,
    ) -> NewT: ...
    @overload
    def update(
        self,
        key: str,
        function: Callable[[ValueT | None], NewT],
        as_type: type[ValueT],
        *,
        expires_in: timedelta | float | None = None,
        attempts: int = ATTEMPTS,
        timeout: float | None = None,
    ) -> NewT: ...
    @overload
    def update(
        self,
        key: str,
        function: Callable[[ValueT], NewT],
        as_type: type[ValueT],
        *,
        initial: ValueT,
        expires_in: timedelta | float | None = None,
        attempts: int = ATTEMPTS,
        timeout: float | None = None,
    ) -> NewT: ...
    def update(
        self,
        key: str,
        function: Callable[..., object],
        as_type: type[object] | None = None,
        *,
        initial: object = None,
        expires_in: timedelta | float | None = None,
        attempts: int = ATTEMPTS,
        timeout: float | None = None,
    ) -> object:
        """Change a value so that no change of others is lost.

        The value is read, the function computes the new one, and this is stored if the value is still the one that
        was read. Else all of it is done again after a short pause, so the function may be called several times: it
        must do nothing but compute. What it raises ends the update, and nothing is stored.

        Args:
            key: the key.
            function: gets the present value and returns the new one, or DELETE. It may change what it gets.
            as_type: what the value must be, as for `get`.
            initial: what the function gets if there is no value.
            expires_in: as for `set`.
            attempts: how often to try.
            timeout: see the class.

        Returns:
            What the function returned and is stored now.

        Raises:
            KVConflictError: others were faster each time.
            KVValueError: the present value is no JSON, or does not fit `as_type`.
            TypeError: the function returned None, or nothing that can be stored.
            ValueError: as `set`.
        """
        return run(self._operations.update(key, function, as_type, initial, expires_in, attempts, timeout))

    def delete(self, key: str, *, timeout: float | None = None) -> None:
        """Delete a key. One that has no value is no failure.

        Args:
            key: the key.
            timeout: see the class.
        """
        run(self._operations.delete(key, timeout))

    def keys(self, prefix: str = "", *, timeout: float | None = None) -> list[str]:
        """List the keys, in the server's order.

        Servers know no prefixes here: all keys of the plugin are read, a thousand at a time. What is stored or deleted
        meanwhile may be among them or not.

        Args:
            prefix: how the keys begin. Empty: all of them.
            timeout: see the class.
        """
        return run(self._operations.keys(prefix, timeout))

    @overload
    def items(self, prefix: str = "", *, timeout: float | None = None) -> Iterator[tuple[str, JsonValue]]: ...
    @overload
    def items(
        self, prefix: str = "", *, as_type: type[ValueT], timeout: float | None = None
    ) -> Iterator[tuple[str, ValueT]]: ...
    @overload
    def items(
        self, prefix: str, as_type: type[ValueT], *, timeout: float | None = None
    ) -> Iterator[tuple[str, ValueT]]: ...
    def items(
        self, prefix: str = "", as_type: type[object] | None = None, *, timeout: float | None = None
    ) -> Iterator[tuple[str, object]]:
        """Go through keys and values: first the keys are read, then each value when it is asked for.

        A key that was deleted meanwhile is left out. It is safe to store and to delete on the way.

        Args:
            prefix: how the keys begin. Empty: all of them.
            as_type: what the values must be, as for `get`.
            timeout: see the class.

        Raises:
            KVValueError: a value is no JSON, or does not fit `as_type`.
        """
        return run_each(self._operations.items(prefix, as_type, timeout))

    def delete_all(self, prefix: str, *, timeout: float | None = None) -> int:
        """Delete the keys that begin with a prefix, one by one. The server's own stay, unlike with `kv_delete_all`.

        Args:
            prefix: how the keys begin. Empty: all of them.
            timeout: see the class.

        Returns:
            How many there were.
        """
        return run(self._operations.delete_all(prefix, timeout))
