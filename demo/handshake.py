"""The line with which a plugin tells its host where it listens: `CORE|APP|NETWORK|ADDRESS|PROTOCOL`."""

from dataclasses import dataclass
from pathlib import Path
from typing import Final

CORE_VERSION: Final = "1"
"""Version of go-plugin's own protocol."""

APP_VERSION: Final = "1"
"""Version of the server's plugin protocol."""

_MINIMUM_FIELDS: Final = 4
_LONGEST_NON_CERTIFICATE: Final = 50
"""Hosts take a longer sixth field for a TLS certificate, which this one did not ask for."""


class StartError(Exception):
    """The plugin did not start. The text says why."""


@dataclass(frozen=True, slots=True)
class Handshake:
    """Where the plugin listens."""

    network: str
    """"unix" or "tcp"."""

    address: str
    """The socket's path, or host:port."""

    @property
    def target(self) -> str:
        """The address as gRPC takes it."""
        return f"unix:{self.address}" if self.network == "unix" else self.address

    @property
    def socket_exists(self) -> bool:
        """Whether there is a socket's file; a plugin that has ended leaves none behind."""
        return self.network == "unix" and Path(self.address).exists()


def parse_handshake(line: str) -> Handshake:
    """Check a handshake line, field by field in order, as go-plugin does.

    Raises:
        StartError: a field is missing or is not what this host can use.
    """
    fields = line.strip().split("|")
    if len(fields) < _MINIMUM_FIELDS:
        raise StartError(f"the first line on stdout is no handshake: {line.strip()!r}")
    core, app, network, address = fields[:4]
    protocol = fields[4] if len(fields) > 4 else "netrpc"
    certificate = fields[5] if len(fields) > 5 else ""
    _require("core protocol version", core, CORE_VERSION)
    _require("app protocol version", app, APP_VERSION)
    if network not in ("unix", "tcp"):
        raise StartError(f"handshake: the network is {network!r}, not unix or tcp")
    if not address:
        raise StartError("handshake: the address is empty")
    _require("protocol", protocol, "grpc")
    if len(certificate) > _LONGEST_NON_CERTIFICATE:
        raise StartError("handshake: there is a TLS certificate, which nobody asked for")
    return Handshake(network, address)


def _require(field: str, got: str, expected: str) -> None:
    if got != expected:
        raise StartError(f"handshake: the {field} is {got!r}, not {expected!r}")
