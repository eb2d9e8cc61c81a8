"""Hooks over the stock wire, called by a host in Python."""

import asyncio
import logging
from collections.abc import Awaitable, Callable
from typing import Any, cast

import pytest

from mattermost_plugin import HookError, Plugin, Reject
from mattermost_plugin._gob.go_types import INT, STRING
from mattermost_plugin._netrpc import EMPTY
from mattermost_plugin._netrpc.messages import EMPTY_TYPE
from mattermost_plugin._stock.rpc_streams import CallRefusedError
from mattermost_plugin.config import RuntimeConfig
from mattermost_plugin.http import ReplacementFile, UploadedFile
from mattermost_plugin.models import ChannelMember, CommandArgs, CommandResponse, FileInfo, PluginContext, Post, User
from mattermost_plugin.server import PluginServer
from tests.stock.stand_in import StandInHost, served

CONTEXT = {"SessionId": "s1", "RequestId": "r1"}


def run(scenario: Callable[[], Awaitable[None]]) -> None:
    asyncio.run(cast("Any", scenario()))


class Sample(Plugin):
    """Answers as its tests want it."""

    activation_fails = False

    def __init__(self, config: RuntimeConfig | None = None) -> None:
        super().__init__(config=config)
        self.seen: list[str] = []
        self.release = asyncio.Event()

    def on_configuration_change(self) -> None:
        self.seen.append("configured")

    async def on_activate(self) -> None:
        self.seen.append("activated")
        if self.activation_fails:
            raise RuntimeError("secret")

    def on_deactivate(self) -> None:
        self.seen.append("deactivated")
        raise HookError("not now")

    async def message_will_be_posted(self, context: PluginContext, post: Post) -> Post | Reject | None:
        match post.message:
            case "reject":
                return Reject("for a reason")
            case "keep":
                post.message = "changed in vain"
                return None
            case "clear":
                post.message, post.hashtags = "cleared", ""
                del post.props.fields["k"]
                return post
            case "fail":
                raise RuntimeError("secret")
            case "hang":
                await self.release.wait()
        post.message += f" {context.request_id}"
        return post

    async def message_will_be_updated(self, context: PluginContext, new_post: Post, old_post: Post) -> Post | None:
        if new_post.message == "keep":
            new_post.message = "changed in vain"
            return None
        new_post.message = f"{old_post.message}->{new_post.message}"
        return new_post

    def message_has_been_posted(self, context: PluginContext, post: Post) -> None:
        self.seen.append(post.message)

    def user_will_log_in(self, context: PluginContext, user: User) -> Reject | None:
        return Reject("no entry") if user.username == "mallory" else None

    def channel_member_will_be_added(self, context: PluginContext, channel_member: ChannelMember) -> ChannelMember:
        channel_member.notify_props["desktop"] = "none"
        return channel_member

    def execute_command(self, context: PluginContext, args: CommandArgs) -> CommandResponse:
        if args.command == "/fail":
            raise HookError("no tea", status_code=418, id="app.fail")
        return CommandResponse(text=f"ran {args.command}", response_type="ephemeral")

    async def file_will_be_uploaded(
        self, context: PluginContext, file_info: FileInfo, file: UploadedFile, output: ReplacementFile
    ) -> FileInfo | Reject | None:
        match file_info.name:
            case "keep.txt":
                return None
            case "reject.txt":
                return Reject("not this one")
            case "fail.txt":
                await output.awrite(b"half of")
                raise RuntimeError("secret")
        await output.awrite(b"replaced:")
        async for piece in file:
            await output.awrite(piece)
        file_info.name = f"renamed-{file_info.name}"
        return file_info


def test_the_life_of_a_plugin() -> None:
    async def scenario() -> None:
        async with served(Sample, activate=False) as (host, server):
            sample = cast("Sample", server.plugin)
            assert "MessageWillBePosted" in cast("list[str]", await host.implemented())
            assert not server.is_active
            assert await host.activate() == ""
            assert sample.seen == ["configured", "activated"]
            assert server.is_active
            results = await host.hook("OnDeactivate")
            assert results["A"]["Err"] == "not now"
            assert not server.is_active
            await host.quit()
            await server.wait_stop_requested()

    run(scenario)


def test_a_failed_activation_is_told_in_the_result() -> None:
    class Failing(Sample):
        activation_fails = True

    async def scenario() -> None:
        async with served(Failing, activate=False) as (host, server):
            assert await host.activate() != ""
            assert not server.is_active

    run(scenario)


def test_an_api_that_cannot_be_reached_fails_the_activation(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("mattermost_plugin._stock.broker.BROKER_TIMEOUT_S", 0.05)

    async def scenario() -> None:
        async with served(Sample, activate=False) as (host, server):
            results = await host.hook("OnActivate", {"APIMuxId": 71, "DriverMuxId": 72})
            assert "cannot be reached" in results["A"]["Err"]
            assert cast("Sample", server.plugin).seen == []

    run(scenario)


def test_posts_are_changed_rejected_and_left_alone() -> None:
    async def scenario() -> None:
        async with served(Sample) as (host, _):

            async def posted(message: str) -> Any:
                post = {"Id": "p1", "Message": message, "Hashtags": "#a", "Props": {"k": "v"}}
                return await host.hook("MessageWillBePosted", {"A": CONTEXT, "B": post})

            # What differs, and nothing else: the host decodes it into its own post.
            assert await posted("hello") == {"A": {"Message": "hello r1"}}
            assert await posted("keep") == {}
            assert await posted("reject") == {"B": "for a reason"}
            assert await posted("fail") == {}

    run(scenario)


def test_what_cannot_be_changed_is_logged(caplog: pytest.LogCaptureFixture) -> None:
    async def scenario() -> None:
        async with served(Sample) as (host, _):
            post = {"Id": "p1", "Message": "clear", "Hashtags": "#a", "Props": {"k": "v"}}
            results = await host.hook("MessageWillBePosted", {"A": CONTEXT, "B": post})
            assert results["A"]["Message"] == "cleared"

    run(scenario)
    (record,) = [record for record in caplog.records if "stays as it was" in record.message]
    assert "hashtags" in record.message
    assert "props['k']" in record.message


def test_an_edit_without_a_result_is_answered_with_the_post_as_it_came() -> None:
    async def scenario() -> None:
        async with served(Sample) as (host, _):

            async def updated(message: str) -> Any:
                arguments = {"A": CONTEXT, "B": {"Id": "p1", "Message": message}, "C": {"Id": "p1", "Message": "old"}}
                return await host.hook("MessageWillBeUpdated", arguments)

            assert await updated("keep") == {"A": {"Id": "p1", "Message": "keep"}}
            assert await updated("new") == {"A": {"Id": "p1", "Message": "old->new"}}

    run(scenario)


def test_other_kinds_of_hooks() -> None:
    async def scenario() -> None:
        async with served(Sample) as (host, server):
            assert await host.hook("MessageHasBeenPosted", {"A": CONTEXT, "B": {"Message": "hi"}}) == {}
            assert cast("Sample", server.plugin).seen[-1] == "hi"
            assert await host.hook("UserWillLogIn", {"A": CONTEXT, "B": {"Username": "mallory"}}) == {"A": "no entry"}
            assert await host.hook("UserWillLogIn", {"A": CONTEXT, "B": {"Username": "alice"}}) == {}
            member = {"ChannelId": "c1", "NotifyProps": {"email": "true"}}
            results = await host.hook("ChannelMemberWillBeAdded", {"A": CONTEXT, "B": member})
            assert results == {"A": {"NotifyProps": {"desktop": "none"}}}
            results = await host.hook("ExecuteCommand", {"A": CONTEXT, "B": {"Command": "/hello"}})
            assert results["A"]["Text"] == "ran /hello"
            results = await host.hook("ExecuteCommand", {"A": CONTEXT, "B": {"Command": "/fail"}})
            assert results["B"]["StatusCode"] == 418

    run(scenario)


def test_pings_are_answered_while_hooks_hang() -> None:
    async def scenario() -> None:
        async with served(Sample) as (host, server):
            hanging = [
                asyncio.create_task(host.hook("MessageWillBePosted", {"A": CONTEXT, "B": {"Message": "hang"}}))
                for _ in range(100)
            ]
            await host.hook("MessageHasBeenPosted", {"A": CONTEXT, "B": {"Message": "hi"}})
            await host.control.call("Control.Ping", EMPTY, EMPTY_TYPE)
            assert not any(task.done() for task in hanging)
            cast("Sample", server.plugin).release.set()
            assert {(await task)["A"]["Message"] for task in hanging} == {"hang r1"}

    run(scenario)


@pytest.mark.parametrize(
    ("method", "text"),
    [
        ("Plugin.UserHasLoggedIn", "Hook UserHasLoggedIn called but not implemented."),
        ("Plugin.ServeHTTP", "Hook ServeHTTP called but not implemented."),
        ("Plugin.Nope", "rpc: can't find method Plugin.Nope"),
        ("Control.Ping", "rpc: can't find service Control.Ping"),
    ],
)
def test_what_the_plugin_lacks_is_refused(method: str, text: str) -> None:
    async def scenario() -> None:
        async with served(Sample) as (host, _):
            with pytest.raises(CallRefusedError) as refused:
                await host.hooks.call(method, EMPTY, EMPTY_TYPE)
            assert str(refused.value) == text
            assert await host.implemented()

    run(scenario)


def test_arguments_that_do_not_fit_are_refused_and_calls_go_on() -> None:
    async def scenario() -> None:
        async with served(Sample) as (host, _):
            with pytest.raises(CallRefusedError):
                await host.hooks.call("Plugin.MessageWillBePosted", 5, INT)
            with pytest.raises(CallRefusedError, match="unknown plugin type: other"):
                await host.control.call("Dispenser.Dispense", "other", STRING)
            assert await host.implemented()

    run(scenario)


def test_uploads_stream_through_the_handler() -> None:
    content = bytes(range(256)) * 8 * 1024

    async def scenario() -> None:
        async with served(Sample) as (host, _):
            results, replacement = await host.upload({"Id": "f1", "Name": "a.txt"}, content)
            assert results == {"A": {"Name": "renamed-a.txt"}}
            assert replacement == b"replaced:" + content
            assert await host.upload({"Id": "f1", "Name": "keep.txt"}, content) == ({}, b"")
            assert await host.upload({"Id": "f1", "Name": "reject.txt"}, content) == ({"B": "not this one"}, b"")

    run(scenario)


def test_probes_are_survived_and_only_one_host_is_served() -> None:
    async def scenario() -> None:
        server = PluginServer(Sample, RuntimeConfig(), wire="netrpc")
        line = await server.start()
        address = line.split("|")[3]
        assert line == f"1|1|unix|{address}|netrpc|"
        _, probe = await asyncio.open_unix_connection(address)
        probe.close()
        await probe.wait_closed()
        host, other = StandInHost(address), StandInHost(address)
        await host.connect()
        assert await host.activate() == ""
        await asyncio.get_running_loop().create_unix_connection(lambda: other.mux, address)
        other.mux.open()
        await other.lost
        assert await host.implemented()
        await host.close()
        # The plugin ends with its host.
        await server.wait_stop_requested()
        await server.stop()
        assert cast("Sample", server.plugin).seen[-1] == "deactivated"

    run(scenario)


def test_hooks_that_run_at_the_end_are_answered(caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.ERROR)

    async def scenario() -> None:
        async with served(Sample, config=RuntimeConfig(drain_s=0.01)) as (host, server):
            hanging = asyncio.create_task(host.hook("MessageWillBePosted", {"A": CONTEXT, "B": {"Message": "hang"}}))
            await host.implemented()
            await server.stop()
            assert await hanging == {}

    run(scenario)
