"""What the API must do about a plugin's keys, settings and commands, other plugins and the server."""

import asyncio
import json
from pathlib import Path
from typing import Any

import pytest
from google.protobuf.struct_pb2 import Struct, Value

from mattermost_plugin.devhost import ApiError
from mattermost_plugin.devhost.events import LogWritten, MailSent, PushSent, WebSocketEvent
from mattermost_plugin.devhost.service.config import SERVER_VERSION
from mattermost_pluginapi.v1.autocomplete_pb2 import (
    AutocompleteArg,
    AutocompleteData,
    AutocompleteDynamicListArg,
    AutocompleteListItem,
    AutocompleteStaticListArg,
)
from mattermost_pluginapi.v1.cluster_pb2 import PluginClusterEvent
from mattermost_pluginapi.v1.command_pb2 import Command, CommandArgs
from mattermost_pluginapi.v1.dialog_pb2 import Dialog, OpenDialogRequest
from mattermost_pluginapi.v1.kv_pb2 import PluginKVSetOptions
from mattermost_pluginapi.v1.log_pb2 import AuditRecord, KeyValuePair
from mattermost_pluginapi.v1.notification_pb2 import PushNotification, SendToastMessageOptions
from mattermost_pluginapi.v1.oauth_pb2 import OAuthApp
from mattermost_pluginapi.v1.websocket_pb2 import WebsocketBroadcast
from tests.devhost.archives import tar_gz
from tests.devhost.site import NOBODY, TESTER, Refused, Site, covers, made


@covers(
    "KVSet",
    "KVGet",
    "KVSetWithExpiry",
    "KVSetWithOptions",
    "KVCompareAndSet",
    "KVCompareAndDelete",
    "KVList",
    "KVDelete",
    "KVDeleteAll",
)
async def keys_and_values(s: Site) -> None:
    async def get(key: str) -> bytes:
        return bytes((await s.api("KVGet", key=key)).value)

    await s.api("KVSet", key="schlüssel 🔑", value=b"\x00\xff")
    assert await get("schlüssel 🔑") == b"\x00\xff"
    assert await get("nothing") == b""
    await s.api("KVSetWithExpiry", key="short", value=b"1", expire_in_seconds=5)
    s.clock.advance(seconds=4)
    assert await get("short") == b"1"
    s.clock.advance(seconds=1)
    assert await get("short") == b""
    assert (await s.api("KVCompareAndSet", key="short", old_value=b"", new_value=b"2")).success
    assert not (await s.api("KVCompareAndSet", key="short", old_value=b"1", new_value=b"3")).success
    assert not (await s.api("KVCompareAndSet", key="short", old_value=b"", new_value=b"3")).success
    assert not (await s.api("KVCompareAndDelete", key="short", old_value=b"1")).success
    assert (await s.api("KVCompareAndDelete", key="short", old_value=b"2")).success
    assert not (await s.api("KVCompareAndDelete", key="short", old_value=b"")).success
    options = PluginKVSetOptions(atomic=True, old_value=b"x")
    assert not (await s.api("KVSetWithOptions", key="o", value=b"1", options=options)).success
    assert (await s.api("KVSetWithOptions", key="o", value=b"1", options=PluginKVSetOptions(atomic=True))).success
    assert (await s.api("KVSetWithOptions", key="o", value=b"2")).success
    await s.api.error("KVSetWithOptions", 400, "old_value", key="o", options=PluginKVSetOptions(old_value=b"2"))
    assert list((await s.api("KVList", page=0, per_page=1)).keys) == ["o"]
    assert list((await s.api("KVList", page=1, per_page=1)).keys) == ["schlüssel 🔑"]
    assert len((await s.api("KVList", page=0, per_page=0)).keys) == 2
    for number in range(11):
        await s.api("KVSet", key=f"z{number:02}", value=b"1")
    assert len((await s.api("KVList", page=0, per_page=-1)).keys) == 10
    assert list((await s.api("KVList", page=1, per_page=0)).keys) == ["z08", "z09", "z10"]
    for number in range(11):
        await s.api("KVDelete", key=f"z{number:02}")
    await s.api("KVSet", key="o", value=b"")
    await s.api("KVDelete", key="schlüssel 🔑")
    await s.api("KVDelete", key="schlüssel 🔑")
    assert not (await s.api("KVList", page=0, per_page=10)).keys
    await s.api("KVSet", key="k" * 150, value=b"1")
    await s.api("KVDeleteAll")
    assert await get("k" * 150) == b""
    for key in ("", "k" * 151):
        await s.api.error("KVSet", 400, "key", key=key, value=b"1")


@covers("LoadPluginConfiguration", "GetPluginConfig", "SavePluginConfig")
async def plugin_settings(s: Site) -> None:
    async def loaded() -> Any:
        return json.loads((await s.api("LoadPluginConfiguration")).config_json)

    assert await loaded() == {"greeting": "hello", "token": None}
    assert not (await s.api("GetPluginConfig")).config.fields
    config = Struct()
    config.update({"Greeting": "moin", "Limit": 3, "Nested": {"on": True}})
    await s.api("SavePluginConfig", config=config)
    assert (await s.api("GetPluginConfig")).config == config
    assert await loaded() == {"greeting": "moin", "limit": 3, "nested": {"on": True}, "token": None}
    # What the manifest calls secret is masked, and stays if it comes back so.
    config.update({"Token": "t0ken"})
    await s.api("SavePluginConfig", config=config)
    masked = (await s.api("GetPluginConfig")).config
    assert set(str(masked["Token"])) == {"*"}
    assert "t0ken" not in str((await s.api("GetConfig")).config_json)
    masked.update({"Limit": 4})
    await s.api("SavePluginConfig", config=masked)
    assert await loaded() == {"greeting": "moin", "limit": 4, "nested": {"on": True}, "token": "t0ken"}
    other = json.loads((await s.api("GetUnsanitizedConfig")).config_json)
    other["PluginSettings"]["Plugins"]["gone"] = {"any": "s3cret"}
    await s.api("SaveConfig", config_json=json.dumps(other).encode())
    assert "s3cret" not in str((await s.api("GetConfig")).config_json)


@covers("GetConfig", "GetUnsanitizedConfig", "SaveConfig")
async def server_config(s: Site) -> None:
    config = json.loads((await s.api("GetConfig")).config_json)
    assert set(config["SqlSettings"]["DataSource"]) == {"*"}
    config["TeamSettings"]["SiteName"] = "Büro"
    await s.api("SaveConfig", config_json=json.dumps(config).encode())
    stored = json.loads((await s.api("GetUnsanitizedConfig")).config_json)
    assert stored["TeamSettings"]["SiteName"] == "Büro"
    assert stored["SqlSettings"]["DataSource"] == "devhost"
    for text in (b"", b"[]", b"{", b"\xff"):
        await s.api.error("SaveConfig", 400, "json", config_json=text)


@covers(
    "GetServerVersion",
    "GetLicense",
    "IsEnterpriseReady",
    "GetSystemInstallDate",
    "GetDiagnosticId",
    "GetTelemetryId",
    "GetCloudLimits",
)
async def server(s: Site) -> None:
    assert (await s.api("GetServerVersion")).version == SERVER_VERSION
    assert (await s.api("GetLicense")).license_json == b""
    assert not (await s.api("IsEnterpriseReady")).is_enterprise_ready
    date = (await s.api("GetSystemInstallDate")).install_date
    assert (await s.api("GetSystemInstallDate")).install_date == date > 0
    assert (await s.api("GetDiagnosticId")).diagnostic_id == (await s.api("GetTelemetryId")).telemetry_id
    assert json.loads((await s.api("GetCloudLimits")).limits_json) == {}


@covers("LogDebug", "LogInfo", "LogWarn", "LogError", "LogAuditRec", "LogAuditRecWithLevel")
async def logs(s: Site) -> None:
    pairs = [KeyValuePair(key="count", value=Value(number_value=3))]
    for method in ("LogDebug", "LogInfo", "LogWarn", "LogError"):
        await s.api(method, msg="höre", key_value_pairs=pairs)
    lines = [line for line in s.host.events.history(LogWritten) if line.message == "höre"]
    assert [(line.level, line.plugin_id, line.pairs) for line in lines] == [
        (level, TESTER, {"count": 3}) for level in ("debug", "info", "warn", "error")
    ]
    await s.api("LogAuditRec", record=AuditRecord(event="look", level="audit-api"))
    await s.api("LogAuditRecWithLevel", record=AuditRecord(event="act"), level="audit-cli")
    audits = [(level, record.event) for _, level, record in s.host.store.audits.all()]
    assert audits == [("audit-api", "look"), ("audit-cli", "act")]


@covers(
    "GetPluginID",
    "GetBundlePath",
    "GetPlugins",
    "GetPluginStatus",
    "DisablePlugin",
    "RemovePlugin",
    "PluginHTTP",
    "PublishPluginClusterEvent",
    "RegisterCollectionAndTopic",
)
async def plugins(s: Site) -> None:
    await s.host.open_api("com.example.other")
    assert (await s.api("GetPluginID")).plugin_id == TESTER
    assert (await s.api("GetBundlePath")).path.startswith("/")
    ids = [manifest.id for manifest in (await s.api("GetPlugins")).manifests]
    assert ids == [TESTER, "com.example.other"]
    status = (await s.api("GetPluginStatus", id=TESTER)).status
    assert (status.state, status.version) == (0, "1.2.3")
    await s.api("DisablePlugin", id="com.example.other")
    assert (await s.api("PluginHTTP", method="GET", url="/com.example.other/x")).status_code == 404
    for url in ("", "x", "/com.example.other", "//x", "/com.example.other?a=/b"):
        answer = await s.api("PluginHTTP", method="GET", url=url)
        assert (answer.status_code, b"/<pluginid>/*" in answer.body) == (400, True), url
    await s.api("RemovePlugin", id="com.example.other")
    for method in ("GetPluginStatus", "EnablePlugin", "DisablePlugin", "RemovePlugin"):
        await s.api.error(method, 404, "not_installed", id="com.example.other")
    await s.api("PublishPluginClusterEvent", event=PluginClusterEvent(id="x", data=b"1"))
    await s.api("RegisterCollectionAndTopic", collection_type="a", topic_type="b")
    await s.host.act.configure("PluginSettings", Enable=False)
    await s.api.error("GetPluginStatus", 501, id=TESTER)


@covers("InstallPlugin", "RemovePlugin")
async def installing_plugins(s: Site) -> None:
    def bundle(version: str, plugin_id: str = "com.example.other") -> bytes:
        manifest = {"id": plugin_id, "name": "Other", "version": version, "server": {"executable": "plugin.py"}}
        return tar_gz({"other/plugin.json": json.dumps(manifest).encode(), "other/plugin.py": version.encode()})

    async def installed() -> tuple[str, Path]:
        status = (await s.api("GetPluginStatus", id="com.example.other")).status
        assert status.state == 0
        return status.version, Path(status.plugin_path)

    manifest = (await s.api("InstallPlugin", file_data=bundle("1.0.0"))).manifest
    assert (manifest.id, manifest.version) == ("com.example.other", "1.0.0")
    version, folder = await installed()
    assert (version, (folder / "plugin.py").read_text()) == ("1.0.0", "1.0.0")
    await s.api.error("InstallPlugin", 400, "install_id", file_data=bundle("2.0.0"))
    assert await installed() == ("1.0.0", folder)
    await s.api("InstallPlugin", file_data=bundle("2.0.0"), replace=True)
    version, newer = await installed()
    assert (version, (newer / "plugin.py").read_text()) == ("2.0.0", "2.0.0")
    assert not folder.exists()
    for error_id, data in (
        ("extract", b""),
        ("extract", bundle("3")[:-20]),
        ("extract", tar_gz({"../plugin.json": b"{}"})),
        ("manifest", tar_gz({"other.json": b"{}"})),
        ("manifest", tar_gz({"plugin.json": b"[]"})),
        ("invalid_id", bundle("3", "a/../../b")),
        ("invalid_id", bundle("3", "ab")),
    ):
        await s.api.error("InstallPlugin", 400, error_id, file_data=data, replace=True)
    assert [path.name for path in newer.parents[1].iterdir()] == [newer.parent.name]
    # Two at once: one of them is the plugin.
    await s.api("RemovePlugin", id="com.example.other")
    assert not newer.exists()
    both = [s.api("InstallPlugin", file_data=bundle(version)) for version in ("4", "5")]
    answers = await asyncio.gather(*both, return_exceptions=True)
    assert [isinstance(answer, Refused) for answer in answers].count(True) == 1
    version, folder = await installed()
    assert (folder / "plugin.py").read_text() == version
    await s.host.act.configure("PluginSettings", EnableUploads=False)
    await s.api.error("InstallPlugin", 501, "upload_disabled", file_data=bundle("6"), replace=True)


@covers("GetLicense", "RequestTrialLicense")
async def trials(s: Site) -> None:
    fields = {"requester_id": s.ada.id, "users": 10, "terms_accepted": True}
    for status, error_id, changes in (
        (400, "terms-not-accepted", {"terms_accepted": False}),
        (400, "bad-request", {"users": 0}),
        (404, "missing_account", {"requester_id": NOBODY}),
    ):
        await s.api.error("RequestTrialLicense", status, error_id, **{**fields, **changes})
    await s.host.act.configure("ExperimentalSettings", RestrictSystemAdmin=True)
    await s.api.error("RequestTrialLicense", 403, "restricted", **fields)
    await s.host.act.configure("ExperimentalSettings", RestrictSystemAdmin=False)
    assert (await s.api("GetLicense")).license_json == b""
    await s.api("RequestTrialLicense", **fields)
    found = json.loads((await s.api("GetLicense")).license_json)
    assert (found["is_trial"], found["sku_short_name"], found["features"]["users"]) == (True, "enterprise", 10)
    assert (found["expires_at"] - found["starts_at"]) // 3_600_000 == 728
    await s.api.error("RequestTrialLicense", 400, "trial", **fields)


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
    await s.api("DeleteOAuthApp", app_id=app.id)
    for method in ("GetOAuthApp", "DeleteOAuthApp"):
        await s.api.error(method, 404, "oauth", app_id=app.id)
    await s.api.error("CreateOAuthApp", 400, app=OAuthApp(creator_id=s.ada.id, name="x"))


@covers("OpenInteractiveDialog", "SendToastMessage", "PublishWebSocketEvent", "SendMail", "SendPushNotification")
async def what_goes_out(s: Site) -> None:
    dialog = OpenDialogRequest(url="/x", dialog=Dialog(title="Ask"))
    dialog.trigger_id = s.host.world.triggers.issue(s.bob.id)
    await s.api("OpenInteractiveDialog", dialog=dialog)
    await s.api("OpenInteractiveDialog", dialog=OpenDialogRequest(trigger_id=dialog.trigger_id))
    assert any("no title" in log.message for log in s.host.events.history(LogWritten))
    s.clock.advance(seconds=30)
    await s.api.error("OpenInteractiveDialog", 400, "trigger_id", dialog=dialog)
    options = SendToastMessageOptions(position="bottom-right")
    await s.api("SendToastMessage", user_id=s.bob.id, message="hi", options=options)
    payload = Struct()
    payload.update({"n": 1, "f": 1.5})
    to_bob = WebsocketBroadcast(user_id=s.bob.id)
    await s.api("PublishWebSocketEvent", event="tick", payload=payload, broadcast=to_bob)
    events = {event.name: event for event in s.host.events.history(WebSocketEvent)}
    assert events["open_dialog"].broadcast.user_id == s.bob.id
    assert events["show_toast"].data["message"] == "hi"
    assert events[f"custom_{TESTER}_tick"].data == {"n": 1, "f": 1.5}
    assert isinstance(events[f"custom_{TESTER}_tick"].data["n"], int)
    await s.api("SendMail", to="x@y.z", subject="Hé", html_body="<b>hi</b>")
    assert [mail.subject for mail in s.host.events.history(MailSent)] == ["Hé"]
    await s.api.error("SendMail", 400, to="", subject="x", html_body="x")
    await s.api("SendPushNotification", notification=PushNotification(message="ring"), user_id=s.bob.id)
    assert [push.notification.message for push in s.host.events.history(PushSent)] == ["ring"]
    await s.api.error("SendPushNotification", 404, notification=PushNotification(), user_id=NOBODY)
    await s.host.act.configure("EmailSettings", SendEmailNotifications=False)
    await s.api("SendMail", to="x@y.z", subject="unsent", html_body="x")
    assert [mail.subject for mail in s.host.events.history(MailSent)] == ["Hé"]
