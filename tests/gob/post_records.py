"""Posts, users and their parts between gob and protobuf, declared by hand: what a generated layer will have for all."""

from collections.abc import Mapping

from google.protobuf.struct_pb2 import ListValue, Struct, Value

from mattermost_plugin._gob.puts import AddEach, Call, Extend, Fill, FillEach, Put, SetAttr, Update
from mattermost_plugin._gob.sources import DICTS, Attr, Computed, Get, Present, RecordSource
from mattermost_plugin._gob.targets import PLAIN, RecordTarget
from mattermost_pluginapi.v1.common_pb2 import PluginContext
from mattermost_pluginapi.v1.hooks_message_pb2 import MessageWillBePostedRequest
from mattermost_pluginapi.v1.post_pb2 import Post, PostImage, PostMetadata, Reaction
from mattermost_pluginapi.v1.user_pb2 import User

USER_TEXTS = {
    "Id": "id",
    "CreateAt": "create_at",
    "UpdateAt": "update_at",
    "DeleteAt": "delete_at",
    "Username": "username",
    "Password": "password",
    "AuthData": "auth_data",
    "AuthService": "auth_service",
    "Email": "email",
    "EmailVerified": "email_verified",
    "Nickname": "nickname",
    "FirstName": "first_name",
    "LastName": "last_name",
    "Position": "position",
    "Roles": "roles",
    "AllowMarketing": "allow_marketing",
    "LastPasswordUpdate": "last_password_update",
    "LastPictureUpdate": "last_picture_update",
    "FailedAttempts": "failed_attempts",
    "Locale": "locale",
    "MfaActive": "mfa_active",
    "MfaSecret": "mfa_secret",
    "RemoteId": "remote_id",
    "LastActivityAt": "last_activity_at",
    "IsBot": "is_bot",
    "BotDescription": "bot_description",
    "BotLastIconUpdate": "bot_last_icon_update",
    "TermsOfServiceId": "terms_of_service_id",
    "TermsOfServiceCreateAt": "terms_of_service_create_at",
    "DisableWelcomeEmail": "disable_welcome_email",
}
USER_MAPS = {"Props": "props", "NotifyProps": "notify_props", "Timezone": "timezone"}

POST_TEXTS = {
    "Id": "id",
    "CreateAt": "create_at",
    "UpdateAt": "update_at",
    "EditAt": "edit_at",
    "DeleteAt": "delete_at",
    "IsPinned": "is_pinned",
    "UserId": "user_id",
    "ChannelId": "channel_id",
    "RootId": "root_id",
    "OriginalId": "original_id",
    "Message": "message",
    "MessageSource": "message_source",
    "Type": "type",
    "Hashtags": "hashtags",
    "PendingPostId": "pending_post_id",
    "HasReactions": "has_reactions",
    "RemoteId": "remote_id",
    "ReplyCount": "reply_count",
    "LastReplyAt": "last_reply_at",
    "IsFollowing": "is_following",
}
POST_LISTS = {"Filenames": "filenames", "FileIds": "file_ids"}

IMAGE_TEXTS = {"Width": "width", "Height": "height", "Format": "format", "FrameCount": "frame_count"}

REACTION_TEXTS = {
    "UserId": "user_id",
    "PostId": "post_id",
    "EmojiName": "emoji_name",
    "CreateAt": "create_at",
    "UpdateAt": "update_at",
    "DeleteAt": "delete_at",
    "RemoteId": "remote_id",
    "ChannelId": "channel_id",
}

CONTEXT_TEXTS = {
    "SessionId": "session_id",
    "RequestId": "request_id",
    "IPAddress": "ip_address",
    "AcceptLanguage": "accept_language",
    "UserAgent": "user_agent",
}


def set_props(post: Post, props: Mapping[str, object]) -> None:
    """Props become a google.protobuf.Struct."""
    fields = post.props.fields
    for key, value in props.items():
        _set_value(fields[key], value)


def _set_value(place: Value, value: object) -> None:
    match value:
        case None:
            place.null_value = 0  # type: ignore[assignment]  # NULL_VALUE
        case bool():
            place.bool_value = value
        case str():
            place.string_value = value
        case int() | float():
            place.number_value = value
        case dict():
            place.struct_value.SetInParent()
            for key, item in value.items():
                _set_value(place.struct_value.fields[key], item)
        case list():
            place.list_value.SetInParent()
            for item in value:
                _set_value(place.list_value.values.add(), item)
        case _:
            raise TypeError(f"a {type(value).__name__} in props")


def get_props(post: Post) -> object:
    """A google.protobuf.Struct as values that interfaces hold; none is nil."""
    return _struct(post.props) if post.HasField("props") else None


def _struct(struct: Struct) -> dict[str, object]:
    return {key: _value(value) for key, value in struct.fields.items()}


def _list(values: ListValue) -> list[object]:
    return [_value(value) for value in values.values]


def _value(value: Value) -> object:
    match value.WhichOneof("kind"):
        case "bool_value":
            return value.bool_value
        case "string_value":
            return value.string_value
        case "number_value":
            return value.number_value
        case "struct_value":
            return _struct(value.struct_value)
        case "list_value":
            return _list(value.list_value)
        case _:
            return None


def _set(names: Mapping[str, str]) -> dict[str, Put]:
    return {name: SetAttr(attribute) for name, attribute in names.items()}


def _get(names: Mapping[str, str]) -> dict[str, Get]:
    return {name: Attr(attribute) for name, attribute in names.items()}


USER = RecordTarget(
    User,
    _set(USER_TEXTS)
    | {name: Update(attribute) for name, attribute in USER_MAPS.items()}
    | {"MfaUsedTimestamps": Extend("mfa_used_timestamps")},
)
METADATA = RecordTarget(
    PostMetadata,
    {
        "Images": FillEach("images", RecordTarget(PostImage, _set(IMAGE_TEXTS))),
        "Reactions": AddEach("reactions", RecordTarget(Reaction, _set(REACTION_TEXTS))),
        "ExpireAt": SetAttr("expire_at"),
        "Recipients": Extend("recipients"),
    },
)
POST = RecordTarget(
    Post,
    _set(POST_TEXTS)
    | {name: Extend(attribute) for name, attribute in POST_LISTS.items()}
    | {
        "Props": Call(set_props, PLAIN),
        "Participants": AddEach("participants", USER),
        "Metadata": Fill("metadata", METADATA),
    },
)
MESSAGE_WILL_BE_POSTED = RecordTarget(
    MessageWillBePostedRequest,
    {"A": Fill("plugin_context", RecordTarget(PluginContext, _set(CONTEXT_TEXTS))), "B": Fill("post", POST)},
)

USER_SOURCE = RecordSource(_get(USER_TEXTS) | _get(USER_MAPS) | {"MfaUsedTimestamps": Attr("mfa_used_timestamps")})
METADATA_SOURCE = RecordSource(
    {
        "Images": Attr("images", RecordSource(_get(IMAGE_TEXTS))),
        "Reactions": Attr("reactions", RecordSource(_get(REACTION_TEXTS))),
        "ExpireAt": Attr("expire_at"),
        "Recipients": Attr("recipients"),
    }
)
POST_SOURCE = RecordSource(
    _get(POST_TEXTS)
    | _get(POST_LISTS)
    | {
        "Props": Computed(get_props, DICTS),
        "Participants": Attr("participants", USER_SOURCE),
        "Metadata": Present("metadata", METADATA_SOURCE),
    }
)
