"""What jobs raise."""

from __future__ import annotations

from mattermost_plugin.errors import PluginError

__all__ = ["DuplicateJobError", "JobCancelledError", "UnknownJobError"]


class JobCancelledError(PluginError):
    """A run of a job must end: `run.check()` raises this. Let it leave the callback; the run is then made up for.

    Attributes:
        name: name of the job.
        reason: why.
    """

    def __init__(self, name: str, reason: str) -> None:
        super().__init__(name, reason)
        self.name = name
        self.reason = reason

    def __str__(self) -> str:
        return f"the job {self.name} is cancelled: {self.reason}"


class DuplicateJobError(PluginError, ValueError):
    """A second job was registered under a name. The author must choose another one.

    Attributes:
        name: the name.
    """

    def __init__(self, name: str) -> None:
        super().__init__(name)
        self.name = name

    def __str__(self) -> str:
        return f"there is a job named {self.name} already"


class UnknownJobError(PluginError, LookupError):
    """A one-shot job was planned whose name has no handler. The author must register one with `self.jobs.handle`.

    Attributes:
        name: the name.
    """

    def __init__(self, name: str) -> None:
        super().__init__(name)
        self.name = name

    def __str__(self) -> str:
        return f"no handler is registered for one-shot jobs named {self.name}: call self.jobs.handle first"
