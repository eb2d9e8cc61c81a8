"""An event loop whose time goes by as soon as nothing else is to do: time limits of minutes pass in no time."""

from __future__ import annotations

import asyncio
import selectors

__all__ = ["VirtualLoop"]


class _Selector(selectors.DefaultSelector):
    """Waits for nothing. Not for programs with threads that wake the loop."""

    now = 0.0

    def select(self, timeout: float | None = None) -> list[tuple[selectors.SelectorKey, int]]:
        if timeout is None:
            raise RuntimeError("everything waits for what nothing will bring")
        self.now += max(0.0, timeout)
        return super().select(0)


class VirtualLoop(asyncio.SelectorEventLoop):
    """See the module."""

    def __init__(self) -> None:
        self._virtual = _Selector()
        super().__init__(self._virtual)

    def time(self) -> float:
        return self._virtual.now
