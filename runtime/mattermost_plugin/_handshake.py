"""What go-plugin's host and a plugin tell each other before the first call.

The host passes a cookie, the protocol versions it knows and a few wishes in the environment; the plugin
answers with one line on stdout: `CORE|APP|NETWORK|ADDRESS|PROTOCOL`. Everything else about a start is the
host's business.
"""

from __future__ import annotations

from collections.abc import Mapping, MutableMapping
from typing import NamedTuple

from mattermost_plugin.errors import HandshakeError

__all__ = [
    "APP_PROTOCOL_VERSION",
    "COOKIE_KEY",
    "COOKIE_VALUE",
    "CORE_PROTOCOL_VERSION",
    "HostEnvironment",
    "claim_environment",
    "explain_not_a_plugin",
    "format_handshake_line",
    "read_host_environment",
    "require_supported_host",
    "version_problem",
]

COOKIE_KEY = "MATTERMOST_PLUGIN"
COOKIE_VALUE = "Securely message teams, anywhere."
"""Proof that the server started the process. No secret: it only keeps people from running plugins by hand."""

CORE_PROTOCOL_VERSION = 1
"""Version of go-plugin's own protocol; hosts accept no other."""

APP_PROTOCOL_VERSION = 1
"""Version of the server's plugin protocol, and the only one served here."""

_GO_PLUGIN_VARIABLES = (
    "PLUGIN_PROTOCOL_VERSIONS",
    "PLUGIN_MIN_PORT",
    "PLUGIN_MAX_PORT",
    "PLUGIN_CLIENT_CERT",
    "PLUGIN_MULTIPLEX_GRPC",
    "PLUGIN_UNIX_SOCKET_DIR",
    "PLUGIN_UNIX_SOCKET_GROUP",
)

_MAX_PORT = 65535


class HostEnvironment(NamedTuple):
    """What the host said in the environment."""

    started_by_host: bool
    """The cookie is there and right."""

    cookie_present_but_wrong: bool
    """The cookie's variable is set to something else."""

    offered_versions: tuple[int, ...]
    """App protocol versions that the host offers, in its order. Empty if it offers none."""

    bad_versions: tuple[str, ...]
    """Items of the host's list that are not numbers; skipped."""

    client_cert_wanted: bool
    """The host wants AutoMTLS."""

    unix_socket_dir: str
    """Folder in which the host wants the socket. "" if it does not care."""

    unix_socket_group: str
    """Group (name or number) that must be able to connect to the socket. "" if the host does not care."""


def read_host_environment(environ: Mapping[str, str]) -> HostEnvironment:
    """Read what the host said. Never fails: what cannot be understood counts as not said."""
    cookie = environ.get(COOKIE_KEY)
    offered: list[int] = []
    bad: list[str] = []
    for item in environ.get("PLUGIN_PROTOCOL_VERSIONS", "").split(","):
        number = _decimal(item.strip())
        if number is not None:
            offered.append(number)
        elif item.strip():
            bad.append(item.strip())
    return HostEnvironment(
        started_by_host=cookie == COOKIE_VALUE,
        cookie_present_but_wrong=cookie is not None and cookie != COOKIE_VALUE,
        offered_versions=tuple(offered),
        bad_versions=tuple(bad),
        client_cert_wanted=bool(environ.get("PLUGIN_CLIENT_CERT")),
        unix_socket_dir=environ.get("PLUGIN_UNIX_SOCKET_DIR", ""),
        unix_socket_group=environ.get("PLUGIN_UNIX_SOCKET_GROUP", ""),
    )


def claim_environment(environ: MutableMapping[str, str]) -> HostEnvironment:
    """Read what the host said and, if it started this process, remove it from the environment.

    A child process then does not take itself for a plugin. The first claim of a process is remembered, since what it
    read is no longer there. The MATTERMOST_PLUGIN_... variables stay: a child may want to call the server.
    """
    global _claimed  # noqa: PLW0603 - there is one environment, and one host
    if _claimed is not None:
        return _claimed
    host = read_host_environment(environ)
    if host.started_by_host:
        _claimed = host
        for name in (COOKIE_KEY, *_GO_PLUGIN_VARIABLES):
            environ.pop(name, None)
    return host


_claimed: HostEnvironment | None = None


def version_problem(env: HostEnvironment) -> str | None:
    """Say what is wrong with the offered versions, for the log. None if nothing is.

    It is no reason to stop: go-plugin's rule is that a plugin without a common version prints its lowest own
    one, and the host reports the mismatch where the administrator sees it.
    """
    problems = []
    if env.bad_versions:
        problems.append(f"the host offers protocol versions that are no numbers: {', '.join(env.bad_versions)}")
    if env.offered_versions and APP_PROTOCOL_VERSION not in env.offered_versions:
        offered = ", ".join(map(str, env.offered_versions))
        problems.append(
            f"the host offers plugin protocol {offered}; this plugin speaks {APP_PROTOCOL_VERSION} only, "
            "so the host will refuse it: the SDK and the server do not fit together"
        )
    return "; ".join(problems) or None


def require_supported_host(env: HostEnvironment) -> None:
    """Refuse a host whose wishes cannot be met.

    Raises:
        HandshakeError: The host wants AutoMTLS. Its certificate has a P-521 key, which the TLS library inside
            grpcio cannot verify; the Mattermost server does not ask for it.
    """
    if env.client_cert_wanted:
        raise HandshakeError(
            "The host asks for AutoMTLS (PLUGIN_CLIENT_CERT is set). This plugin cannot offer it: gRPC for "
            "Python cannot verify the host's P-521 certificate. The Mattermost server does not ask for AutoMTLS; "
            "turn it off in the host, or remove PLUGIN_CLIENT_CERT if it was inherited by accident."
        )


def format_handshake_line(address: str | int, *, network: str = "tcp", protocol: str = "grpc") -> str:
    """Build the line that tells the host where the plugin listens, without the newline.

    Args:
        address: "host:port" for tcp, the socket's path for unix. A number is a port on 127.0.0.1.
        network: "tcp" or "unix".
        protocol: "grpc" or "netrpc".

    Raises:
        ValueError: The host would not understand, or would misread, the line.
    """
    if network not in ("tcp", "unix"):
        raise ValueError(f"network must be 'tcp' or 'unix', not {network!r}")
    if protocol not in ("grpc", "netrpc"):
        raise ValueError(f"protocol must be 'grpc' or 'netrpc', not {protocol!r}")
    if isinstance(address, int):
        if network != "tcp":
            raise ValueError(f"a port number needs network 'tcp', not {network!r}")
        address = f"127.0.0.1:{address:d}"
    # The host splits at "|", reads one line and trims blanks: such an address would arrive as another one.
    if not address or "|" in address or "\n" in address or "\r" in address or address != address.strip():
        raise ValueError(f"address must be non-empty, on one line, without '|' and blank edges: {address!r}")
    if network == "tcp":
        host, _, port = address.rpartition(":")
        if not host or _port(port) is None:
            raise ValueError(f"address must be host:port with a port from 1 to {_MAX_PORT}: {address!r}")
    # Go's plugins end the line with an empty certificate; hosts of gRPC have always got it without.
    end = "|" if protocol == "netrpc" else ""
    return f"{CORE_PROTOCOL_VERSION}|{APP_PROTOCOL_VERSION}|{network}|{address}|{protocol}{end}"


def explain_not_a_plugin(env: HostEnvironment, script: str) -> str:
    """Text for somebody who runs a plugin by hand."""
    if env.cookie_present_but_wrong:
        return (
            f"{script} is a Mattermost plugin, but {COOKIE_KEY} in its environment is not what a Mattermost "
            "server puts there.\n"
            f"Either another program started it, or the variable was set by hand: unset {COOKIE_KEY}, and let "
            "the server start the plugin.\n"
        )
    return (
        f"{script} is a plugin of the Mattermost server. The server starts it and talks to it; run by hand it "
        "has nothing to do.\n"
        "\n"
        "FOLDER is the one that plugin.json is in. To try it without a server: mattermost-plugin dev FOLDER.\n"
        "To install it in a server: mattermost-plugin deploy FOLDER --server URL, or mattermost-plugin pack FOLDER and "
        "upload the .tar.gz in the System Console under Plugins > Plugin Management, or with `mmctl plugin add`.\n"
        "To test it: mattermost_plugin.testing.\n"
    )


def _decimal(text: str) -> int | None:
    return int(text) if text.isascii() and text.isdigit() and len(text) < 10 else None


def _port(text: str) -> int | None:
    number = _decimal(text)
    return number if number is not None and 1 <= number <= _MAX_PORT else None
