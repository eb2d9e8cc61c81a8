"""Users: created, changed, deactivated, logged in."""

from http import HTTPStatus
from typing import Final

from mattermost_plugin.devhost.app.config import load_config, section
from mattermost_plugin.devhost.app.json_texts import json_text
from mattermost_plugin.devhost.app.permissions import check_roles_exist
from mattermost_plugin.devhost.app.rules import check_user
from mattermost_plugin.devhost.app.statuses import set_offline
from mattermost_plugin.devhost.errors import ApiError, bad_request, not_found
from mattermost_plugin.devhost.ids import is_id, new_id
from mattermost_plugin.devhost.store import DuplicateError
from mattermost_plugin.devhost.world import World
from mattermost_pluginapi.v1.bot_pb2 import Bot
from mattermost_pluginapi.v1.common_pb2 import PluginContext
from mattermost_pluginapi.v1.hooks_user_pb2 import (
    UserHasBeenCreatedRequest,
    UserHasBeenDeactivatedRequest,
    UserHasLoggedInRequest,
    UserWillLogInRequest,
)
from mattermost_pluginapi.v1.session_pb2 import Session
from mattermost_pluginapi.v1.user_pb2 import User
from mattermost_pluginapi.v1.websocket_pb2 import WebsocketBroadcast

__all__ = [
    "add_user",
    "create_user",
    "existing_user",
    "is_guest",
    "log_in",
    "open_session",
    "public_user",
    "save_user",
    "set_active",
    "set_bot_active",
    "set_roles",
    "update_user",
]

ADMIN: Final = "system_admin"
LONGEST_PASSWORD: Final = 72
"""In bytes: more of one is not hashed."""
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
    "last_login",
    "mfa_secret",
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


def is_guest(user: User) -> bool:
    """Whether a user is a guest."""
    return "system_guest" in user.roles.split()


def create_user(world: World, context: PluginContext, user: User) -> User:
    """Create an account. Its password is checked and forgotten: nobody logs in to this host with one.

    Unlike on a server, the first account is none of an administrator: a server with plugins has one already.

    Raises:
        ApiError: a value breaks a rule or is taken.
    """
    if user.id and not user.remote_id:
        raise bad_request("app.user.save.existing.app_error", f"id={user.id}")
    if not user.auth_service:
        _check_password(world, user.password)
    created = User()
    created.CopyFrom(user)
    created.roles = "system_user"
    created.delete_at, created.is_bot = 0, False
    add_user(world, created)
    world.broadcast("new_user", {"user_id": created.id})
    world.hooks.notify(UserHasBeenCreatedRequest(plugin_context=context, user=created))
    return created


def _check_password(world: World, password: str) -> None:
    shortest = section(load_config(world), "PasswordSettings").get("MinimumLength")
    length = len(password.encode())
    if (isinstance(shortest, int) and length < shortest) or length > LONGEST_PASSWORD:
        raise bad_request("model.user.is_valid.pwd_min_length.app_error", f"{length} bytes")


def add_user(world: World, user: User) -> User:
    """Store a new account, whatever is in it, with the defaults for what is not, and tell nobody.

    Raises:
        ApiError: a value breaks a rule or is taken.
    """
    user.id = user.id or new_id()
    user.username, user.email = user.username.lower(), user.email.lower()
    user.create_at = user.update_at = user.last_password_update = world.now_ms()
    user.roles = user.roles or "system_user"
    user.locale = user.locale or "en"
    for name, value in _NOTIFY_DEFAULTS.items():
        if name not in user.notify_props:
            user.notify_props[name] = value
    user.timezone.setdefault("useAutomaticTimezone", "true")
    save_user(world, user, new=True)
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
    new.email_verified = old.email_verified and new.email == old.email
    new.update_at = world.now_ms()
    save_user(world, new)
    world.broadcast("user_updated", {"user": json_text(public_user(new))})
    return new


def set_active(world: World, context: PluginContext, user_id: str, *, active: bool) -> User:
    """Deactivate a user, who is logged out everywhere and whose bots are disabled, or make one active again.

    Raises:
        ApiError: there is no such user.
    """
    user = existing_user(world, user_id)
    user.update_at = world.now_ms()
    user.delete_at = 0 if active else user.update_at
    with world.store.transaction():
        world.store.users.put(user)
        if not active:
            world.store.sessions.end_of_user(user_id)
            set_offline(world, user_id, force=True)
    world.broadcast("user_updated", {"user": json_text(public_user(user))})
    if not active:
        world.hooks.notify(UserHasBeenDeactivatedRequest(plugin_context=context, user=user))
        if section(load_config(world), "ServiceSettings").get("DisableBotsWhenOwnerIsDeactivated"):
            for bot in world.store.bots.enabled_of(user_id):
                set_bot_active(world, context, bot.user_id, active=False)
    return user


def set_bot_active(world: World, context: PluginContext, user_id: str, *, active: bool) -> Bot:
    """Disable a bot or enable it.

    Raises:
        ApiError: there is no such account, or it is no bot's.
    """
    user = set_active(world, context, user_id, active=active)
    bot = world.store.bots.get(user_id)
    if bot is None:
        raise not_found("store.sql_bot.get.missing.app_error", f"user_id={user_id}")
    if bool(bot.delete_at) == active:
        bot.update_at, bot.delete_at = user.update_at, user.delete_at
        world.store.bots.put(bot)
    return bot


def set_roles(world: World, user_id: str, new_roles: str) -> User:
    """Replace the roles of a user, also in the sessions that are open.

    Raises:
        ApiError: there is no such user, a role does not exist, or no administrator would be left.
    """
    user = world.store.users.get(user_id)
    if user is None:
        raise bad_request("app.user.missing_account.const", f"user_id={user_id}")
    roles = new_roles.split()
    check_roles_exist(roles)
    if ADMIN in user.roles.split() and ADMIN not in roles and world.store.users.count_with_role(ADMIN) <= 1:
        raise bad_request("app.user.update.lastAdmin.app_error", f"user_id={user_id}")
    user.roles, user.update_at = " ".join(roles), world.now_ms()
    with world.store.transaction():
        world.store.users.put(user)
        for session in world.store.sessions.of_user(user_id):
            session.roles = user.roles
            world.store.sessions.put(session)
    data = {"user_id": user.id, "roles": user.roles}
    world.broadcast("user_role_updated", data, WebsocketBroadcast(user_id=user.id))
    return user


def public_user(user: User) -> User:
    """An account without what only its owner may know."""
    seen = User()
    seen.CopyFrom(user)
    for field in ("auth_data", "mfa_secret", "password", "email", "last_password_update", "failed_attempts"):
        seen.ClearField(field)
    return seen


def open_session(world: World, session: Session) -> Session:
    """Store a new login.

    Raises:
        ApiError: it has an id already, or its user is not there.
    """
    if not is_id(session.user_id):
        raise bad_request("model.session.is_valid.user_id.app_error", f"user_id={session.user_id}")
    if session.id:
        raise bad_request("app.session.save.existing.app_error", f"id={session.id}")
    existing_user(world, session.user_id)
    opened = Session()
    opened.CopyFrom(session)
    opened.id, opened.token = new_id(), new_id()
    opened.create_at = opened.last_activity_at = world.now_ms()
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
        raise ApiError(f"Login rejected by plugin: {reason}", HTTPStatus.BAD_REQUEST, where="DoLogin")
    # The hook takes its time: the account may have changed by now.
    user = existing_user(world, user_id)
    user.last_login = world.now_ms()
    login = Session(user_id=user_id, roles=user.roles, expires_at=user.last_login + SESSION_MS)
    with world.store.transaction():
        session = open_session(world, login)
        world.store.users.put(user)
    world.hooks.notify(UserHasLoggedInRequest(plugin_context=context, user=user))
    return session
