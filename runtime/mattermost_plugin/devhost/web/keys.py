"""The key that opens the page's API: in the link that is printed, and in nothing that is served."""

import hashlib
import hmac
import json
import secrets
from typing import Final

from mattermost_plugin.devhost.store.plugins import SettingStore

__all__ = ["Keys"]

REMEMBERED_RUNS: Final = 5
"""How many runs' keys open the page: a tab outlives a few restarts of the host on the same file."""

KEY_BYTES: Final = 32

_NAME: Final = "web_key_hashes"


class Keys:
    """The key of this run, and the hashes of those of the runs before it.

    The file with the state may be readable for others, so it has no key, only hashes.

    Args:
        settings: where the hashes are kept.
    """

    def __init__(self, settings: SettingStore) -> None:
        self.current = secrets.token_urlsafe(KEY_BYTES)
        """The key of this run."""
        stored = json.loads(settings.get(_NAME) or b"[]")
        self._hashes: list[str] = [_hash(self.current), *map(str, stored)][:REMEMBERED_RUNS]
        settings.put(_NAME, json.dumps(self._hashes).encode())

    def accept(self, key: str) -> bool:
        """Whether a key opens the page."""
        given = _hash(key)
        # All are compared, whichever fits: the time tells nothing.
        return sum(hmac.compare_digest(given, known) for known in self._hashes) > 0


def _hash(key: str) -> str:
    return hashlib.sha256(key.encode("utf-8", "backslashreplace")).hexdigest()
