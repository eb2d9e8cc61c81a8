"""From a hook's request to its reply, the same for every wire.

A reply always comes: a handler that fails gives the reply that its hook's `on_error` stands for.
"""

from __future__ import annotations

import asyncio
from abc import ABC, abstractmethod
from collections.abc import Callable
from functools import partial
from typing import Any, Generic, TypeVar

from google.protobuf.message import Message

from mattermost_plugin._async_call import AsyncCall
from mattermost_plugin._calls import Calls, PluginEndsError
from mattermost_plugin._failure import REFUSAL_TEXT, report_failure, report_not_run
from mattermost_plugin._handler import Handler
from mattermost_plugin._lifecycle import Lifecycle, NotActiveError
from mattermost_plugin._registry import HandlerSpec
from mattermost_plugin._request_id import REQUEST_ID
from mattermost_plugin._start_task import start_task
from mattermost_plugin._thread_call import ThreadCall
from mattermost_plugin._upload import BufferedReplacement, BufferedUpload
from mattermost_plugin.errors import HandlerTimeout, HookError, PluginError
from mattermost_pluginapi.hooks.adapter import UnaryAdapter, UnaryReply, UploadAdapter
from mattermost_pluginapi.hooks.streams import ReplacementFile, UploadedFile
from mattermost_pluginapi.models import AppError, PluginContext

# Of the time that the host waits, this part is kept for the reply to travel, but no more than the bound: an answer
# after the host's deadline says nothing.
_REPLY_SHARE = 0.1
_REPLY_MARGIN_S = 1.0

RequestT = TypeVar("RequestT", bound=Message)
ResponseT = TypeVar("ResponseT", bound=Message)


class UnaryHook(ABC, Generic[RequestT, ResponseT]):
    """A hook as a wire calls it: one request, one reply."""

    def __init__(self, adapter: UnaryReply[RequestT, ResponseT], spec: HandlerSpec, calls: Calls) -> None:
        self.adapter = adapter
        self._spec = spec
        self._calls = calls

    async def reply(self, request: RequestT, host_patience_s: float | None = None) -> ResponseT:
        """Run the handler and give its reply, whatever becomes of the handler.

        Args:
            request: the hook's request.
            host_patience_s: seconds after which the host no longer waits; None if it waits without end.

        Raises:
            asyncio.CancelledError: the host withdrew its call.
        """
        with self._calls:
            try:
                return await self._run(request, _answer_by(host_patience_s))
            except NotActiveError as error:
                return self._not_run(error)
            except asyncio.CancelledError as error:
                return self._failed(self._interruption(error))
            except BaseException as error:  # noqa: BLE001 - author's code may raise anything; it is logged, and answered
                return self._failed(error)

    def start(self, request: RequestT, answer: Callable[[ResponseT], None]) -> asyncio.Task[None] | None:
        """The same for a host that waits without end, with the reply given to a function, which must not raise.

        Returns:
            The task that answers; None if there is none or the reply was given already.
        """
        return start_task(self._answer(request, answer), asyncio.get_running_loop())

    async def _answer(self, request: RequestT, answer: Callable[[ResponseT], None]) -> None:
        answer(await self.reply(request))

    def given_up(self, reason: str) -> ResponseT | None:
        """The reply to a call whose request the wire cannot use or whose reply it cannot send.

        Args:
            reason: why; for the log.

        Returns:
            None if this hook's failure means that the host goes on: the wire says so in its own way.
        """
        if self._spec.on_error == "allow":
            return None
        return self._failed(PluginError(reason))

    @abstractmethod
    async def _run(self, request: RequestT, deadline: float | None) -> ResponseT: ...

    def _failed(self, error: BaseException) -> ResponseT:
        # A HookError is an answer, not a fault: what failures mean does not weaken it.
        on_error = self.adapter.on_error_choices[-1] if isinstance(error, HookError) else self._spec.on_error
        return self.adapter.failure(on_error, report_failure(self._spec, error))

    def _not_run(self, error: NotActiveError) -> ResponseT:
        return self.adapter.failure(self._spec.on_error, report_not_run(self._spec, error))

    def _interruption(self, error: asyncio.CancelledError) -> BaseException:
        task = asyncio.current_task()
        if task is None or not task.cancelling():
            # The handler raised it itself, from a task of its own that was cancelled.
            return error
        if not self._calls.are_cut_short:
            raise error
        task.uncancel()
        return PluginEndsError(f"{self._spec.label} was cut short: the plugin ends")


class PlainHook(UnaryHook[RequestT, ResponseT]):
    """A hook whose handler takes the request's fields."""

    def __init__(
        self, adapter: UnaryAdapter[RequestT, ResponseT], handler: Handler, lifecycle: Lifecycle, calls: Calls
    ) -> None:
        super().__init__(adapter, handler.spec, calls)
        self._arguments = adapter.arguments
        self._response = adapter.response
        self._handler = handler
        self._lifecycle = lifecycle

    def start(self, request: RequestT, answer: Callable[[ResponseT], None]) -> asyncio.Task[None] | None:
        """See UnaryHook."""
        if not self._lifecycle.is_active:
            return super().start(request, answer)

        def tell(call: AsyncCall | ThreadCall, result: object, error: BaseException | None) -> None:
            self._calls.leave(call)
            answer(self._outcome(result) if error is None else self._failed(error))

        kind = AsyncCall if self._handler.is_async else ThreadCall
        call = kind(self._handler, partial(self._call_handler, request), tell)
        self._calls.enter(call)
        call.start()
        return None

    def _call_handler(self, request: RequestT) -> Any:
        arguments = self._arguments(request)
        _enter_request(arguments)
        return self._handler.call(*arguments)

    def _outcome(self, result: object) -> ResponseT:
        try:
            return self._response(result)
        except Exception as error:  # noqa: BLE001 - a result may be anything, and so may its attributes
            return self._failed(error)

    async def _run(self, request: RequestT, deadline: float | None) -> ResponseT:
        if not self._lifecycle.is_active:
            await wait_active(self._lifecycle, self._handler, deadline)
        arguments = self._arguments(request)
        _enter_request(arguments)
        return self._response(await self._handler.invoke(arguments, deadline))


class UploadHook(UnaryHook[RequestT, ResponseT]):
    """A hook that passes a file's content through the handler."""

    def __init__(
        self, adapter: UploadAdapter[RequestT, ResponseT], handler: Handler, lifecycle: Lifecycle, calls: Calls
    ) -> None:
        super().__init__(adapter, handler.spec, calls)
        self._upload = adapter
        self._handler = handler
        self._lifecycle = lifecycle

    def streamed(self, file: UploadedFile, output: StreamedOutput) -> UnaryHook[RequestT, ResponseT]:
        """The same hook for one upload whose content travels beside the request and the response."""
        return _StreamedUploadHook(self._upload, self._handler, self._lifecycle, self._calls, file, output)

    async def _run(self, request: RequestT, deadline: float | None) -> ResponseT:
        output = BufferedReplacement()
        result = await self._invoke(request, BufferedUpload(self._upload.content(request)), output, deadline)
        return self._upload.response(result, output.content())

    async def _invoke(
        self, request: RequestT, file: UploadedFile, output: ReplacementFile, deadline: float | None
    ) -> object:
        await wait_active(self._lifecycle, self._handler, deadline)
        arguments = self._upload.arguments(request, file, output)
        _enter_request(arguments)
        return await self._handler.invoke(arguments, deadline)


class StreamedOutput(ReplacementFile):
    """A replacement that leaves while it is written."""

    has_content = False
    """Whether anything was written."""


class _StreamedUploadHook(UploadHook[RequestT, ResponseT]):
    """One upload."""

    def __init__(
        self,
        adapter: UploadAdapter[RequestT, ResponseT],
        handler: Handler,
        lifecycle: Lifecycle,
        calls: Calls,
        file: UploadedFile,
        output: StreamedOutput,
    ) -> None:
        super().__init__(adapter, handler, lifecycle, calls)
        self._file = file
        self._output = output

    async def _run(self, request: RequestT, deadline: float | None) -> ResponseT:
        return self._upload.response(await self._invoke(request, self._file, self._output, deadline), b"")

    def _failed(self, error: BaseException) -> ResponseT:
        if self._output.has_content and not isinstance(error, HookError):
            # The host would store the part that it has: no upload is better than half of one.
            report_failure(self._spec, error)
            return self.adapter.failure(self.adapter.on_error_choices[-1], AppError(message=REFUSAL_TEXT))
        return super()._failed(error)


class LifecycleHook(UnaryHook[RequestT, ResponseT]):
    """A hook that is served whether the plugin handles it or not: other hooks wait for it, or end with it."""

    def __init__(
        self, adapter: UnaryReply[RequestT, ResponseT], spec: HandlerSpec, lifecycle: Lifecycle, calls: Calls
    ) -> None:
        super().__init__(adapter, spec, calls)
        self._lifecycle = lifecycle


class ActivateHook(LifecycleHook[RequestT, ResponseT]):
    """OnActivate."""

    def given_up(self, reason: str) -> ResponseT:
        """See UnaryHook. Whatever a failure means: a host must not take this plugin for an active one."""
        failure = report_failure(self._spec, PluginError(reason))
        return self.adapter.failure(self.adapter.on_error_choices[-1], failure)

    async def _run(self, request: RequestT, deadline: float | None) -> ResponseT:
        await self._lifecycle.activate(deadline, failure_allowed=self._spec.on_error == "allow")
        return self.adapter.response_type()


class DeactivateHook(LifecycleHook[RequestT, ResponseT]):
    """OnDeactivate: no hook runs after it."""

    async def _run(self, request: RequestT, deadline: float | None) -> ResponseT:
        await self._lifecycle.deactivate(deadline)
        return self.adapter.response_type()


def _enter_request(arguments: tuple[object, ...]) -> None:
    """Let what the handler logs and calls carry the id of its request. Each call of a hook has a context of its own."""
    # Handlers that are told the context of the request get it first.
    if arguments and isinstance(arguments[0], PluginContext):
        REQUEST_ID.set(arguments[0].request_id)


async def wait_active(lifecycle: Lifecycle, handler: Handler, deadline: float | None) -> None:
    """Wait for the plugin to be active, as long as the handler might take.

    The handler's own time starts when it is called; this bound only keeps a call from waiting for ever.

    Raises:
        NotActiveError: it will not be, as things stand.
        HandlerTimeout: it took too long.
    """
    now = asyncio.get_running_loop().time()
    until = handler.until(now, deadline)
    try:
        async with asyncio.timeout_at(until):
            await lifecycle.wait_active()
    except TimeoutError as error:
        raise HandlerTimeout(handler.spec.hook, (until or now) - now) from error


def _answer_by(host_patience_s: float | None) -> float | None:
    """The time of the loop by which the reply must be on its way."""
    if host_patience_s is None:
        return None
    margin_s = min(_REPLY_MARGIN_S, host_patience_s * _REPLY_SHARE)
    return asyncio.get_running_loop().time() + host_patience_s - margin_s
