"""Slash commands: those of plugins, custom and built-in ones."""

from __future__ import annotations

import json
from http import HTTPStatus
from typing import Final

from mattermost_plugin.devhost.app.autocompletion import check_suggestions, complete_suggestions
from mattermost_plugin.devhost.app.channels import existing_channel
from mattermost_plugin.devhost.app.config import load_config, section
from mattermost_plugin.devhost.app.ephemeral import send_ephemeral
from mattermost_plugin.devhost.app.json_texts import json_text
from mattermost_plugin.devhost.app.mentions import channels_mentioned, people_mentioned
from mattermost_plugin.devhost.app.posts import create_post
from mattermost_plugin.devhost.app.rules import is_system_type
from mattermost_plugin.devhost.app.users import existing_user
from mattermost_plugin.devhost.errors import ApiError, bad_request, forbidden, not_found
from mattermost_plugin.devhost.hook_rounds import HookFailedError
from mattermost_plugin.devhost.plugins import InstalledPlugin
from mattermost_plugin.devhost.world import World
from mattermost_pluginapi.v1.command_pb2 import Command, CommandArgs, CommandResponse
from mattermost_pluginapi.v1.common_pb2 import AppError, PluginContext
from mattermost_pluginapi.v1.hooks_command_pb2 import ExecuteCommandRequest, ExecuteCommandResponse
from mattermost_pluginapi.v1.post_pb2 import Post

__all__ = ["BUILT_IN", "execute_command", "execute_command_as_user", "register_command"]

EPHEMERAL: Final = "ephemeral"
IN_CHANNEL: Final = "in_channel"

LONGEST_SHOWN: Final = 100
"""How much of what a user has entered an error repeats."""

_DECLARED: Final = (
    "team_id",
    "auto_complete",
    "auto_complete_desc",
    "auto_complete_hint",
    "display_name",
    "autocomplete_icon_data",
)
"""What a server keeps of a plugin's command, beside its trigger and suggestions."""

BUILT_IN: Final = tuple(
    Command(trigger=trigger, auto_complete=True, auto_complete_hint=hint, auto_complete_desc=text)
    for trigger, hint, text in (
        ("echo", '"message"', "Echo back text from your account"),
        ("me", "[message]", "Do an action"),
        ("shrug", "[message]", "Adds a shrug to your message"),
    )
)
"""The few built-in commands that this host has."""


def register_command(plugin: InstalledPlugin, command: Command) -> None:
    """Declare a command of a plugin; its own one with that trigger and team is replaced.

    A server takes a trigger with a slash or a space too, and never finds it. This host says so at once.

    Raises:
        ApiError: the trigger is none, or what the command suggests breaks a rule.
    """
    trigger = command.trigger.lower()
    if not trigger or trigger.startswith("/") or len(trigger.split()) != 1 or trigger != trigger.strip():
        raise bad_request("plugin.api.register_command.invalid_trigger.app_error", f"trigger={command.trigger}")
    if command.HasField("autocomplete_data"):
        check_suggestions(command.autocomplete_data)
    declared = Command(trigger=trigger, plugin_id=plugin.plugin_id)
    for field in _DECLARED:
        setattr(declared, field, getattr(command, field))
    if command.HasField("autocomplete_data"):
        declared.autocomplete_data.CopyFrom(command.autocomplete_data)
    complete_suggestions(declared, plugin.plugin_id)
    plugin.commands[command.team_id, trigger] = declared


def _owner_of(world: World, team_id: str, trigger: str) -> InstalledPlugin | None:
    for plugin in world.plugins.running():
        if any((place, trigger) in plugin.commands for place in (team_id, "")):
            return plugin
    return None


async def execute_command(world: World, context: PluginContext, args: CommandArgs) -> CommandResponse:
    """Run what a user has entered, and post the answer. Custom commands are not run: they are other servers' work.

    Raises:
        ApiError: there is no such command or user, the command failed, or its answer cannot be posted.
    """
    trigger = args.command.split(maxsplit=1)[0].lower() if args.command.strip() else ""
    if not args.command.startswith("/"):
        raise bad_request("api.command.execute_command.format.app_error", f"command={args.command[:LONGEST_SHOWN]}")
    trigger = trigger.removeprefix("/")
    existing_user(world, args.user_id)
    called = _complete(world, args)
    owner = _owner_of(world, called.team_id, trigger)
    response = None if owner is None else await _ask(world, context, owner, called)
    if response is None:
        response = _built_in(trigger, called)
    response.trigger_id = called.trigger_id
    await _post_responses(world, context, called, response)
    return response


async def execute_command_as_user(world: World, context: PluginContext, args: CommandArgs) -> CommandResponse:
    """Run what a user has entered in a channel.

    Raises:
        ApiError: there is no such channel, it is archived, or as `execute_command`.
    """
    if existing_channel(world, args.channel_id).delete_at:
        raise bad_request("api.command.execute_command.deleted.error", f"channel_id={args.channel_id}")
    return await execute_command(world, context, args)


def _complete(world: World, args: CommandArgs) -> CommandArgs:
    """The arguments with what the server adds to them."""
    called = CommandArgs()
    called.CopyFrom(args)
    channel = world.store.channels.get(args.channel_id)
    called.team_id = args.team_id or (channel.team_id if channel is not None else "")
    called.trigger_id = world.triggers.issue(args.user_id)
    called.site_url = str(section(load_config(world), "ServiceSettings").get("SiteURL"))
    called.user_mentions.update(people_mentioned(world, args.command, called.team_id))
    mentioned = channels_mentioned(world, args.command, called.team_id)
    called.channel_mentions.update({each.name: each.id for each in mentioned})
    return called


async def _ask(
    world: World, context: PluginContext, owner: InstalledPlugin, args: CommandArgs
) -> CommandResponse | None:
    """A plugin's answer; None if it has none, and the command counts as unknown."""
    if "ExecuteCommand" not in owner.hooks:
        return None
    try:
        answer = await world.hooks.ask(owner, ExecuteCommandRequest(plugin_context=context, args=args))
    except HookFailedError as error:
        raise ApiError(
            "plugin.grpc.execute_command.error", HTTPStatus.INTERNAL_SERVER_ERROR, str(error), where="ExecuteCommand"
        ) from error
    if not isinstance(answer, ExecuteCommandResponse):
        return None
    if answer.HasField("error"):
        raise _error_of(answer.error)
    return answer.response if answer.HasField("response") else None


def _error_of(error: AppError) -> ApiError:
    status = error.status_code if 100 <= error.status_code <= 999 else HTTPStatus.INTERNAL_SERVER_ERROR
    return ApiError(error.id, status, error.detailed_error, message=error.message, where=error.where)


def _built_in(trigger: str, args: CommandArgs) -> CommandResponse:
    text = args.command.partition(" ")[2].strip()
    if trigger == "echo" and text:
        return CommandResponse(response_type=IN_CHANNEL, text=text)
    if trigger == "me":
        return CommandResponse(response_type=IN_CHANNEL, type="me", text=f"*{text}*")
    if trigger == "shrug":
        return CommandResponse(response_type=IN_CHANNEL, text=f"{text} ¯\\\\\\_(ツ)\\_/¯".strip())
    raise not_found("api.command.execute_command.not_found.app_error", f"trigger={trigger[:LONGEST_SHOWN]}")


async def _post_responses(world: World, context: PluginContext, args: CommandArgs, response: CommandResponse) -> None:
    """Post a command's answer and what else it says.

    Raises:
        ApiError: not all of it could be posted; the log says why.
    """
    failed = False
    for each in (response, *response.extra_responses):
        try:
            await _post_response(world, context, args, each)
        except ApiError as error:
            failed = True
            world.log("debug", f"an answer of a command cannot be posted: {error}")
    if failed:
        error_id = "api.command.execute_command.create_post_failed.app_error"
        raise ApiError(error_id, HTTPStatus.INTERNAL_SERVER_ERROR, where="command")


async def _post_response(world: World, context: PluginContext, args: CommandArgs, response: CommandResponse) -> None:
    """Post an answer to all, or show it to the user alone."""
    channel_id = response.channel_id or args.channel_id
    if response.channel_id and world.store.channel_members.get(channel_id, args.user_id) is None:
        raise forbidden("api.command.command_post.forbidden.app_error", f"channel_id={channel_id}")
    if is_system_type(response.type):
        raise bad_request("api.context.invalid_param.app_error", "post.type")
    post = Post(
        user_id=args.user_id,
        channel_id=channel_id,
        root_id=args.root_id,
        message=response.text,
        type=response.type,
        create_at=world.now_ms(),
    )
    post.props.CopyFrom(response.props)
    _set_appearance(world, post, response)
    if response.message_attachments:
        post.type = "slack_attachment"
        post.props["attachments"] = [json.loads(json_text(each)) for each in response.message_attachments]
    if response.response_type == IN_CHANNEL:
        await create_post(world, context, post)
    elif response.response_type in ("", EPHEMERAL) and (response.text or response.message_attachments):
        send_ephemeral(world, args.user_id, post)


def _set_appearance(world: World, post: Post, response: CommandResponse) -> None:
    """Let an answer look like somebody else's, as far as the configuration allows it."""
    settings = section(load_config(world), "ServiceSettings")
    for allowed, prop, value in (
        ("EnablePostUsernameOverride", "override_username", response.username),
        ("EnablePostIconOverride", "override_icon_url", response.icon_url),
    ):
        if settings.get(allowed) and value:
            post.props[prop] = value
            post.props["from_webhook"] = "true"
