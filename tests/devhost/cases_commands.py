"""What the API must do about slash commands and OAuth applications."""

from typing import Any

import pytest

from mattermost_plugin.devhost import ApiError
from mattermost_pluginapi.v1.autocomplete_pb2 import (
    AutocompleteArg,
    AutocompleteData,
    AutocompleteDynamicListArg,
    AutocompleteListItem,
    AutocompleteStaticListArg,
)
from mattermost_pluginapi.v1.command_pb2 import Command, CommandArgs
from mattermost_pluginapi.v1.oauth_pb2 import OAuthApp
from tests.devhost.site import TESTER, Site, covers, made


@covers(
    "RegisterCommand",
    "UnregisterCommand",
    "ExecuteSlashCommand",
    "ListCommands",
    "ListPluginCommands",
    "ListBuiltInCommands",
    "ListCustomCommands",
    "CreateCommand",
    "GetCommand",
    "UpdateCommand",
    "DeleteCommand",
)
async def commands(s: Site) -> None:
    team = {"team_id": s.team.id}

    async def triggers(method: str, **fields: Any) -> list[str]:
        return [command.trigger for command in (await s.api(method, **fields)).commands]

    await s.api("RegisterCommand", command=Command(trigger="Poll", auto_complete=True, auto_complete_hint="[x]"))
    (poll,) = (await s.api("ListPluginCommands", **team)).commands
    assert (poll.trigger, poll.autocomplete_data.trigger, poll.autocomplete_data.hint) == ("poll", "poll", "[x]")
    for trigger in ("", "/x", "a b"):
        await s.api.error("RegisterCommand", 400, "trigger", command=Command(trigger=trigger))
    built_in = await triggers("ListBuiltInCommands")
    assert "shrug" in built_in
    given = Command(trigger="deploy", url="http://localhost/x", method="P", creator_id=s.ada.id, team_id=s.team.id)
    created = (await s.api("CreateCommand", cmd=given)).command
    assert (created.creator_id, created.plugin_id, len(created.token)) == ("", TESTER, 26)
    assert (await s.api("GetCommand", command_id=created.id)).command == created
    assert await triggers("ListCustomCommands", **team) == ["deploy"]
    assert set(await triggers("ListCommands", **team)) == {"poll", "deploy", *built_in}
    changed = Command(trigger="ship", url="http://localhost/y", method="G", token="mine")
    stored = (await s.api("UpdateCommand", command_id=created.id, updated_cmd=changed)).command
    assert (stored.trigger, stored.token, stored.team_id) == ("ship", created.token, s.team.id)
    await s.api("DeleteCommand", command_id=created.id)
    await s.api.error("GetCommand", 404, command_id=created.id)
    for bad in ({"trigger": ""}, {"trigger": "shrug"}, {"url": "ftp://x"}, {"method": "X"}):
        broken = Command()
        broken.CopyFrom(given)
        for field, value in bad.items():
            setattr(broken, field, value)
        await s.api.error("CreateCommand", 400, cmd=broken)
    where = {"user_id": s.ada.id, "channel_id": s.lobby.id, "team_id": s.team.id}
    args = made(CommandArgs, where, {"command": "/echo hallo"})
    assert (await s.api("ExecuteSlashCommand", command_args=args)).response.text == "hallo"
    (post,) = s.host.store.posts.of_channel(s.lobby.id)
    assert (post.message, post.user_id) == ("hallo", s.ada.id)
    for status, command in ((404, "/nothing"), (400, "no slash"), (400, ""), (404, "/"), (404, "/ echo x")):
        await s.api.error("ExecuteSlashCommand", status, command_args=made(CommandArgs, where, {"command": command}))
    # A plugin is not kept from archived channels, a user is.
    await s.api("DeleteChannel", channel_id=s.lobby.id)
    await s.api("ExecuteSlashCommand", command_args=args)
    with pytest.raises(ApiError, match=r"execute_command\.deleted"):
        await s.host.act.run_command(s.ada.id, s.lobby.id, "/echo hallo")
    await s.api("UnregisterCommand", team_id="", trigger="poll")
    assert await triggers("ListPluginCommands", **team) == []


@covers("RegisterCommand", "ListPluginCommands")
async def what_commands_suggest(s: Site) -> None:
    items = AutocompleteStaticListArg(possible_arguments=[AutocompleteListItem(item="a")])
    arguments = [
        AutocompleteArg(type="StaticList", static_list=items),
        AutocompleteArg(type="DynamicList", dynamic_list=AutocompleteDynamicListArg(fetch_url="lists/../a?b=c")),
        AutocompleteArg(type="DynamicList", dynamic_list=AutocompleteDynamicListArg(fetch_url="https://x/y")),
    ]
    data = AutocompleteData(trigger="poll", sub_commands=[AutocompleteData(trigger="new", arguments=arguments)])
    command = Command(trigger="poll", auto_complete=True, autocomplete_data=data, token="mine", url="http://x")
    await s.api("RegisterCommand", command=command)
    (stored,) = (await s.api("ListPluginCommands", team_id=s.team.id)).commands
    assert (stored.token, stored.url) == ("", "")
    urls = [each.dynamic_list.fetch_url for each in stored.autocomplete_data.sub_commands[0].arguments]
    assert urls == ["", f"/plugins/{TESTER}/a?b=c", "https://x/y"]
    text = AutocompleteArg(type="TextInput")
    deep = AutocompleteData(trigger="x")
    for _ in range(30):
        deep = AutocompleteData(trigger="x", sub_commands=[deep])
    for bad in (
        AutocompleteData(),
        AutocompleteData(trigger="Poll"),
        AutocompleteData(trigger="poll", role_id="king"),
        AutocompleteData(trigger="poll", arguments=[text]),
        AutocompleteData(trigger="poll", arguments=[AutocompleteArg(name="n", type="TextInput"), arguments[0]]),
        AutocompleteData(trigger="poll", arguments=arguments, sub_commands=[AutocompleteData(trigger="x")]),
        AutocompleteData(trigger="poll", sub_commands=[AutocompleteData()]),
        AutocompleteData(
            trigger="poll",
            arguments=[
                AutocompleteArg(
                    type="StaticList",
                    static_list=AutocompleteStaticListArg(possible_arguments=[AutocompleteListItem()]),
                )
            ],
        ),
        deep,
    ):
        broken = Command(trigger="poll", autocomplete_data=bad)
        await s.api.error("RegisterCommand", 400, "autocomplete", command=broken)


@covers("CreateOAuthApp", "GetOAuthApp", "UpdateOAuthApp", "DeleteOAuthApp")
async def oauth_apps(s: Site) -> None:
    given = OAuthApp(creator_id=s.ada.id, name="App", callback_urls="http://x/cb", homepage="http://x")
    app = (await s.api("CreateOAuthApp", app=given)).app
    assert len(app.client_secret) == 26
    assert (await s.api("GetOAuthApp", app_id=app.id)).app == app
    changed = OAuthApp(id=app.id, name="New", callback_urls="http://y", homepage="http://y", client_secret="mine")
    stored = (await s.api("UpdateOAuthApp", app=changed)).app
    assert (stored.name, stored.client_secret, stored.creator_id) == ("New", app.client_secret, s.ada.id)
    for _ in range(2):
        await s.api("DeleteOAuthApp", app_id=app.id)
    await s.api.error("GetOAuthApp", 404, "get_app.find", app_id=app.id)
    await s.api.error("UpdateOAuthApp", 404, "get_app.find", app=changed)
    await s.api.error("CreateOAuthApp", 400, "existing", app=changed)
    for field, value in (
        ("creator_id", "x"),
        ("name", ""),
        ("name", "x" * 65),
        ("callback_urls", ""),
        ("callback_urls", "http://x ftp://y"),
        ("homepage", "http://"),
        ("homepage", "http://[x"),
        ("description", "x" * 513),
        ("icon_url", "x"),
    ):
        broken = OAuthApp()
        broken.CopyFrom(given)
        setattr(broken, field, value)
        await s.api.error("CreateOAuthApp", 400, f"is_valid.{field.removesuffix('_urls')}", app=broken)
    await s.host.act.configure("ServiceSettings", EnableOAuthServiceProvider=False)
    await s.api.error("CreateOAuthApp", 501, "turn_off", app=given)
    await s.api.error("GetOAuthApp", 501, "turn_off", app_id=app.id)
