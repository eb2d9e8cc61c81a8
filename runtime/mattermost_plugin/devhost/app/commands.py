"""Slash commands: those of plugins, custom and built-in ones."""

from __future__ import annotations

from http import HTTPStatus
from typing import Final

from mattermost_plugin.devhost.app.channels import existing_channel
from mattermost_plugin.devhost.app.ephemeral import send_ephemeral
from mattermost_plugin.devhost.app.posts import create_post
from mattermost_plugin.devhost.app.users import existing_user
from mattermost_plugin.devhost.errors import ApiError, bad_request, not_found
from mattermost_plugin.devhost.hook_rounds import HookFailedError
from mattermost_plugin.devhost.plugins import InstalledPlugin
from mattermost_plugin.devhost.world import World
from mattermost_pluginapi.v1.command_pb2 import Command, CommandArgs, CommandResponse
from mattermost_pluginapi.v1.common_pb2 import AppError, PluginContext
from mattermost_pluginapi.v1.hooks_command_pb2 import ExecuteCommandRequest, ExecuteCommandResponse
from mattermost_pluginapi.v1.post_pb2 import Post

__all__ = ["BUILT_IN", "execute_command", "post_response", "register_command"]

EPHEMERAL: Final = "ephemeral"
IN_CHANNEL: Final = "in_channel"

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
    """Declare a command of a plugin; one with its trigger is replaced.

    Raises:
        ApiError: the trigger is none.
    """
    trigger = command.trigger.strip().lower()
    if not trigger or trigger.startswith("/") or " " in trigger:
        raise bad_request("plugin.api.register_command.invalid_trigger.app_error", f"trigger={command.trigger}")
    declared = Command()
    declared.CopyFrom(command)
    declared.trigger, declared.plugin_id = trigger, plugin.plugin_id
    plugin.commands[command.team_id, trigger] = declared


def _owner_of(world: World, team_id: str, trigger: str) -> InstalledPlugin | None:
    for place in (team_id, ""):
        for plugin in world.plugins.running():
            if (place, trigger) in plugin.commands:
                return plugin
    return None


async def execute_command(world: World, context: PluginContext, args: CommandArgs) -> CommandResponse:
    """Run what a user has entered, and post the answer.

    Raises:
        ApiError: there is no such command, user or channel, or the command failed.
    """
    trigger = args.command.split(maxsplit=1)[0].removeprefix("/").lower() if args.command.strip() else ""
    if not args.command.startswith("/") or not trigger:
        raise bad_request("api.command.execute_command.format.app_error", f"command={args.command}")
    existing_user(world, args.user_id)
    channel = existing_channel(world, args.channel_id)
    if channel.delete_at:
        raise bad_request("api.command.execute_command.deleted.error", f"channel_id={channel.id}")
    called = CommandArgs()
    called.CopyFrom(args)
    called.trigger_id = world.triggers.issue(args.user_id)
    called.team_id = args.team_id or channel.team_id
    owner = _owner_of(world, called.team_id, trigger)
    if owner is not None:
        response = await _ask(world, context, owner, called)
    else:
        response = _built_in(trigger, called)
    await post_response(world, context, called, response)
    return response


async def _ask(world: World, context: PluginContext, owner: InstalledPlugin, args: CommandArgs) -> CommandResponse:
    if "ExecuteCommand" not in owner.hooks:
        return CommandResponse()
    try:
        answer = await world.hooks.ask(owner, ExecuteCommandRequest(plugin_context=context, args=args))
    except HookFailedError as error:
        raise ApiError(
            "plugin.grpc.execute_command.error", HTTPStatus.INTERNAL_SERVER_ERROR, str(error), where="ExecuteCommand"
        ) from error
    if not isinstance(answer, ExecuteCommandResponse):
        return CommandResponse()
    if answer.HasField("error"):
        raise _error_of(answer.error)
    return answer.response


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
    raise not_found("api.command.execute_command.not_found.app_error", f"trigger={trigger}")


async def post_response(
    world: World, context: PluginContext, args: CommandArgs, response: CommandResponse
) -> Post | None:
    """Post a command's answer: to all, or to the user alone.

    Returns:
        The post; None if there is nothing to say.

    Raises:
        ApiError: a plugin refuses the post.
    """
    if not response.text and not response.message_attachments:
        return None
    post = Post(
        user_id=args.user_id,
        channel_id=response.channel_id or args.channel_id,
        root_id=args.root_id,
        message=response.text,
        type=response.type,
    )
    post.props.CopyFrom(response.props)
    if response.username:
        post.props["override_username"] = response.username
    if response.response_type == IN_CHANNEL:
        return await create_post(world, context, post)

    return send_ephemeral(world, args.user_id, post)
