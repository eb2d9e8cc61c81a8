"""What the demo sends to the greeter's hooks, and the replies that must come back, field by field."""

from dataclasses import dataclass
from typing import Final

from google.protobuf.message import Message

from demo.words import DISMISS
from mattermost_pluginapi.models import AppError, CommandArgs, CommandResponse, FileInfo, PluginContext, Post, User
from mattermost_pluginapi.v1.hooks_command_pb2 import ExecuteCommandRequest, ExecuteCommandResponse
from mattermost_pluginapi.v1.hooks_file_pb2 import FileWillBeUploadedRequest, FileWillBeUploadedResponse
from mattermost_pluginapi.v1.hooks_lifecycle_pb2 import (
    OnActivateRequest,
    OnActivateResponse,
    OnDeactivateRequest,
    OnDeactivateResponse,
)
from mattermost_pluginapi.v1.hooks_message_pb2 import MessageWillBePostedRequest, MessageWillBePostedResponse
from mattermost_pluginapi.v1.hooks_user_pb2 import UserWillLogInRequest, UserWillLogInResponse

HOOKS: Final = [
    "ExecuteCommand",
    "FileWillBeUploaded",
    "MessageWillBePosted",
    "OnActivate",
    "OnDeactivate",
    "ServeHTTP",
    "UserWillLogIn",
]
"""The hooks that the greeter has."""

USER_ID: Final = "ada3kj9w5bnp8xq1zr7tyd4moh"
CONTEXT: Final = PluginContext(session_id="session1", request_id="request1", user_agent="demo")


@dataclass(frozen=True, slots=True)
class HookCall:
    """One call of a hook."""

    sent: str
    """What is sent, in short."""

    request: Message
    """What is sent."""

    expected: Message
    """What must come back."""


ACTIVATE: Final = HookCall("", OnActivateRequest(), OnActivateResponse())
DEACTIVATE: Final = HookCall("", OnDeactivateRequest(), OnDeactivateResponse())


def _post(message: str) -> Post:
    return Post(id="post1", user_id=USER_ID, channel_id="channel1", message=message, create_at=1_700_000_000_000)


def _posted(message: str, expected: MessageWillBePostedResponse) -> HookCall:
    request = MessageWillBePostedRequest(plugin_context=CONTEXT, post=_post(message))
    return HookCall(f'"{message}"', request, expected)


def _command(command: str, expected: ExecuteCommandResponse) -> HookCall:
    args = CommandArgs(user_id=USER_ID, channel_id="channel1", command=command)
    return HookCall(command, ExecuteCommandRequest(plugin_context=CONTEXT, args=args), expected)


def _upload(name: str, content: bytes, expected: FileWillBeUploadedResponse) -> HookCall:
    info = FileInfo(name=name, extension=name.rpartition(".")[2], size=len(content))
    request = FileWillBeUploadedRequest(plugin_context=CONTEXT, file_info=info, file_content=content)
    return HookCall(f"{name}, {len(content)} bytes", request, expected)


def _login(username: str, expected: UserWillLogInResponse) -> HookCall:
    request = UserWillLogInRequest(plugin_context=CONTEXT, user=User(id=USER_ID, username=username))
    return HookCall(username, request, expected)


_NO_NAME: Final = "Whom shall I greet? Try /greet Ada"

HOOK_CALLS: Final = (
    _posted("Lunch at noon?", MessageWillBePostedResponse()),
    _posted("Hello, everybody", MessageWillBePostedResponse(modified_post=_post("Hello, everybody :wave:"))),
    _posted("WHO ATE MY LUNCH", MessageWillBePostedResponse(rejection_reason="Please do not shout.")),
    _posted("/shrug whatever", MessageWillBePostedResponse(rejection_reason=DISMISS)),
    _command(
        "/greet Ada",
        ExecuteCommandResponse(response=CommandResponse(response_type="in_channel", text="Hello, Ada!")),
    ),
    _command(
        "/greet",
        ExecuteCommandResponse(
            error=AppError(
                id="com.example.greeter.no_name",
                message=_NO_NAME,
                detailed_error=_NO_NAME,
                where="Greeter.execute_command",
                status_code=400,
            )
        ),
    ),
    _upload(
        "notes.txt",
        b"Buy milk.",
        FileWillBeUploadedResponse(modified_content=b"Buy milk.\n-- signed by the greeter\n"),
    ),
    _upload("game.exe", b"MZ\x90\x00", FileWillBeUploadedResponse(rejection_reason="Programs are not welcome here.")),
    _upload("cat.png", b"\x89PNG\r\n", FileWillBeUploadedResponse()),
    _login("ada", UserWillLogInResponse()),
    _login("mallory", UserWillLogInResponse(rejection_reason="This account is closed.")),
)
"""The calls between OnActivate and OnDeactivate, in order."""
