"""From a hook's request to its reply, the same for every wire.

A reply always comes: a handler that fails gives the reply that its hook's `on_error` stands for.
"""

import asyncio
import logging
from abc import ABC, abstractmethod
from typing import Generic, TypeVar

from google.protobuf.message import Message

from mattermost_plugin._failure import report_failure
from mattermost_plugin._handler import Handler
from mattermost_plugin._lifecycle import Lifecycle, NotActiveError
from mattermost_plugin._registry import HandlerSpec
from mattermost_plugin._upload import BufferedReplacement, BufferedUpload
from mattermost_plugin.errors import HandlerTimeout, HookError
from mattermost_pluginapi.hooks.adapter import UnaryAdapter, UnaryReply, UploadAdapter

_log = logging.getLogger(__name__)

RequestT = TypeVar("RequestT", bound=Message)
ResponseT = TypeVar("ResponseT", bound=Message)


class UnaryHook(ABC, Generic[RequestT, ResponseT]):
    """A hook as a wire calls it: one request, one reply."""

    def __init__(self, adapter: UnaryReply[RequestT, ResponseT], spec: HandlerSpec) -> None:
        self.adapter = adapter
        self._spec = spec

    async def reply(self, request: RequestT, host_patience_s: float | None = None) -> ResponseT:
        """Run the handler and give its reply, whatever becomes of the handler.

        Args:
            request: the hook's request.
            host_patience_s: seconds after which the host no longer waits; None if it waits without end.

        Raises:
            asyncio.CancelledError: the host withdrew its call.
        """
        try:
            return await self._run(request, host_patience_s)
        except NotActiveError as error:
            _log.info("%s was not run: %s", self._spec.hook, error)
            return self.adapter.response_type()
        except asyncio.CancelledError as error:
            task = asyncio.current_task()
            if task is not None and task.cancelling():
                raise
            # The handler raised it itself, from a task of its own that was cancelled.
            return self._failed(error)
        except BaseException as error:  # noqa: BLE001 - author's code may raise anything; it is logged, and answered
            return self._failed(error)

    @abstractmethod
    async def _run(self, request: RequestT, host_patience_s: float | None) -> ResponseT: ...

    def _failed(self, error: BaseException) -> ResponseT:
        # A HookError is an answer, not a fault: what failures mean does not weaken it.
        on_error = self.adapter.on_error_choices[-1] if isinstance(error, HookError) else self._spec.on_error
        return self.adapter.failure(on_error, report_failure(self._spec, error))


class PlainHook(UnaryHook[RequestT, ResponseT]):
    """A hook whose handler takes the request's fields."""

    def __init__(self, adapter: UnaryAdapter[RequestT, ResponseT], handler: Handler, lifecycle: Lifecycle) -> None:
        super().__init__(adapter, handler.spec)
        self._arguments = adapter.arguments
        self._response = adapter.response
        self._handler = handler
        self._lifecycle = lifecycle

    async def _run(self, request: RequestT, host_patience_s: float | None) -> ResponseT:
        if not self._lifecycle.is_active:
            await wait_active(self._lifecycle, self._handler, host_patience_s)
        return self._response(await self._handler.invoke(self._arguments(request), host_patience_s))


class UploadHook(UnaryHook[RequestT, ResponseT]):
    """A hook that passes a file's content through the handler."""

    def __init__(self, adapter: UploadAdapter[RequestT, ResponseT], handler: Handler, lifecycle: Lifecycle) -> None:
        super().__init__(adapter, handler.spec)
        self._upload = adapter
        self._handler = handler
        self._lifecycle = lifecycle

    async def _run(self, request: RequestT, host_patience_s: float | None) -> ResponseT:
        await wait_active(self._lifecycle, self._handler, host_patience_s)
        file, output = BufferedUpload(self._upload.content(request)), BufferedReplacement()
        result = await self._handler.invoke(self._upload.arguments(request, file, output), host_patience_s)
        return self._upload.response(result, output.content())


class ActivateHook(UnaryHook[RequestT, ResponseT]):
    """OnActivate. It is served whether the plugin handles it or not: other hooks wait for it."""

    def __init__(self, adapter: UnaryReply[RequestT, ResponseT], spec: HandlerSpec, lifecycle: Lifecycle) -> None:
        super().__init__(adapter, spec)
        self._lifecycle = lifecycle

    async def _run(self, request: RequestT, host_patience_s: float | None) -> ResponseT:
        await self._lifecycle.activate(host_patience_s, failure_allowed=self._spec.on_error == "allow")
        return self.adapter.response_type()


class DeactivateHook(ActivateHook[RequestT, ResponseT]):
    """OnDeactivate. It is served whether the plugin handles it or not: no hook runs after it."""

    async def _run(self, request: RequestT, host_patience_s: float | None) -> ResponseT:
        await self._lifecycle.deactivate(host_patience_s)
        return self.adapter.response_type()


async def wait_active(lifecycle: Lifecycle, handler: Handler, host_patience_s: float | None) -> None:
    """Wait for the plugin to be active, as long as the handler might take.

    The handler's own time starts when it is called; this bound only keeps a call from waiting for ever.

    Raises:
        NotActiveError: it will not be, as things stand.
        HandlerTimeout: it took too long.
    """
    limit_s = handler.limit(host_patience_s)
    try:
        async with asyncio.timeout(limit_s):
            await lifecycle.wait_active()
    except TimeoutError as error:
        raise HandlerTimeout(handler.spec.hook, limit_s or 0.0) from error
