"""What people do, the replies that the greeter must give, field by field, and what everybody must see of it."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from typing import Final

from google.protobuf.message import Message

from demo.onlooker import Sight
from demo.stage import Stage
from demo.words import DISMISS, content_in_words
from mattermost_pluginapi.hooks.names import HookName
from mattermost_pluginapi.models import AppError, CommandResponse
from mattermost_pluginapi.v1.hooks_command_pb2 import ExecuteCommandResponse
from mattermost_pluginapi.v1.hooks_file_pb2 import FileWillBeUploadedResponse
from mattermost_pluginapi.v1.hooks_message_pb2 import MessageWillBePostedRequest, MessageWillBePostedResponse
from mattermost_pluginapi.v1.hooks_user_pb2 import UserWillLogInResponse

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

NOTHING: Final = Sight("nobody sees", "anything")

PostReply = Callable[[MessageWillBePostedRequest], MessageWillBePostedResponse]


@dataclass(frozen=True, slots=True)
class Deed:
    """Something that somebody does, and what must come of it."""

    hook: HookName
    """The hook that it causes."""

    sent: str
    """What is sent, in short."""

    act: Callable[[Stage], Awaitable[Sight | None]]
    """Does it. Returns what only the doer's next step shows, None if clients are told all there is to see."""

    reply: Message | PostReply
    """What the plugin must answer, or what makes that of the request, which has ids that nobody knows before."""

    sight: Sight
    """What must be seen."""

    who: str = "ada"
    """Who does it, and is told if it fails."""

    def expected(self, request: Message) -> Message:
        """What must be answered to a request."""
        if isinstance(self.reply, Message):
            return self.reply
        if not isinstance(request, MessageWillBePostedRequest):
            raise TypeError(f"{type(request).__name__} is no request of {self.hook}")
        return self.reply(request)


def _changed_to(message: str) -> PostReply:
    def reply(request: MessageWillBePostedRequest) -> MessageWillBePostedResponse:
        response = MessageWillBePostedResponse(modified_post=request.post)
        response.modified_post.message = message
        return response

    return reply


def _post(message: str, reply: MessageWillBePostedResponse | PostReply, sight: Sight) -> Deed:
    async def act(stage: Stage) -> None:
        await stage.host.act.post(stage.ada.id, stage.lounge.id, message)

    return Deed(HookName.MessageWillBePosted, f'"{message}"', act, reply, sight)


def _command(command: str, reply: ExecuteCommandResponse, sight: Sight) -> Deed:
    async def act(stage: Stage) -> None:
        await stage.host.act.run_command(stage.ada.id, stage.lounge.id, command)

    return Deed(HookName.ExecuteCommand, command, act, reply, sight)


def _upload(name: str, content: bytes, reply: FileWillBeUploadedResponse, sight: Sight) -> Deed:
    async def act(stage: Stage) -> Sight:
        info = await stage.host.act.upload(stage.ada.id, stage.lounge.id, name, content)
        return Sight("bob downloads", content_in_words(await stage.host.act.download(stage.bob.id, info.id)))

    return Deed(HookName.FileWillBeUploaded, f"{name}, {len(content)} bytes", act, reply, sight)


def _login(who: str, reply: UserWillLogInResponse, sight: Sight) -> Deed:
    async def act(stage: Stage) -> Sight:
        user = {"ada": stage.ada, "mallory": stage.mallory}[who]
        session = await stage.host.act.log_in(user.id)
        return Sight(f"{stage.names[session.user_id]} gets", "a session")

    return Deed(HookName.UserWillLogIn, who, act, reply, sight, who)


_NO_NAME: Final = "Whom shall I greet? Try /greet Ada"
_HELP: Final = "`/greet NAME` greets NAME."
_SIGNED: Final = b"Buy milk.\n-- signed by the greeter\n"
_PICTURE: Final = b"\x89PNG\r\n"

DEEDS: Final = (
    _post("Lunch at noon?", MessageWillBePostedResponse(), Sight("all read", 'ada: "Lunch at noon?"')),
    _post(
        "Hello, everybody",
        _changed_to("Hello, everybody :wave:"),
        Sight("all read", 'ada: "Hello, everybody :wave:"'),
    ),
    _post(
        "WHO ATE MY LUNCH",
        MessageWillBePostedResponse(rejection_reason="Please do not shout."),
        Sight("ada is told", '"Post rejected by plugin. Please do not shout."'),
    ),
    _post("/shrug whatever", MessageWillBePostedResponse(rejection_reason=DISMISS), NOTHING),
    _command(
        "/greet Ada",
        ExecuteCommandResponse(response=CommandResponse(response_type="in_channel", text="Hello, Ada!")),
        # The answer is a post like any other, so the greeter waves at it.
        Sight("all read", 'ada: "Hello, Ada! :wave:"'),
    ),
    _command(
        "/greet help",
        ExecuteCommandResponse(response=CommandResponse(response_type="ephemeral", text=_HELP)),
        Sight("ada alone reads", f'"{_HELP}"'),
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
        Sight("ada is told", f'"{_NO_NAME}"'),
    ),
    _upload(
        "notes.txt",
        b"Buy milk.",
        FileWillBeUploadedResponse(modified_content=_SIGNED),
        Sight("bob downloads", content_in_words(_SIGNED)),
    ),
    _upload(
        "game.exe",
        b"MZ\x90\x00",
        FileWillBeUploadedResponse(rejection_reason="Programs are not welcome here."),
        Sight("ada is told", '"File rejected by plugin. Programs are not welcome here."'),
    ),
    _upload("cat.png", _PICTURE, FileWillBeUploadedResponse(), Sight("bob downloads", content_in_words(_PICTURE))),
    _login("ada", UserWillLogInResponse(), Sight("ada gets", "a session")),
    _login(
        "mallory",
        UserWillLogInResponse(rejection_reason="This account is closed."),
        Sight("mallory is told", '"Login rejected by plugin: This account is closed."'),
    ),
)
"""What is done between the plugin's start and its end, in order."""

STORED: Final = ["Lunch at noon?", "Hello, everybody :wave:", "Hello, Ada! :wave:"]
"""The posts that must be in the channel in the end."""
