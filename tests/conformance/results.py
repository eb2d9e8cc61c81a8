"""What handlers of the suite answer where they change or answer something, and wrong results."""

from collections.abc import Callable, Sequence
from typing import Any

from mattermost_plugin import HookName
from mattermost_plugin.models import CommandResponse, ConfigJson, EmailNotificationContent, FileData, Post, SyncResponse
from tests.conformance.recorder import Replaced
from tests.conformance.texts import CHANGED

# Any: a handler's arguments, whatever its hook has.


def changed(field: str, place: int) -> Callable[..., object]:
    """Changes a field of an argument, which becomes the result."""

    def change(*arguments: Any) -> object:
        setattr(arguments[place], field, CHANGED)
        return arguments[place]

    return change


def _copied(*arguments: Any) -> object:
    """A new message, where `changed` changes its argument."""
    copy = type(arguments[1])()
    copy.CopyFrom(arguments[1])
    copy.roles = CHANGED
    return copy


def _renamed(_context: object, channel: Any, _old: object) -> object:
    channel.display_name = CHANGED
    channel.ClearField("scheme_id")
    return channel


def _replaced(_context: object, info: Any, content: bytes) -> object:
    info.name = CHANGED
    return Replaced(info, CHANGED.encode() + content[:10])


def _first_only(posts: Any) -> Sequence[object]:
    posts[0].message = CHANGED
    return (posts[0],)


def _first_changed(_context: object, posts: Any) -> Sequence[object]:
    posts[0].message = CHANGED
    return list(posts)


RESULTS: dict[HookName, Callable[..., object]] = {
    HookName.ConfigurationWillBeSaved: lambda _: ConfigJson(config_json=CHANGED.encode()),
    HookName.RunDataRetention: lambda *_: 2**60 + 1,
    HookName.GenerateSupportData: lambda _: [
        FileData(filename=f"{CHANGED}.txt", data=b"\x00\xff"),
        FileData(filename="empty"),
    ],
    HookName.MessageWillBePosted: changed("message", 1),
    HookName.MessageWillBeUpdated: changed("message", 1),
    HookName.MessagesWillBeConsumed: _first_only,
    HookName.MessagesWillBeConsumedWithContext: _first_changed,
    HookName.ScheduledPostWillBeCreated: changed("message", 1),
    HookName.DraftWillBeUpserted: changed("message", 1),
    HookName.FileWillBeUploaded: _replaced,
    HookName.NotificationWillBePushed: changed("message", 0),
    HookName.EmailNotificationWillBeSent: lambda _: EmailNotificationContent(
        subject=CHANGED, button_url="https://example.com"
    ),
    HookName.ChannelWillBeUpdated: _renamed,
    HookName.ChannelMemberWillBeAdded: _copied,
    HookName.TeamMemberWillBeAdded: _copied,
    HookName.ExecuteCommand: lambda *_: CommandResponse(response_type="in_channel", text=CHANGED),
    HookName.OnSharedChannelsSyncMsg: lambda *_: SyncResponse(
        posts_last_update_at=2**60 + 1, post_errors=["a", CHANGED]
    ),
    HookName.OnSharedChannelsPing: lambda _: True,
}
"""By hook: from its arguments to a result."""

WRONG: dict[HookName, object] = {
    HookName.MessageWillBePosted: (Post(), ""),
    HookName.MessageWillBeUpdated: "a reason",
    HookName.MessagesWillBeConsumed: ["a post"],
    HookName.UserWillLogIn: False,
    HookName.FileWillBeUploaded: b"content",
    HookName.RunDataRetention: True,
    HookName.OnSharedChannelsPing: None,
    HookName.OnActivate: "a reason",
}
"""Results that a careless author might return; anything not named here is a dict."""
