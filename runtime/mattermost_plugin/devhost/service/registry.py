"""How API methods are registered, and what each gets."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass
from http import HTTPStatus
from types import MappingProxyType
from typing import Final, TypeVar

from google.protobuf.descriptor import MethodDescriptor
from google.protobuf.message import Message

from mattermost_plugin.devhost.errors import ApiError
from mattermost_plugin.devhost.hook_rounds import DEPTH_LIMIT
from mattermost_plugin.devhost.plugins import InstalledPlugin
from mattermost_plugin.devhost.world import World
from mattermost_pluginapi.v1 import api_pb2
from mattermost_pluginapi.v1.common_pb2 import PluginContext

__all__ = ["API_METHODS", "Call", "Handler", "Methods"]

API_METHODS: Final[Mapping[str, MethodDescriptor]] = MappingProxyType(
    dict(api_pb2.DESCRIPTOR.services_by_name["PluginAPI"].methods_by_name)
)
"""Every method of the API by name."""

_BY_REQUEST: Final = {method.input_type.full_name: name for name, method in API_METHODS.items()}


@dataclass(frozen=True, slots=True)
class Call:
    """What a method knows beside its arguments."""

    world: World
    """The host's parts."""
    plugin: InstalledPlugin
    """Who calls."""
    request_id: str
    """Id of the request that the call belongs to; "" if the caller does not say."""

    @property
    def plugin_id(self) -> str:
        """Id of the plugin that calls."""
        return self.plugin.plugin_id

    @property
    def now_ms(self) -> int:
        """The time."""
        return self.world.now_ms()

    def context(self) -> PluginContext:
        """A context for the hooks that the call causes.

        Raises:
            ApiError: too many hooks have caused each other.
        """
        if self.world.hooks.depth(self.request_id) >= DEPTH_LIMIT:
            detail = f"{DEPTH_LIMIT} hooks have caused each other: a plugin reacts to what it does itself"
            raise ApiError("dev.too_deep", HTTPStatus.LOOP_DETECTED, detail)
        return self.world.hooks.new_context(self.request_id)


# What a handler takes as request depends on the method; the registry makes sure of it.
Handler = Callable[..., Message | Awaitable[Message]]
HandlerT = TypeVar("HandlerT", bound=Handler)


class Methods(dict[str, Handler]):
    """Methods by name."""

    def rpc(self, handler: HandlerT) -> HandlerT:
        """Register a function as the method whose request it takes.

        It takes a `Call` and the request, which it leaves as it is, and returns the response or raises ApiError.
        """
        request: type[Message] = handler.__annotations__["request"]
        self[_BY_REQUEST[request.DESCRIPTOR.full_name]] = handler
        return handler
