"""What the host must see of every hook, written down by hand from the contract."""

import base64
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any, Literal, TypeAlias

from mattermost_plugin import HookName
from tests.conformance.texts import CHANGED

# Any: protojson, as deep as the message is.
Fields: TypeAlias = Mapping[str, Any]
Changed: TypeAlias = Callable[[Fields], Fields]

Refusal: TypeAlias = Literal["reason", "error", "none"]
"""How a reply can refuse: by rejection_reason, by an AppError, not at all."""


@dataclass(frozen=True, slots=True)
class Case:
    """A hook with one request and one reply.

    Attributes:
        hook: Its name.
        parameters: The request's fields that the handler gets, in order.
        refusal: How its reply can refuse.
        fails: Whether a failure of the handler refuses by default.
        takes_reject: Whether Reject is a result of it.
        changed: From the request to the reply of a handler that changes or answers something.
    """

    hook: HookName
    parameters: tuple[str, ...]
    refusal: Refusal
    fails: bool
    takes_reject: bool
    changed: Changed | None


def notify(hook: HookName, *parameters: str) -> Case:
    return Case(hook, parameters, "none", False, False, None)


def action(hook: HookName, *parameters: str) -> Case:
    return Case(hook, parameters, "error", True, False, None)


def value(hook: HookName, *parameters: str, answer: Fields, refusal: Refusal) -> Case:
    return Case(hook, parameters, refusal, refusal == "error", False, lambda _: answer)


def veto(hook: HookName, *parameters: str, changed: Changed | None = None) -> Case:
    return Case(hook, parameters, "reason", False, True, changed)


def replaced(reply: str, field: str, key: str = "message") -> Changed:
    """The field of the request, changed in one place, is the reply."""
    return lambda request: {reply: {**request[field], key: CHANGED}}


def base64_of(text: str | bytes) -> str:
    return base64.b64encode(text.encode() if isinstance(text, str) else text).decode()


def _changed_channel(request: Fields) -> Fields:
    channel = {**request["new_channel"], "display_name": CHANGED}
    del channel["scheme_id"]
    return {"modified_channel": channel}


def _changed_file(request: Fields) -> Fields:
    content = base64.b64decode(request["file_content"])
    return {
        "modified_file_info": {**request["file_info"], "name": CHANGED},
        "modified_content": base64_of(CHANGED.encode() + content[:10]),
    }


CASES = (
    action(HookName.OnActivate),
    action(HookName.OnDeactivate),
    action(HookName.OnConfigurationChange),
    action(HookName.OnInstall, "plugin_context", "event"),
    Case(
        HookName.ConfigurationWillBeSaved,
        ("new_config",),
        "error",
        True,
        True,
        lambda _: {"modified_config": {"config_json": base64_of(CHANGED)}},
    ),
    notify(HookName.OnSendDailyTelemetry),
    notify(HookName.OnCloudLimitsUpdated, "limits"),
    value(
        HookName.RunDataRetention,
        "now_time",
        "batch_size",
        answer={"deleted_count": str(2**60 + 1)},
        refusal="error",
    ),
    notify(HookName.OnPluginClusterEvent, "plugin_context", "event"),
    value(
        HookName.GenerateSupportData,
        "plugin_context",
        answer={"files": [{"filename": f"{CHANGED}.txt", "data": base64_of(b"\x00\xff")}, {"filename": "empty"}]},
        refusal="error",
    ),
    veto(HookName.MessageWillBePosted, "plugin_context", "post", changed=replaced("modified_post", "post")),
    veto(
        HookName.MessageWillBeUpdated,
        "plugin_context",
        "new_post",
        "old_post",
        changed=replaced("modified_post", "new_post"),
    ),
    notify(HookName.MessageHasBeenPosted, "plugin_context", "post"),
    notify(HookName.MessageHasBeenUpdated, "plugin_context", "new_post", "old_post"),
    notify(HookName.MessageHasBeenDeleted, "plugin_context", "post"),
    Case(
        HookName.MessagesWillBeConsumed,
        ("posts",),
        "none",
        False,
        False,
        lambda request: {"posts": [{**request["posts"][0], "message": CHANGED}]},
    ),
    Case(
        HookName.MessagesWillBeConsumedWithContext,
        ("plugin_context", "posts"),
        "none",
        False,
        False,
        lambda request: {"posts": [{**request["posts"][0], "message": CHANGED}, request["posts"][1]]},
    ),
    veto(
        HookName.ScheduledPostWillBeCreated,
        "plugin_context",
        "scheduled_post",
        changed=replaced("modified_scheduled_post", "scheduled_post"),
    ),
    veto(HookName.DraftWillBeUpserted, "plugin_context", "draft", changed=replaced("modified_draft", "draft")),
    notify(HookName.ReactionHasBeenAdded, "plugin_context", "reaction"),
    notify(HookName.ReactionHasBeenRemoved, "plugin_context", "reaction"),
    veto(HookName.FileWillBeUploaded, "plugin_context", "file_info", "file_content", changed=_changed_file),
    veto(HookName.FileWillBeDownloaded, "plugin_context", "file_info", "user_id", "download_type"),
    veto(
        HookName.NotificationWillBePushed,
        "push_notification",
        "user_id",
        changed=replaced("modified_notification", "push_notification"),
    ),
    veto(
        HookName.EmailNotificationWillBeSent,
        "email_notification",
        changed=lambda _: {"modified_content": {"subject": CHANGED, "button_url": "https://example.com"}},
    ),
    notify(HookName.UserHasBeenCreated, "plugin_context", "user"),
    veto(HookName.UserWillLogIn, "plugin_context", "user"),
    notify(HookName.UserHasLoggedIn, "plugin_context", "user"),
    notify(HookName.UserHasBeenDeactivated, "plugin_context", "user"),
    action(HookName.OnSAMLLogin, "plugin_context", "user", "assertion"),
    notify(HookName.PreferencesHaveChanged, "plugin_context", "preferences"),
    notify(HookName.ChannelHasBeenCreated, "plugin_context", "channel"),
    veto(HookName.ChannelWillBeUpdated, "plugin_context", "new_channel", "old_channel", changed=_changed_channel),
    veto(HookName.ChannelWillBeArchived, "plugin_context", "channel"),
    veto(HookName.ChannelWillBeRestored, "plugin_context", "channel"),
    veto(
        HookName.ChannelMemberWillBeAdded,
        "plugin_context",
        "channel_member",
        changed=replaced("modified_channel_member", "channel_member", "roles"),
    ),
    notify(HookName.UserHasJoinedChannel, "plugin_context", "channel_member", "actor"),
    notify(HookName.UserHasLeftChannel, "plugin_context", "channel_member", "actor"),
    veto(
        HookName.TeamMemberWillBeAdded,
        "plugin_context",
        "team_member",
        changed=replaced("modified_team_member", "team_member", "roles"),
    ),
    notify(HookName.UserHasJoinedTeam, "plugin_context", "team_member", "actor"),
    notify(HookName.UserHasLeftTeam, "plugin_context", "team_member", "actor"),
    value(
        HookName.ExecuteCommand,
        "plugin_context",
        "args",
        answer={"response": {"response_type": "in_channel", "text": CHANGED}},
        refusal="error",
    ),
    notify(HookName.OnWebSocketConnect, "web_conn_id", "user_id"),
    notify(HookName.OnWebSocketDisconnect, "web_conn_id", "user_id"),
    notify(HookName.WebSocketMessageHasBeenPosted, "web_conn_id", "user_id", "request"),
    value(
        HookName.OnSharedChannelsSyncMsg,
        "sync_msg",
        "remote_cluster",
        answer={"response": {"posts_last_update_at": str(2**60 + 1), "post_errors": ["a", CHANGED]}},
        refusal="error",
    ),
    value(HookName.OnSharedChannelsPing, "remote_cluster", answer={"healthy": True}, refusal="none"),
    action(HookName.OnSharedChannelsAttachmentSyncMsg, "file_info", "post", "remote_cluster"),
    action(HookName.OnSharedChannelsProfileImageSyncMsg, "user", "remote_cluster"),
)

HTTP_HOOKS = (HookName.ServeHTTP, HookName.ServeMetrics)
