"""API methods whose content travels in streams of its own: the plugin chooses the number of such a stream, tells it in
the call, and waits for the host to dial it."""

from __future__ import annotations

import asyncio
from collections.abc import Mapping
from typing import Final, NamedTuple

from google.protobuf.message import Message

from mattermost_plugin._gob import PLAIN, GobDataError, RecordSource
from mattermost_plugin._gob.sources import Attr, Computed
from mattermost_plugin._stock.broker import MuxBroker
from mattermost_plugin._stock.go_types import go_type
from mattermost_plugin._stock.http_response import canonical_name
from mattermost_plugin._stock.io_reader import serve_content
from mattermost_plugin._stock.plain import mapping_of, number_of
from mattermost_plugin._stock.rpc_streams import CallRefusedError, RpcClient
from mattermost_plugin._stock.struct_sources import struct_source
from mattermost_plugin._stock.struct_targets import struct_target
from mattermost_plugin._yamux import YamuxError
from mattermost_pluginapi.v1.api_file_pb2 import UploadDataRequest, UploadDataResponse
from mattermost_pluginapi.v1.api_plugin_pb2 import (
    InstallPluginRequest,
    InstallPluginResponse,
    PluginHTTPRequest,
    PluginHTTPResponse,
)
from mattermost_pluginapi.v1.hooks_http_pb2 import HTTPHeader

__all__ = ["install_plugin", "plugin_http", "upload_data"]

_MAX_ANSWER_BYTES: Final = 512 * 1024 * 1024
"""Of another plugin's answer, which is held in memory."""

_PROTO, _PROTO_MAJOR, _PROTO_MINOR = "HTTP/1.1", 1, 1


class _Install(NamedTuple):
    stream_id: int
    replace: bool


class _Upload(NamedTuple):
    stream_id: int
    upload_session: Message


_INSTALL: Final = RecordSource({"PluginStreamID": Attr("stream_id"), "B": Attr("replace")})
_UPLOAD: Final = RecordSource(
    lambda: {
        "A": Computed(lambda v: v.upload_session, struct_source("model.UploadSession")),
        "PluginStreamID": Attr("stream_id"),
    }
)


async def install_plugin(client: RpcClient, broker: MuxBroker, request: InstallPluginRequest) -> Message:
    """Send a bundle; raises as `RpcClient.call` does."""
    with _Serving(broker, request.file_data) as serving:
        arguments = _Install(serving.stream_id, request.replace)
        reply = await client.call(
            "Plugin.InstallPlugin",
            arguments,
            go_type("plugin.Z_InstallPluginArgs"),
            struct_target("plugin.Z_InstallPluginReturns"),
            _INSTALL,
        )
    assert isinstance(reply, InstallPluginResponse)  # noqa: S101 - what the target makes
    return reply


async def upload_data(client: RpcClient, broker: MuxBroker, request: UploadDataRequest) -> Message:
    """Send a part of a file; raises as `RpcClient.call` does."""
    with _Serving(broker, request.data) as serving:
        arguments = _Upload(serving.stream_id, request.upload_session)
        reply = await client.call(
            "Plugin.UploadData",
            arguments,
            go_type("plugin.Z_UploadDataArgs"),
            struct_target("plugin.Z_UploadDataReturns"),
            _UPLOAD,
        )
    assert isinstance(reply, UploadDataResponse)  # noqa: S101 - what the target makes
    return reply


async def plugin_http(client: RpcClient, broker: MuxBroker, request: PluginHTTPRequest) -> Message:
    """Send a request to another plugin; raises as `RpcClient.call` does."""
    try:
        return await _plugin_http_streamed(client, broker, request)
    except CallRefusedError as error:
        if not error.lacks_method:
            raise
        return await _plugin_http_whole(client, request)


async def _plugin_http_streamed(client: RpcClient, broker: MuxBroker, request: PluginHTTPRequest) -> Message:
    answer_id = broker.next_id()
    answer = asyncio.create_task(_read_answer(broker, answer_id))
    # Looked at whatever becomes of the call, so that asyncio has nothing to complain about.
    answer.add_done_callback(lambda task: task.cancelled() or task.exception())
    try:
        with _Serving(broker, request.body) as serving:
            arguments = {
                "ResponseBodyStream": answer_id,
                "Request": _request_subset(request),
                "RequestBodyStream": serving.stream_id if request.body else 0,
            }
            reply = await client.call(
                "Plugin.PluginHTTPStream", arguments, go_type("plugin.Z_PluginHTTPStreamArgs"), PLAIN
            )
            # The reply has the header of the answer: the other plugin may still read while it writes.
            body = await answer
        fields = mapping_of(reply)
        return _response(number_of(fields, "StatusCode"), mapping_of(fields.get("Header")), body)
    finally:
        answer.cancel()


async def _plugin_http_whole(client: RpcClient, request: PluginHTTPRequest) -> Message:
    """As servers want it that are older than the streams."""
    arguments = {"Request": _request_subset(request), "RequestBody": request.body}
    reply = await client.call("Plugin.PluginHTTP", arguments, go_type("plugin.Z_PluginHTTPArgs"), PLAIN)
    fields = mapping_of(reply)
    answer = mapping_of(fields.get("Response"))
    body = fields.get("ResponseBody")
    return _response(
        number_of(answer, "StatusCode"),
        mapping_of(answer.get("Header")),
        body if isinstance(body, bytes) else b"",
    )


def _request_subset(request: PluginHTTPRequest) -> dict[str, object]:
    header = {canonical_name(name): [value] for name, value in request.headers.items()}
    header.update((canonical_name(field.key), list(field.values)) for field in request.header_values)
    return {
        "Method": request.method,
        "URL": request.url.encode(),
        "Proto": _PROTO,
        "ProtoMajor": _PROTO_MAJOR,
        "ProtoMinor": _PROTO_MINOR,
        "Header": header,
        "RequestURI": request.url,
    }


def _response(status: int, header: Mapping[str, object], body: bytes) -> PluginHTTPResponse:
    values = {name: [str(value) for value in each] for name, each in header.items() if isinstance(each, list)}
    return PluginHTTPResponse(
        status_code=status,
        headers={name: ", ".join(each) for name, each in values.items()},
        body=body,
        header_values=[HTTPHeader(key=name, values=each) for name, each in values.items()],
    )


async def _read_answer(broker: MuxBroker, stream_id: int) -> bytes:
    """The body of an answer, which the host pushes."""
    stream = await broker.accept(stream_id)
    parts: list[bytes] = []
    size = 0
    try:
        while data := await stream.read():
            size += len(data)
            if size > _MAX_ANSWER_BYTES:
                raise GobDataError(f"the answer of the other plugin has more than {_MAX_ANSWER_BYTES} bytes")
            parts.append(data)
    except BaseException:
        # The host would wait for room in the window, which would never come.
        stream.reset()
        raise
    stream.close()
    return b"".join(parts)


class _Serving:
    """Content that the host may take while a call is under way."""

    def __init__(self, broker: MuxBroker, content: bytes) -> None:
        self.stream_id = broker.next_id()
        self._broker = broker
        self._content = content
        self._task: asyncio.Task[None] | None = None

    def __enter__(self) -> _Serving:
        self._task = asyncio.create_task(self._serve())
        return self

    def __exit__(self, *_: object) -> None:
        if self._task is not None:
            self._task.cancel()

    async def _serve(self) -> None:
        try:
            stream = await self._broker.accept(self.stream_id)
        except YamuxError:
            # The call's reply tells why.
            return
        await serve_content(stream, self._content)
