"""Where the host connects: a unix socket in a folder that only its user can enter, or a port on 127.0.0.1."""

import contextlib
import logging
import os
from pathlib import Path
from typing import Literal

from mattermost_plugin.errors import HandshakeError

_log = logging.getLogger(__name__)

_SOCKET_NAME = "plugin.sock"
_TMP = "/tmp"  # noqa: S108 - the socket gets a private folder in it
_SUN_PATH_MAX = 107
"""Longest path of a unix socket on Linux, without its terminating byte."""
_PRIVATE, _GROUP_MAY_ENTER, _GROUP_MAY_CONNECT = 0o700, 0o710, 0o660


class Listener:
    """The place to listen at, and its removal.

    Args:
        kind: "unix" or "tcp".
        folder: where the host wants sockets; "" for the temporary folder.
        group: name or number of a group that may connect too; "" for none.

    Raises:
        HandshakeError: the host wants a folder or a group that cannot be had.
    """

    def __init__(self, kind: Literal["unix", "tcp"], folder: str = "", group: str = "") -> None:
        self.network = kind
        self._group = group
        self._folder: Path | None = None
        if kind == "unix":
            self._folder = _private_folder(folder)
            self._socket = self._folder / _SOCKET_NAME

    @property
    def target(self) -> str:
        """The address for a gRPC server to bind."""
        return f"unix:{self._socket}" if self._folder else "127.0.0.1:0"

    @property
    def path(self) -> str | None:
        """The socket's path; None for a TCP port."""
        return str(self._socket) if self._folder else None

    def address(self, port: int) -> str:
        """The address for the handshake line, once the server is bound (to `port` if it is a TCP one)."""
        if self._folder is None:
            return f"127.0.0.1:{port}"
        if self._group:
            _open_to_group(self._folder, self._socket, self._group)
        return str(self._socket)

    def close(self) -> None:
        """Remove the socket and its folder."""
        if self._folder is not None:
            with contextlib.suppress(OSError):
                self._socket.unlink(missing_ok=True)
                self._folder.rmdir()


def _private_folder(wanted: str) -> Path:
    """A new folder for the socket. A path that is too long for a socket falls back to /tmp."""
    for parent in dict.fromkeys([wanted or os.environ.get("TMPDIR") or _TMP, _TMP]):
        # A name that nobody can guess, made by us or not at all. (The tempfile module costs more than all of this.)
        folder = Path(parent, f"mm-plugin-{os.urandom(6).hex()}")
        if len(os.fsencode(folder / _SOCKET_NAME)) > _SUN_PATH_MAX:
            _log.warning("%s is too long a path for a unix socket; trying %s", parent, _TMP)
            continue
        try:
            folder.mkdir(_PRIVATE)
        except OSError as error:
            raise HandshakeError(f"No socket can be made in {parent}: {error.strerror}") from error
        return folder
    raise HandshakeError(f"No socket can be made: {wanted!r} and {_TMP} are too long for a unix socket")


def _open_to_group(folder: Path, socket: Path, group: str) -> None:
    import grp

    try:
        number = int(group) if group.isdecimal() else grp.getgrnam(group).gr_gid
        os.chown(folder, -1, number)
        folder.chmod(_GROUP_MAY_ENTER)
        os.chown(socket, -1, number)
        socket.chmod(_GROUP_MAY_CONNECT)
    except (KeyError, OSError) as error:
        raise HandshakeError(
            f"The socket cannot be opened to the group {group!r} that the host names: {error}"
        ) from error
