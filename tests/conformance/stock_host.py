"""A host that speaks net/rpc as released servers do. See `hosts`."""

import contextlib
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any, Final, cast

from mattermost_plugin import HookName, Plugin
from mattermost_plugin._gob import GENERIC
from mattermost_plugin._netrpc import EMPTY
from mattermost_plugin._netrpc.messages import EMPTY_TYPE
from mattermost_plugin._stock.rpc_streams import CallRefusedError
from mattermost_plugin._stock.struct_sources import struct_source
from mattermost_plugin._stock.struct_targets import struct_target
from mattermost_plugin.config import RuntimeConfig
from mattermost_plugin.server import PluginServer
from mattermost_pluginapi.stock.methods import HOOKS
from tests.conformance.hosts import Host, NotAnsweredError
from tests.conformance.http_seen import HTTPAsked, HTTPSeen
from tests.conformance.server_api import ServerApi
from tests.conformance.stock_server_api import TypedStandIn
from tests.gob.streams import read, stock_encoder, stock_table
from tests.stock.go_merge import merge
from tests.stock.stand_in import Response
from tests.stock.struct_vectors import read_message, write_struct

_MERGED: Final = {
    HookName.MessageWillBePosted: "*model.Post",
    HookName.FileWillBeUploaded: "*model.FileInfo",
    HookName.ChannelMemberWillBeAdded: "*model.ChannelMember",
    HookName.TeamMemberWillBeAdded: "*model.TeamMember",
}
"""Hooks whose replies the host decodes into the object that it has sent, their arguments' `B`."""


class StockHost:
    """See Host."""

    def __init__(self, server: PluginServer | None, address: str, api: ServerApi | None) -> None:
        self.server = cast("PluginServer", server)
        self.stand_in = TypedStandIn(address, api or ServerApi(has_methods=False))

    async def implemented(self) -> list[str]:
        """See Host."""
        names: Any = await self.stand_in.implemented()
        return list(names)

    async def hook(self, name: HookName, request: Any) -> Any:
        """See Host."""
        try:
            return await self._hook(name, request)
        except CallRefusedError as error:
            raise NotAnsweredError(str(error)) from error

    async def http(self, name: HookName, asked: HTTPAsked) -> HTTPSeen:
        """See Host."""
        init = asked.init
        request = {
            "Method": init.method,
            "URL": init.url.encode(),
            "Proto": init.proto,
            "ProtoMajor": init.proto_major,
            "ProtoMinor": init.proto_minor,
            "Header": {field.key: list(field.values) for field in init.headers},
            "Host": init.host,
            "RemoteAddr": init.remote_addr,
            "RequestURI": init.request_uri,
        }
        response = _Client(asked)
        is_whole = True
        try:
            await self.stand_in.serve_http(
                request, asked.body, hook=name, response=response, context=_context(init.plugin_context)
            )
        except CallRefusedError:
            is_whole = False
        is_whole = is_whole and not response.is_cut_off
        status = response.status or (200 if is_whole else 0)
        return HTTPSeen(status, response.header, response.body, is_whole, response.flushes > 0)

    async def ping(self) -> str:
        """See Host."""
        try:
            await self.stand_in.control.call("Control.Ping", EMPTY, EMPTY_TYPE)
        except CallRefusedError as error:
            return str(error)
        return ""

    async def quit(self) -> None:
        """See Host."""
        await self.stand_in.quit()

    async def close(self) -> None:
        """See Host."""
        await self.stand_in.close()

    async def _hook(self, name: HookName, request: Any) -> Any:
        arguments, results = HOOKS[name]
        if name is HookName.OnActivate:
            return await self.stand_in.activation(struct_target(results))
        if name not in _MERGED:
            return await self.stand_in.hook(name, request, struct_target(results), struct_source(arguments))
        # Any: structs as dicts, by Go's names.
        sent: Any
        (sent,) = read(write_struct(arguments, request))
        content = b""
        if name is HookName.FileWillBeUploaded:
            reply, content = await self.stand_in.upload_of(sent, request.file_content, GENERIC)
        else:
            reply = await self.stand_in.hook(name, sent, GENERIC)
        if "A" in reply:
            reply["A"] = merge(_MERGED[name], sent["B"], reply["A"], has_room=False)
        response = read_message(results, stock_encoder().encode(reply, stock_table().struct(results)))
        if content:
            response.modified_content = content
        return response


class _Client(Response):
    """A response, and the client that gets it."""

    def __init__(self, asked: HTTPAsked) -> None:
        super().__init__({})
        self.can_hijack = asked.can_hijack
        self._leaves_after = asked.leaves_after

    def refusal(self, name: str) -> str:
        """See Response."""
        if self._leaves_after is not None and len(self.body) >= self._leaves_after:
            return "write: broken pipe"
        return super().refusal(name)


def _context(context: Any) -> dict[str, object]:
    return {
        "SessionId": context.session_id,
        "RequestId": context.request_id,
        "IPAddress": context.ip_address,
        "AcceptLanguage": context.accept_language,
        "UserAgent": context.user_agent,
    }


@asynccontextmanager
async def hosted_by_stock(
    plugin: Plugin | type[Plugin], config: RuntimeConfig, api: ServerApi | None
) -> AsyncIterator[Host]:
    """A plugin on the stock wire with its host."""
    server = PluginServer(plugin, config, wire="netrpc")
    line = await server.start()
    host = StockHost(server, line.split("|")[3], api)
    await host.stand_in.connect()
    try:
        yield host
    finally:
        await server.stop()
        with contextlib.suppress(CallRefusedError):
            await host.close()
