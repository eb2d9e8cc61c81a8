"""The demo from beginning to end: start the greeter, do what users do, stop it."""

from __future__ import annotations

import asyncio
import contextlib
import hashlib
import time
from pathlib import Path
from typing import Final

from google.protobuf.message import Message

from demo.expectations import DEEDS, HOOKS, NOTHING, STORED, Deed
from demo.onlooker import Onlooker, Sight, onlooker
from demo.stage import Stage, set_stage
from demo.transcript import Transcript
from demo.words import DISMISS, describe, every_field
from mattermost_plugin.devhost import ApiError, DevHost, HttpAnswer, HttpQuestion, StartError
from mattermost_plugin.devhost.events import Event, HookCalled, LogWritten, PluginChanged
from mattermost_plugin.devhost.plugins import InstalledPlugin, PluginState
from mattermost_pluginapi.v1.hooks_lifecycle_pb2 import OnActivateResponse, OnDeactivateResponse

_ECHO_BYTES: Final = 1024 * 1024
_TEXT: Final = "text/plain; charset=utf-8"
_END_PATIENCE_S: Final = 2.0
"""How long a process whose connection broke may take until it is seen to have ended."""


class PluginGoneError(Exception):
    """The plugin's process has ended in the middle of the demo."""


async def run_scenario(folder: Path, transcript: Transcript) -> None:
    """Start the plugin in `folder`, call its hooks and stop it; all that happens goes to the transcript."""
    transcript.say(f"A small host starts {_short(folder)} as the Mattermost server does, calls its hooks, stops it.")

    def log(event: Event) -> None:
        if isinstance(event, LogWritten):
            transcript.log(event)

    async with DevHost() as host:
        stage = await set_stage(host)
        host.events.subscribe(log)
        transcript.heading("Start")
        try:
            with onlooker(stage) as watching:
                started = time.perf_counter()
                plugin = await host.launch(folder)
            session = _Session(transcript, stage, plugin)
            await session.check_start(watching, time.perf_counter() - started)
            await session.run()
        except (StartError, PluginGoneError) as error:
            transcript.fail(str(error).replace("\n", " | "))


class _Session:
    """What happens while the plugin runs."""

    def __init__(self, transcript: Transcript, stage: Stage, plugin: InstalledPlugin) -> None:
        self._transcript = transcript
        self._stage = stage
        self._host = stage.host
        self._plugin = plugin

    async def check_start(self, watching: Onlooker, elapsed_s: float) -> None:
        plugin = self._plugin
        command = f"python {plugin.manifest.server.executable}"
        self._transcript.step("process", command, f"pid {self._host.pid(plugin.plugin_id)}", elapsed_s)
        self._transcript.step("handshake", "", plugin.handshake)
        self._check("Implemented", "", _hooks_in_words(plugin.hooks), f"{len(HOOKS)} hooks")
        self._check_reply("OnActivate", "", watching, OnActivateResponse())
        started = time.perf_counter()
        healthy = await self._host.is_healthy(plugin.plugin_id)
        self._check("health", "", "healthy" if healthy else "not healthy", "healthy", time.perf_counter() - started)

    async def run(self) -> None:
        self._transcript.heading("Users, and the hooks that are called for what they do")
        for deed in DEEDS:
            await self._do(deed)
        self._check_stored()
        self._transcript.heading("HTTP below /plugins/" + self._plugin.plugin_id)
        await self._http()
        self._transcript.heading("Stop")
        await self._stop()

    async def _do(self, deed: Deed) -> None:
        started = time.perf_counter()
        with onlooker(self._stage) as watching:
            try:
                sight = await deed.act(self._stage)
            except ApiError as error:
                # Clients say nothing about a post that was dismissed.
                sight = None if error.error_id == DISMISS else Sight(f"{deed.who} is told", f'"{error.message}"')
        elapsed_s = time.perf_counter() - started
        self._check_reply(deed.hook, deed.sent, watching, deed)
        self._check_sights([*watching.sights, *([sight] if sight else [])] or [NOTHING], deed.sight, elapsed_s)
        if any(call.failure for call in watching.calls):
            await self._require_process()

    def _check_reply(self, hook: str, sent: str, watching: Onlooker, expectation: Deed | Message) -> None:
        """Check that a hook was called once, and its reply in every field."""
        calls = [call for call in watching.calls if call.hook == hook]
        if len(calls) != 1:
            self._check(hook, sent, f"called {len(calls)} times", "called once")
            return
        call = calls[0]
        wanted = expectation.expected(call.request) if isinstance(expectation, Deed) else expectation
        got, expected = _reply_in_words(call), describe(wanted)
        if call.response is not None and call.response != wanted and got == expected:
            got, expected = every_field(call.response), every_field(wanted)
        self._check(hook, sent, got, expected, call.duration_ms / 1000)

    def _check_sights(self, sights: list[Sight], expected: Sight, elapsed_s: float) -> None:
        if sights == [expected]:
            self._transcript.step(expected.who, "", expected.what, elapsed_s)
            return
        got = "; ".join(" ".join(sight) for sight in sights)
        self._transcript.step("what is seen", "", got, elapsed_s, " ".join(expected))

    def _check_stored(self) -> None:
        where = "channel_id = ? AND delete_at = 0"
        posts = self._host.store.posts.select(where, [self._stage.lounge.id], "create_at")
        got = ", ".join(f'"{post.message}"' for post in posts)
        expected = ", ".join(f'"{message}"' for message in STORED)
        words = f"{len(posts)} posts, as they were read" if got == expected else got
        self._transcript.step("the channel keeps", "", words, None, None if got == expected else expected)

    async def _http(self) -> None:
        ada_id = self._stage.ada.id
        await self._fetch("/hello", 200, "Hello, stranger!\n", "")
        await self._fetch("/hello", 200, f"Hello, {ada_id}!\n", ada_id)
        await self._fetch("/nowhere", 404, "There is nothing here.\n", "")
        body = hashlib.shake_128(b"echo").digest(_ECHO_BYTES)
        started = time.perf_counter()
        answer = await self._request(HttpQuestion(method="POST", path="/echo", body=body))
        expected = f"200, {_ECHO_BYTES} bytes, the same"
        self._check("POST /echo", "1 MiB", _echo_in_words(answer, body), expected, time.perf_counter() - started)

    async def _fetch(self, path: str, status: int, body: str, user_id: str) -> None:
        started = time.perf_counter()
        answer = await self._request(HttpQuestion(path=path, user_id=user_id))
        elapsed_s = time.perf_counter() - started
        expected = HttpAnswer(status=status, headers=[("Content-Type", _TEXT)], body=body.encode())
        sent = "with a session" if user_id else "without a session"
        self._check(f"GET {path}", sent, _answer_in_words(answer), _answer_in_words(expected), elapsed_s)

    async def _request(self, question: HttpQuestion) -> HttpAnswer:
        return await self._host.act.request(self._plugin.plugin_id, question)

    async def _stop(self) -> None:
        started = time.perf_counter()
        with onlooker(self._stage) as watching:
            await self._host.disable(self._plugin.plugin_id)
        elapsed_s = time.perf_counter() - started
        self._check_reply("OnDeactivate", "", watching, OnDeactivateResponse())
        self._check("end of process", "", f"exit code {self._plugin.exit_code}", "exit code 0", elapsed_s)
        self._check("its socket", "", "left behind" if _has_socket(self._plugin) else "gone", "gone")

    async def _require_process(self) -> None:
        """Go on if a hook has failed, but not without a process."""
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(_END_PATIENCE_S):
                gone = PluginState.FAILED_TO_STAY_RUNNING.name
                await self._host.events.wait_for(PluginChanged, lambda event: event.state == gone)
        if self._plugin.exit_code is not None:
            raise PluginGoneError(f"the plugin's process has ended by itself, with exit code {self._plugin.exit_code}")

    def _check(self, name: str, sent: str, got: str, expected: str, elapsed_s: float | None = None) -> None:
        self._transcript.step(name, sent, got, elapsed_s, None if got == expected else expected)


def _short(folder: Path) -> Path:
    here = Path.cwd()
    return folder.relative_to(here) if folder.is_relative_to(here) else folder


def _has_socket(plugin: InstalledPlugin) -> bool:
    address = plugin.handshake.split("|")[3]
    return Path(address).exists()


def _reply_in_words(call: HookCalled) -> str:
    return f"no answer: {call.failure}" if call.response is None else describe(call.response)


def _hooks_in_words(hooks: frozenset[str]) -> str:
    missing, surplus = sorted(set(HOOKS) - hooks), sorted(hooks - set(HOOKS))
    parts = [("without", missing), ("with", surplus)]
    difference = " and ".join(f"{word} {', '.join(names)}" for word, names in parts if names)
    return f"{len(hooks)} hooks, but {difference}" if difference else f"{len(hooks)} hooks"


def _answer_in_words(answer: HttpAnswer) -> str:
    content_type = answer.header("Content-Type")
    kind = "" if content_type == _TEXT else f" as {content_type or 'nothing in particular'}"
    return f"{answer.status} {answer.body.decode(errors='replace')!r}{kind}"


def _echo_in_words(answer: HttpAnswer, sent: bytes) -> str:
    if answer.body == sent:
        return f"{answer.status}, {len(answer.body)} bytes, the same"
    pairs = enumerate(zip(sent, answer.body, strict=False))
    first = next((i for i, (sent_byte, got) in pairs if sent_byte != got), min(len(sent), len(answer.body)))
    return f"{answer.status}, {len(answer.body)} bytes, different from byte {first} on"
