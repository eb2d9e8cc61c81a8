"""The exceptions of this package. Each class says who must act on it.

Exceptions of the grpc library, of sockets and of the operating system do not reach an author's code as they
are: what the author can act on has a class here, with `PluginError` as the one base.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import NamedTuple

__all__ = [
    "ClientDisconnected",
    "ConfigError",
    "ConfigFault",
    "HandlerTimeout",
    "HandshakeError",
    "HeadersSentError",
    "HookError",
    "HookRegistrationError",
    "PluginError",
    "RequestAborted",
]


class PluginError(Exception):
    """Base of every exception of this package. Never raised itself."""


class ConfigFault(NamedTuple):
    """One value of the configuration that cannot be used."""

    variable: str
    """Environment variable, or the field of `RuntimeConfig` when the value came from code."""

    value: str
    """What was given, as text."""

    reason: str
    """What is accepted."""

    def __str__(self) -> str:
        return f"{self.variable}={self.value!r}: {self.reason}"


class ConfigError(PluginError):
    """The configuration cannot be used. The administrator (or the author, for values given in code) must act.

    Attributes:
        variable: The environment variable or field of the first fault.
        value: The value of the first fault, as text.
        reason: What the first fault's variable accepts.
        faults: All faults that were found, the first one included.
    """

    def __init__(self, variable: str, value: str, reason: str, also: Sequence[ConfigFault] = ()) -> None:
        super().__init__(variable, value, reason, also)
        self.variable = variable
        self.value = value
        self.reason = reason
        self.faults: tuple[ConfigFault, ...] = (ConfigFault(variable, value, reason), *also)

    def __str__(self) -> str:
        return "; ".join(map(str, self.faults))


class HandshakeError(PluginError):
    """The host asks for something this plugin cannot do, or cannot be told the address.

    The administrator must act: the text says what the host asked for.
    """


class HookRegistrationError(PluginError):
    """A handler cannot be registered for its hook. The author must fix the class; raised while it is defined.

    Attributes:
        hook: Go name of the hook, "" if the handler named none.
        handler: Name of the handler in its class.
    """

    def __init__(self, message: str, *, hook: str = "", handler: str = "") -> None:
        super().__init__(message)
        self.hook = hook
        self.handler = handler


class HookError(PluginError):
    """An author's handler raises this to answer with an error of its own.

    Expected: it is a result, not a failure of the plugin. The server shows it to the user or in its log,
    depending on the hook. For any other exception the plugin's log has the traceback.

    Example:
        raise HookError("The vault is sealed.", id="com.example.vault.sealed", status_code=503)

    Attributes:
        message: Text for the reader.
        id: Translation id or any stable name of this error. "" lets the server choose one.
        detailed_error: More detail for the log.
        where: The place in the plugin that failed.
        status_code: HTTP status that fits the error.
        params: Values for the translation that `id` names.
    """

    def __init__(
        self,
        message: str,
        *,
        id: str = "",  # noqa: A002 - the name that the server's AppError has
        detailed_error: str = "",
        where: str = "",
        status_code: int = 500,
        params: Mapping[str, object] | None = None,
    ) -> None:
        super().__init__(message)
        self.message = message
        self.id = id
        self.detailed_error = detailed_error
        self.where = where
        self.status_code = status_code
        self.params: dict[str, object] = dict(params or {})


class RequestAborted(PluginError):  # noqa: N818 - names what happened
    """The body of a request or upload ended before it was complete. The peer cut it; drop the request."""


class ClientDisconnected(PluginError):  # noqa: N818 - names what happened
    """The client of an HTTP request left before the answer was written. The peer cut it; stop writing."""


class HeadersSentError(PluginError, RuntimeError):
    """Status or headers were changed after the first write had sent them. The author must fix the handler."""


class HandlerTimeout(PluginError):  # noqa: N818 - names what happened
    """A handler did not finish within its time. The author must make it faster or move the work elsewhere.

    Attributes:
        hook: Go name of the hook.
        timeout_s: The limit that was passed.
    """

    def __init__(self, hook: str, timeout_s: float) -> None:
        super().__init__(hook, timeout_s)
        self.hook = hook
        self.timeout_s = timeout_s

    def __str__(self) -> str:
        return f"{self.hook}: the handler did not finish within {self.timeout_s:.3g} s"
