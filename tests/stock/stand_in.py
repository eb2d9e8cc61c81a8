"""A host in Python, on the runtime's own cores in the other role. Arguments and results are dicts by Go's names."""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import AsyncIterator, Callable, Mapping
from contextlib import asynccontextmanager
from functools import partial
from typing import Any

from mattermost_plugin._gob import DICTS, PLAIN, Interface, Source, Target
from mattermost_plugin._gob.go_types import BOOL, BYTES, STRING, GoType
from mattermost_plugin._netrpc import EMPTY, Call, no_such_method
from mattermost_plugin._netrpc.messages import EMPTY_TYPE
from mattermost_plugin._stock.broker import MuxBroker
from mattermost_plugin._stock.connection import MuxConnection
from mattermost_plugin._stock.go_types import go_type
from mattermost_plugin._stock.http_response import HEADER_TYPE
from mattermost_plugin._stock.io_reader import serve_content
from mattermost_plugin._stock.rpc_streams import CallRefusedError, RpcClient, RpcServer
from mattermost_plugin._stock.stream import MuxStream
from mattermost_plugin._stock.struct_sources import registry
from mattermost_plugin._yamux import Role
from mattermost_plugin.config import RuntimeConfig
from mattermost_plugin.plugin import Plugin
from mattermost_plugin.server import PluginServer
from mattermost_pluginapi.stock.methods import API_METHODS, HOOKS

PATIENCE_S = 20

ApiMethod = Callable[[Any], object]
"""Gets the arguments and gives the results, or an awaitable of them; raises Refusal."""


class Refusal(Exception):  # noqa: N818 - no failure
    """The text of an error of the protocol."""


class Response:
    """What came to the response writer."""

    def __init__(self, header: dict[str, list[str]]) -> None:
        self.header = header
        self.status = 0
        self.body = b""
        self.flushes = 0
        self.calls: list[str] = []
        self.calls_when_answered = 0
        self.is_cut_off = False
        self.can_hijack = True
        self.fails_with = ""
        self.holds = ""
        """Name of the call that is answered only by `release`."""
        self.is_held = asyncio.Event()
        self.release: Callable[[], None] = lambda: None

    def refusal(self, name: str) -> str:
        """Why a call of the response writer fails; "" if it does not."""
        if name == "HijackResponse" and not self.can_hijack:
            return "response cannot be hijacked"
        return "" if name == "Header" else self.fails_with


class _WriterServer(RpcServer):
    """Tells when the plugin has ended the stream."""

    def __init__(self, *arguments: Any) -> None:
        self.over = asyncio.Event()
        super().__init__(*arguments)

    def ended(self, error: Exception | None) -> None:
        super().ended(error)
        self.over.set()


class StandInHost:
    """A host with one plugin.

    Args:
        address: the plugin's socket.
        api: what API methods answer.
        driver: serves the database, if the host offers one.
    """

    def __init__(
        self,
        address: str,
        api: Mapping[str, ApiMethod] | None = None,
        driver: Callable[[MuxStream], None] | None = None,
    ) -> None:
        self.address = address
        self.api = dict(api or {})
        self.driver = driver
        self.api_calls: list[tuple[str, Any]] = []
        self.lost: asyncio.Future[Exception | None] = asyncio.get_running_loop().create_future()
        self.mux = MuxConnection(Role.CLIENT, self._take, self.lost.set_result)
        self.broker = MuxBroker(self.mux)
        self.control: RpcClient
        self.hooks: RpcClient
        self.api_stream: MuxStream | None = None
        self._tasks: set[asyncio.Task[Any]] = set()

    async def connect(self) -> None:
        await asyncio.get_running_loop().create_unix_connection(lambda: self.mux, self.address)
        self.control, *_ = RpcClient(self.mux.open()), self.mux.open(), self.mux.open()
        number = await self.control.call("Dispenser.Dispense", "hooks", STRING, PLAIN)
        assert isinstance(number, int)
        self.hooks = RpcClient(await self.broker.dial(number), registry())

    async def implemented(self) -> object:
        return await self.hooks.call("Plugin.Implemented", EMPTY, EMPTY_TYPE, PLAIN)

    async def hook(
        self,
        name: str,
        arguments: object = None,
        target: Target[Any] = PLAIN,
        source: Source = DICTS,
    ) -> Any:
        """Call a hook and give its results."""
        type_name, _ = HOOKS[name]
        return await self.hooks.call(f"Plugin.{name}", arguments or {}, go_type(type_name), target, source)

    async def activate(self) -> str:
        """Activate the plugin and give its error."""
        results = await self.activation()
        error = results.get("A")
        return error.get("Err", "") if isinstance(error, dict) else ""

    async def activation(self, target: Target[Any] = PLAIN) -> Any:
        """Activate the plugin and give the results."""
        api_id, database_id = self.broker.next_id(), self.broker.next_id()
        accepting = [asyncio.create_task(self._serve_api(api_id)), asyncio.create_task(self._serve_driver(database_id))]
        results = await self.hook("OnActivate", {"APIMuxId": api_id, "DriverMuxId": database_id}, target)
        await asyncio.gather(*accepting)
        return results

    async def serve_http(
        self,
        request: Mapping[str, object] | None = None,
        body: bytes | None = b"",
        *,
        hook: str = "ServeHTTP",
        response: Response | None = None,
        context: Mapping[str, object] | None = None,
    ) -> Response:
        """Pass a request on."""
        response = response or Response({"X-Preset": ["server"]})
        writer_id, body_id = self.broker.next_id(), 0 if body is None else self.broker.next_id()
        tasks = [asyncio.create_task(self._serve_writer(writer_id, response))]
        if body is not None:
            tasks.append(asyncio.create_task(self._serve_body(body_id, body)))
        fields = {"Method": "POST", "URL": b"/x", "Proto": "HTTP/1.1", "ProtoMajor": 1, "ProtoMinor": 1}
        arguments = {
            "ResponseWriterStream": writer_id,
            "Request": {**fields, **(request or {})},
            "Context": context or {"RequestId": "r1", "UserAgent": "tests"},
            "RequestBodyStream": body_id,
        }
        try:
            await self.hooks.call(f"Plugin.{hook}", arguments, go_type("plugin.Z_ServeHTTPArgs"))
        finally:
            response.calls_when_answered = len(response.calls)
            await asyncio.gather(*tasks)
        return response

    async def upload(self, info: Mapping[str, object], content: bytes) -> tuple[Any, bytes]:
        """Offer an upload; gives the results and what replaces the content."""
        return await self.upload_of({"A": {}, "B": info}, content)

    async def upload_of(
        self, arguments: Mapping[str, object], content: bytes, target: Target[Any] = PLAIN
    ) -> tuple[Any, bytes]:
        """The same with all arguments but the numbers of the streams."""
        file_id, replacement_id = self.broker.next_id(), self.broker.next_id()
        reading = asyncio.create_task(self._serve_body(file_id, content))
        writing = asyncio.create_task(self._read_replacement(replacement_id))
        numbers = {"UploadedFileStream": file_id, "ReplacementFileStream": replacement_id}
        results = await self.hook("FileWillBeUploaded", {**arguments, **numbers}, target)
        replacement = await writing
        await reading
        return results, replacement

    async def quit(self) -> None:
        await self.control.call("Control.Quit", True, BOOL)

    async def close(self) -> None:
        for task in self._tasks:
            task.cancel()
        self.broker.close()
        self.mux.close()
        await self.lost

    async def _serve_body(self, number: int, content: bytes) -> None:
        await serve_content(await self.broker.accept(number), content)

    async def _read_replacement(self, number: int) -> bytes:
        stream = await self.broker.accept(number)
        parts = []
        while data := await stream.read():
            parts.append(data)
        stream.close()
        return b"".join(parts)

    async def _serve_writer(self, number: int, response: Response) -> None:
        stream = await self.broker.accept(number)

        def handle(server: RpcServer, call: Call, body: Any) -> None:
            name = call.method.rpartition(".")[2]
            response.calls.append(name)
            if refusal := response.refusal(name):
                server.fail(call, refusal)
                return
            if name == "Header":
                server.reply(call, response.header, HEADER_TYPE)
                return
            if name == "SyncHeader":
                response.header = dict(body or {})
            elif name == "WriteHeader":
                response.status = body
            elif name == "Write":
                response.status = response.status or 200
                response.body += body
            elif name == "Flush":
                response.flushes += 1
            elif name == "HjConnClose":
                response.is_cut_off = True
            if name == response.holds:
                response.release = partial(server.reply, call)
                response.is_held.set()
            else:
                server.reply(call)

        server = _WriterServer(stream, "writer", lambda method: PLAIN, handle)
        await server.over.wait()

    def _take(self, stream: MuxStream) -> None:
        self.broker.take(stream)

    async def _serve_api(self, number: int) -> None:
        self.api_stream = stream = await self.broker.accept(number)
        RpcServer(stream, "api", self._choose_api, self._call_api, registry=registry())

    async def _serve_driver(self, number: int) -> None:
        stream = await self.broker.accept(number)
        if self.driver is not None:
            self.driver(stream)

    def _choose_api(self, method: str) -> Any:
        if method.removeprefix("Plugin.") not in self.api:
            raise no_such_method(method, ("Plugin",))
        return PLAIN

    def _call_api(self, server: RpcServer, call: Call, body: Any) -> None:
        task = asyncio.create_task(self._answer_api(server, call, body))
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)

    async def _answer_api(self, server: RpcServer, call: Call, body: Any) -> None:
        name = call.method.removeprefix("Plugin.")
        self.api_calls.append((name, body))
        try:
            results = self.api[name](body)
            if asyncio.iscoroutine(results):
                results = await results
        except Refusal as refusal:
            server.fail(call, str(refusal))
            return
        server.reply(call, results, _result_type(name))


def _result_type(name: str) -> GoType:
    if name in API_METHODS:
        return go_type(API_METHODS[name][1])
    return go_type(f"plugin.Z_{name}Returns")


def go_error(text: str) -> Interface:
    """What a Go `error` holds."""
    return Interface("*plugin.ErrorString", {"Err": text})


@asynccontextmanager
async def served(
    plugin: Plugin | type[Plugin],
    api: Mapping[str, ApiMethod] | None = None,
    config: RuntimeConfig | None = None,
    *,
    activate: bool = True,
    driver: Callable[[MuxStream], None] | None = None,
) -> AsyncIterator[tuple[StandInHost, PluginServer]]:
    """A plugin on the stock wire, with a host that has connected to it and, if asked, activated it."""
    server = PluginServer(plugin, config or RuntimeConfig(), wire="netrpc")
    line = await server.start()
    host = StandInHost(line.split("|")[3], api, driver)
    try:
        async with asyncio.timeout(PATIENCE_S):
            await host.connect()
            if activate:
                assert await host.activate() == ""
            yield host, server
    finally:
        await server.stop()
        with contextlib.suppress(CallRefusedError):
            await host.close()


__all__ = ["BYTES", "Refusal", "Response", "StandInHost", "go_error", "served"]
