"""A recorded session: a Python plugin of the Go plugin's behaviour gives the same results for what the host sent."""

import asyncio
from collections.abc import Callable
from typing import Any

from mattermost_plugin._gob import NEED_DATA, PLAIN, Decoder
from mattermost_plugin._stock.broker import MuxBroker
from mattermost_plugin._stock.connection import MuxConnection
from mattermost_plugin._stock.io_reader import serve_content
from mattermost_plugin._stock.stream import MuxStream
from mattermost_plugin._yamux import Role
from mattermost_plugin.config import RuntimeConfig
from mattermost_plugin.server import PluginServer
from tests.stock.plugins.session_plugin import Recorded
from tests.stock.recording import HOOKS, HOST, PLUGIN, Recording

PATIENCE_S = 20
API_STREAM, FILE_STREAM, REPLACEMENT_STREAM, WRITER_STREAM, BODY_STREAM = 2, 6, 8, 10, 12


class Messages:
    """Headers and bodies that come on a stream."""

    def __init__(self, stream: MuxStream) -> None:
        self._stream = stream
        self._decoder = Decoder()

    async def next(self) -> tuple[Any, Any] | None:
        """The next ones; None at the end."""
        header = await self._value()
        return None if header is None else (header, await self._value())

    async def _value(self) -> Any:
        while (value := self._decoder.next_value(PLAIN)) is NEED_DATA:
            data = await self._stream.read()
            if not data:
                return None
            self._decoder.feed(data)
        return value


class Replay:
    """The host, which sends what was recorded."""

    def __init__(self, recording: Recording, address: str) -> None:
        self._recording = recording
        self._address = address
        self.mux = MuxConnection(Role.CLIENT, self._take, lambda _: None)
        self._broker = MuxBroker(self.mux)
        self.api_calls: list[tuple[Any, Any]] = []
        self.writer_calls: list[tuple[Any, Any]] = []
        self.replacement = b""
        self._lasting: list[asyncio.Task[Any]] = []

    async def run(self) -> list[tuple[Any, Any]]:
        """Send every call, each after the answer to the one before; gives the answers."""
        await asyncio.get_running_loop().create_unix_connection(lambda: self.mux, self._address)
        control, *_ = self.mux.open(), self.mux.open(), self.mux.open()
        control.write(self._recording.payloads[HOST, 1][0])
        dispensed = await Messages(control).next()
        assert dispensed is not None
        hooks = await self._broker.dial(dispensed[1])
        answers, results = Messages(hooks), []
        # The first one is the number of the stream.
        sent = self._recording.payloads[HOST, HOOKS][1:]
        calls = self._recording.messages(HOST, HOOKS)
        assert len(sent) == len(calls)
        for data, (header, arguments) in zip(sent, calls, strict=True):
            tasks = [asyncio.create_task(each) for each in self._streams(header["ServiceMethod"], arguments)]
            hooks.write(data)
            answer = await answers.next()
            assert answer is not None
            results.append(answer)
            if "OnActivate" in header["ServiceMethod"]:
                self._lasting = tasks
            else:
                await asyncio.gather(*tasks)
        return results

    async def close(self) -> None:
        for task in self._lasting:
            task.cancel()
        await asyncio.gather(*self._lasting, return_exceptions=True)
        self.mux.close()

    def _take(self, stream: MuxStream) -> None:
        self._broker.take(stream)

    def _streams(self, method: str, arguments: Any) -> list[Any]:
        """What serves the streams of a call."""
        match method:
            case "Plugin.OnActivate":
                return [
                    self._answer(arguments["APIMuxId"], API_STREAM, self.api_calls),
                    self._broker.accept(arguments["DriverMuxId"]),
                ]
            case "Plugin.FileWillBeUploaded":
                return [
                    self._serve(arguments["UploadedFileStream"], FILE_STREAM),
                    self._read_replacement(arguments["ReplacementFileStream"]),
                ]
            case "Plugin.ServeHTTP":
                return [
                    self._answer(arguments["ResponseWriterStream"], WRITER_STREAM, self.writer_calls),
                    self._serve(arguments["RequestBodyStream"], BODY_STREAM),
                ]
        return []

    async def _answer(self, number: int, recorded: int, calls: list[tuple[Any, Any]]) -> None:
        """Answer each call with what was recorded for the call of that number."""
        stream = await self._broker.accept(number)
        requests, replies = Messages(stream), iter(self._recording.payloads[HOST, recorded][1:])
        while (request := await requests.next()) is not None:
            calls.append(request)
            stream.write(next(replies))
        stream.close()

    async def _serve(self, number: int, recorded: int) -> None:
        await serve_content(await self._broker.accept(number), self._recording.content(HOST, recorded))

    async def _read_replacement(self, number: int) -> None:
        stream = await self._broker.accept(number)
        while data := await stream.read():
            self.replacement += data
        stream.close()


def written(calls: list[tuple[Any, Any]]) -> dict[str, object]:
    """What a response writer was told."""
    told: dict[str, Any] = {"header": {}, "status": 0, "body": b"", "flushes": 0}
    takers: dict[str, Callable[[Any], None]] = {
        "Header": lambda _: None,
        "SyncHeader": lambda header: told.update(header=header),
        "WriteHeader": lambda status: told.update(status=status),
        "Write": lambda data: told.update(body=told["body"] + data),
        "Flush": lambda _: told.update(flushes=told["flushes"] + 1),
    }
    for header, body in calls:
        takers[header["ServiceMethod"].removeprefix("Plugin.")](body)
    return told


def test_a_recorded_session_gives_equal_results() -> None:
    recording = Recording()

    async def scenario() -> tuple[Replay, list[tuple[Any, Any]]]:
        server = PluginServer(Recorded, RuntimeConfig(), wire="netrpc")
        replay = Replay(recording, (await server.start()).split("|")[3])
        try:
            async with asyncio.timeout(PATIENCE_S):
                return replay, await replay.run()
        finally:
            await replay.close()
            await server.stop()

    replay, results = asyncio.run(scenario())
    calls, expected = recording.messages(HOST, HOOKS), recording.messages(PLUGIN, HOOKS)
    # Go answers in any order.
    by_number = {header.get("Seq", 0): body for header, body in expected}
    assert len(results) == len(calls) == 11
    for (header, body), (sent, arguments) in zip(results, calls, strict=True):
        assert header == {key: value for key, value in sent.items() if key in ("ServiceMethod", "Seq")}
        wanted = by_number[header.get("Seq", 0)]
        match sent["ServiceMethod"]:
            case "Plugin.Implemented":
                assert sorted(body) == sorted(wanted)
            case "Plugin.MessageWillBePosted" | "Plugin.FileWillBeUploaded":
                # The host decodes the reply into what it has sent.
                assert merged(arguments["B"], body.get("A")) == merged(arguments["B"], wanted.get("A"))
                assert body.get("B") == wanted.get("B")
            case _:
                assert body == wanted, sent
    api_calls = recording.messages(PLUGIN, API_STREAM)
    methods = [header["ServiceMethod"] for header, _ in api_calls]
    assert [header["ServiceMethod"] for header, _ in replay.api_calls] == methods
    assert written(replay.writer_calls) == written(recording.messages(PLUGIN, WRITER_STREAM))
    assert replay.replacement == recording.content(PLUGIN, REPLACEMENT_STREAM)


def merged(sent: dict[str, Any], reply: dict[str, Any] | None) -> dict[str, Any]:
    reply = reply or {}
    both = {**sent, **reply}
    if "Props" in reply:
        both["Props"] = {**sent.get("Props", {}), **reply["Props"]}
    return both
