"""A plugin's keys and values, as a test looks at them."""

from __future__ import annotations

from collections.abc import Iterator, MutableMapping

from mattermost_plugin.devhost import DevHost
from mattermost_plugin.devhost.store import Page
from mattermost_plugin.testing._core import ServerCore

__all__ = ["KeyValues"]

__tracebackhide__ = True  # pytest shows the line of the test

_PAGE = 1000


class KeyValues(MutableMapping[str, bytes]):
    """The keys and values of one plugin: a live view, past the plugin's API. What has expired is not there.

    Args:
        core: the server.
        plugin_id: whose.
    """

    def __init__(self, core: ServerCore, plugin_id: str) -> None:
        self._core = core
        self._plugin_id = plugin_id

    def __getitem__(self, key: str) -> bytes:
        value = self._core._read(f"kv[{key!r}]", lambda host: host.store.kv.get(self._plugin_id, key))
        if value is None:
            raise KeyError(key)
        return value

    def __setitem__(self, key: str, value: bytes) -> None:
        """Set a value; an empty one deletes the key, as on a server."""
        data = _checked_bytes(value)
        self._core._read(f"kv[{key!r}]", lambda host: host.store.kv.set(self._plugin_id, key, data))

    def __delitem__(self, key: str) -> None:
        self[key]
        self._core._read(f"kv[{key!r}]", lambda host: host.store.kv.delete(self._plugin_id, key))

    def __iter__(self) -> Iterator[str]:
        return iter(self._keys())

    def __len__(self) -> int:
        return len(self._keys())

    def __repr__(self) -> str:
        return f"<keys of {self._plugin_id}: {dict(self)!r}>"

    def set(self, key: str, value: bytes, *, expires_in_s: int) -> None:
        """Set a value that expires.

        Args:
            key: the key.
            value: the value.
            expires_in_s: after how many seconds of the server's clock.
        """
        data = _checked_bytes(value)
        self._core._read(f"kv[{key!r}]", lambda host: host.store.kv.set(self._plugin_id, key, data, expires_in_s))

    def _keys(self) -> list[str]:
        return self._core._read("kv", self._all_keys)

    def _all_keys(self, host: DevHost) -> list[str]:
        keys: list[str] = []
        # A page is full but for the last one.
        while len(keys) % _PAGE == 0:
            found = host.store.kv.keys(self._plugin_id, Page(len(keys) // _PAGE, _PAGE))
            keys += found
            if not found:
                break
        return keys


def _checked_bytes(value: object) -> bytes:
    if not isinstance(value, bytes):
        raise TypeError(f"the server keeps bytes, not {type(value).__name__}: for JSON use the plugin's own kv")
    return value
