"""A `ServerApi` on the API stream of a stock host."""

from collections.abc import Mapping
from typing import Any, Final

from google.protobuf.struct_pb2 import Value

from mattermost_plugin._gob import PLAIN, Interface
from mattermost_plugin._gob.sources import DICTS
from mattermost_plugin._netrpc import Call, no_such_method
from mattermost_plugin._stock.go_types import go_type
from mattermost_plugin._stock.io_reader import varint
from mattermost_plugin._stock.rpc_streams import RpcServer
from mattermost_plugin._stock.struct_sources import struct_source
from mattermost_plugin._stock.struct_targets import struct_target
from mattermost_plugin.models import KeyValuePair
from mattermost_pluginapi.api.methods import METHODS
from mattermost_pluginapi.stock.methods import API_METHODS
from mattermost_pluginapi.stock.structs import STRUCTS
from tests.conformance.filled_messages import CONTENT_FIELDS
from tests.conformance.server_api import ServerApi
from tests.gob.streams import stock_encoder
from tests.stock.stand_in import StandInHost
from tests.stock.struct_vectors import read_message

_ASKED_AT_ONCE: Final = 32 * 1024
"""Bytes of a content, as the server asks for it."""

LOGS: Final = ("LogDebug", "LogInfo", "LogWarn", "LogError")


class TypedStandIn(StandInHost):
    """A stand-in whose plugin API speaks in messages."""

    def __init__(self, address: str, server_api: ServerApi) -> None:
        super().__init__(address)
        self._server_api = server_api

    def _choose_api(self, method: str) -> Any:
        name = method.removeprefix("Plugin.")
        if name == "PluginHTTPStream" and self._server_api.has_methods:
            return PLAIN
        if name not in API_METHODS or not self._server_api.has_methods:
            raise no_such_method(method, ("Plugin",))
        return PLAIN if name in LOGS or name in CONTENT_FIELDS else struct_target(API_METHODS[name][0])

    async def _answer_api(self, server: RpcServer, call: Call, body: Any) -> None:
        name = call.method.removeprefix("Plugin.")
        if name == "PluginHTTPStream":
            server.reply(call, await self._pass_on(body), go_type("plugin.Z_PluginHTTPStreamReturns"))
            return
        request = await self._content_request(name, body) if name in CONTENT_FIELDS else _request(name, body)
        response: Any = await self._server_api.answer(name, request)
        results = API_METHODS[name][1]
        error = _error_field(results)
        if error and response.HasField("error"):
            # In a field of the type `error`, as the server fills it.
            value = {error: Interface("*model.AppError", response.error)}
            server.reply(call, value, go_type(results), DICTS)
        else:
            server.reply(call, response, go_type(results), struct_source(results))

    async def _content_request(self, name: str, body: Mapping[str, Any]) -> Any:
        request: Any = METHODS[name].request_type()
        setattr(request, CONTENT_FIELDS[name], await self._content(body["PluginStreamID"]))
        if name == "InstallPlugin":
            request.replace = body.get("B", False)
        else:
            arguments = go_type("model.UploadSession")
            session = stock_encoder().encode(body["A"], arguments)
            request.upload_session.CopyFrom(read_message("model.UploadSession", session))
        return request

    async def _content(self, number: int) -> bytes:
        stream = await self.broker.dial(number)
        parts = []
        left = 0
        while True:
            if not left:
                stream.write(varint(_ASKED_AT_ONCE))
                left = _ASKED_AT_ONCE
            if not (data := await stream.read()):
                break
            parts.append(data)
            left -= len(data)
        stream.close()
        return b"".join(parts)

    async def _pass_on(self, body: Mapping[str, Any]) -> Mapping[str, object]:
        """A request to another plugin."""
        asked = body["Request"]
        answer = await self.broker.dial(body["ResponseBodyStream"])
        number = body.get("RequestBodyStream", 0)
        request: Any = METHODS["PluginHTTP"].request_type(method=asked["Method"], url=asked["URL"].decode())
        for name, values in asked.get("Header", {}).items():
            request.header_values.add(key=name, values=values)
        request.body = await self._content(number) if number else b""
        response: Any = await self._server_api.answer("PluginHTTP", request)
        await answer.send(response.body)
        answer.close()
        return {
            "StatusCode": response.status_code,
            "Header": {field.key: list(field.values) for field in response.header_values},
        }


def _request(name: str, body: Any) -> Any:
    if name not in LOGS:
        return body
    request: Any = METHODS[name].request_type(msg=body.get("A", ""))
    texts = iter(body.get("B", ()))
    pairs = [KeyValuePair(key=key, value=Value(string_value=value)) for key, value in zip(texts, texts, strict=True)]
    request.key_value_pairs.extend(pairs)
    return request


def _error_field(results: str) -> str:
    """Go's name of the field of results that has the type `error`."""
    found = [go for go, _, conversion, _ in STRUCTS[results][2] if conversion == "error"]
    return found[0] if found else ""


__all__ = ["LOGS", "TypedStandIn"]
