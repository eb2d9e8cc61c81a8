"""The plugin's run-time configuration: defaults, environment variables, and what is accepted."""

from __future__ import annotations

import json
import math
import os
import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Final, Literal, NamedTuple

from mattermost_plugin._hclog import level_number
from mattermost_plugin.errors import ConfigError, ConfigFault

__all__ = ["ENVIRONMENT_VARIABLES", "RuntimeConfig", "load_runtime_config"]

_STOP_BOUND_S: Final = 1.5
"""Most that the end of a plugin may be given. go-plugin sends SIGKILL 2 s after it asked a plugin to stop, and the
interpreter and the atexit functions need the rest."""

_ROUNDING: Final = 1e-9
"""0.6 and 0.9 are 1.5 for whoever writes them down."""

_MIB: Final = 1024 * 1024


@dataclass(frozen=True, slots=True, kw_only=True)
class RuntimeConfig:
    """How a plugin process runs. Every field has a default that fits a normal server.

    Raises:
        ConfigError: A value is not accepted; it names all that are not.
    """

    plugin_id: str = ""
    """The plugin's id. `load_runtime_config` takes it from plugin.json if the environment does not say. "" if
    unknown."""

    plugin_path: Path = field(default_factory=Path.cwd)
    """The folder that holds plugin.json. Default: the current folder, where the host starts plugins."""

    api_target: str = ""
    """Address of the server's plugin API: host:port, or unix: and the path of a socket. "" if the host offers
    none."""

    api_timeout_s: float = 30.0
    """Seconds that a call of the plugin API may take, unless the call says otherwise."""

    log_level: str | int = "INFO"
    """Lowest level that is logged: TRACE, DEBUG, INFO, WARN, WARNING or ERROR in any case, or a `logging`
    number."""

    hook_timeout_s: float = 25.0
    """Seconds until a hook handler counts as failed. The host gives up after 30 s: a plugin that answers
    before that decides itself what a failure means, and says in the log which handler it was."""

    workers: int = 16
    """Threads for hook handlers that are no coroutines, 1 to 1024."""

    http_workers: int = 32
    """Threads for ServeHTTP and ServeMetrics handlers that are no coroutines, 1 to 1024. They are apart from
    `workers` because a request may take long and must not keep hooks waiting."""

    listen: Literal["unix", "tcp"] = "unix"
    """Where the host connects to: a unix socket that only its user can open, or a TCP port on 127.0.0.1 that
    every local user can."""

    wire: Literal["auto", "grpc", "netrpc"] = "auto"
    """The protocol. "auto": gRPC for a host that says where its plugin API listens, else net/rpc, which all released
    servers speak."""

    reflection: bool = False
    """Offer gRPC server reflection. Needs the "reflection" extra."""

    drain_s: float = 0.5
    """Seconds that running handlers get when the host stops the plugin, from 0. Together with `deactivate_s` at most
    1.5: the host kills the process 2 s after it asked it to stop, and what comes last needs the rest."""

    deactivate_s: float = 0.9
    """Seconds that on_deactivate gets when the host goes without having called it, above 0. Together with
    `drain_s` at most 1.5."""

    max_message_bytes: int = 512 * _MIB
    """Largest request that the plugin takes, and largest reply of the plugin API, in bytes, from 64 KiB to 2 GiB. Hooks
    that see uploads get whole files in one message."""

    loop_block_warn_s: float = 1.0
    """Seconds that the event loop may stand still before the log names the code that blocks it."""

    loop_block_exit_s: float = 60.0
    """Seconds that the event loop may stand still before the process exits, so that the host starts it again.
    More than `loop_block_warn_s`."""

    def __post_init__(self) -> None:
        faults: list[ConfigFault] = []
        for option in _OPTIONS:
            value = getattr(self, option.field)
            if reason := option.check(value):
                faults.append(ConfigFault(option.field, str(value), reason))
        if not faults and self.drain_s + self.deactivate_s > _STOP_BOUND_S + _ROUNDING:
            reason = f"must be at most {_STOP_BOUND_S:g} together with drain_s ({self.drain_s:g})"
            faults.append(ConfigFault("deactivate_s", str(self.deactivate_s), reason))
        if not faults and self.loop_block_exit_s <= self.loop_block_warn_s:
            reason = f"must be more than loop_block_warn_s ({self.loop_block_warn_s:g})"
            faults.append(ConfigFault("loop_block_exit_s", str(self.loop_block_exit_s), reason))
        _raise_faults(faults)

    @property
    def log_level_number(self) -> int:
        """`log_level` as a number of the `logging` module."""
        return level_number(self.log_level)


def load_runtime_config(environ: Mapping[str, str] | None = None) -> RuntimeConfig:
    """Read the configuration from environment variables; an empty one counts as not set.

    Args:
        environ: The variables; None reads the process's own.

    Raises:
        ConfigError: A value is not accepted; it names every such variable, its value and what is accepted.
    """
    variables = os.environ if environ is None else environ
    values: dict[str, Any] = {}  # the type of each value is what its field's parser returns
    faults: list[ConfigFault] = []
    for option in _OPTIONS:
        text = variables.get(option.variable, "").strip()
        if not text:
            continue
        try:
            value = option.parse(text)
        except ValueError:
            faults.append(ConfigFault(option.variable, text, option.check(text)))
            continue
        if reason := option.check(value):
            faults.append(ConfigFault(option.variable, text, reason))
        else:
            values[option.field] = value
    _raise_faults(faults)
    try:
        config = RuntimeConfig(**values)
    except ConfigError as error:
        # Only rules between fields are left; the administrator knows them by their variables.
        _raise_faults([fault._replace(variable=ENVIRONMENT_VARIABLES[fault.variable]) for fault in error.faults])
        raise
    if config.plugin_id:
        return config
    return RuntimeConfig(**{**values, "plugin_id": _manifest_id(config.plugin_path), "plugin_path": config.plugin_path})


def _raise_faults(faults: list[ConfigFault]) -> None:
    if faults:
        first, *also = faults
        raise ConfigError(first.variable, first.value, first.reason, also)


def _manifest_id(folder: Path) -> str:
    """The id in plugin.json; "" if there is none, since a plugin can run without knowing it."""
    try:
        manifest = json.loads((folder / "plugin.json").read_bytes())
    except (OSError, ValueError, RecursionError):
        return ""
    plugin_id = manifest.get("id") if isinstance(manifest, dict) else None
    return plugin_id if isinstance(plugin_id, str) and not _check_id(plugin_id) else ""


class _Option(NamedTuple):
    """One field: where it comes from and what it accepts."""

    field: str
    variable: str
    parse: Callable[[str], object]
    """Turns the variable's text into a value; ValueError if it cannot."""
    check: Callable[[object], str]
    """Says what is accepted if a value is not, else ""."""


def _check_id(value: object) -> str:
    if isinstance(value, str) and re.fullmatch(r"[A-Za-z0-9._-]{0,190}", value):
        return ""
    return "must be a plugin id: letters, digits, '.', '_' and '-', at most 190"


def _check_path(value: object) -> str:
    return "" if isinstance(value, Path) else "must be the path of a folder"


def _check_target(value: object) -> str:
    if isinstance(value, str):
        if re.fullmatch(r"unix(-abstract)?:\S+", value):
            return ""
        host, _, port = value.rpartition(":")
        if value == "" or (host and not re.search(r"\s", host) and _is_port(port)):
            return ""
    return "must be host:port or unix:path"


def _is_port(text: str) -> bool:
    return bool(re.fullmatch(r"[0-9]{1,5}", text)) and 1 <= int(text) <= 65535


def _check_level(value: object) -> str:
    if isinstance(value, str | int):
        try:
            level_number(value)
        except ValueError as error:
            return str(error)
        return ""
    return "must be a level's name or number"


def _check_choice(*choices: str) -> Callable[[object], str]:
    return lambda value: "" if value in choices else f"must be {' or '.join(choices)}"


def _check_bool(value: object) -> str:
    return "" if isinstance(value, bool) else "must be one of 1, true, yes, 0, false, no"


def _check_int(lowest: int, highest: int) -> Callable[[object], str]:
    def check(value: object) -> str:
        if isinstance(value, int) and not isinstance(value, bool) and lowest <= value <= highest:
            return ""
        return f"must be a whole number from {lowest} to {highest}"

    return check


def _check_seconds(
    lowest: float, highest: float = math.inf, *, lowest_is_allowed: bool = False
) -> Callable[[object], str]:
    def check(value: object) -> str:
        if isinstance(value, int | float) and not isinstance(value, bool):
            in_range = lowest < value <= highest or (lowest_is_allowed and value == lowest)
            if in_range and math.isfinite(value):
                return ""
        above = f"from {lowest:g}" if lowest_is_allowed else f"above {lowest:g}"
        return f"must be a number of seconds {above}" + (f" to {highest:g}" if math.isfinite(highest) else "")

    return check


def _parse_folder(text: str) -> Path:
    folder = Path(text)
    if not folder.is_dir():
        raise ValueError(text)
    return folder


def _parse_bool(text: str) -> bool:
    lowered = text.lower()
    if lowered in ("1", "true", "yes"):
        return True
    if lowered in ("0", "false", "no"):
        return False
    raise ValueError(text)


_OPTIONS: Final = (
    _Option("plugin_id", "MATTERMOST_PLUGIN_ID", str, _check_id),
    _Option("plugin_path", "MATTERMOST_PLUGIN_PATH", _parse_folder, _check_path),
    _Option("api_target", "MATTERMOST_PLUGIN_API_TARGET", str, _check_target),
    _Option("api_timeout_s", "MATTERMOST_PLUGIN_API_TIMEOUT", float, _check_seconds(0)),
    _Option("log_level", "MATTERMOST_PLUGIN_LOG_LEVEL", str, _check_level),
    _Option("hook_timeout_s", "MATTERMOST_PLUGIN_HOOK_TIMEOUT", float, _check_seconds(0)),
    _Option("workers", "MATTERMOST_PLUGIN_WORKERS", int, _check_int(1, 1024)),
    _Option("http_workers", "MATTERMOST_PLUGIN_HTTP_WORKERS", int, _check_int(1, 1024)),
    _Option("listen", "MATTERMOST_PLUGIN_LISTEN", str.lower, _check_choice("unix", "tcp")),
    _Option("wire", "MATTERMOST_PLUGIN_WIRE", str.lower, _check_choice("auto", "grpc", "netrpc")),
    _Option("reflection", "MATTERMOST_PLUGIN_REFLECTION", _parse_bool, _check_bool),
    _Option("drain_s", "MATTERMOST_PLUGIN_DRAIN", float, _check_seconds(0, _STOP_BOUND_S, lowest_is_allowed=True)),
    _Option("deactivate_s", "MATTERMOST_PLUGIN_DEACTIVATE", float, _check_seconds(0, _STOP_BOUND_S)),
    _Option(
        "max_message_bytes",
        "MATTERMOST_PLUGIN_MAX_MESSAGE_BYTES",
        int,
        _check_int(64 * 1024, 2048 * _MIB - 1),
    ),
    _Option("loop_block_warn_s", "MATTERMOST_PLUGIN_LOOP_BLOCK_WARN", float, _check_seconds(0)),
    _Option("loop_block_exit_s", "MATTERMOST_PLUGIN_LOOP_BLOCK_EXIT", float, _check_seconds(0)),
)

ENVIRONMENT_VARIABLES: Final[Mapping[str, str]] = {option.field: option.variable for option in _OPTIONS}
"""The environment variable of each field of `RuntimeConfig`."""
