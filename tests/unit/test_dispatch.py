"""From request to reply: results, refusals and every way to fail."""

import asyncio
import logging
import threading
from typing import Any

import pytest

from mattermost_plugin import HookError, HookName, Plugin, Reject, hook
from mattermost_plugin._bound_plugin import BoundPlugin
from mattermost_plugin.config import RuntimeConfig
from mattermost_plugin.http import ReplacementFile, UploadedFile
from mattermost_plugin.models import (
    CommandArgs,
    CommandResponse,
    FileData,
    FileInfo,
    PluginContext,
    Post,
    RemoteCluster,
)
from mattermost_pluginapi.hooks.adapters import ADAPTERS


def reply(
    plugin: Plugin, name: HookName, *, patience_s: float | None = None, active: bool = True, **fields: Any
) -> Any:
    """What the plugin answers to one hook."""

    async def scenario() -> Any:
        bound = BoundPlugin(plugin, RuntimeConfig(hook_timeout_s=5))
        if active:
            await bound.lifecycle.activate(None)
        try:
            return await bound.unary[name].reply(ADAPTERS[name].request_type(**fields), patience_s)
        finally:
            bound.close()

    return asyncio.run(scenario())


class Echo(Plugin):
    """Returns what each test puts into `result`, or raises it."""

    result: object = None

    def _answer(self) -> Any:
        if isinstance(self.result, BaseException):
            raise self.result
        return self.result

    @hook(HookName.MessageWillBePosted)
    async def filter_async(self, context: PluginContext, post: Post) -> Any:
        return self._answer()

    @hook(HookName.MessageWillBeUpdated, on_error="reject")
    def filter_sync(self, context: PluginContext, new_post: Post, old_post: Post) -> Any:
        return self._answer()

    @hook(HookName.ExecuteCommand)
    async def command(self, context: PluginContext, args: CommandArgs) -> Any:
        return self._answer()

    @hook(HookName.RunDataRetention)
    async def retention(self, now_time: int, batch_size: int) -> Any:
        return self._answer()

    @hook(HookName.OnSharedChannelsPing)
    async def ping(self, remote_cluster: RemoteCluster) -> Any:
        return self._answer()

    @hook(HookName.GenerateSupportData)
    async def support(self, context: PluginContext) -> Any:
        return self._answer()

    @hook(HookName.OnInstall, on_error="allow")
    async def install(self, context: PluginContext, event: object) -> Any:
        return self._answer()


def answering(result: object) -> Echo:
    plugin = Echo()
    plugin.result = result
    return plugin


def test_none_changes_nothing() -> None:
    response = reply(answering(None), HookName.MessageWillBePosted)
    assert response.SerializeToString() == b""


def test_a_message_replaces() -> None:
    response = reply(answering(Post(message="new")), HookName.MessageWillBePosted)
    assert response.modified_post.message == "new"
    assert not response.rejection_reason


def test_reject_refuses() -> None:
    response = reply(answering(Reject("no")), HookName.MessageWillBePosted)
    assert response.rejection_reason == "no"
    assert not response.HasField("modified_post")


@pytest.mark.parametrize("wrong", [False, True, "reason", {}, (None, "x"), Post, 7, CommandArgs()])
def test_a_wrong_result_is_a_failure(wrong: object, caplog: pytest.LogCaptureFixture) -> None:
    response = reply(answering(wrong), HookName.MessageWillBePosted)
    assert response.SerializeToString() == b""
    (record,) = [record for record in caplog.records if record.levelno == logging.ERROR]
    assert record.exc_info is not None
    assert "must return Post, Reject or None" in str(record.exc_info[1])


@pytest.mark.parametrize(("result", "sent"), [(0, 0), (12, 12), (2**62, 2**62)])
def test_numbers_travel(result: int, sent: int) -> None:
    response = reply(answering(result), HookName.RunDataRetention)
    assert response.deleted_count == sent
    assert not response.HasField("error")


@pytest.mark.parametrize("wrong", [True, None, "3", 1.5, 2**63])
def test_a_number_that_cannot_travel_is_an_error(wrong: object) -> None:
    response = reply(answering(wrong), HookName.RunDataRetention)
    assert response.error.status_code == 500


@pytest.mark.parametrize("wrong", [None, 1, "yes"])
def test_ping_takes_only_bool(wrong: object) -> None:
    assert reply(answering(True), HookName.OnSharedChannelsPing).healthy
    assert not reply(answering(wrong), HookName.OnSharedChannelsPing).healthy


def test_lists_and_tuples_of_messages_travel() -> None:
    files = [FileData(filename="a"), FileData(filename="b")]
    for result in (files, tuple(files)):
        response = reply(answering(result), HookName.GenerateSupportData)
        assert [file.filename for file in response.files] == ["a", "b"]


@pytest.mark.parametrize("wrong", [FileData(), "files", b"files", [1], [Post()], iter([FileData()]), 3])
def test_other_lists_do_not(wrong: object) -> None:
    response = reply(answering(wrong), HookName.GenerateSupportData)
    assert "must return a sequence of FileData or None" in response.error.message


def test_an_exception_allows_by_default_and_is_logged(caplog: pytest.LogCaptureFixture) -> None:
    response = reply(answering(ZeroDivisionError("secret detail")), HookName.MessageWillBePosted)
    assert response.SerializeToString() == b""
    (record,) = [record for record in caplog.records if record.levelno == logging.ERROR]
    assert "MessageWillBePosted handler Echo.filter_async failed" in record.getMessage()
    assert record.exc_info is not None
    assert isinstance(record.exc_info[1], ZeroDivisionError)


def test_an_exception_refuses_where_the_author_says_so_with_a_fixed_text() -> None:
    response = reply(answering(ZeroDivisionError("secret detail")), HookName.MessageWillBeUpdated)
    assert "administrator" in response.rejection_reason
    assert "secret" not in response.rejection_reason


def test_an_exception_is_an_error_where_the_hook_has_one() -> None:
    response = reply(answering(ZeroDivisionError("by zero")), HookName.ExecuteCommand)
    assert response.error.message == response.error.detailed_error
    assert response.error.message == "Echo.command failed: ZeroDivisionError: by zero"
    assert (response.error.where, response.error.status_code) == ("Echo.command", 500)
    assert response.error.skip_translation


def test_an_error_hook_can_be_made_to_allow() -> None:
    response = reply(answering(ZeroDivisionError()), HookName.OnInstall)
    assert response.SerializeToString() == b""


def test_a_hook_error_is_the_authors_own_answer(caplog: pytest.LogCaptureFixture) -> None:
    error = HookError("teapot", id="x.teapot", detailed_error="short, stout", status_code=418, params={"n": 2})
    response = reply(answering(error), HookName.ExecuteCommand)
    assert response.error.id == "x.teapot"
    assert response.error.message == "teapot"
    assert response.error.detailed_error == "short, stout"
    assert response.error.status_code == 418
    assert response.error.params["n"] == 2
    assert not response.error.skip_translation
    assert not [record for record in caplog.records if record.levelno >= logging.WARNING]


def test_a_hook_error_with_unsendable_params_still_answers(caplog: pytest.LogCaptureFixture) -> None:
    response = reply(answering(HookError("teapot", params={"n": object()})), HookName.ExecuteCommand)
    assert response.error.message == "teapot"
    assert "params" in caplog.text


def test_a_hook_error_refuses_with_its_own_text_whatever_failures_mean() -> None:
    for name in (HookName.MessageWillBeUpdated, HookName.MessageWillBePosted):
        assert reply(answering(HookError("too late")), name).rejection_reason == "too late"
    assert reply(answering(HookError("too late")), HookName.OnInstall).error.message == "too late"


@pytest.mark.parametrize("error", [SystemExit(2), asyncio.CancelledError(), TimeoutError("mine")])
def test_exceptions_that_are_no_faults_elsewhere_are_faults_here(error: BaseException) -> None:
    response = reply(answering(error), HookName.ExecuteCommand)
    assert response.error.status_code == 500


class Slow(Plugin):
    """Handlers that outrun their time."""

    def __init__(self) -> None:
        super().__init__()
        self.release = threading.Event()
        self.cancelled = False

    @hook(HookName.ExecuteCommand, timeout=0.05)
    async def wait_async(self, context: PluginContext, args: CommandArgs) -> CommandResponse | None:
        try:
            await asyncio.Event().wait()
        except asyncio.CancelledError:
            self.cancelled = True
            raise
        return None

    @hook(HookName.RunDataRetention, timeout=0.05)
    def wait_sync(self, now_time: int, batch_size: int) -> int:
        self.release.wait()
        return 0

    @hook(HookName.OnSharedChannelsPing)
    async def wait_for_host(self, remote_cluster: RemoteCluster) -> bool:
        await asyncio.Event().wait()
        return True


def test_an_async_handler_is_cancelled_after_its_time(caplog: pytest.LogCaptureFixture) -> None:
    plugin = Slow()
    response = reply(plugin, HookName.ExecuteCommand)
    assert "did not finish within 0.05 s" in response.error.message
    assert plugin.cancelled
    assert "timed out" in caplog.text
    assert "wait_async" in caplog.text


def test_a_sync_handler_is_reported_with_its_stack(caplog: pytest.LogCaptureFixture) -> None:
    plugin = Slow()
    response = reply(plugin, HookName.RunDataRetention)
    assert "did not finish within 0.05 s" in response.error.message
    assert "release.wait" not in response.error.message
    assert "self.release.wait()" in caplog.text
    plugin.release.set()


def test_the_hosts_patience_is_a_limit_too() -> None:
    response = reply(Slow(), HookName.OnSharedChannelsPing, patience_s=0.2)
    assert not response.healthy


def test_the_hosts_cancellation_goes_through() -> None:
    plugin = Slow()

    async def scenario() -> None:
        bound = BoundPlugin(plugin, RuntimeConfig())
        await bound.lifecycle.activate(None)
        request = ADAPTERS[HookName.OnSharedChannelsPing].request_type()
        call = asyncio.create_task(bound.unary[HookName.OnSharedChannelsPing].reply(request))
        await asyncio.sleep(0)
        call.cancel()
        with pytest.raises(asyncio.CancelledError):
            await call

    asyncio.run(scenario())


class Uploads(Plugin):
    """Does to uploads what the file's name says."""

    async def file_will_be_uploaded(
        self, context: PluginContext, info: FileInfo, file: UploadedFile, output: ReplacementFile
    ) -> FileInfo | Reject | None:
        if info.name == "refuse":
            await output.awrite(b"lost")
            return Reject("no")
        if info.name == "double":
            content = await file.aread()
            await output.awrite(content + content)
        if info.name == "rename":
            info.name = "renamed"
            return info
        return None


@pytest.mark.parametrize(
    ("name", "content", "new_name", "reason"),
    [("keep", b"", "", ""), ("refuse", b"", "", "no"), ("double", b"abab", "", ""), ("rename", b"", "renamed", "")],
)
def test_uploads(name: str, content: bytes, new_name: str, reason: str) -> None:
    response = reply(Uploads(), HookName.FileWillBeUploaded, file_info=FileInfo(name=name), file_content=b"ab")
    assert response.modified_content == content
    assert response.modified_file_info.name == new_name
    assert response.rejection_reason == reason


def test_a_def_that_returns_a_coroutine_is_awaited_on_the_loop() -> None:
    class Wrapped(Plugin):
        def execute_command(self, context: PluginContext, args: CommandArgs) -> Any:
            async def body() -> CommandResponse:
                await asyncio.sleep(0)
                return CommandResponse(text=threading.current_thread().name)

            return body()

    assert reply(Wrapped(), HookName.ExecuteCommand).response.text == threading.main_thread().name


def test_a_hook_on_an_inactive_plugin_has_no_effect() -> None:
    class Refuser(Plugin):
        async def on_activate(self) -> None:
            raise RuntimeError("no")

        async def user_will_log_in(self, context: PluginContext, user: object) -> Reject:
            return Reject("never reached")

    async def scenario() -> Any:
        bound = BoundPlugin(Refuser(), RuntimeConfig())
        activation = await bound.unary[HookName.OnActivate].reply(ADAPTERS[HookName.OnActivate].request_type())
        login = await bound.unary[HookName.UserWillLogIn].reply(ADAPTERS[HookName.UserWillLogIn].request_type())
        return activation, login

    activation, login = asyncio.run(scenario())
    assert activation.error.detailed_error == "Refuser.on_activate failed: RuntimeError: no"
    assert not login.rejection_reason
