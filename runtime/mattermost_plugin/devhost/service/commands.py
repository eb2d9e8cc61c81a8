"""Methods about slash commands."""

from typing import Final

from mattermost_plugin.devhost.app.commands import BUILT_IN, execute_command, register_command
from mattermost_plugin.devhost.app.rules import check_command
from mattermost_plugin.devhost.app.teams import existing_team
from mattermost_plugin.devhost.errors import bad_request, not_found
from mattermost_plugin.devhost.ids import new_id
from mattermost_plugin.devhost.service.registry import Call, Methods
from mattermost_plugin.devhost.store import DuplicateError
from mattermost_pluginapi.v1 import api_command_pb2 as pb
from mattermost_pluginapi.v1.command_pb2 import Command

METHODS: Final = Methods()


@METHODS.rpc
def _register_command(call: Call, request: pb.RegisterCommandRequest) -> pb.RegisterCommandResponse:
    register_command(call.plugin, request.command)
    return pb.RegisterCommandResponse()


@METHODS.rpc
def _unregister_command(call: Call, request: pb.UnregisterCommandRequest) -> pb.UnregisterCommandResponse:
    call.plugin.commands.pop((request.team_id, request.trigger.lower()), None)
    return pb.UnregisterCommandResponse()


@METHODS.rpc
async def _execute_slash_command(call: Call, request: pb.ExecuteSlashCommandRequest) -> pb.ExecuteSlashCommandResponse:
    response = await execute_command(call.world, call.context(), request.command_args)
    return pb.ExecuteSlashCommandResponse(response=response)


def _save(call: Call, command: Command) -> Command:
    command.trigger = command.trigger.lower()
    command.update_at = call.now_ms
    existing_team(call.world, command.team_id)
    check_command(command)
    try:
        return call.world.store.commands.put(command)
    except DuplicateError as error:
        raise bad_request("api.command.duplicate_trigger.app_error", f"trigger={command.trigger}") from error


def _live(call: Call, command_id: str) -> Command:
    command = call.world.store.commands.live(command_id)
    if command is None:
        raise not_found("store.sql_command.get.missing.app_error", f"command_id={command_id}")
    return command


@METHODS.rpc
def _create_command(call: Call, request: pb.CreateCommandRequest) -> pb.CreateCommandResponse:
    command = Command()
    command.CopyFrom(request.cmd)
    if any(built_in.trigger == command.trigger.lower() for built_in in BUILT_IN):
        raise bad_request("api.command.duplicate_trigger.app_error", f"trigger={command.trigger}")
    command.id, command.token, command.creator_id = new_id(), new_id(), ""
    command.plugin_id, command.create_at, command.delete_at = call.plugin_id, call.now_ms, 0
    return pb.CreateCommandResponse(command=_save(call, command))


@METHODS.rpc
def _get_command(call: Call, request: pb.GetCommandRequest) -> pb.GetCommandResponse:
    return pb.GetCommandResponse(command=_live(call, request.command_id))


def _of_plugins(call: Call, team_id: str) -> list[Command]:
    return [
        command
        for plugin in call.world.plugins
        for (place, _), command in plugin.commands.items()
        if place in ("", team_id)
    ]


@METHODS.rpc
def _list_commands(call: Call, request: pb.ListCommandsRequest) -> pb.ListCommandsResponse:
    custom = call.world.store.commands.of_team(request.team_id)
    return pb.ListCommandsResponse(commands=[*_of_plugins(call, request.team_id), *custom, *BUILT_IN])


@METHODS.rpc
def _list_custom_commands(call: Call, request: pb.ListCustomCommandsRequest) -> pb.ListCustomCommandsResponse:
    return pb.ListCustomCommandsResponse(commands=call.world.store.commands.of_team(request.team_id))


@METHODS.rpc
def _list_plugin_commands(call: Call, request: pb.ListPluginCommandsRequest) -> pb.ListPluginCommandsResponse:
    return pb.ListPluginCommandsResponse(commands=_of_plugins(call, request.team_id))


@METHODS.rpc
def _list_built_in_commands(call: Call, request: pb.ListBuiltInCommandsRequest) -> pb.ListBuiltInCommandsResponse:
    return pb.ListBuiltInCommandsResponse(commands=BUILT_IN)


@METHODS.rpc
def _update_command(call: Call, request: pb.UpdateCommandRequest) -> pb.UpdateCommandResponse:
    old = _live(call, request.command_id)
    command = Command()
    command.CopyFrom(request.updated_cmd)
    for field in ("id", "token", "create_at", "delete_at", "plugin_id", "creator_id"):
        setattr(command, field, getattr(old, field))
    command.team_id = command.team_id or old.team_id
    return pb.UpdateCommandResponse(command=_save(call, command))


@METHODS.rpc
def _delete_command(call: Call, request: pb.DeleteCommandRequest) -> pb.DeleteCommandResponse:
    command = _live(call, request.command_id)
    command.delete_at = command.update_at = call.now_ms
    call.world.store.commands.put(command)
    return pb.DeleteCommandResponse()
