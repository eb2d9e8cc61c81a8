"""What the stock host sends, as JSON objects by Go's field names: the same post as over gRPC, and a user."""

from typing import Final

from bench.workload import post_request
from mattermost_pluginapi.v1.hooks_message_pb2 import MessageWillBePostedRequest

Struct = dict[str, object]

_USER: Final[Struct] = {
    "Id": "user".ljust(26, "x"),
    "CreateAt": 1_750_000_000_000,
    "UpdateAt": 1_750_000_000_001,
    "Username": "quick.fox",
    "Email": "quick.fox@example.test",
    "EmailVerified": True,
    "Nickname": "Fox",
    "FirstName": "Quick",
    "LastName": "Fox",
    "Roles": "system_user",
    "NotifyProps": {"channel": "true", "desktop": "mention", "email": "true", "first_name": "false", "push": "mention"},
    "LastPasswordUpdate": 1_750_000_000_002,
    "Locale": "en",
    "Timezone": {"automaticTimezone": "Europe/Berlin", "manualTimezone": "", "useAutomaticTimezone": "true"},
}

API_ANSWERS: Final[dict[str, Struct]] = {"GetUser": {"A": _USER}}
"""What the host's plugin API answers."""


def post_arguments() -> Struct:
    """The arguments of MessageWillBePosted and MessageHasBeenPosted."""
    request = MessageWillBePostedRequest.FromString(post_request(keep=False))
    context, post = request.plugin_context, request.post
    return {
        "A": {
            "SessionId": context.session_id,
            "RequestId": context.request_id,
            "IPAddress": context.ip_address,
            "AcceptLanguage": context.accept_language,
            "UserAgent": context.user_agent,
        },
        "B": {
            "Id": post.id,
            "CreateAt": post.create_at,
            "UpdateAt": post.update_at,
            "EditAt": post.edit_at,
            "DeleteAt": post.delete_at,
            "UserId": post.user_id,
            "ChannelId": post.channel_id,
            "RootId": post.root_id,
            "OriginalId": post.original_id,
            "Message": post.message,
            "MessageSource": post.message_source,
            "Type": post.type,
            "Props": {"from_webhook": "true"},
            "Hashtags": post.hashtags,
            "Filenames": [*post.filenames],
            "FileIds": [*post.file_ids],
            "PendingPostId": post.pending_post_id,
            "HasReactions": post.has_reactions,
            "RemoteId": post.remote_id,
            "ReplyCount": post.reply_count,
            "LastReplyAt": post.last_reply_at,
            "Participants": [{"Id": user.id} for user in post.participants],
            "IsFollowing": post.is_following,
            "Metadata": {"Priority": {"Priority": post.metadata.priority.priority}},
        },
    }
