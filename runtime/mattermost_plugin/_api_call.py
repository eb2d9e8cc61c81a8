"""A call of the plugin API from its request to its outcome: deadline, repetition, errors. Both clients use it."""

from __future__ import annotations

import asyncio
import math
import random
from typing import TYPE_CHECKING, Final, NamedTuple

from mattermost_plugin._api_outcome import CallFailed, error_in_reply, error_of_status
from mattermost_plugin._request_id import REQUEST_ID
from mattermost_pluginapi.api.method import ApiMethod, RequestT, ResponseT

if TYPE_CHECKING:
    from mattermost_plugin._grpc_api import ApiChannel

_MAX_DOUBLINGS: Final = 64
"""Of a pause; far above every use, and floats hold it."""

_MAX_REQUEST_ID: Final = 256
"""What is longer is no id, and servers limit the size of all metadata."""


class RetryPolicy(NamedTuple):
    """How often and when a call is repeated that found the server unavailable."""

    attempts: int = 5
    """Tries in all."""
    first_pause_s: float = 0.1
    """Pause before the second try; each later one is twice as long."""
    longest_pause_s: float = 2.0

    def pause(self, tries: int) -> float:
        """Seconds before the next try, spread so that plugins that lost the same server do not return in step."""
        pause = min(self.longest_pause_s, self.first_pause_s * 2.0 ** min(tries - 1, _MAX_DOUBLINGS))
        return pause * random.uniform(0.5, 1.0)  # noqa: S311 - no secret


class ApiCaller:
    """Calls the server over one channel, which is made at the first call.

    Args:
        target: address of the server.
        timeout_s: seconds that a call may take unless it says otherwise.
        max_message_bytes: largest reply that is taken.
        retry: when calls are repeated.
    """

    def __init__(self, target: str, *, timeout_s: float, max_message_bytes: int, retry: RetryPolicy) -> None:
        self.timeout_s = timeout_s
        self._target = target
        self._max_message_bytes = max_message_bytes
        self._retry = retry
        self._channel: ApiChannel | None = None
        self._closed = False

    async def call(
        self,
        method: ApiMethod[RequestT, ResponseT],
        request: RequestT,
        timeout: float | None,  # noqa: ASYNC109 - gRPC's
    ) -> ResponseT:
        """Call a method and return the server's answer.

        Raises:
            PluginAPIError: the server said no.
            APITransportError: no answer came.
            ValueError: the timeout is no time.
        """
        loop = asyncio.get_running_loop()
        started = loop.time()
        deadline = started + (self.timeout_s if timeout is None else checked_timeout(method.method, timeout))
        request_id = _sendable(REQUEST_ID.get())
        tries, was_sent = 0, False
        while True:
            tries += 1
            try:
                response = await self._open().send(method, request, deadline - loop.time(), request_id)
                break
            except CallFailed as failed:
                failure = failed
            was_sent |= not failure.was_never_sent
            if not await self._may_repeat(method, failure, tries, deadline):
                elapsed_s = loop.time() - started
                raise error_of_status(
                    method, request, failure, elapsed_s=elapsed_s, request_id=request_id, was_sent=was_sent
                )
        error = error_in_reply(method, response, request_id)
        if error is not None:
            raise error
        return response

    async def close(self) -> None:
        """Close the channel; calls that wait fail, and so do later ones."""
        self._closed = True
        if self._channel is not None:
            await self._channel.close()

    def _open(self) -> ApiChannel:
        if self._closed:
            raise CallFailed("UNAVAILABLE", "failed to connect: the plugin has stopped")
        if self._channel is None:
            # Not at the top: what only waits for threads or builds requests needs no grpc.
            from mattermost_plugin._grpc_api import ApiChannel

            self._channel = ApiChannel(self._target, self._max_message_bytes)
        return self._channel

    async def _may_repeat(
        self, method: ApiMethod[RequestT, ResponseT], failure: CallFailed, tries: int, deadline: float
    ) -> bool:
        """Whether the call may be tried again. If so, this returns when it is time to."""
        if not method.repeatable or failure.code != "UNAVAILABLE" or tries >= self._retry.attempts or self._closed:
            return False
        loop, pause_s = asyncio.get_running_loop(), self._retry.pause(tries)
        if loop.time() + pause_s >= deadline:
            return False
        await asyncio.sleep(pause_s)
        return loop.time() < deadline


def checked_timeout(method: str, timeout: object) -> float:
    """The timeout, if it is one.

    Raises:
        ValueError: it is no finite number above 0.
    """
    if isinstance(timeout, bool) or not isinstance(timeout, (int, float)) or not math.isfinite(timeout) or timeout <= 0:
        raise ValueError(f"{method}: timeout must be a number of seconds above 0")
    return timeout


def _sendable(request_id: str) -> str:
    """The id, or "" if metadata cannot carry it."""
    if request_id.isascii() and request_id.isprintable() and len(request_id) <= _MAX_REQUEST_ID:
        return request_id
    return ""
