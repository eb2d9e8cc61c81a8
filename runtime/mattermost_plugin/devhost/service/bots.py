"""Methods about bots and permissions."""

from typing import Final

from mattermost_plugin.devhost.app.bots import (
    create_bot,
    delete_bot,
    ensure_bot,
    existing_bot,
    patch_bot,
)
from mattermost_plugin.devhost.app.permissions import (
    has_permission,
    has_permission_to_channel,
    has_permission_to_team,
    roles_grant,
)
from mattermost_plugin.devhost.app.users import set_bot_active
from mattermost_plugin.devhost.errors import bad_request
from mattermost_plugin.devhost.service.registry import Call, Methods
from mattermost_plugin.devhost.store import Page
from mattermost_pluginapi.v1 import api_bot_pb2 as pb
from mattermost_pluginapi.v1 import api_permission_pb2 as permissions
from mattermost_pluginapi.v1.bot_pb2 import Bot

METHODS: Final = Methods()


@METHODS.rpc
def _create_bot(call: Call, request: pb.CreateBotRequest) -> pb.CreateBotResponse:
    bot = Bot()
    bot.CopyFrom(request.bot)
    bot.owner_id = bot.owner_id or call.plugin_id
    return pb.CreateBotResponse(bot=create_bot(call.world, bot))


@METHODS.rpc
def _ensure_bot_user(call: Call, request: pb.EnsureBotUserRequest) -> pb.EnsureBotUserResponse:
    if not request.bot.username:
        raise bad_request("plugin.api.bot.ensure.missing_username", "the bot needs a username")
    user_id = ensure_bot(call.world, request.bot, call.plugin_id)
    return pb.EnsureBotUserResponse(bot_user_id=user_id)


@METHODS.rpc
def _get_bot(call: Call, request: pb.GetBotRequest) -> pb.GetBotResponse:
    bot = existing_bot(call.world, request.bot_user_id, include_deleted=request.include_deleted)
    return pb.GetBotResponse(bot=bot)


@METHODS.rpc
def _get_bots(call: Call, request: pb.GetBotsRequest) -> pb.GetBotsResponse:
    options = request.options
    bots = call.world.store.bots.search(
        options.owner_id,
        include_deleted=options.include_deleted,
        only_orphaned=options.only_orphaned,
        page=Page(options.page, options.per_page),
    )
    return pb.GetBotsResponse(bots=bots)


@METHODS.rpc
def _patch_bot(call: Call, request: pb.PatchBotRequest) -> pb.PatchBotResponse:
    return pb.PatchBotResponse(bot=patch_bot(call.world, request.bot_user_id, request.bot_patch))


@METHODS.rpc
def _update_bot_active(call: Call, request: pb.UpdateBotActiveRequest) -> pb.UpdateBotActiveResponse:
    bot = set_bot_active(call.world, call.context(), request.bot_user_id, active=request.active)
    return pb.UpdateBotActiveResponse(bot=bot)


@METHODS.rpc
def _permanent_delete_bot(call: Call, request: pb.PermanentDeleteBotRequest) -> pb.PermanentDeleteBotResponse:
    existing_bot(call.world, request.bot_user_id)
    delete_bot(call.world, request.bot_user_id)
    return pb.PermanentDeleteBotResponse()


@METHODS.rpc
def _has_permission_to(call: Call, request: permissions.HasPermissionToRequest) -> permissions.HasPermissionToResponse:
    has = has_permission(call.world, request.user_id, request.permission_id)
    return permissions.HasPermissionToResponse(has_permission=has)


@METHODS.rpc
def _has_permission_to_team(
    call: Call, request: permissions.HasPermissionToTeamRequest
) -> permissions.HasPermissionToTeamResponse:
    has = has_permission_to_team(call.world, request.user_id, request.team_id, request.permission_id)
    return permissions.HasPermissionToTeamResponse(has_permission=has)


@METHODS.rpc
def _has_permission_to_channel(
    call: Call, request: permissions.HasPermissionToChannelRequest
) -> permissions.HasPermissionToChannelResponse:
    has = has_permission_to_channel(call.world, request.user_id, request.channel_id, request.permission_id)
    return permissions.HasPermissionToChannelResponse(has_permission=has)


@METHODS.rpc
def _roles_grant_permission(
    call: Call, request: permissions.RolesGrantPermissionRequest
) -> permissions.RolesGrantPermissionResponse:
    has = roles_grant(request.role_names, request.permission_id)
    return permissions.RolesGrantPermissionResponse(has_permission=has)
