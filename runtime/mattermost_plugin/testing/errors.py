"""What the server under test raises."""

from __future__ import annotations

from mattermost_plugin.errors import PluginError

__all__ = [
    "DeadlineError",
    "LeftoverWarning",
    "LoadError",
    "MisuseError",
    "PostDismissed",
    "RejectedByPlugin",
    "RequestRefused",
    "ServerUnderTestError",
    "UnexpectedErrors",
]


class ServerUnderTestError(PluginError):
    """Base of what the server under test raises, but for `UnexpectedErrors`. Never raised itself."""


class MisuseError(ServerUnderTestError):
    """The test asks for something that makes no sense here. The text says what to do instead."""


class LoadError(ServerUnderTestError):
    """A plugin could not be loaded or did not activate. The text says why.

    Of a plugin in this process, `__cause__` is the exception of its own that was the reason, if there was one.
    """


class DeadlineError(ServerUnderTestError):
    """Something took longer than a test may wait. The text says what, what goes on, and what the plugins logged.

    Attributes:
        awaited: what was waited for.
        timeout_s: how long.
    """

    def __init__(self, awaited: str, timeout_s: float, situation: str = "") -> None:
        super().__init__(awaited, timeout_s, situation)
        self.awaited = awaited
        self.timeout_s = timeout_s
        self.situation = situation

    def __str__(self) -> str:
        text = f"{self.awaited}: not done after {self.timeout_s:g} s"
        return f"{text}\n{self.situation}" if self.situation else text


class RequestRefused(ServerUnderTestError):  # noqa: N818 - names what happened
    """The server answers a user's request with an error.

    Attributes:
        action: what the user did.
        status_code: HTTP status of the answer.
        id: the error's name, such as "app.channel.get.existing.app_error".
        message: what the user is told.
        detail: what the log is told.
    """

    def __init__(
        self,
        action: str,
        status_code: int,
        id: str,  # noqa: A002 - the name that the server's AppError has
        message: str = "",
        detail: str = "",
    ) -> None:
        super().__init__(action, status_code, id, message, detail)
        self.action = action
        self.status_code = status_code
        self.id = id
        self.message = message or id
        self.detail = detail

    def __str__(self) -> str:
        known_as = f" ({self.id})" if self.id != self.message else ""
        detail = f": {self.detail}" if self.detail and self.detail not in self.message else ""
        return f"{self.action}: {self.status_code} {self.message}{known_as}{detail}"


class RejectedByPlugin(RequestRefused):
    """A plugin does not allow what a user wants to do.

    Attributes:
        reason: the plugin's reason, as it gave it.
        plugin_id: which plugin; "" if nothing shows it.
        hook: in which hook; "" if nothing shows it.
    """

    reason: str = ""
    plugin_id: str = ""
    hook: str = ""

    def __str__(self) -> str:
        where = f" ({self.hook} of {self.plugin_id})" if self.plugin_id else ""
        return f"{self.action}: {self.reason}{where}"


class PostDismissed(RejectedByPlugin):
    """A plugin has dropped a post silently: its author is told nothing."""

    def __str__(self) -> str:
        return f"{self.action}: dismissed by {self.plugin_id or 'a plugin'}"


class UnexpectedErrors(AssertionError):  # noqa: N818 - names what happened
    """A plugin has logged errors or failed in hooks, and the test did not say that it would.

    Attributes:
        errors: one text each.
    """

    def __init__(self, errors: list[str]) -> None:
        super().__init__(errors)
        self.errors = errors

    def __str__(self) -> str:
        count = "an error" if len(self.errors) == 1 else f"{len(self.errors)} errors"
        listed = "\n".join(f"- {error}" for error in self.errors)
        return f"{count} that the test did not expect (see expect_errors):\n{listed}"


class LeftoverWarning(UserWarning):
    """A plugin has left something running behind: it should end in on_deactivate."""
