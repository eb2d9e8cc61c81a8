"""A call of the plugin API from its request to its outcome: deadline, repetition, errors. Both clients use it.

It decides and waits for nothing: the clients send, and pause for as long as they are told to.
"""

from __future__ import annotations

import math
import random
from time import monotonic
from typing import Final, Generic, NamedTuple

from mattermost_plugin._api_outcome import error_in_reply, error_of_failure, is_failure
from mattermost_plugin._api_wire import CallFailed
from mattermost_plugin._request_id import REQUEST_ID
from mattermost_pluginapi.api.method import ApiMethod, RequestT, ResponseT

_MAX_DOUBLINGS: Final = 64
"""Of a pause; far above every use, and floats hold it."""

_MAX_REQUEST_ID: Final = 256
"""What is longer is no id, and servers limit the size of all metadata."""

_LONGEST_TIMEOUT_S: Final = 366.0 * 86_400
"""A year stands for all that is longer: gRPC takes a deadline of some centuries for one that is over."""


class RetryPolicy(NamedTuple):
    """How often and when a call is sent again that found the server unavailable."""

    attempts: int = 5
    """Tries in all, for calls that may be repeated."""
    first_pause_s: float = 0.1
    """Pause before the second try; each later one is twice as long."""
    longest_pause_s: float = 2.0
    reconnect_s: float = 0.8
    """How long every call, repeatable or not, looks for a connection that it can be sent on. Longer than a connection
    that was lost takes to be tried again, so that the first call to a server that is back finds it."""
    reconnect_pause_s: float = 0.05
    """Pause between two looks."""

    def pause(self, repetition: int) -> float:
        """Seconds before a repetition, spread so that plugins that lost the same server do not return in step."""
        pause = min(self.longest_pause_s, self.first_pause_s * 2.0 ** min(repetition - 1, _MAX_DOUBLINGS))
        return pause * random.uniform(0.5, 1.0)  # noqa: S311 - no secret


class CallSettings(NamedTuple):
    """What calls have in common."""

    timeout_s: float
    """Seconds that a call may take unless it says otherwise."""
    retry: RetryPolicy


class ApiCall(Generic[RequestT, ResponseT]):
    """One call.

    Args:
        method: what is called.
        request: its arguments.
        timeout: seconds that it may take; None stands for the settings' number.
        settings: what it has in common with others.

    Raises:
        ValueError: the timeout is no time.
    """

    __slots__ = ("_deadline", "_repetitions", "_retry", "_started", "_was_sent", "method", "request", "request_id")

    def __init__(
        self, method: ApiMethod[RequestT, ResponseT], request: RequestT, timeout: float | None, settings: CallSettings
    ) -> None:
        limit_s = settings.timeout_s if timeout is None else _checked_timeout(method.method, timeout)
        self.method = method
        self.request = request
        self.request_id = _sendable(REQUEST_ID.get())
        self._retry = settings.retry
        self._started = monotonic()
        self._deadline = self._started + min(limit_s, _LONGEST_TIMEOUT_S)
        self._repetitions = 0
        self._was_sent = False

    @property
    def time_left_s(self) -> float:
        """Seconds until the deadline."""
        return self._deadline - monotonic()

    def answer(self, response: ResponseT) -> ResponseT:
        """The response, if it is no error.

        Raises:
            PluginAPIError: the server said no.
        """
        if response.HasField("error") and is_failure(response.error):
            raise error_in_reply(self.method, response.error, self.request_id)
        return response

    def pause_after(self, failure: CallFailed) -> float:
        """Seconds to wait before the request is sent again.

        Raises:
            PluginAPIError: the server said no.
            APITransportError: no answer came, and the request must not be sent again.
        """
        self._was_sent |= failure.was_sent
        now = monotonic()
        pause_s = self._pause(failure, now)
        if pause_s is None or now + pause_s >= self._deadline:
            raise error_of_failure(
                self.method,
                self.request,
                failure,
                elapsed_s=now - self._started,
                request_id=self.request_id,
                was_sent=self._was_sent,
            )
        return pause_s

    def _pause(self, failure: CallFailed, now: float) -> float | None:
        """The pause as the policy has it; None if there must be no other try."""
        if failure.code != "UNAVAILABLE":
            return None
        if not self._was_sent and now - self._started < self._retry.reconnect_s:
            # No repetition: nobody has got the request yet.
            return self._retry.reconnect_pause_s
        self._repetitions += 1
        if self.method.repeatable and self._repetitions < self._retry.attempts:
            return self._retry.pause(self._repetitions)
        return None


def _checked_timeout(method: str, timeout: object) -> float:
    if isinstance(timeout, bool) or not isinstance(timeout, (int, float)) or not 0 < timeout < math.inf:
        raise ValueError(f"{method}: timeout must be a number of seconds above 0")
    return timeout


def _sendable(request_id: str) -> str:
    """The id, or "" if metadata cannot carry it."""
    if request_id.isascii() and request_id.isprintable() and len(request_id) <= _MAX_REQUEST_ID:
        return request_id
    return ""
