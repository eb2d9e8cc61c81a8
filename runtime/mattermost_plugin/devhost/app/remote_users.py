"""Users who come from remotes."""

from typing import Final

from mattermost_plugin.devhost.app.json_texts import json_text
from mattermost_plugin.devhost.app.rules import LONGEST_USERNAME
from mattermost_plugin.devhost.app.users import add_user, existing_user, public_user, save_user
from mattermost_plugin.devhost.errors import ApiError, bad_request, forbidden
from mattermost_plugin.devhost.ids import is_id, new_id
from mattermost_plugin.devhost.world import World
from mattermost_pluginapi.v1.remote_cluster_pb2 import RemoteCluster
from mattermost_pluginapi.v1.user_pb2 import User

__all__ = ["remote_username", "take_in_user", "user_of_remote"]

MOST_TRIES: Final = 25
"""How many names to try for a user whose own is taken, as the server does."""

_PARTED: Final = ":"
_REAL_NAME, _REAL_EMAIL, _REAL_REMOTE = "RemoteUsername", "RemoteEmail", "OriginalRemoteId"
"""Props that hold what a user has at home."""

_TAKEN: Final = "app.user.save.username_exists.app_error"


def user_of_remote(world: World, remote: RemoteCluster, user_id: str) -> User:
    """A user who comes from a remote.

    Raises:
        ApiError: there is no such user, or not from there.
    """
    user = existing_user(world, user_id)
    if user.remote_id != remote.remote_id:
        raise forbidden("app.shared_channel.remote_mismatch.app_error", f"user_id={user_id} is not of the remote")
    return user


def take_in_user(world: World, remote: RemoteCluster, given: User) -> User:
    """Create the account of a user of a remote, or bring it up to date. No plugin hears of it.

    Raises:
        ApiError: the id is none or is another user's, or a value breaks a rule.
    """
    if not is_id(given.id):
        raise bad_request("model.user.is_valid.id.app_error", f"id={given.id}")
    is_new = world.store.users.get(given.id) is None
    user = _new(remote, given) if is_new else _updated(user_of_remote(world, remote, given.id), given)
    user.update_at = world.now_ms()
    for number in range(1, MOST_TRIES + 1):
        user.username = remote_username(given.username.lower(), remote.name, number)
        try:
            if is_new:
                add_user(world, user)
            else:
                save_user(world, user)
            break
        except ApiError as error:
            if error.error_id != _TAKEN or number == MOST_TRIES:
                raise
    world.broadcast("user_updated", {"user": json_text(public_user(user))})
    return user


def _new(remote: RemoteCluster, given: User) -> User:
    user = User(id=given.id, roles="system_user", email=new_id())
    _describe(user, given)
    user.props[_REAL_NAME], user.props[_REAL_EMAIL] = given.username, given.email
    user.props[_REAL_REMOTE] = user.props[_REAL_REMOTE] or given.remote_id or remote.remote_id
    user.remote_id = remote.remote_id
    return user


def _updated(user: User, given: User) -> User:
    name, email = user.props[_REAL_NAME], user.props[_REAL_EMAIL]
    _describe(user, given)
    # A name with a colon comes from a server in between, and is not the user's own.
    user.props[_REAL_NAME] = name if _PARTED in given.username else given.username
    user.props[_REAL_EMAIL] = email
    return user


def _describe(user: User, given: User) -> None:
    for field in ("nickname", "first_name", "last_name", "position", "locale"):
        setattr(user, field, getattr(given, field))
    for name, value in given.props.items():
        user.props[name] = value
    if given.timezone:
        user.timezone.clear()
        user.timezone.update(given.timezone)


def remote_username(username: str, remote: str, number: int = 1) -> str:
    """The name of a user of a remote here: the name there, and that of the remote.

    Args:
        username: the name there; one that has a remote's name already keeps that.
        remote: name of the remote.
        number: tells users apart whose names would be the same.
    """
    own, _, home = username.partition(_PARTED)
    home = home.replace(_PARTED, "") or remote
    suffix = "" if number == 1 else f"-{number}"
    half = LONGEST_USERNAME // 2
    home = _shortened(home, max(half, LONGEST_USERNAME - len(own) - len(suffix)) - len(_PARTED))
    own = _shortened(own, LONGEST_USERNAME - len(home) - len(suffix) - len(_PARTED))
    return f"{own}{suffix}{_PARTED}{home}"


def _shortened(text: str, longest: int) -> str:
    return text if len(text) <= longest else f"{text[: longest - 3]}..."
