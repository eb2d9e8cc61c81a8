"""What names, texts and roles may be."""

import re
from typing import Final
from urllib.parse import urlsplit

from mattermost_plugin.devhost.app.json_texts import json_object
from mattermost_plugin.devhost.errors import bad_request
from mattermost_plugin.devhost.ids import is_id
from mattermost_pluginapi.v1.bot_pb2 import Bot
from mattermost_pluginapi.v1.channel_pb2 import Channel, ChannelType
from mattermost_pluginapi.v1.command_pb2 import Command
from mattermost_pluginapi.v1.post_pb2 import Post
from mattermost_pluginapi.v1.preference_pb2 import Preference
from mattermost_pluginapi.v1.shared_channel_pb2 import SharedChannel
from mattermost_pluginapi.v1.team_pb2 import Team, TeamType
from mattermost_pluginapi.v1.user_pb2 import User

__all__ = [
    "check_bot",
    "check_channel",
    "check_command",
    "check_post",
    "check_preference",
    "check_shared_channel",
    "check_team",
    "check_user",
    "is_system_type",
    "is_web_address",
]

LONGEST_USERNAME: Final = 64
LONGEST_EMAIL: Final = 128
LONGEST_NAME: Final = 64
"""Of a nickname, of a first or last name, and of teams and channels."""
LONGEST_POSITION: Final = 128
LONGEST_MESSAGE: Final = 16_383
LONGEST_PROPS: Final = 800_000
LONGEST_HEADER: Final = 1024
LONGEST_PURPOSE: Final = 250
LONGEST_TRIGGER: Final = 128
LONGEST_BOT_DESCRIPTION: Final = 1024
LONGEST_PLUGIN_ID: Final = 190
LONGEST_PREFERENCE_NAME: Final = 32
"""In bytes, and of its category too."""
LONGEST_PREFERENCE: Final = 20_000
MOST_FILES: Final = 10
"""How many files a post may have."""

_SYSTEM_TYPES: Final = (
    "add_guest_to_chan add_remove add_to_channel add_to_team auto_responder change_chan_privacy channel_deleted"
    " channel_restored convert_channel displayname_change generic gm_to_channel guest_join_channel header_change"
    " join_channel join_leave join_team leave_channel leave_team move_channel purpose_change remove_from_channel"
    " remove_from_team wrangler"
)
_POST_TYPES: Final = frozenset(("", "add_bot_teams_channels", "me", "reminder", "slack_attachment")) | frozenset(
    f"system_{kind}" for kind in _SYSTEM_TYPES.split()
)
"""Types of posts beside those of plugins, which begin with "custom_"."""

_USERNAME: Final = re.compile(r"[a-z0-9._-]+")
_REMOTE_USERNAME: Final = re.compile(r"[a-z0-9._:-]+")
_EMAIL: Final = re.compile(r"[^@\s]+@[^@\s]+")
_TEAM_NAME: Final = re.compile(r"[a-z0-9](?:[a-z0-9-]*|__)[a-z0-9]")
_CHANNEL_NAME: Final = re.compile(r"[a-z0-9][a-z0-9_-]*")
_NAME_OF_TALK: Final = re.compile(r"[a-z0-9]{26}__[a-z0-9]{26}|[a-f0-9]{40}")
_RESERVED_USERNAMES: Final = frozenset({"all", "channel", "matterbot", "system"})
_RESERVED_TEAMS: Final = (
    "admin",
    "api",
    "boards",
    "channel",
    "claim",
    "error",
    "files",
    "help",
    "landing",
    "login",
    "mfa",
    "oauth",
    "playbooks",
    "plug",
    "plugins",
    "post",
    "signup",
)


def check_user(user: User) -> None:
    """Check a user.

    Raises:
        ApiError: a value breaks a rule.
    """
    name, shape = user.username, _REMOTE_USERNAME if user.remote_id else _USERNAME
    if not shape.fullmatch(name) or len(name) > LONGEST_USERNAME or name in _RESERVED_USERNAMES:
        raise bad_request("model.user.is_valid.username.app_error", f"username={name}")
    # The address of a user of a remote is made up.
    if len(user.email) > LONGEST_EMAIL or not (user.remote_id or _EMAIL.fullmatch(user.email)):
        raise bad_request("model.user.is_valid.email.app_error", f"email={user.email}")
    for field in ("nickname", "first_name", "last_name"):
        if len(getattr(user, field)) > LONGEST_NAME:
            raise bad_request(f"model.user.is_valid.{field}.app_error")
    if len(user.position) > LONGEST_POSITION:
        raise bad_request("model.user.is_valid.position.app_error")


def check_bot(bot: Bot) -> None:
    """Check a bot.

    Raises:
        ApiError: a value breaks a rule.
    """
    name = bot.username
    if not _USERNAME.fullmatch(name) or len(name) > LONGEST_USERNAME or name in _RESERVED_USERNAMES:
        raise bad_request("model.bot.is_valid.username.app_error", f"username={name}")
    if len(bot.display_name) > LONGEST_NAME:
        # The id is the server's.
        raise bad_request("model.bot.is_valid.user_id.app_error", "display_name is too long")
    if len(bot.description) > LONGEST_BOT_DESCRIPTION:
        raise bad_request("model.bot.is_valid.description.app_error")
    if not bot.owner_id or len(bot.owner_id) > LONGEST_PLUGIN_ID:
        raise bad_request("model.bot.is_valid.creator_id.app_error", f"owner_id={bot.owner_id}")


def check_team(team: Team) -> None:
    """Check a team.

    Raises:
        ApiError: a value breaks a rule.
    """
    if not team.display_name or len(team.display_name) > LONGEST_NAME:
        raise bad_request("model.team.is_valid.name.app_error", f"id={team.id}")
    if any(team.name.startswith(word) for word in _RESERVED_TEAMS):
        raise bad_request("model.team.is_valid.reserved.app_error", f"name={team.name}")
    if len(team.name) > LONGEST_NAME or not _TEAM_NAME.fullmatch(team.name):
        raise bad_request("model.team.is_valid.characters.app_error", f"name={team.name}")
    if team.type not in (TeamType.TEAM_TYPE_OPEN, TeamType.TEAM_TYPE_INVITE):
        raise bad_request("model.team.is_valid.type.app_error", f"id={team.id}")


def check_channel(channel: Channel) -> None:
    """Check a channel.

    Raises:
        ApiError: a value breaks a rule.
    """
    if len(channel.display_name) > LONGEST_NAME:
        raise bad_request("model.channel.is_valid.display_name.app_error", f"id={channel.id}")
    if channel.type == ChannelType.CHANNEL_TYPE_UNSPECIFIED:
        raise bad_request("model.channel.is_valid.type.app_error", f"id={channel.id}")
    if channel.type in (ChannelType.CHANNEL_TYPE_OPEN, ChannelType.CHANNEL_TYPE_PRIVATE) and (
        len(channel.name) > LONGEST_NAME or not _CHANNEL_NAME.fullmatch(channel.name)
    ):
        raise bad_request("model.channel.is_valid.1_or_more.app_error", f"name={channel.name}")
    if channel.team_id and _NAME_OF_TALK.fullmatch(channel.name):
        raise bad_request("model.channel.is_valid.name.app_error", f"name={channel.name}")
    if len(channel.header) > LONGEST_HEADER:
        raise bad_request("model.channel.is_valid.header.app_error", f"id={channel.id}")
    if len(channel.purpose) > LONGEST_PURPOSE:
        raise bad_request("model.channel.is_valid.purpose.app_error", f"id={channel.id}")


def check_shared_channel(shared: SharedChannel) -> None:
    """Check how a channel presents itself to remotes.

    Raises:
        ApiError: a value breaks a rule.
    """
    if len(shared.share_display_name) > LONGEST_NAME:
        raise bad_request("model.channel.is_valid.display_name.app_error", f"id={shared.channel_id}")
    if len(shared.share_name) > LONGEST_NAME or not _CHANNEL_NAME.fullmatch(shared.share_name):
        raise bad_request("model.channel.is_valid.1_or_more.app_error", f"id={shared.channel_id}")
    if len(shared.share_header) > LONGEST_HEADER:
        raise bad_request("model.channel.is_valid.header.app_error", f"id={shared.channel_id}")
    if len(shared.share_purpose) > LONGEST_PURPOSE:
        raise bad_request("model.channel.is_valid.purpose.app_error", f"id={shared.channel_id}")
    if not is_id(shared.creator_id):
        raise bad_request("model.channel.is_valid.creator_id.app_error", f"creator_id={shared.creator_id}")
    if not shared.home and not is_id(shared.remote_id):
        raise bad_request("model.channel.is_valid.id.app_error", "home is not true, and remote_id is no id")


def is_web_address(text: str) -> bool:
    """Whether a text is an address of the web."""
    if not text.startswith(("http://", "https://")) or " " in text:
        return False
    try:
        return bool(urlsplit(text).netloc)
    except ValueError:
        return False


def is_system_type(post_type: str) -> bool:
    """Whether posts of a type are the system's own."""
    return post_type.startswith("system_")


def check_post(post: Post) -> None:
    """Check a post.

    Raises:
        ApiError: a value breaks a rule.
    """
    if post.type not in _POST_TYPES and not post.type.startswith("custom_"):
        raise bad_request("model.post.is_valid.type.app_error", f"type={post.type}")
    if len(post.message) > LONGEST_MESSAGE:
        raise bad_request("model.post.is_valid.message_length.app_error", f"id={post.id}, length={len(post.message)}")
    if post.props.ByteSize() > LONGEST_PROPS:
        raise bad_request("model.post.is_valid.props.app_error", f"id={post.id}")
    if len(post.file_ids) > MOST_FILES:
        raise bad_request("model.post.is_valid.file_ids.app_error", f"id={post.id}")


def check_preference(preference: Preference) -> None:
    """Check a preference.

    Raises:
        ApiError: a value breaks a rule.
    """
    category, name, value = preference.category, preference.name, preference.value
    if not category or len(category.encode()) > LONGEST_PREFERENCE_NAME:
        raise bad_request("model.preference.is_valid.category.app_error", f"category={category}")
    if len(name.encode()) > LONGEST_PREFERENCE_NAME:
        raise bad_request("model.preference.is_valid.name.app_error", f"name={name}")
    if len(value) > LONGEST_PREFERENCE:
        raise bad_request("model.preference.is_valid.value.app_error", f"{len(value)} characters")
    if category == "theme":
        try:
            json_object(value)
        except ValueError as error:
            raise bad_request("model.preference.is_valid.theme.app_error", f"value={value}") from error


def check_command(command: Command) -> None:
    """Check a custom slash command.

    Raises:
        ApiError: a value breaks a rule.
    """
    trigger = command.trigger
    if not trigger or len(trigger) > LONGEST_TRIGGER or trigger.startswith("/") or " " in trigger:
        raise bad_request("model.command.is_valid.trigger.app_error", f"trigger={trigger}")
    if not is_web_address(command.url):
        raise bad_request("model.command.is_valid.url_http.app_error", f"url={command.url}")
    if command.method not in ("G", "P"):
        raise bad_request("model.command.is_valid.method.app_error", f"method={command.method}")
