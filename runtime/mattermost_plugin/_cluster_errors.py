"""What mutexes raise."""

from __future__ import annotations

from mattermost_plugin.errors import PluginError

__all__ = ["LockLostError", "LockTimeoutError", "PluginStoppedError"]


class LockLostError(PluginError):
    """A lock was lost while it was held: from then on another holder may have had it.

    What was done under the lock may have been done twice, or beside another node's work. The author decides what that
    means.

    Attributes:
        name: name of the mutex or job.
        reason: what happened.
    """

    def __init__(self, name: str, reason: str) -> None:
        super().__init__(name, reason)
        self.name = name
        self.reason = reason

    def __str__(self) -> str:
        return f"the lock {self.name} was lost: {self.reason}"


class LockTimeoutError(PluginError, TimeoutError):
    """A lock was not to be had in time. Expected: another holder has it.

    Attributes:
        name: name of the mutex.
        timeout_s: seconds that it was waited for.
    """

    def __init__(self, name: str, timeout_s: float) -> None:
        super().__init__(name, timeout_s)
        self.name = name
        self.timeout_s = timeout_s

    def __str__(self) -> str:
        return f"the lock {self.name} was not free within {self.timeout_s:.3g} s"


class PluginStoppedError(PluginError):
    """The plugin stops: no more locks are taken and no more jobs planned. Expected at its end; let the work go."""
