"""The demo from beginning to end: start the greeter, call its hooks, stop it."""

import contextlib
import hashlib
import time
from collections.abc import Awaitable, Callable
from pathlib import Path
from typing import Final

import grpc

from demo.client import PluginClient, hook_of
from demo.expectations import ACTIVATE, DEACTIVATE, HOOK_CALLS, HOOKS, USER_ID, HookCall
from demo.handshake import Handshake, StartError, parse_handshake
from demo.http_stream import PIECE_BYTES, BrokenResponseError, HTTPResponse, converse, fetch, request_head
from demo.process import EXIT_PATIENCE_S, PluginProcess, read_manifest
from demo.transcript import Transcript
from demo.words import describe, describe_rpc_error, every_field

_ECHO_BYTES: Final = 1024 * 1024
_TEXT: Final = "text/plain; charset=utf-8"


class PluginGoneError(Exception):
    """The plugin's process has ended in the middle of the demo."""


async def run_scenario(folder: Path, transcript: Transcript) -> None:
    """Start the plugin in `folder`, call its hooks and stop it; all that happens goes to the transcript."""
    transcript.say(f"A small host starts {_short(folder)} as the Mattermost server does, calls its hooks, stops it.")
    transcript.heading("Start")
    try:
        manifest = read_manifest(folder)
        started = time.perf_counter()
        process = await PluginProcess.spawn(manifest, transcript.log)
    except (StartError, OSError) as error:
        transcript.fail(str(error))
        return
    try:
        transcript.step("process", f"python {manifest.executable}", f"pid {process.pid}", _since(started))
        started = time.perf_counter()
        line = await process.read_handshake()
        handshake = parse_handshake(line)
        transcript.step("handshake", "", line, _since(started))
        await _Session(transcript, process, handshake, manifest.plugin_id).run()
    except (StartError, PluginGoneError) as error:
        transcript.fail(str(error))
    finally:
        await process.kill()


class _Session:
    """What happens between the handshake and the end of the process."""

    def __init__(self, transcript: Transcript, process: PluginProcess, handshake: Handshake, plugin_id: str) -> None:
        self._transcript = transcript
        self._process = process
        self._handshake = handshake
        self._plugin_id = plugin_id
        self._client = PluginClient(handshake.target)

    async def run(self) -> None:
        try:
            await self._connect()
            self._transcript.heading("Hooks")
            if await self._call(ACTIVATE):
                for call in HOOK_CALLS:
                    await self._call(call)
                self._transcript.heading("HTTP below /plugins/" + self._plugin_id)
                await self._http()
                self._transcript.heading("Stop")
                await self._call(DEACTIVATE)
            await self._check("Shutdown", "", "accepted", self._shutdown)
        finally:
            await self._client.close()
        await self._end()

    async def _connect(self) -> None:
        self._client.open_streams()
        await self._check("health", 'service "plugin"', "healthy", self._health)
        await self._check("StreamStdio, Broker", "", "both open", self._streams)
        # The server asks twice: once for the client of the hooks, once for the list of hooks that it keeps.
        for _ in range(2):
            await self._check("Implemented", "", f"{len(HOOKS)} hooks", self._implemented)

    async def _http(self) -> None:
        await self._fetch("/hello", 200, "Hello, stranger!\n", "")
        await self._fetch("/hello", 200, f"Hello, {USER_ID}!\n", USER_ID)
        await self._fetch("/nowhere", 404, "There is nothing here.\n", "")
        expected = f"200, {_ECHO_BYTES} bytes, the same"
        await self._check("POST /echo", f"1 MiB, {_ECHO_BYTES // PIECE_BYTES} pieces", expected, self._echo)

    async def _fetch(self, path: str, status: int, body: str, user_id: str) -> None:
        async def get() -> str:
            head = request_head("GET", path, plugin_id=self._plugin_id, user_id=user_id)
            return _in_words(await fetch(self._client, head))

        expected = _in_words(HTTPResponse(status, _TEXT, body.encode()))
        await self._check(f"GET {path}", "with a session" if user_id else "without a session", expected, get)

    async def _echo(self) -> str:
        body = hashlib.shake_128(b"echo").digest(_ECHO_BYTES)
        head = request_head("POST", "/echo", plugin_id=self._plugin_id, content_length=_ECHO_BYTES)
        response = await converse(self._client, head, body)
        if response.body == body:
            return f"{response.status}, {len(response.body)} bytes, the same"
        pairs = enumerate(zip(body, response.body, strict=False))
        first = next((i for i, (sent, got) in pairs if sent != got), min(len(body), len(response.body)))
        return f"{response.status}, {len(response.body)} bytes, different from byte {first} on"

    async def _health(self) -> str:
        await self._client.check_health()
        # As at the server: that the call succeeds is what counts, not what it answers.
        return "healthy"

    async def _streams(self) -> str:
        ended = self._client.ended_streams()
        return ", ".join(f"{name} ended: {status.name}" for name, status in ended.items()) or "both open"

    async def _implemented(self) -> str:
        names = await self._client.implemented()
        return f"{len(names)} hooks" if names == HOOKS else f"{len(names)} hooks, but {_difference(names)}"

    async def _shutdown(self) -> str:
        await self._client.shutdown()
        return "accepted"

    async def _end(self) -> None:
        started = time.perf_counter()
        try:
            code = await self._process.wait_end()
            got = f"exit code {code}"
        except TimeoutError:
            got = f"not over after {EXIT_PATIENCE_S:g} s, so it is killed"
        if self._handshake.socket_exists:
            got += ", its socket is left behind"
        expected = "exit code 0"
        self._transcript.step("end of process", "", got, _since(started), None if got == expected else expected)

    async def _call(self, call: HookCall) -> bool:
        """Call a hook. Returns whether the reply was the expected one, in every field."""
        self._require_process()
        hook = hook_of(call.request)
        started = time.perf_counter()
        try:
            reply = await self._client.call(call.request)
        except grpc.RpcError as error:
            await self._await_end_after(error)
            got, expected = describe_rpc_error(error), describe(call.expected)
        else:
            got, expected = describe(reply), describe(call.expected)
            if reply != call.expected and got == expected:
                got, expected = every_field(reply), every_field(call.expected)
        self._transcript.step(hook, call.sent, got, _since(started), None if got == expected else expected)
        return got == expected

    async def _check(self, name: str, sent: str, expected: str, work: Callable[[], Awaitable[str]]) -> None:
        self._require_process()
        started = time.perf_counter()
        try:
            got = await work()
        except grpc.RpcError as error:
            await self._await_end_after(error)
            got = describe_rpc_error(error)
        except BrokenResponseError as error:
            got = str(error)
        self._transcript.step(name, sent, got, _since(started), None if got == expected else expected)

    async def _await_end_after(self, error: grpc.RpcError) -> None:
        """A broken connection mostly means that the process is ending: its exit code says more than the connection."""
        if isinstance(error, grpc.aio.AioRpcError) and error.code() is grpc.StatusCode.UNAVAILABLE:
            with contextlib.suppress(TimeoutError):
                await self._process.wait_end()

    def _require_process(self) -> None:
        if (code := self._process.exit_code) is not None:
            raise PluginGoneError(f"the plugin's process has ended by itself, with exit code {code}")


def _short(folder: Path) -> Path:
    here = Path.cwd()
    return folder.relative_to(here) if folder.is_relative_to(here) else folder


def _since(started: float) -> float:
    return time.perf_counter() - started


def _difference(names: list[str]) -> str:
    missing, surplus = sorted(set(HOOKS) - set(names)), sorted(set(names) - set(HOOKS))
    if not missing and not surplus:
        return "not in order, or some of them twice"
    parts = [("without", missing), ("with", surplus)]
    return " and ".join(f"{word} {', '.join(hooks)}" for word, hooks in parts if hooks)


def _in_words(response: HTTPResponse) -> str:
    kind = "" if response.content_type == _TEXT else f" as {response.content_type or 'nothing in particular'}"
    return f"{response.status} {response.body.decode(errors='replace')!r}{kind}"
