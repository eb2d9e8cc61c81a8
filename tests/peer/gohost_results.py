"""What the Go host tells a test: the results of its commands, and its errors."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import TypeAlias

JSON: TypeAlias = "bool | int | float | str | list[JSON] | dict[str, JSON] | None"
JSONInput: TypeAlias = "bool | int | float | str | Sequence[JSONInput] | Mapping[str, JSONInput] | None"


class GoHostError(Exception):
    """The host or a command of it failed: a fault of the plugin's start or of the test."""


class HostDiedError(GoHostError):
    """The host process ended. A go-plugin host panics on some log lines; the text has its stderr."""


class HostTimeoutError(GoHostError):
    """The host did not answer in time."""


class CommandError(GoHostError):
    """The host refused a command; a gRPC status is not one of these."""


class RPCError(GoHostError):
    """`call_message` got a status other than OK, which is in `code`."""

    def __init__(self, code: str, message: str) -> None:
        super().__init__(f"{code}: {message}")
        self.code = code


@dataclass(frozen=True, slots=True)
class CallResult:
    """What became of a call. `response` is protojson with proto names, without unset fields."""

    code: str
    message: str
    response: dict[str, JSON]
    elapsed_ms: float

    @property
    def ok(self) -> bool:
        return self.code == "OK"


@dataclass(frozen=True, slots=True)
class RawResult:
    """`CallResult` of a call made with bytes."""

    code: str
    message: str
    response: bytes


@dataclass(frozen=True, slots=True)
class StreamResult:
    """All that came on a stream, and the status at its end."""

    code: str
    message: str
    messages: list[dict[str, JSON]]


@dataclass(frozen=True, slots=True)
class PingResult:
    """The outcome of go-plugin's own Ping."""

    ok: bool
    message: str


@dataclass(frozen=True, slots=True)
class HealthResult:
    """The outcome of Health/Check: `status` is "SERVING" and so on, "" on an error."""

    code: str
    status: str


@dataclass(frozen=True, slots=True)
class LogRecord:
    """A log record as the host classified it.

    Attributes:
        source: "plugin" (a line of its stderr), "http" (the front) or "host" (go-plugin).
        level: hclog's name: trace, debug, info, warn, error.
        index: Position in the log; `after=index + 1` asks for later ones.
    """

    index: int
    source: str
    level: str
    message: str
    pairs: dict[str, JSON]


@dataclass(frozen=True, slots=True)
class PluginOutput:
    """Raw output: the process's stderr, and what came through go-plugin's GRPCStdio."""

    stderr: str
    sync_stdout: str
    sync_stderr: str


@dataclass(frozen=True, slots=True)
class ExitStatus:
    """How a process ended: `exit_code` is -1 if by `signal` ("SIGKILL")."""

    exited: bool
    exit_code: int
    signal: str


@dataclass(frozen=True, slots=True)
class KillResult:
    """The outcome of go-plugin's Kill. `graceful`: it sent no SIGKILL."""

    graceful: bool
    elapsed_ms: float
    exit: ExitStatus


@dataclass(frozen=True, slots=True)
class BenchResult:
    """Latencies of a run of calls, as the host saw them."""

    count: int
    seconds: float
    p50_us: float
    p99_us: float
    errors: int
    first_error: str
