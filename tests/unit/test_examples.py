"""Every example does what its docstring says, served over its socket as a host would call it."""

import asyncio
import contextlib
import importlib.util
import json
import sys
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator, Mapping
from contextlib import asynccontextmanager
from pathlib import Path
from types import ModuleType

import pytest
from google.protobuf.message import Message

from demo.expectations import DEEDS, HOOKS
from demo.onlooker import onlooker
from demo.stage import set_stage
from mattermost_plugin import Plugin
from mattermost_plugin.config import RuntimeConfig
from mattermost_plugin.devhost import ApiError, DevHost, HttpAnswer, HttpQuestion
from mattermost_plugin.models import AppError, CommandArgs, CommandResponse, FileInfo, Post
from mattermost_plugin.server import PluginServer
from mattermost_pluginapi.v1.hooks_command_pb2 import ExecuteCommandRequest, ExecuteCommandResponse
from mattermost_pluginapi.v1.hooks_file_pb2 import FileWillBeUploadedRequest, FileWillBeUploadedResponse
from mattermost_pluginapi.v1.hooks_message_pb2 import (
    MessageWillBePostedRequest,
    MessageWillBePostedResponse,
    MessageWillBeUpdatedRequest,
    MessageWillBeUpdatedResponse,
)

EXAMPLES = Path(__file__).parents[2] / "examples"
NAMES = sorted(path.parent.name for path in EXAMPLES.glob("*/plugin.json"))

ADA, BOB = "ada3kj9w5bnp8xq1zr7tyd4moh", "bobxe6c8uinwtgfya4hq9s1dpk"


class Served:
    """An example that is being served and active, on a host."""

    def __init__(self, host: DevHost, plugin_id: str) -> None:
        self.host = host
        self._plugin_id = plugin_id

    async def call(self, request: Message) -> Message:
        return await self.host.hook(self._plugin_id, request)

    async def request(
        self,
        method: str,
        path: str,
        *,
        user_id: str = "",
        body: bytes = b"",
        headers: Mapping[str, str] | None = None,
    ) -> HttpAnswer:
        fields = tuple((headers or {}).items())
        question = HttpQuestion(method=method, path=path, headers=fields, body=body, user_id=user_id)
        return await self.host.act.request(self._plugin_id, question)


Conversation = Callable[[Served], Awaitable[None]]
RunExample = Callable[[str, Conversation], None]


def load(name: str) -> ModuleType:
    """Import an example's script, which is in no package."""
    module_name = f"example_{name}"
    spec = importlib.util.spec_from_file_location(module_name, EXAMPLES / name / "plugin.py")
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    sys.modules[module_name] = module
    spec.loader.exec_module(module)
    return module


def plugin_class(module: ModuleType) -> type[Plugin]:
    (found,) = [
        value
        for value in vars(module).values()
        if isinstance(value, type) and issubclass(value, Plugin) and value.__module__ == module.__name__
    ]
    return found


@asynccontextmanager
async def serving(name: str, plugin: type[Plugin]) -> AsyncIterator[Served]:
    manifest = json.loads((EXAMPLES / name / "plugin.json").read_text())
    plugin_id: str = manifest["id"]
    async with DevHost() as host:
        target = await host.open_api(plugin_id)
        config = RuntimeConfig(plugin_id=plugin_id, plugin_path=EXAMPLES / name, api_target=target)
        server = PluginServer(plugin, config)
        try:
            await host.attach(plugin_id, await server.start())
            yield Served(host, plugin_id)
            await host.disable(plugin_id)
        finally:
            await server.stop()


@pytest.fixture
def run_example() -> Iterator[RunExample]:
    """Serves an example, freshly imported, while a conversation with it goes on."""
    loaded: list[str] = []

    def run(name: str, conversation: Conversation) -> None:
        module = load(name)
        loaded.append(module.__name__)

        async def serve_and_talk() -> None:
            async with serving(name, plugin_class(module)) as served:
                await conversation(served)

        asyncio.run(serve_and_talk())

    yield run
    for name in loaded:
        sys.modules.pop(name, None)


def test_there_are_examples() -> None:
    assert NAMES == ["fastapi_app", "flask_app", "greeter", "moderation", "slash_command"]


@pytest.mark.parametrize("name", NAMES)
def test_manifest(name: str) -> None:
    manifest = json.loads((EXAMPLES / name / "plugin.json").read_text())
    assert manifest["id"].startswith("com.example.")
    assert manifest["name"]
    assert manifest["description"]
    assert manifest["version"]
    assert manifest["server"]["runtime"] == "python"
    assert (EXAMPLES / name / manifest["server"]["executable"]).is_file()


def test_ids_are_unique() -> None:
    ids = [json.loads((EXAMPLES / name / "plugin.json").read_text())["id"] for name in NAMES]
    assert len(set(ids)) == len(ids)


@pytest.mark.parametrize("name", NAMES)
def test_script_has_a_docstring_and_a_main(name: str) -> None:
    script = (EXAMPLES / name / "plugin.py").read_text()
    assert script.startswith('"""')
    assert 'if __name__ == "__main__":\n    run_plugin(' in script


def test_greeter(run_example: RunExample) -> None:
    async def talk(plugin: Served) -> None:
        assert sorted(plugin.host.plugin("com.example.greeter").hooks) == HOOKS
        stage = await set_stage(plugin.host)
        for deed in DEEDS:
            with onlooker(stage) as watching, contextlib.suppress(ApiError):
                await deed.act(stage)
            (call,) = [each for each in watching.calls if each.hook == deed.hook]
            assert call.response == deed.expected(call.request)
        hello = await plugin.request("GET", "/hello", user_id=ADA)
        assert (hello.status, hello.body) == (200, f"Hello, {ADA}!\n".encode())

    run_example("greeter", talk)


def test_fastapi_app(run_example: RunExample) -> None:
    def json_body(**fields: object) -> bytes:
        return json.dumps(fields).encode()

    as_json = {"Content-Type": "application/json"}

    async def talk(plugin: Served) -> None:
        assert (await plugin.request("GET", "/notes")).status == 401
        added = await plugin.request("POST", "/notes", user_id=ADA, body=json_body(text="Milk"), headers=as_json)
        assert (added.status, json.loads(added.body)) == (201, {"id": 1, "text": "Milk"})
        await plugin.request("POST", "/notes", user_id=BOB, body=json_body(text="Bread"), headers=as_json)
        empty = await plugin.request("POST", "/notes", user_id=ADA, body=json_body(text=""), headers=as_json)
        assert empty.status == 422
        listed = await plugin.request("GET", "/notes", user_id=ADA)
        assert (listed.status, listed.header("content-type")) == (200, "application/json")
        assert json.loads(listed.body) == [{"id": 1, "text": "Milk"}]
        assert (await plugin.request("DELETE", "/notes/1", user_id=BOB)).status == 404
        assert (await plugin.request("DELETE", "/notes/1", user_id=ADA)).status == 204
        assert (await plugin.request("GET", "/notes", user_id=ADA)).body == b"[]"

    run_example("fastapi_app", talk)


def test_flask_app(run_example: RunExample) -> None:
    form = {"Content-Type": "application/x-www-form-urlencoded"}

    async def talk(plugin: Served) -> None:
        assert (await plugin.request("POST", "/", body=b"text=Hi", headers=form)).status == 401
        signed = await plugin.request("POST", "/", user_id=ADA, body=b"text=Hi+%3Cb%3E", headers=form)
        assert signed.status == 303
        page = await plugin.request("GET", "/")
        assert (page.status, page.header("content-type")) == (200, "text/html; charset=utf-8")
        assert f"<li>Hi &lt;b&gt; <small>{ADA}</small></li>" in page.body.decode()
        assert (await plugin.request("GET", "/nowhere")).status == 404

    run_example("flask_app", talk)


def test_moderation_of_posts_and_edits(run_example: RunExample) -> None:
    async def talk(plugin: Served) -> None:
        good, bad = Post(message="A fine day"), Post(message="What Poppycock!")
        reason = 'Please find another word for "Poppycock".'
        call = plugin.call
        assert await call(MessageWillBePostedRequest(post=good)) == MessageWillBePostedResponse()
        assert await call(MessageWillBePostedRequest(post=bad)) == MessageWillBePostedResponse(rejection_reason=reason)
        part = Post(message="poppycocks are another word")
        assert await call(MessageWillBePostedRequest(post=part)) == MessageWillBePostedResponse()
        assert await call(MessageWillBeUpdatedRequest(new_post=bad, old_post=good)) == MessageWillBeUpdatedResponse(
            rejection_reason=reason
        )
        assert await call(MessageWillBeUpdatedRequest(new_post=good, old_post=bad)) == MessageWillBeUpdatedResponse()

    run_example("moderation", talk)


def test_moderation_of_uploads(run_example: RunExample) -> None:
    def upload(content: bytes) -> FileWillBeUploadedRequest:
        return FileWillBeUploadedRequest(file_info=FileInfo(name="cat.png"), file_content=content)

    async def talk(plugin: Served) -> None:
        refused = FileWillBeUploadedResponse(rejection_reason="cat.png is a program. Please share it in another way.")
        assert await plugin.call(upload(b"\x89PNG\r\n...")) == FileWillBeUploadedResponse()
        assert await plugin.call(upload(b"")) == FileWillBeUploadedResponse()
        for content in (b"MZ\x90\x00", b"\x7fELF\x02", b"#!/bin/sh\n"):
            assert await plugin.call(upload(content)) == refused

    run_example("moderation", talk)


def test_moderation_refuses_what_it_cannot_check(run_example: RunExample, monkeypatch: pytest.MonkeyPatch) -> None:
    def broken(plugin: Plugin, post: Post) -> None:
        raise OSError("the list is away")

    async def talk(plugin: Served) -> None:
        module = sys.modules["example_moderation"]
        monkeypatch.setattr(plugin_class(module), "_check", broken)
        monkeypatch.setattr(module, "PROGRAM_STARTS", None)
        post = Post(message="A fine day")
        for request in (
            MessageWillBePostedRequest(post=post),
            MessageWillBeUpdatedRequest(new_post=post, old_post=post),
            FileWillBeUploadedRequest(file_content=b"text"),
        ):
            reply = await plugin.call(request)
            assert isinstance(
                reply, MessageWillBePostedResponse | MessageWillBeUpdatedResponse | FileWillBeUploadedResponse
            )
            assert reply.rejection_reason

    run_example("moderation", talk)


def test_slash_command(run_example: RunExample) -> None:
    async def talk(plugin: Served) -> None:
        async def enter(command: str) -> ExecuteCommandResponse:
            reply = await plugin.call(ExecuteCommandRequest(args=CommandArgs(command=command)))
            assert isinstance(reply, ExecuteCommandResponse)
            return reply

        assert ("", "roll") in plugin.host.plugin("com.example.dice").commands
        fixed = await enter("/roll 3d1 + 4")
        assert fixed.response == CommandResponse(response_type="in_channel", text=":game_die: 1 + 1 + 1 + 4 = **7**")
        one = await enter("/roll")
        assert one.response.text in {f":game_die: {n} = **{n}**" for n in range(1, 7)}
        usage = await enter("/roll help")
        assert usage.response.response_type == "ephemeral"
        assert "/roll 2d6" in usage.response.text
        for command in ("/roll two", "/roll 2d", "/roll -1d6", "/roll 2d6+", "/roll ٢d6"):
            _assert_error((await enter(command)).error, "com.example.dice.syntax", "I cannot roll ")
        for command in ("/roll 0d6", "/roll 101d6", "/roll d0"):
            _assert_error((await enter(command)).error, "com.example.dice.range", "I have dice ")

    run_example("slash_command", talk)


def _assert_error(error: AppError, error_id: str, start: str) -> None:
    assert (error.id, error.status_code) == (error_id, 400)
    assert error.message.startswith(start)
