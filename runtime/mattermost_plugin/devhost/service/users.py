"""Methods about users and their statuses."""

from typing import Final

from mattermost_plugin.devhost.app.directory import attributes_of_user
from mattermost_plugin.devhost.app.pictures import set_user_picture, user_picture
from mattermost_plugin.devhost.app.users import (
    create_user,
    existing_user,
    save_user,
    set_active,
    set_roles,
    update_user,
)
from mattermost_plugin.devhost.errors import bad_request, not_found
from mattermost_plugin.devhost.service.registry import Call, Methods
from mattermost_plugin.devhost.store import BY_STATUS, Page, UserFilter
from mattermost_pluginapi.v1 import api_user_pb2 as pb
from mattermost_pluginapi.v1.user_pb2 import UserAuth
from mattermost_pluginapi.v1.websocket_pb2 import WebsocketBroadcast

METHODS: Final = Methods()

MOST_WORDS: Final = 20
"""How many words of a search count, and how many roles: more would be more than a statement takes."""


@METHODS.rpc
def _create_user(call: Call, request: pb.CreateUserRequest) -> pb.CreateUserResponse:
    return pb.CreateUserResponse(user=create_user(call.world, call.context(), request.user))


@METHODS.rpc
def _delete_user(call: Call, request: pb.DeleteUserRequest) -> pb.DeleteUserResponse:
    set_active(call.world, call.context(), request.user_id, active=False)
    return pb.DeleteUserResponse()


@METHODS.rpc
def _get_user(call: Call, request: pb.GetUserRequest) -> pb.GetUserResponse:
    return pb.GetUserResponse(user=existing_user(call.world, request.user_id))


@METHODS.rpc
def _get_user_by_email(call: Call, request: pb.GetUserByEmailRequest) -> pb.GetUserByEmailResponse:
    user = call.world.store.users.by_email(request.email)
    if user is None:
        raise not_found("app.user.missing_account.const", f"email={request.email}")
    return pb.GetUserByEmailResponse(user=user)


@METHODS.rpc
def _get_user_by_username(call: Call, request: pb.GetUserByUsernameRequest) -> pb.GetUserByUsernameResponse:
    user = call.world.store.users.by_username(request.name)
    if user is None:
        raise not_found("app.user.get_by_username.app_error", f"username={request.name}")
    return pb.GetUserByUsernameResponse(user=user)


@METHODS.rpc
def _get_users(call: Call, request: pb.GetUsersRequest) -> pb.GetUsersResponse:
    # The other options have no effect, as on a server.
    filters = UserFilter()
    filters.any_role([request.role] if request.role else [])
    filters.any_role([role for role in request.roles if role][:MOST_WORDS])
    if request.active or request.inactive:
        filters.active(not request.inactive)
    if request.updated_after > 0:
        filters.updated_after(request.updated_after)
    order = "update_at, id" if request.sort == "update_at_asc" else "username"
    users = call.world.store.users.search(filters, Page(request.page, request.per_page), order)
    return pb.GetUsersResponse(users=users)


@METHODS.rpc
def _get_users_by_ids(call: Call, request: pb.GetUsersByIdsRequest) -> pb.GetUsersByIdsResponse:
    return pb.GetUsersByIdsResponse(users=call.world.store.users.among("id", request.user_ids, order="username"))


@METHODS.rpc
def _get_users_by_usernames(call: Call, request: pb.GetUsersByUsernamesRequest) -> pb.GetUsersByUsernamesResponse:
    names = [name.lower() for name in request.usernames]
    return pb.GetUsersByUsernamesResponse(users=call.world.store.users.among("username", names, order="username"))


@METHODS.rpc
def _get_users_in_team(call: Call, request: pb.GetUsersInTeamRequest) -> pb.GetUsersInTeamResponse:
    if not request.team_id:
        return pb.GetUsersInTeamResponse()
    filters = UserFilter()
    filters.in_team(request.team_id)
    page = Page(request.page, request.per_page)
    return pb.GetUsersInTeamResponse(users=call.world.store.users.search(filters, page))


@METHODS.rpc
def _get_users_in_channel(call: Call, request: pb.GetUsersInChannelRequest) -> pb.GetUsersInChannelResponse:
    if request.sort_by not in ("username", "status"):
        raise bad_request("plugin.api.get_users_in_channel", f"sort_by={request.sort_by}")
    if not request.channel_id:
        return pb.GetUsersInChannelResponse()
    filters = UserFilter()
    filters.in_channel(request.channel_id)
    order = BY_STATUS if request.sort_by == "status" else "username"
    users = call.world.store.users.search(filters, Page(request.page, request.per_page), order)
    return pb.GetUsersInChannelResponse(users=users)


@METHODS.rpc
def _search_users(call: Call, request: pb.SearchUsersRequest) -> pb.SearchUsersResponse:
    filters = UserFilter()
    if request.without_team:
        filters.without_team()
    elif request.in_channel_id:
        filters.in_channel(request.in_channel_id)
    elif request.not_in_channel_id:
        filters.in_channel(request.not_in_channel_id, inside=False)
        filters.in_team(request.team_id)
    elif request.not_in_team_id:
        filters.in_team(request.not_in_team_id, inside=False)
    elif request.in_group_id:
        filters.in_group(request.in_group_id)
    elif request.not_in_group_id:
        filters.in_group(request.not_in_group_id, inside=False)
    else:
        filters.in_team(request.team_id)
    if not request.allow_inactive:
        filters.active(True)
    for word in request.term.split()[:MOST_WORDS]:
        filters.named(word.lstrip("@"))
    return pb.SearchUsersResponse(users=call.world.store.users.search(filters, Page(0, request.limit)))


@METHODS.rpc
def _update_user(call: Call, request: pb.UpdateUserRequest) -> pb.UpdateUserResponse:
    return pb.UpdateUserResponse(user=update_user(call.world, request.user))


@METHODS.rpc
def _update_user_active(call: Call, request: pb.UpdateUserActiveRequest) -> pb.UpdateUserActiveResponse:
    set_active(call.world, call.context(), request.user_id, active=request.active)
    return pb.UpdateUserActiveResponse()


@METHODS.rpc
def _update_user_auth(call: Call, request: pb.UpdateUserAuthRequest) -> pb.UpdateUserAuthResponse:
    user = existing_user(call.world, request.user_id)
    auth = request.user_auth
    if not auth.auth_service or not auth.auth_data:
        raise bad_request("model.user.is_valid.auth_data.app_error", "login by password is no login service")
    user.auth_service, user.auth_data = auth.auth_service, auth.auth_data
    user.update_at = call.now_ms
    save_user(call.world, user)
    return pb.UpdateUserAuthResponse(user_auth=UserAuth(auth_data=user.auth_data, auth_service=user.auth_service))


@METHODS.rpc
def _get_ldap_attributes(call: Call, request: pb.GetLDAPUserAttributesRequest) -> pb.GetLDAPUserAttributesResponse:
    attributes = attributes_of_user(call.world, request.user_id, request.attributes)
    return pb.GetLDAPUserAttributesResponse(attributes=attributes)


@METHODS.rpc
def _update_user_roles(call: Call, request: pb.UpdateUserRolesRequest) -> pb.UpdateUserRolesResponse:
    return pb.UpdateUserRolesResponse(user=set_roles(call.world, request.user_id, request.new_roles))


@METHODS.rpc
def _get_profile_image(call: Call, request: pb.GetProfileImageRequest) -> pb.GetProfileImageResponse:
    return pb.GetProfileImageResponse(image=user_picture(call.world, request.user_id))


@METHODS.rpc
def _set_profile_image(call: Call, request: pb.SetProfileImageRequest) -> pb.SetProfileImageResponse:
    set_user_picture(call.world, request.user_id, request.data)
    return pb.SetProfileImageResponse()


@METHODS.rpc
def _publish_user_typing(call: Call, request: pb.PublishUserTypingRequest) -> pb.PublishUserTypingResponse:
    call.world.broadcast(
        "typing",
        {"user_id": request.user_id, "parent_id": request.parent_id},
        WebsocketBroadcast(channel_id=request.channel_id, omit_users=[request.user_id]),
    )
    return pb.PublishUserTypingResponse()
