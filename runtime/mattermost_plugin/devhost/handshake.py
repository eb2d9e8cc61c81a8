"""The line with which a plugin tells its host where it listens: `CORE|APP|NETWORK|ADDRESS|PROTOCOL`."""

from typing import Final

from mattermost_plugin.devhost.errors import StartError

__all__ = ["APP_VERSION", "target_of"]

CORE_VERSION: Final = "1"
"""Version of go-plugin's own protocol."""

APP_VERSION: Final = "1"
"""Version of the server's plugin protocol."""

_FEWEST_FIELDS: Final = 4
_LONGEST_NON_CERTIFICATE: Final = 50
"""Hosts take a longer sixth field for a TLS certificate, which this one did not ask for."""


def target_of(line: str) -> str:
    """Where the plugin listens, as gRPC takes it.

    Args:
        line: the handshake line.

    Raises:
        StartError: a field is missing or is not what this host can use.
    """
    fields = line.strip().split("|")
    if len(fields) < _FEWEST_FIELDS:
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
    return f"unix:{address}" if network == "unix" else address


def _require(field: str, got: str, expected: str) -> None:
    if got != expected:
        raise StartError(f"handshake: the {field} is {got!r}, not {expected!r}")
