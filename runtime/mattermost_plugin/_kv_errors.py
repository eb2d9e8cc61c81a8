"""What the key-value store raises of its own. Texts name keys and never hold values."""

from __future__ import annotations

from mattermost_plugin.errors import PluginError


class KVError(PluginError):
    """Base of the store's own errors. Never raised itself.

    Attributes:
        key: The key in question.
    """

    def __init__(self, key: str, *details: object) -> None:
        super().__init__(key, *details)
        self.key = key


class KVValueError(KVError):
    """What is stored under a key cannot be read as what was asked for. Something else wrote it, or the type changed.

    Read it with another type, or delete the key. `self.api.kv_get` reads it as bytes.

    Attributes:
        reason: What is wrong with the value.
    """

    def __init__(self, key: str, reason: str) -> None:
        super().__init__(key, reason)
        self.reason = reason

    def __str__(self) -> str:
        return f"the value of the key {self.key!r} {self.reason}"


class KVConflictError(KVError):
    """An update gave up: each time, the value was changed by others between reading and writing. Nothing was stored.

    Try again later, spread what changes so often over several keys, or allow more attempts.

    Attributes:
        attempts: How often it was tried.
    """

    def __init__(self, key: str, attempts: int) -> None:
        super().__init__(key, attempts)
        self.attempts = attempts

    def __str__(self) -> str:
        return f"the key {self.key!r} was changed by others in each of {self.attempts} attempts to update it"
