"""Whether users are online."""

from typing import Final

from mattermost_plugin.devhost.world import World
from mattermost_pluginapi.v1.user_status_pb2 import Status
from mattermost_pluginapi.v1.websocket_pb2 import WebsocketBroadcast

__all__ = ["OFFLINE", "current_status", "save_status", "set_offline", "set_online"]

ONLINE: Final = "online"
OFFLINE: Final = "offline"


def current_status(world: World, user_id: str) -> Status | None:
    """A user's status; None if the user never had one. A "do not disturb" that is over gives way to the one before."""
    status = world.store.statuses.get(user_id)
    if status is not None and status.status == "dnd" and 0 < status.dnd_end_time * 1000 <= world.now_ms():
        status.status, status.prev_status = status.prev_status or ONLINE, ""
        status.dnd_end_time, status.manual = 0, False
        save_status(world, status)
    return status


def save_status(world: World, status: Status) -> Status:
    """Store a status and tell the user's clients."""
    world.store.statuses.put(status)
    data = {"user_id": status.user_id, "status": status.status}
    world.broadcast("status_change", data, WebsocketBroadcast(user_id=status.user_id))
    return status


def set_online(world: World, user_id: str) -> None:
    """Note that a user does something; a status of the user's own choice stays."""
    status = current_status(world, user_id) or Status(user_id=user_id)
    if status.manual:
        return
    was_online = status.status == ONLINE
    status.status, status.last_activity_at = ONLINE, world.now_ms()
    if was_online:
        world.store.statuses.put(status)
    else:
        save_status(world, status)


def set_offline(world: World, user_id: str, *, force: bool = False) -> None:
    """Note that a user has gone; a status of the user's own choice stays unless it is forced."""
    status = current_status(world, user_id)
    if force or status is None or not status.manual:
        save_status(world, Status(user_id=user_id, status=OFFLINE, last_activity_at=world.now_ms()))
