"""What the API must do about a plugin's keys, settings and commands, other plugins and the server."""

import asyncio
import json
from pathlib import Path
from typing import Any

from google.protobuf.struct_pb2 import Struct, Value

from mattermost_plugin.devhost.events import LogWritten, MailSent, PushSent, WebSocketEvent
from mattermost_plugin.devhost.service.config import SERVER_VERSION
from mattermost_pluginapi.v1.cluster_pb2 import PluginClusterEvent
from mattermost_pluginapi.v1.dialog_pb2 import Dialog, OpenDialogRequest
from mattermost_pluginapi.v1.kv_pb2 import PluginKVSetOptions
from mattermost_pluginapi.v1.log_pb2 import AuditRecord, KeyValuePair
from mattermost_pluginapi.v1.notification_pb2 import PushNotification, SendToastMessageOptions
from mattermost_pluginapi.v1.websocket_pb2 import WebsocketBroadcast
from tests.devhost.archives import tar_gz
from tests.devhost.site import NOBODY, TESTER, Refused, Site, covers


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
