"""Hooks that refuse or replace what would happen to members, channels, downloads and notifications."""

import asyncio
from collections.abc import Awaitable, Callable

import pytest

from mattermost_plugin import Plugin, Reject
from mattermost_plugin.devhost import ApiError
from mattermost_plugin.devhost.events import HookCalled, PushSent
from mattermost_plugin.models import (
    Channel,
    ChannelMember,
    FileInfo,
    PluginContext,
    PushNotification,
    TeamMember,
    User,
)
from tests.devhost.plugins import Loaded, loaded


class Guard(Plugin):
    """Makes every new member an administrator, and keeps out who and what is called "no"."""

    def on_activate(self) -> None:
        self.unwanted: set[str] = set()

    def channel_member_will_be_added(
        self, context: PluginContext, channel_member: ChannelMember
    ) -> ChannelMember | Reject | None:
        if channel_member.user_id in self.unwanted:
            return Reject("not here")
        channel_member.roles += " channel_admin"
        return channel_member

    def team_member_will_be_added(self, context: PluginContext, team_member: TeamMember) -> TeamMember | Reject | None:
        if team_member.user_id in self.unwanted:
            return Reject("not in this team")
        team_member.roles += " team_admin"
        return team_member

    def channel_will_be_updated(
        self, context: PluginContext, new_channel: Channel, old_channel: Channel
    ) -> Channel | Reject | None:
        if new_channel.header == "no":
            return Reject(f"{old_channel.name} keeps its header")
        new_channel.header += "!"
        return new_channel

    def channel_will_be_restored(self, context: PluginContext, channel: Channel) -> Reject | None:
        return Reject("it stays archived")

    def file_will_be_downloaded(
        self, context: PluginContext, file_info: FileInfo, user_id: str, download_type: str
    ) -> Reject | None:
        return Reject(f"no {download_type}") if file_info.name == "no" else None

    def notification_will_be_pushed(
        self, push_notification: PushNotification, user_id: str
    ) -> PushNotification | Reject | None:
        if push_notification.message == "no":
            return Reject("quiet")
        push_notification.message += "!"
        return push_notification

    def channel_has_been_created(self, context: PluginContext, channel: Channel) -> None: ...
    def user_has_joined_channel(
        self, context: PluginContext, channel_member: ChannelMember, actor: User | None
    ) -> None: ...
    def user_has_left_channel(
        self, context: PluginContext, channel_member: ChannelMember, actor: User | None
    ) -> None: ...
    def user_has_joined_team(self, context: PluginContext, team_member: TeamMember, actor: User | None) -> None: ...
    def user_has_left_team(self, context: PluginContext, team_member: TeamMember, actor: User | None) -> None: ...


def run(scenario: Callable[[Loaded], Awaitable[None]]) -> None:
    async def inside() -> None:
        async with loaded([Guard]) as here:
            await scenario(here)

    asyncio.run(inside())


def test_members_are_replaced_and_refused() -> None:
    async def scenario(here: Loaded) -> None:
        fields = {"channel_id": here.channel.id, "user_id": here.bob.id}
        member = (await here.api("AddChannelMember", **fields)).channel_member
        assert member.roles == "channel_user channel_admin"
        carl = await here.host.act.create_user("carl")
        await here.host.act.join_team(here.channel.team_id, carl.id, here.ada.id)
        await here.api("DeleteTeamMember", team_id=here.channel.team_id, user_id=carl.id, requestor_id=here.ada.id)
        await here.host.settle()
        told = {event.hook for event in here.host.events.history(HookCalled)}
        assert {"UserHasJoinedTeam", "UserHasLeftTeam"} <= told
        guard = here.plugins["Guard"]
        assert isinstance(guard, Guard)
        guard.unwanted.add(carl.id)
        error = await here.api.error("CreateTeamMember", 400, team_id=here.channel.team_id, user_id=carl.id)
        assert error.id == "app.team.join_user_to_team.rejected_by_plugin"
        assert (error.params["Reason"], error.detailed_error) == ("not in this team", "")
        guard.unwanted = {here.ada.id}
        here.host.act.leave_channel(here.channel.id, here.ada.id)
        error = await here.api.error("AddChannelMember", 400, channel_id=here.channel.id, user_id=here.ada.id)
        assert (error.id, error.where) == ("app.channel.add_user.to.channel.rejected_by_plugin", "AddUserToChannel")
        assert error.params["Reason"] == "not here"
        assert "not here" in error.message

    run(scenario)


def test_no_plugin_is_asked_about_members_that_the_server_adds_itself() -> None:
    async def scenario(here: Loaded) -> None:
        guard = here.plugins["Guard"]
        assert isinstance(guard, Guard)
        carl, dora = await here.host.act.create_user("carl"), await here.host.act.create_user("dora")
        team = await here.host.act.create_team("second")
        await here.host.act.join_team(team.id, carl.id)
        guard.unwanted = {here.ada.id, carl.id}
        await here.host.act.direct_channel(here.ada.id, carl.id)
        await here.api("GetGroupChannel", user_ids=[here.ada.id, carl.id, dora.id])
        made = await here.host.act.create_channel(team.id, "own", creator_id=carl.id)
        await here.api("DeleteTeamMember", team_id=team.id, user_id=carl.id)
        assert here.host.store.channel_members.get(made.id, carl.id) is None
        await here.host.settle()
        told = {event.hook for event in here.host.events.history(HookCalled)}
        assert told == {"TeamMemberWillBeAdded", "UserHasJoinedTeam", "UserHasLeftTeam", "ChannelHasBeenCreated"}

    run(scenario)


def test_who_comes_while_a_hook_looks_comes_once() -> None:
    async def scenario(here: Loaded) -> None:
        carl = await here.host.act.create_user("carl")
        joining = {"team_id": here.channel.team_id, "user_id": carl.id}
        await asyncio.gather(*(here.api("CreateTeamMember", **joining) for _ in range(5)))
        joining = {"channel_id": here.channel.id, "user_id": carl.id}
        await asyncio.gather(*(here.api("AddChannelMember", **joining) for _ in range(5)))
        await here.host.settle()
        told = [event.hook for event in here.host.events.history(HookCalled)]
        assert (told.count("UserHasJoinedTeam"), told.count("UserHasJoinedChannel")) == (1, 1)

    run(scenario)


def test_a_channel_that_changes_while_a_hook_looks_keeps_its_counts() -> None:
    async def scenario(here: Loaded) -> None:
        channel = here.channel

        async def post() -> None:
            for _ in range(20):
                await here.host.act.post(here.ada.id, channel.id, "x")

        async def change() -> None:
            for number in range(10):
                channel.header = str(number)
                await here.api("UpdateChannel", channel=channel)

        await asyncio.gather(post(), change())
        assert here.host.store.channels.get(channel.id).total_msg_count == 20  # type: ignore[union-attr]  # is there

    run(scenario)


def test_channels_are_replaced_and_refused() -> None:
    async def scenario(here: Loaded) -> None:
        channel = here.channel
        channel.header = "hi"
        assert (await here.api("UpdateChannel", channel=channel)).channel.header == "hi!"
        channel.header = "no"
        error = await here.api.error("UpdateChannel", 400, channel=channel)
        assert error.params["Reason"] == "lobby keeps its header"
        await here.api("DeleteChannel", channel_id=channel.id)
        error = await here.api.error("RestoreChannel", 400, channel_id=channel.id)
        assert error.params["Reason"] == "it stays archived"

    run(scenario)


def test_downloads_and_notifications() -> None:
    async def scenario(here: Loaded) -> None:
        for name in ("yes", "no"):
            await here.host.act.upload(here.ada.id, here.channel.id, name, b"x")
        yes, no = here.host.store.files.select(order="create_at")
        assert await here.host.act.download(here.ada.id, yes.id) == b"x"
        with pytest.raises(ApiError, match="no preview"):
            await here.host.act.download(here.ada.id, no.id, "preview")
        for message in ("ring", "no"):
            notification = PushNotification(message=message)
            await here.api("SendPushNotification", notification=notification, user_id=here.bob.id)
        assert [push.notification.message for push in here.host.events.history(PushSent)] == ["ring!"]

    run(scenario)


def test_200_calls_at_a_time() -> None:
    async def scenario(here: Loaded) -> None:
        posts = [
            here.api("CreatePost", post={"user_id": here.ada.id, "channel_id": here.channel.id, "message": str(number)})
            for number in range(200)
        ]
        answers = await asyncio.gather(*posts)
        assert len({answer.post.id for answer in answers}) == here.host.store.posts.count() == 200
        assert len({answer.post.create_at for answer in answers}) == 200
        assert (await here.api("GetChannel", channel_id=here.channel.id)).channel.total_msg_count == 200

    run(scenario)
