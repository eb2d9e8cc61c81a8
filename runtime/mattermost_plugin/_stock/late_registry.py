"""What interfaces may hold, loaded when an interface is first written: the host waits for the plugin to be there."""

from __future__ import annotations

from collections.abc import Iterator, Mapping

from mattermost_plugin._gob import Registered

__all__ = ["LateRegistry"]


class LateRegistry(Mapping[str, Registered]):
    """The same as `struct_sources.registry()`."""

    def __getitem__(self, name: str) -> Registered:
        return self._loaded()[name]

    def __iter__(self) -> Iterator[str]:
        return iter(self._loaded())

    def __len__(self) -> int:
        return len(self._loaded())

    def _loaded(self) -> Mapping[str, Registered]:
        from mattermost_plugin._stock.struct_sources import registry

        return registry()
