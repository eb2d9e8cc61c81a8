"""A plugin that the Go host has started, and what a test can do with it."""

import base64
import http.client
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import TypeVar

from google.protobuf.message import Message

from tests.peer.gohost_link import Answer, HostLink, ProcessWatch
from tests.peer.gohost_results import (
    JSON,
    BenchResult,
    CallResult,
    CommandError,
    ExitStatus,
    HealthResult,
    JSONInput,
    KillResult,
    LogRecord,
    PingResult,
    PluginOutput,
    RawResult,
    RPCError,
    StreamResult,
)

MessageT = TypeVar("MessageT", bound=Message)

HOOKS_SERVICE = "/mattermost.pluginapi.v1.PluginHooks"
HOOK_TIMEOUT_S = 30.0  # what the Mattermost host allows a hook
KILL_TIMEOUT_S = 60.0  # go-plugin's Kill waits for the children of a plugin that hold its pipes
STDERR_TAIL = 4000  # characters of a plugin's stderr in an error: a traceback or two
BENCH_TIMEOUT_S = 600.0  # far above any sensible measurement


class StartError(CommandError):
    """go-plugin could not start the plugin.

    Attributes:
        plugin: Its logs can still be read; nothing else works on it.
        exit: How the process ended, killed by go-plugin unless it had ended before.
    """

    def __init__(self, text: str, plugin: "GoPlugin", status: ExitStatus) -> None:
        super().__init__(f"{text}\nThe plugin's stderr:\n{plugin.output().stderr[-STDERR_TAIL:]}")
        self.plugin = plugin
        self.exit = status


@dataclass(frozen=True, slots=True)
class HTTPFront:
    """A net/http server of the host whose requests go to the plugin."""

    host: str
    port: int

    def connect(self, timeout: float = HOOK_TIMEOUT_S) -> http.client.HTTPConnection:
        return http.client.HTTPConnection(self.host, self.port, timeout=timeout)


class GoStream:
    """A stream that the test steers message by message. End it by `receive` or `cancel`."""

    def __init__(self, link: HostLink, stream: str, timeout: float) -> None:
        self._link = link
        self._stream = stream
        self._timeout = timeout

    def send(self, message: Mapping[str, JSONInput] | bytes) -> bool:
        """Sends a message, or raw bytes. False if the plugin has ended the call already."""
        answer = self._link.request("stream_send", self._timeout, stream=self._stream, message=wire_message(message))
        return not answer.flag("ended")

    def half_close(self) -> None:
        self._link.request("stream_half_close", self._timeout, stream=self._stream)

    def receive(self) -> dict[str, JSON] | StreamResult:
        """The next message, or at the end the status (with no messages)."""
        answer = self._link.request("stream_receive", self._timeout, stream=self._stream)
        if "message" in answer.fields and "code" not in answer.fields:
            return answer.object("message")
        return StreamResult(answer.text("code"), answer.text("message"), [])

    def cancel(self) -> None:
        """What the host does when the HTTP client goes away. `receive` still tells the end."""
        self._link.request("stream_cancel", self._timeout, stream=self._stream)


class GoPlugin:
    """A plugin of the host.

    Attributes:
        process: Its process, also after the host's death.
        network: "tcp" or "unix", as in the handshake line.
        app_version: The negotiated protocol version.
        start_ms: From the start of the process to go-plugin's connection.
    """

    def __init__(self, link: HostLink, started: Answer) -> None:
        self._link = link
        self._id = started.text("plugin")
        self.pid = int(started.number("pid"))
        self.process = ProcessWatch(self.pid)
        self.network = started.text("network")
        self.address = started.text("address")
        self.protocol = started.text("protocol")
        self.app_version = int(started.number("app_version"))
        self.start_ms = started.number("elapsed_ms")

    def _request(self, command: str, timeout: float, **params: JSONInput) -> Answer:
        return self._link.request(command, timeout, plugin=self._id, **params)

    def call(
        self,
        method: str,
        request: Mapping[str, JSONInput] | None = None,
        *,
        timeout: float = HOOK_TIMEOUT_S,
        metadata: Mapping[str, str] | None = None,
    ) -> CallResult:
        """Calls a hook ("OnActivate") or a "package.Service/Method" with a protojson request."""
        answer = self._request(
            "call", timeout, method=method, request=request, timeout_ms=millis(timeout), metadata=metadata
        )
        return CallResult(
            answer.text("code"), answer.text("message"), answer.object("response"), answer.number("elapsed_ms")
        )

    def call_raw(self, full_method: str, request: bytes = b"", *, timeout: float = HOOK_TIMEOUT_S) -> RawResult:
        """Calls "/package.Service/Method" with bytes that need not be a message."""
        answer = self._request(
            "call_raw", timeout, full_method=full_method, request_b64=encode(request), timeout_ms=millis(timeout)
        )
        return RawResult(answer.text("code"), answer.text("message"), answer.raw("response_b64"))

    def call_message(
        self, hook: str, request: Message, response_type: type[MessageT], *, timeout: float = HOOK_TIMEOUT_S
    ) -> MessageT:
        """Calls a hook with messages.

        Raises:
            RPCError: The status is not OK.
        """
        result = self.call_raw(f"{HOOKS_SERVICE}/{hook}", request.SerializeToString(), timeout=timeout)
        if result.code != "OK":
            raise RPCError(result.code, result.message)
        return response_type.FromString(result.response)

    def implemented(self) -> list[str]:
        """The hooks that the plugin names.

        Raises:
            RPCError: The status is not OK.
        """
        result = self.call("Implemented")
        if not result.ok:
            raise RPCError(result.code, result.message)
        return Answer(result.response).texts("hooks")

    def activate(self) -> CallResult | None:
        """Activates as the Mattermost host does: Implemented twice, then OnActivate if it is named."""
        self.implemented()
        return self.call("OnActivate") if "OnActivate" in self.implemented() else None

    def ping(self, timeout: float = HOOK_TIMEOUT_S) -> PingResult:
        answer = self._request("ping", timeout, timeout_ms=millis(timeout))
        return PingResult(answer.flag("ok"), answer.text("message"))

    def health(self, service: str = "plugin", timeout: float = HOOK_TIMEOUT_S) -> HealthResult:
        answer = self._request("health", timeout, service=service, timeout_ms=millis(timeout))
        return HealthResult(answer.text("code"), answer.text("status"))

    def logs(self, after: int = 0) -> list[LogRecord]:
        """The log records from index `after` on."""
        answer = self._request("logs", HOOK_TIMEOUT_S, after=after)
        return [log_record(fields) for fields in answer.objects("records")]

    def wait_log(
        self,
        contains: str,
        *,
        level: str | None = None,
        source: str | None = None,
        after: int = 0,
        timeout: float = HOOK_TIMEOUT_S,
    ) -> LogRecord:
        """Waits for a record whose message contains a text.

        Raises:
            CommandError: None came in time.
        """
        answer = self._request(
            "wait_log",
            timeout,
            contains=contains,
            level=level,
            source=source,
            after=after,
            timeout_ms=millis(timeout),
        )
        return log_record(answer.object("record"))

    def output(self) -> PluginOutput:
        answer = self._request("output", HOOK_TIMEOUT_S)
        return PluginOutput(answer.text("stderr"), answer.text("sync_stdout"), answer.text("sync_stderr"))

    def kill(self, timeout: float = KILL_TIMEOUT_S) -> KillResult:
        """go-plugin's Kill: Shutdown, 2 s, SIGKILL."""
        answer = self._request("kill", timeout)
        return KillResult(answer.flag("graceful"), answer.number("elapsed_ms"), exit_status(answer))

    def signal(self, name: str) -> None:
        """Sends "SIGTERM", "SIGINT", ... to the process."""
        self._request("signal", HOOK_TIMEOUT_S, signal=name)

    def wait_exit(self, timeout: float = HOOK_TIMEOUT_S) -> ExitStatus:
        """Waits until go-plugin has reaped the process: it ended and nobody holds its pipes.

        Raises:
            CommandError: Not in time.
        """
        return exit_status(self._request("wait_exit", timeout, timeout_ms=millis(timeout)))

    def http_front(
        self,
        *,
        method: str = "ServeHTTP",
        user_id: str = "",
        session_id: str = "",
        plugin_id: str = "",
        full_duplex: bool = True,
        check_implemented: bool = True,
    ) -> HTTPFront:
        """Opens an HTTP server whose requests go to the plugin's ServeHTTP stream.

        Args:
            method: The hook to call.
            user_id: The user of every request: its Mattermost-User-Id header. A client's own is removed.
            session_id: For the PluginContext.
            plugin_id: If set, "/plugins/<id>" is cut off the path.
            full_duplex: Let the plugin answer before the client has sent its body.
            check_implemented: Answer 404 without a call if Implemented does not name the hook.
        """
        answer = self._request(
            "http_front",
            HOOK_TIMEOUT_S,
            method=method,
            user_id=user_id,
            session_id=session_id,
            plugin_id=plugin_id,
            full_duplex=full_duplex,
            check_implemented=check_implemented,
        )
        host, _, port = answer.text("address").rpartition(":")
        return HTTPFront(host, int(port))

    def stream(
        self,
        messages: Sequence[Mapping[str, JSONInput] | bytes],
        *,
        method: str = "ServeHTTP",
        half_close: bool = True,
        cancel_after: int = 0,
        timeout: float = HOOK_TIMEOUT_S,
    ) -> StreamResult:
        """Plays a whole stream: sends all, then receives to the end.

        Args:
            messages: protojson, or raw bytes.
            method: The streaming hook.
            half_close: Whether to end the request side.
            cancel_after: If not 0, cancel the call after so many received messages.
            timeout: The deadline of the call.
        """
        answer = self._request(
            "stream",
            timeout,
            method=method,
            messages=[wire_message(message) for message in messages],
            half_close=half_close,
            cancel_after=cancel_after,
            timeout_ms=millis(timeout),
        )
        return StreamResult(answer.text("code"), answer.text("message"), answer.objects("messages"))

    def open_stream(self, method: str = "ServeHTTP", timeout: float = HOOK_TIMEOUT_S) -> GoStream:
        """Opens a stream with a deadline."""
        answer = self._request("stream_open", timeout, method=method, timeout_ms=millis(timeout))
        return GoStream(self._link, answer.text("stream"), timeout)

    def bench(
        self,
        method: str,
        request: Mapping[str, JSONInput] | None = None,
        *,
        concurrency: int = 1,
        count: int = 1000,
    ) -> BenchResult:
        """Calls a hook `count` times from so many goroutines."""
        answer = self._request(
            "bench", BENCH_TIMEOUT_S, method=method, request=request, concurrency=concurrency, count=count
        )
        return BenchResult(
            int(answer.number("count")),
            answer.number("seconds"),
            answer.number("p50_us"),
            answer.number("p99_us"),
            int(answer.number("errors")),
            answer.text("first_error"),
        )

    def bench_http(self, mib: int, path: str = "/echo") -> float:
        """MiB/s of a plugin that echoes a body posted to `path`; the echo is compared."""
        answer = self._request("bench_http", BENCH_TIMEOUT_S, mib=mib, path=path)
        return answer.number("mib_per_s")


def millis(seconds: float) -> int:
    return max(int(seconds * 1000), 1)


def encode(data: bytes) -> str:
    return base64.b64encode(data).decode("ascii")


def wire_message(message: Mapping[str, JSONInput] | bytes) -> JSONInput:
    return encode(message) if isinstance(message, bytes) else message


def log_record(fields: dict[str, JSON]) -> LogRecord:
    record = Answer(fields)
    return LogRecord(
        int(record.number("index")),
        record.text("source"),
        record.text("level"),
        record.text("message"),
        record.object("pairs"),
    )


def exit_status(answer: Answer) -> ExitStatus:
    return ExitStatus(answer.flag("exited"), int(answer.number("exit_code")), answer.text("signal"))
