"""Users: created, changed, deactivated, logged in."""

from http import HTTPStatus
from typing import Final

from mattermost_plugin.devhost.app.permissions import check_roles
from mattermost_plugin.devhost.app.rules import check_user
from mattermost_plugin.devhost.errors import ApiError, bad_request, not_found
from mattermost_plugin.devhost.ids import is_id, new_id
from mattermost_plugin.devhost.store import DuplicateError
from mattermost_plugin.devhost.world import World
from mattermost_pluginapi.v1.common_pb2 import PluginContext
from mattermost_pluginapi.v1.hooks_user_pb2 import (
    UserHasBeenCreatedRequest,
    UserHasBeenDeactivatedRequest,
    UserHasLoggedInRequest,
    UserWillLogInRequest,
)
from mattermost_pluginapi.v1.session_pb2 import Session
from mattermost_pluginapi.v1.user_pb2 import User

__all__ = ["create_user", "existing_user", "log_in", "open_session", "save_user", "set_active", "update_user"]

SHORTEST_PASSWORD: Final = 5
SESSION_MS: Final = 30 * 24 * 3600 * 1000
"""How long a login lasts: 30 days, as on a server by default."""

_NOTIFY_DEFAULTS: Final = {
    "channel": "true",
    "comments": "never",
    "desktop": "mention",
    "desktop_sound": "true",
    "email": "true",
    "first_name": "false",
    "mention_keys": "",
    "push": "mention",
    "push_status": "away",
}
_KEPT_BY_UPDATE: Final = (
    "create_at",
    "delete_at",
    "roles",
    "auth_service",
    "mfa_active",
    "last_password_update",
    "last_picture_update",
    "failed_attempts",
    "is_bot",
)


def existing_user(world: World, user_id: str) -> User:
    """The user of an id, also a deactivated one.

    Raises:
        ApiError: there is none.
    """
    user = world.store.users.get(user_id)
    if user is None:
        raise not_found("app.user.missing_account.const", f"user_id={user_id}")
    return user


async def create_user(world: World, context: PluginContext, user: User) -> User:
    """Create an account. Its password is checked and forgotten: nobody logs in to this host with one.

    Raises:
        ApiError: a value breaks a rule or is taken.
    """
    created = User()
    created.CopyFrom(user)
    if not user.auth_service and len(user.password) < SHORTEST_PASSWORD:
        raise bad_request("model.user.is_valid.pwd_min_length.app_error")
    created.id, created.delete_at, created.is_bot = new_id(), 0, False
    return await add_user(world, context, created)


async def add_user(world: World, context: PluginContext, user: User) -> User:
    """Store a new account, whatever is in it, with the defaults for what is not.

    Raises:
        ApiError: a value breaks a rule or is taken.
    """
    now = world.now_ms()
    user.username, user.email = user.username.lower(), user.email.lower()
    user.create_at = user.update_at = user.last_password_update = now
    user.roles = user.roles or "system_user"
    user.locale = user.locale or "en"
    for name, value in (*_NOTIFY_DEFAULTS.items(), ("mention_keys", "")):
        if name not in user.notify_props:
            user.notify_props[name] = value
    user.timezone.setdefault("useAutomaticTimezone", "true")
    check_roles(user.roles.split(), "system")
    save_user(world, user, new=True)
    world.hooks.notify(UserHasBeenCreatedRequest(plugin_context=context, user=user))
    world.broadcast("new_user", {"user_id": user.id})
    return user


def save_user(world: World, user: User, *, new: bool = False) -> None:
    """Check and store an account.

    Raises:
        ApiError: a value breaks a rule or is taken.
    """
    user.ClearField("password")
    check_user(user)
    try:
        if new:
            world.store.users.insert(user)
        else:
            world.store.users.put(user)
    except DuplicateError as error:
        namesake = world.store.users.by_username(user.username)
        field = "email" if namesake is None or namesake.id == user.id else "username"
        raise bad_request(f"app.user.save.{field}_exists.app_error", f"{field}={getattr(user, field)}") from error


def update_user(world: World, user: User) -> User:
    """Replace an account, but not what has methods of its own.

    Raises:
        ApiError: there is no such user, or a value breaks a rule or is taken.
    """
    old = existing_user(world, user.id)
    new = User()
    new.CopyFrom(user)
    new.username, new.email = new.username.lower(), new.email.lower()
    for field in _KEPT_BY_UPDATE:
        setattr(new, field, getattr(old, field))
    new.ClearField("auth_data")
    if old.HasField("auth_data"):
        new.auth_data = old.auth_data
    new.mfa_secret = old.mfa_secret
    new.update_at = world.now_ms()
    save_user(world, new)
    world.broadcast("user_updated", {"user_id": new.id})
    return new


def set_active(world: World, context: PluginContext, user_id: str, *, active: bool) -> User:
    """Deactivate a user, who is logged out everywhere, or make one active again.

    Raises:
        ApiError: there is no such user.
    """
    user = existing_user(world, user_id)
    was_active = user.delete_at == 0
    user.update_at = world.now_ms()
    user.delete_at = 0 if active else user.update_at
    with world.store.transaction():
        world.store.users.put(user)
        if not active:
            world.store.sessions.end_of_user(user_id)
    if was_active and not active:
        world.hooks.notify(UserHasBeenDeactivatedRequest(plugin_context=context, user=user))
    world.broadcast("user_updated", {"user_id": user_id})
    return user


def open_session(world: World, session: Session) -> Session:
    """Store a new login.

    Raises:
        ApiError: its user is not there or not active.
    """
    if not is_id(session.user_id):
        raise bad_request("model.session.is_valid.user_id.app_error", f"user_id={session.user_id}")
    user = existing_user(world, session.user_id)
    if user.delete_at:
        raise bad_request("app.session.save.app_error", f"user_id={user.id} is deactivated")
    opened = Session()
    opened.CopyFrom(session)
    opened.id, opened.token = new_id(), new_id()
    opened.create_at = opened.last_activity_at = world.now_ms()
    opened.roles = session.roles or user.roles
    return world.store.sessions.insert(opened)


async def log_in(world: World, context: PluginContext, user_id: str) -> Session:
    """Log a user in, if all plugins allow it.

    Raises:
        ApiError: there is no such user, the account is deactivated, or a plugin refuses.
    """
    user = existing_user(world, user_id)
    if user.delete_at:
        raise ApiError("api.user.login.inactive.app_error", HTTPStatus.UNAUTHORIZED, f"user_id={user_id}")
    reason = await world.hooks.refusal(UserWillLogInRequest(plugin_context=context, user=user))
    if reason:
        raise bad_request(f"Login rejected by plugin: {reason}")
    session = open_session(world, Session(user_id=user_id, expires_at=world.now_ms() + SESSION_MS))
    user.last_login = world.now_ms()
    world.store.users.put(user)
    world.hooks.notify(UserHasLoggedInRequest(plugin_context=context, user=user))
    return session
