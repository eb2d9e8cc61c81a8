"""Methods about users' statuses, preferences, sessions and tokens."""

import json
from http import HTTPStatus
from typing import Final

from mattermost_plugin.devhost.app.config import load_config, section
from mattermost_plugin.devhost.app.json_texts import json_text
from mattermost_plugin.devhost.app.rules import check_preference
from mattermost_plugin.devhost.app.sidebar import note_favorites
from mattermost_plugin.devhost.app.statuses import OFFLINE, current_status, save_status
from mattermost_plugin.devhost.app.users import existing_user, open_session, update_user
from mattermost_plugin.devhost.errors import ApiError, bad_request, forbidden, not_found, not_implemented
from mattermost_plugin.devhost.ids import new_id
from mattermost_plugin.devhost.service.registry import Call, Methods
from mattermost_pluginapi.v1 import api_preference_pb2, api_session_pb2, api_user_status_pb2
from mattermost_pluginapi.v1.hooks_user_pb2 import PreferencesHaveChangedRequest
from mattermost_pluginapi.v1.preference_pb2 import Preference
from mattermost_pluginapi.v1.session_pb2 import Session, UserAccessToken
from mattermost_pluginapi.v1.user_status_pb2 import Status
from mattermost_pluginapi.v1.websocket_pb2 import WebsocketBroadcast

METHODS: Final = Methods()

STATUSES: Final = ("online", "away", "dnd", "offline")
CUSTOM_STATUS: Final = "customStatus"
"""The prop of a user that holds the custom status."""
LONGEST_STATUS_TEXT: Final = 100


@METHODS.rpc
def _get_user_status(
    call: Call, request: api_user_status_pb2.GetUserStatusRequest
) -> api_user_status_pb2.GetUserStatusResponse:
    status = current_status(call.world, request.user_id)
    if status is None:
        # Also of a user who exists but never came.
        raise not_found("app.status.get.missing.app_error", f"user_id={request.user_id}")
    return api_user_status_pb2.GetUserStatusResponse(status=status)


@METHODS.rpc
def _get_user_statuses_by_ids(
    call: Call, request: api_user_status_pb2.GetUserStatusesByIdsRequest
) -> api_user_status_pb2.GetUserStatusesByIdsResponse:
    statuses = [
        current_status(call.world, user_id) or Status(user_id=user_id, status=OFFLINE)
        for user_id in dict.fromkeys(request.user_ids)
    ]
    return api_user_status_pb2.GetUserStatusesByIdsResponse(statuses=statuses)


def _to_be_changed(call: Call, user_id: str) -> Status:
    existing_user(call.world, user_id)
    return current_status(call.world, user_id) or Status(user_id=user_id, status=OFFLINE)


@METHODS.rpc
def _update_user_status(
    call: Call, request: api_user_status_pb2.UpdateUserStatusRequest
) -> api_user_status_pb2.UpdateUserStatusResponse:
    if request.status not in STATUSES:
        raise bad_request("plugin.api.update_user_status.bad_status", f"unrecognized status {request.status}")
    status = _to_be_changed(call, request.user_id)
    status.status, status.manual = request.status, request.status != "online"
    if request.status != "dnd":
        status.active_channel = ""
    if request.status in ("online", "offline"):
        status.last_activity_at = call.now_ms
    return api_user_status_pb2.UpdateUserStatusResponse(status=save_status(call.world, status))


@METHODS.rpc
def _set_user_status_timed_dnd(
    call: Call, request: api_user_status_pb2.SetUserStatusTimedDNDRequest
) -> api_user_status_pb2.SetUserStatusTimedDNDResponse:
    status = _to_be_changed(call, request.user_id)
    status.prev_status, status.status, status.manual = status.status, "dnd", True
    # Statuses end at whole minutes; one that ends before 1970 has ended.
    status.dnd_end_time = max(request.end_time - request.end_time % 60, 1)
    return api_user_status_pb2.SetUserStatusTimedDNDResponse(status=save_status(call.world, status))


@METHODS.rpc
def _update_user_custom_status(
    call: Call, request: api_user_status_pb2.UpdateUserCustomStatusRequest
) -> api_user_status_pb2.UpdateUserCustomStatusResponse:
    custom = request.custom_status
    if not custom.emoji and not custom.text:
        raise bad_request("api.custom_status.set_custom_statuses.update.app_error")
    fields = {
        "emoji": custom.emoji or "speech_balloon",
        "text": custom.text[:LONGEST_STATUS_TEXT],
        "duration": custom.duration,
        "expires_at": custom.expires_at,
    }
    _set_custom_status(call, request.user_id, json.dumps(fields, ensure_ascii=False))
    return api_user_status_pb2.UpdateUserCustomStatusResponse()


@METHODS.rpc
def _remove_user_custom_status(
    call: Call, request: api_user_status_pb2.RemoveUserCustomStatusRequest
) -> api_user_status_pb2.RemoveUserCustomStatusResponse:
    _set_custom_status(call, request.user_id, "")
    return api_user_status_pb2.RemoveUserCustomStatusResponse()


def _set_custom_status(call: Call, user_id: str, text: str) -> None:
    user = existing_user(call.world, user_id)
    user.props[CUSTOM_STATUS] = text
    update_user(call.world, user)


@METHODS.rpc
def _get_preference_for_user(
    call: Call, request: api_preference_pb2.GetPreferenceForUserRequest
) -> api_preference_pb2.GetPreferenceForUserResponse:
    found = call.world.store.preferences.get(request.user_id, request.category, request.name)
    if found is None:
        raise bad_request("app.preference.get.app_error", f"category={request.category}, name={request.name}")
    return api_preference_pb2.GetPreferenceForUserResponse(preference=found)


@METHODS.rpc
def _get_preferences_for_user(
    call: Call, request: api_preference_pb2.GetPreferencesForUserRequest
) -> api_preference_pb2.GetPreferencesForUserResponse:
    found = call.world.store.preferences.of_user(request.user_id)
    return api_preference_pb2.GetPreferencesForUserResponse(preferences=found)


@METHODS.rpc
def _update_preferences_for_user(
    call: Call, request: api_preference_pb2.UpdatePreferencesForUserRequest
) -> api_preference_pb2.UpdatePreferencesForUserResponse:
    existing_user(call.world, request.user_id)
    for preference in request.preferences:
        if preference.user_id != request.user_id:
            raise forbidden("api.preference.update_preferences.set.app_error", f"user_id={preference.user_id}")
        check_preference(preference)
    with call.world.store.transaction():
        for preference in request.preferences:
            call.world.store.preferences.put(preference)
        note_favorites(call.world, request.user_id, request.preferences)
    call.world.hooks.notify(
        PreferencesHaveChangedRequest(plugin_context=call.context(), preferences=request.preferences)
    )
    _tell_client(call, "preferences_changed", request.user_id, list(request.preferences))
    return api_preference_pb2.UpdatePreferencesForUserResponse()


@METHODS.rpc
def _delete_preferences_for_user(
    call: Call, request: api_preference_pb2.DeletePreferencesForUserRequest
) -> api_preference_pb2.DeletePreferencesForUserResponse:
    for preference in request.preferences:
        if preference.user_id != request.user_id:
            raise forbidden("api.preference.delete_preferences.delete.app_error", f"user_id={preference.user_id}")
    with call.world.store.transaction():
        for preference in request.preferences:
            call.world.store.preferences.delete(request.user_id, preference.category, preference.name)
        note_favorites(call.world, request.user_id, request.preferences, deleted=True)
    _tell_client(call, "preferences_deleted", request.user_id, list(request.preferences))
    return api_preference_pb2.DeletePreferencesForUserResponse()


def _tell_client(call: Call, event: str, user_id: str, preferences: list[Preference]) -> None:
    texts = ", ".join(json_text(preference) for preference in preferences)
    call.world.broadcast(event, {"preferences": f"[{texts}]"}, WebsocketBroadcast(user_id=user_id))


def _existing_session(call: Call, session_id: str) -> Session:
    """A session, also one that has expired: the server looks at that only where somebody uses it."""
    session = call.world.store.sessions.get(session_id)
    if session is None:
        raise bad_request("app.session.get.app_error", f"session_id={session_id}")
    return session


@METHODS.rpc
def _get_session(call: Call, request: api_session_pb2.GetSessionRequest) -> api_session_pb2.GetSessionResponse:
    return api_session_pb2.GetSessionResponse(session=_existing_session(call, request.session_id))


@METHODS.rpc
def _create_session(call: Call, request: api_session_pb2.CreateSessionRequest) -> api_session_pb2.CreateSessionResponse:
    return api_session_pb2.CreateSessionResponse(session=open_session(call.world, request.session))


@METHODS.rpc
def _extend_session_expiry(
    call: Call, request: api_session_pb2.ExtendSessionExpiryRequest
) -> api_session_pb2.ExtendSessionExpiryResponse:
    session = call.world.store.sessions.get(request.session_id)
    if session is None:
        raise ApiError(
            "app.session.get_sessions.app_error", HTTPStatus.INTERNAL_SERVER_ERROR, where="extendSessionExpiry"
        )
    session.expires_at = request.new_expiry
    call.world.store.sessions.put(session)
    return api_session_pb2.ExtendSessionExpiryResponse()


@METHODS.rpc
def _revoke_session(call: Call, request: api_session_pb2.RevokeSessionRequest) -> api_session_pb2.RevokeSessionResponse:
    _existing_session(call, request.session_id)
    call.world.store.sessions.delete(request.session_id)
    return api_session_pb2.RevokeSessionResponse()


@METHODS.rpc
def _create_user_access_token(
    call: Call, request: api_session_pb2.CreateUserAccessTokenRequest
) -> api_session_pb2.CreateUserAccessTokenResponse:
    user = existing_user(call.world, request.token.user_id)
    allowed = section(load_config(call.world), "ServiceSettings").get("EnableUserAccessTokens")
    if not allowed and not user.is_bot:
        raise not_implemented("app.user_access_token.disabled")
    token = UserAccessToken(id=new_id(), token=new_id(), user_id=user.id, is_active=True)
    token.description = request.token.description
    return api_session_pb2.CreateUserAccessTokenResponse(token=call.world.store.access_tokens.insert(token))


@METHODS.rpc
def _revoke_user_access_token(
    call: Call, request: api_session_pb2.RevokeUserAccessTokenRequest
) -> api_session_pb2.RevokeUserAccessTokenResponse:
    token = call.world.store.access_tokens.get(request.token_id)
    if token is None:
        raise not_found("app.user_access_token.get_by_user.app_error", f"token_id={request.token_id}")
    with call.world.store.transaction():
        call.world.store.access_tokens.delete(token.id)
        call.world.store.sessions.delete_where("token = ?", [token.token])
    return api_session_pb2.RevokeUserAccessTokenResponse()
