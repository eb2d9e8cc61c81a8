"""The lock that keeps two hosts off one file."""

from __future__ import annotations

import fcntl
import os
from pathlib import Path

from mattermost_plugin.devhost.errors import DevHostError

__all__ = ["FileLock"]


class FileLock:
    """Says that a file is in use, in a file beside it, for as long as this object or its process lives.

    Not a lock on the file itself: closing any descriptor of that would end SQLite's own locks.

    Args:
        path: the file that is used.

    Raises:
        DevHostError: another host uses the file, or nothing can be written beside it.
    """

    def __init__(self, path: Path) -> None:
        resolved = path.resolve()
        self._beside = resolved.with_name(f"{resolved.name}.lock")
        try:
            self._descriptor = self._take()
        except BlockingIOError as error:
            raise DevHostError(f"{path} is in use by another development host, {self._holder()}") from error
        except OSError as error:
            raise DevHostError(f"{path} cannot be used: {error}") from error

    def _take(self) -> int:
        while True:
            descriptor = os.open(self._beside, os.O_RDWR | os.O_CREAT, 0o600)
            try:
                fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
                if self._is_in_place(descriptor):
                    os.truncate(descriptor, 0)
                    os.write(descriptor, str(os.getpid()).encode())
                    return descriptor
            except BaseException:
                os.close(descriptor)
                raise
            # The host that had the lock has removed its file meanwhile: this lock would keep nobody off.
            os.close(descriptor)

    def _is_in_place(self, descriptor: int) -> bool:
        try:
            return os.path.samestat(self._beside.stat(), os.fstat(descriptor))
        except FileNotFoundError:
            return False

    def _holder(self) -> str:
        try:
            return f"process {int(self._beside.read_text(encoding='ascii'))}"
        except (OSError, ValueError):
            return "which has just started or ended"

    def release(self) -> None:
        """Let other hosts use the file; legal more than once."""
        if self._descriptor >= 0:
            self._beside.unlink(missing_ok=True)
            os.close(self._descriptor)
            self._descriptor = -1
