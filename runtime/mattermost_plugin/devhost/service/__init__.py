"""The plugin API as the development host answers it.

A method is real if a topic module here has it; every other one of the service answers AppError 501.
"""

from __future__ import annotations

import inspect
import logging
import time
from functools import cache
from http import HTTPStatus
from typing import Any, Final

from google.protobuf.message import Message
from google.protobuf.message_factory import GetMessageClass

from mattermost_plugin.devhost.errors import ApiError, NoAnswerError
from mattermost_plugin.devhost.events import ApiCalled
from mattermost_plugin.devhost.plugins import InstalledPlugin
from mattermost_plugin.devhost.service import (
    bots,
    channel_members,
    channels,
    commands,
    config,
    files,
    group_links,
    groups,
    kv,
    oauth,
    outbound,
    plugins,
    posts,
    property_fields,
    property_values,
    shared,
    sidebar,
    teams,
    user_status,
    users,
)
from mattermost_plugin.devhost.service.registry import API_METHODS, Call, Handler
from mattermost_plugin.devhost.world import World
from mattermost_pluginapi.v1.common_pb2 import AppError

__all__ = ["API_METHODS", "NOT_IMPLEMENTED", "NO_ANSWER", "ApiService", "implemented_methods"]

NOT_IMPLEMENTED: Final = "dev.not_implemented"
"""Id of the error of a method that this host does not have."""

NO_ANSWER: Final = "dev.no_answer"
"""Id of the error that events tell of a call that was given no answer."""

_TOPICS: Final = (
    bots,
    channel_members,
    channels,
    commands,
    config,
    files,
    group_links,
    groups,
    kv,
    oauth,
    outbound,
    plugins,
    posts,
    property_fields,
    property_values,
    shared,
    sidebar,
    teams,
    user_status,
    users,
)
_log = logging.getLogger(__name__)


@cache
def _handlers() -> dict[str, Handler]:
    return {name: handler for topic in _TOPICS for name, handler in topic.METHODS.items()}


def implemented_methods() -> tuple[str, ...]:
    """Names of the methods that are real, in the order of the service."""
    return tuple(name for name in API_METHODS if name in _handlers())


class ApiService:
    """Answers the calls of one plugin.

    Args:
        world: the host's parts.
        plugin: who calls.
    """

    def __init__(self, world: World, plugin: InstalledPlugin) -> None:
        self._world = world
        self._plugin = plugin

    async def answer(self, method: str, request: Message, request_id: str = "") -> Message:
        """Answer a call; whatever goes wrong is in the answer.

        Args:
            method: name of the method.
            request: its arguments.
            request_id: id of the request in which it is made; "" for the one that the arguments name.

        Raises:
            NoAnswerError: the gate wants no answer to be given.
        """
        started = time.perf_counter()
        context = getattr(request, "context", None)
        request_id = request_id or (str(context.request_id) if context is not None else "")
        lost: NoAnswerError | None = None
        try:
            response = await self._through_gate(method, request, request_id)
        except NoAnswerError as error:
            lost, response = error, _failed(_response_type(method), AppError(id=NO_ANSWER, message=str(error)))
        self._world.events.publish(
            ApiCalled(
                at_ms=self._world.now_ms(),
                plugin_id=self._plugin.plugin_id,
                method=method,
                request=request,
                response=response,
                duration_ms=(time.perf_counter() - started) * 1000,
            )
        )
        if lost is not None:
            raise lost
        return response

    async def _through_gate(self, method: str, request: Message, request_id: str) -> Message:
        gate = self._world.gate
        if gate is None:
            return await self._answer(method, request, request_id)
        try:
            return await gate(
                self._plugin.plugin_id, method, request, lambda: self._answer(method, request, request_id)
            )
        except ApiError as error:
            return _failed(_response_type(method), error.to_app_error(method, request_id))

    async def _answer(self, method: str, request: Message, request_id: str) -> Message:
        handler = _handlers().get(method)
        response_type = _response_type(method)
        try:
            if handler is None:
                raise ApiError(
                    NOT_IMPLEMENTED,
                    HTTPStatus.NOT_IMPLEMENTED,
                    message=f"The development host does not have {method}.",
                )
            result = handler(Call(self._world, self._plugin, request_id), request)
            response = await result if inspect.isawaitable(result) else result
        except ApiError as error:
            return _failed(response_type, error.to_app_error(method, request_id))
        except Exception as error:  # noqa: BLE001 - the top of a call: the plugin gets an answer, the log the trace
            _log.exception("%s failed", method)
            self._world.log("error", f"{method} failed: {error!r}")
            failure = ApiError("dev.internal_error", HTTPStatus.INTERNAL_SERVER_ERROR, repr(error))
            return _failed(response_type, failure.to_app_error(method, request_id))
        return response


# Any: every response has the field `error`, but only its own class says so.
def _response_type(method: str) -> Any:
    return GetMessageClass(API_METHODS[method].output_type)


def _failed(response_type: Any, error: Message) -> Message:
    response: Message = response_type(error=error)
    return response
