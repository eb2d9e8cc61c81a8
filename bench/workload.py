"""What the benchmark sends: messages built once, and passed to gRPC as bytes."""

from mattermost_pluginapi.v1.common_pb2 import PluginContext
from mattermost_pluginapi.v1.hooks_http_pb2 import HTTPHeader, ServeHTTPRequest, ServeHTTPRequestInit
from mattermost_pluginapi.v1.hooks_message_pb2 import MessageWillBePostedRequest
from mattermost_pluginapi.v1.post_pb2 import Post, PostMetadata, PostPriority
from mattermost_pluginapi.v1.user_pb2 import User

POST_REQUEST_BYTES = 768
"""Size of the hook's request: what a post of a few lines makes, with every one of its 25 fields set."""

CHUNK_BYTES = 64 * 1024
"""The piece in which the host sends bodies."""

_WORDS = "The quick brown fox jumps over the lazy dog. "
_CREATED_MS = 1_750_000_000_000


def _id(prefix: str) -> str:
    return prefix.ljust(26, "x")


def _post(*, keep: bool) -> Post:
    post = Post(
        id=_id("post"),
        create_at=_CREATED_MS,
        update_at=_CREATED_MS + 1,
        edit_at=_CREATED_MS + 2,
        delete_at=_CREATED_MS + 3,
        is_pinned=keep,
        user_id=_id("user"),
        channel_id=_id("channel"),
        root_id=_id("root"),
        original_id=_id("original"),
        message_source="The quick brown fox",
        type="custom_note",
        hashtags="#fox #dog",
        file_ids=[_id("file1"), _id("file2")],
        pending_post_id=f"{_id('user')}:{_CREATED_MS}",
        has_reactions=True,
        remote_id=_id("remote"),
        reply_count=3,
        last_reply_at=_CREATED_MS + 4,
        participants=[User(id=_id("friend"))],
        is_following=True,
        metadata=PostMetadata(priority=PostPriority(priority="urgent")),
        filenames=["fox.png"],
    )
    post.props.update({"from_webhook": "true"})
    return post


def post_request(*, keep: bool) -> bytes:
    """A MessageWillBePosted request. `keep`: the handlers let the post pass, and answer with nothing."""
    request = MessageWillBePostedRequest(
        plugin_context=PluginContext(
            session_id=_id("session"),
            request_id=_id("request"),
            ip_address="192.168.10.20",
            accept_language="en-US,en;q=0.5",
            user_agent="Mozilla/5.0 (X11; Linux x86_64; rv:128.0) Gecko/20100101",
        ),
        post=_post(keep=keep),
    )
    # The text is what fills the request up. Its own tag and length, and longer lengths around it, take some bytes.
    while (missing := POST_REQUEST_BYTES - request.ByteSize()) > 0:
        request.post.message += _WORDS[0] if missing < len(_WORDS) else _WORDS
    return request.SerializeToString()


def http_head(method: str, length: int, *, complete: bool) -> bytes:
    """The first piece of an HTTP request."""
    headers = {
        "Accept": "*/*",
        "Accept-Language": "en-US,en;q=0.5",
        "Content-Type": "application/octet-stream",
        "User-Agent": "Mozilla/5.0 (X11; Linux x86_64; rv:128.0) Gecko/20100101",
        "Mattermost-User-Id": _id("user"),
        "X-Requested-With": "XMLHttpRequest",
    }
    init = ServeHTTPRequestInit(
        plugin_context=PluginContext(session_id=_id("session"), request_id=_id("request")),
        method=method,
        url="/path?query=1",
        proto="HTTP/1.1",
        proto_major=1,
        proto_minor=1,
        headers=[HTTPHeader(key=name, values=[value]) for name, value in headers.items()],
        host="chat.example.com",
        remote_addr="192.168.10.20:51234",
        request_uri="/plugins/com.example.bench/path?query=1",
        content_length=length,
    )
    return ServeHTTPRequest(init=init, body_complete=complete).SerializeToString()


def http_chunk(*, complete: bool) -> bytes:
    """One piece of a body."""
    return ServeHTTPRequest(body_chunk=b"\xa5" * CHUNK_BYTES, body_complete=complete).SerializeToString()
