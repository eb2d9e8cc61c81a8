"""Replies of hooks in a few words, for the transcript."""

from functools import singledispatch

from google.protobuf import text_format
from google.protobuf.message import Message

from mattermost_pluginapi.models import AppError
from mattermost_pluginapi.v1.hooks_command_pb2 import ExecuteCommandResponse
from mattermost_pluginapi.v1.hooks_file_pb2 import FileWillBeUploadedResponse
from mattermost_pluginapi.v1.hooks_lifecycle_pb2 import OnActivateResponse, OnDeactivateResponse
from mattermost_pluginapi.v1.hooks_message_pb2 import MessageWillBePostedResponse
from mattermost_pluginapi.v1.hooks_user_pb2 import UserWillLogInResponse

DISMISS = "plugin.message_will_be_posted.dismiss_post"
"""A rejection with this text makes the server drop a post without a word to its author."""


@singledispatch
def describe(reply: Message) -> str:
    """Say what a reply means to the server."""
    return every_field(reply)


def every_field(message: Message) -> str:
    """A message in full, on one line."""
    return text_format.MessageToString(message, as_one_line=True) or "an empty message"


def content_in_words(content: bytes) -> str:
    """The length of a file's content, and its last line."""
    last_line = content.decode(errors="replace").rstrip("\r\n").rpartition("\n")[2]
    return f'{len(content)} bytes, ending in "{last_line}"'


@describe.register
def _activated(reply: OnActivateResponse) -> str:
    return _failed(reply.error) if reply.HasField("error") else "active"


@describe.register
def _deactivated(reply: OnDeactivateResponse) -> str:
    return _failed(reply.error) if reply.HasField("error") else "inactive"


@describe.register
def _post(reply: MessageWillBePostedResponse) -> str:
    if reply.rejection_reason == DISMISS:
        return "dismissed without a word"
    if reply.rejection_reason:
        return _refused(reply.rejection_reason)
    return f'changed to "{reply.modified_post.message}"' if reply.HasField("modified_post") else "unchanged"


@describe.register
def _command(reply: ExecuteCommandResponse) -> str:
    if reply.HasField("error"):
        return _failed(reply.error)
    return f'{reply.response.response_type or "ephemeral"}: "{reply.response.text}"'


@describe.register
def _upload(reply: FileWillBeUploadedResponse) -> str:
    if reply.rejection_reason:
        return _refused(reply.rejection_reason)
    if reply.modified_content:
        return content_in_words(reply.modified_content)
    return "untouched" if not reply.HasField("modified_file_info") else "another file info"


@describe.register
def _login(reply: UserWillLogInResponse) -> str:
    return _refused(reply.rejection_reason) if reply.rejection_reason else "allowed"


def _refused(reason: str) -> str:
    return f'refused: "{reason}"'


def _failed(error: AppError) -> str:
    return f'error {error.status_code}: "{error.message}"'
