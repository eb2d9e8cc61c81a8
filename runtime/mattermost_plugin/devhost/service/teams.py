"""Methods about teams and who is in them."""

from typing import Final

from mattermost_plugin.devhost.app.json_texts import json_text
from mattermost_plugin.devhost.app.member_roles import give_roles
from mattermost_plugin.devhost.app.pictures import is_picture
from mattermost_plugin.devhost.app.teams import (
    add_team_member,
    create_team,
    delete_team,
    existing_team,
    remove_team_member,
    update_team,
)
from mattermost_plugin.devhost.errors import ApiError, bad_request, not_found
from mattermost_plugin.devhost.service.registry import Call, Methods
from mattermost_plugin.devhost.store import Page
from mattermost_pluginapi.v1 import api_team_member_pb2 as members
from mattermost_pluginapi.v1 import api_team_pb2 as pb
from mattermost_pluginapi.v1.team_pb2 import TeamMember, TeamMemberWithError, TeamStats, TeamUnread
from mattermost_pluginapi.v1.websocket_pb2 import WebsocketBroadcast

METHODS: Final = Methods()


@METHODS.rpc
def _create_team(call: Call, request: pb.CreateTeamRequest) -> pb.CreateTeamResponse:
    return pb.CreateTeamResponse(team=create_team(call.world, request.team))


@METHODS.rpc
def _delete_team(call: Call, request: pb.DeleteTeamRequest) -> pb.DeleteTeamResponse:
    delete_team(call.world, request.team_id)
    return pb.DeleteTeamResponse()


@METHODS.rpc
def _get_team(call: Call, request: pb.GetTeamRequest) -> pb.GetTeamResponse:
    return pb.GetTeamResponse(team=existing_team(call.world, request.team_id))


@METHODS.rpc
def _get_team_by_name(call: Call, request: pb.GetTeamByNameRequest) -> pb.GetTeamByNameResponse:
    team = call.world.store.teams.by_name(request.name)
    if team is None:
        raise not_found("app.team.get_by_name.missing.app_error", f"name={request.name}")
    return pb.GetTeamByNameResponse(team=team)


@METHODS.rpc
def _get_teams(call: Call, request: pb.GetTeamsRequest) -> pb.GetTeamsResponse:
    return pb.GetTeamsResponse(teams=call.world.store.teams.select(order="display_name"))


@METHODS.rpc
def _get_teams_for_user(call: Call, request: pb.GetTeamsForUserRequest) -> pb.GetTeamsForUserResponse:
    return pb.GetTeamsForUserResponse(teams=call.world.store.teams.of_user(request.user_id))


@METHODS.rpc
def _get_teams_unread_for_user(
    call: Call, request: pb.GetTeamsUnreadForUserRequest
) -> pb.GetTeamsUnreadForUserResponse:
    store = call.world.store
    teams = store.teams.of_user(request.user_id)
    unreads = {team.id: TeamUnread(team_id=team.id) for team in teams}
    members = {member.channel_id: member for member in store.channel_members.of_user(request.user_id)}
    for channel in store.channels.of_user(request.user_id):
        unread, member = unreads.get(channel.team_id), members[channel.id]
        if unread is None:
            continue
        unread.mention_count += member.mention_count
        unread.mention_count_root += member.mention_count_root
        if member.notify_props.get("mark_unread") != "mention":
            unread.msg_count += channel.total_msg_count - member.msg_count
            unread.msg_count_root += channel.total_msg_count_root - member.msg_count_root
    return pb.GetTeamsUnreadForUserResponse(team_unreads=list(unreads.values()))


@METHODS.rpc
def _search_teams(call: Call, request: pb.SearchTeamsRequest) -> pb.SearchTeamsResponse:
    return pb.SearchTeamsResponse(teams=call.world.store.teams.search(request.term))


@METHODS.rpc
def _update_team(call: Call, request: pb.UpdateTeamRequest) -> pb.UpdateTeamResponse:
    return pb.UpdateTeamResponse(team=update_team(call.world, request.team))


@METHODS.rpc
def _get_team_stats(call: Call, request: pb.GetTeamStatsRequest) -> pb.GetTeamStatsResponse:
    existing_team(call.world, request.team_id)
    members = call.world.store.team_members
    stats = TeamStats(team_id=request.team_id, active_member_count=members.count_active(request.team_id))
    stats.total_member_count = members.count("team_id = ? AND delete_at = 0", [request.team_id])
    return pb.GetTeamStatsResponse(team_stats=stats)


@METHODS.rpc
def _get_team_icon(call: Call, request: pb.GetTeamIconRequest) -> pb.GetTeamIconResponse:
    existing_team(call.world, request.team_id)
    icon = call.world.store.blobs.read(_icon_path(request.team_id))
    if icon is None:
        raise not_found("api.team.get_team_icon.read_file.app_error", f"team_id={request.team_id}")
    return pb.GetTeamIconResponse(icon=icon)


@METHODS.rpc
def _set_team_icon(call: Call, request: pb.SetTeamIconRequest) -> pb.SetTeamIconResponse:
    team = existing_team(call.world, request.team_id)
    if not is_picture(request.data):
        raise bad_request("api.team.set_team_icon.decode.app_error")
    team.last_team_icon_update = team.update_at = call.now_ms
    with call.world.store.transaction():
        call.world.store.blobs.write(_icon_path(team.id), request.data)
        call.world.store.teams.put(team)
    call.world.broadcast("update_team", {"team_id": team.id})
    return pb.SetTeamIconResponse()


@METHODS.rpc
def _remove_team_icon(call: Call, request: pb.RemoveTeamIconRequest) -> pb.RemoveTeamIconResponse:
    team = existing_team(call.world, request.team_id)
    team.last_team_icon_update, team.update_at = 0, call.now_ms
    with call.world.store.transaction():
        call.world.store.blobs.delete(_icon_path(team.id))
        call.world.store.teams.put(team)
    call.world.broadcast("update_team", {"team_id": team.id})
    return pb.RemoveTeamIconResponse()


def _icon_path(team_id: str) -> str:
    return f"teams/{team_id}/teamIcon.png"


@METHODS.rpc
async def _create_team_member(call: Call, request: members.CreateTeamMemberRequest) -> members.CreateTeamMemberResponse:
    member = await add_team_member(call.world, call.context(), request.team_id, request.user_id)
    return members.CreateTeamMemberResponse(team_member=member)


@METHODS.rpc
async def _create_team_members(
    call: Call, request: members.CreateTeamMembersRequest
) -> members.CreateTeamMembersResponse:
    response = members.CreateTeamMembersResponse()
    context = call.context()
    for user_id in request.user_ids:
        member = await add_team_member(call.world, context, request.team_id, user_id, request.requestor_id)
        response.team_members.append(member)
    return response


@METHODS.rpc
async def _create_team_members_gracefully(
    call: Call, request: members.CreateTeamMembersGracefullyRequest
) -> members.CreateTeamMembersGracefullyResponse:
    response = members.CreateTeamMembersGracefullyResponse()
    context = call.context()
    for user_id in request.user_ids:
        result = TeamMemberWithError(user_id=user_id)
        try:
            member = await add_team_member(call.world, context, request.team_id, user_id, request.requestor_id)
            result.member.CopyFrom(member)
        except ApiError as error:
            result.error.CopyFrom(error.to_app_error("AddTeamMembers", call.request_id))
        response.team_members.append(result)
    return response


@METHODS.rpc
def _delete_team_member(call: Call, request: members.DeleteTeamMemberRequest) -> members.DeleteTeamMemberResponse:
    remove_team_member(call.world, call.context(), request.team_id, request.user_id, request.requestor_id)
    return members.DeleteTeamMemberResponse()


def _existing_member(call: Call, team_id: str, user_id: str) -> TeamMember:
    """A membership, also one that has ended."""
    member = call.world.store.team_members.get(team_id, user_id)
    if member is None:
        raise not_found("app.team.get_member.missing.app_error", f"team_id={team_id}, user_id={user_id}")
    return member


@METHODS.rpc
def _get_team_member(call: Call, request: members.GetTeamMemberRequest) -> members.GetTeamMemberResponse:
    member = _existing_member(call, request.team_id, request.user_id)
    return members.GetTeamMemberResponse(team_member=member)


@METHODS.rpc
def _get_team_members(call: Call, request: members.GetTeamMembersRequest) -> members.GetTeamMembersResponse:
    found = call.world.store.team_members.of_team(request.team_id, Page(request.page, request.per_page))
    return members.GetTeamMembersResponse(team_members=found)


@METHODS.rpc
def _get_team_members_for_user(
    call: Call, request: members.GetTeamMembersForUserRequest
) -> members.GetTeamMembersForUserResponse:
    found = call.world.store.team_members.of_user(request.user_id, Page(request.page, request.per_page))
    return members.GetTeamMembersForUserResponse(team_members=found)


@METHODS.rpc
def _update_team_member_roles(
    call: Call, request: members.UpdateTeamMemberRolesRequest
) -> members.UpdateTeamMemberRolesResponse:
    member = _existing_member(call, request.team_id, request.user_id)
    give_roles(member, request.new_roles)
    call.world.store.team_members.put(member)
    data = {"member": json_text(member)}
    call.world.broadcast("memberrole_updated", data, WebsocketBroadcast(user_id=member.user_id))
    return members.UpdateTeamMemberRolesResponse(team_member=member)
