"""Groups of users and who is in them. A server wants a license for groups; this host does not."""

import re
from collections.abc import Iterable, Sequence
from http import HTTPStatus
from typing import Final

from mattermost_plugin.devhost.app.json_texts import json_text
from mattermost_plugin.devhost.errors import ApiError, bad_request, not_found
from mattermost_plugin.devhost.ids import new_id
from mattermost_plugin.devhost.store import CHANNEL, TEAM, DuplicateError, GroupFilter, Page
from mattermost_plugin.devhost.world import World
from mattermost_pluginapi.v1.group_pb2 import Group, GroupMember, GroupSearchOpts
from mattermost_pluginapi.v1.websocket_pb2 import WebsocketBroadcast

__all__ = [
    "add_group_members",
    "create_group",
    "delete_group",
    "existing_group",
    "remove_group_member",
    "restore_group",
    "search_groups",
    "update_group",
]

LONGEST_NAME: Final = 64
LONGEST_DISPLAY_NAME: Final = 128
LONGEST_DESCRIPTION: Final = 1024
LONGEST_REMOTE_ID: Final = 48

_NAME: Final = re.compile(r"[a-z0-9._-]+")
_RESERVED_NAMES: Final = ("all", "channel", "here")


def existing_group(world: World, group_id: str) -> Group:
    """The group of an id, also a deleted one.

    Raises:
        ApiError: there is none.
    """
    group = world.store.groups.get(group_id)
    if group is None:
        raise not_found("app.group.no_rows", f"group_id={group_id}")
    return group


def _check(world: World, group: Group) -> None:
    _check_name(world, group)
    if not 0 < len(group.display_name) <= LONGEST_DISPLAY_NAME:
        raise bad_request("model.group.display_name.app_error", f"display_name={group.display_name}")
    if len(group.description) > LONGEST_DESCRIPTION:
        raise bad_request("model.group.description.app_error")
    if group.source not in ("ldap", "custom") and not group.source.startswith("plugin_"):
        raise bad_request("model.group.source.app_error", f"source={group.source}")
    if len(group.remote_id) > LONGEST_REMOTE_ID or (group.source != "custom" and not group.remote_id):
        raise bad_request("model.group.remote_id.app_error", f"remote_id={group.remote_id}")


def _check_name(world: World, group: Group) -> None:
    name = group.name
    if not name:
        if group.allow_reference:
            raise bad_request("model.group.name.app_error", "a group that users may mention has a name")
        return
    if world.store.users.by_username(name) is not None:
        raise bad_request("app.group.username_conflict", f"name={name}")
    if len(name) > LONGEST_NAME:
        raise bad_request("model.group.name.invalid_length.app_error", f"{len(name)} characters")
    if name in _RESERVED_NAMES:
        raise bad_request("model.group.name.reserved_name.app_error", f"name={name}")
    if not _NAME.fullmatch(name):
        raise bad_request("model.group.name.invalid_chars.app_error", f"name={name}")


def create_group(world: World, given: Group) -> Group:
    """Create a group without members.

    Raises:
        ApiError: a value breaks a rule or is taken.
    """
    if given.id:
        raise bad_request("app.group.id.app_error", f"id={given.id}")
    _check(world, given)
    group = Group()
    group.CopyFrom(given)
    group.id, group.delete_at = new_id(), 0
    group.create_at = group.update_at = world.now_ms()
    try:
        return world.store.groups.insert(group)
    except DuplicateError as error:
        raise ApiError("app.insert_error", HTTPStatus.INTERNAL_SERVER_ERROR, f"name={group.name}") from error


def update_group(world: World, given: Group) -> Group:
    """Replace a group. One that is deleted can be brought back so, but none deleted.

    Raises:
        ApiError: there is no such group, or a value breaks a rule or is taken.
    """
    old = existing_group(world, given.id)
    if given.delete_at not in (0, old.delete_at):
        detail = "delete_at can only become 0"
        raise ApiError("app.select_error", HTTPStatus.INTERNAL_SERVER_ERROR, detail)
    _check(world, given)
    group = Group()
    group.CopyFrom(given)
    group.create_at, group.update_at = old.create_at, world.now_ms()
    try:
        world.store.groups.put(group)
    except DuplicateError as error:
        raise bad_request("app.custom_group.unique_name", f"name={group.name}") from error
    return _told(world, group)


def delete_group(world: World, group_id: str) -> Group:
    """Mark a group as deleted.

    Raises:
        ApiError: there is no such group that is not deleted.
    """
    group = existing_group(world, group_id)
    if group.delete_at:
        raise not_found("app.group.no_rows", f"group_id={group_id} is deleted")
    group.delete_at = group.update_at = world.now_ms()
    return _told(world, world.store.groups.put(group))


def restore_group(world: World, group_id: str) -> Group:
    """Bring a deleted group back.

    Raises:
        ApiError: there is no such group that is deleted.
    """
    group = existing_group(world, group_id)
    if not group.delete_at:
        raise not_found("app.group.no_rows", f"group_id={group_id} is not deleted")
    group.delete_at, group.update_at = 0, world.now_ms()
    return _told(world, world.store.groups.put(group))


def _told(world: World, group: Group) -> Group:
    """Tell all clients of a changed group. Returns it with the number of its members."""
    group.member_count = len(world.store.group_members.active([group.id]).get(group.id, []))
    world.broadcast("received_group", {"group": json_text(group)})
    return group


def search_groups(
    world: World, opts: GroupSearchOpts, page: Page | None, team_ids: Sequence[str], channel_ids: Sequence[str]
) -> list[Group]:
    """Groups that match, by their displayed names.

    Args:
        world: the host's parts.
        opts: which ones, and what is told about them.
        page: which part of the list; None for all.
        team_ids: only members in one of these teams are counted; none is no condition.
        channel_ids: only members in one of these channels are counted; none is no condition.
    """
    groups = world.store.groups.search(_filters(world, opts), page)
    ids = [group.id for group in groups]
    members = world.store.group_members
    if opts.include_member_count:
        counted = members.active(ids, team_ids, channel_ids)
        for group in groups:
            group.member_count = len(counted.get(group.id, []))
    if opts.member_count_channel_id:
        inside = members.active(ids, (), [opts.member_count_channel_id])
        for group in groups:
            user_ids = inside.get(group.id, [])
            group.channel_member_count = len(user_ids)
            if opts.include_timezones:
                group.channel_member_timezones_count = _count_timezones(world, user_ids)
    if opts.include_member_ids:
        listed = members.active(ids)
        for group in groups:
            group.member_ids[:] = listed.get(group.id, [])
    return groups


def _filters(world: World, opts: GroupSearchOpts) -> GroupFilter:
    filters = GroupFilter()
    since = int(opts.since) if opts.since.isdecimal() else 0
    if since:
        filters.changed_after(min(since, 2**62))
    if opts.filter_archived or not (opts.include_archived or since):
        filters.deleted(opts.filter_archived)
    if opts.filter_allow_reference == "true":
        filters.mentionable()
    if opts.q:
        filters.named(opts.q)
    if opts.source:
        filters.from_source(opts.source)
    elif opts.only_syncable_sources:
        filters.linkable()
    if opts.member_user_id:
        filters.with_member(opts.member_user_id)
    if opts.not_associated_to_team:
        filters.linked(TEAM, opts.not_associated_to_team, linked=False)
    if opts.not_associated_to_channel:
        filters.linked(CHANNEL, opts.not_associated_to_channel, linked=False)
        channel = world.store.channels.get(opts.not_associated_to_channel)
        team = None if channel is None else world.store.teams.get(channel.team_id)
        if opts.filter_parent_team_permitted and team is not None and team.group_constrained:
            filters.linked(TEAM, team.id)
    return filters


def _count_timezones(world: World, user_ids: Sequence[str]) -> int:
    zones = set()
    for user in world.store.users.among("id", user_ids):
        automatic = user.timezone.get("useAutomaticTimezone") == "true"
        zones.add(user.timezone.get("automaticTimezone" if automatic else "manualTimezone", ""))
    return len(zones - {""})


def add_group_members(world: World, group_id: str, user_ids: Iterable[str]) -> list[GroupMember]:
    """Make users members of a group, all or none; the membership of one who is begins anew.

    Raises:
        ApiError: there is no such group, or one of the users is not there or not active.
    """
    existing_group(world, group_id)
    now = world.now_ms()
    members = []
    for user_id in dict.fromkeys(user_ids):
        user = world.store.users.get(user_id)
        if user is None or user.delete_at:
            raise bad_request("app.group.user_not_found", f"user_id={user_id}")
        members.append(GroupMember(group_id=group_id, user_id=user_id, create_at=now))
    with world.store.transaction():
        for member in members:
            world.store.group_members.put(member)
    for member in members:
        _tell_of_member(world, "group_member_add", member)
    return members


def remove_group_member(world: World, group_id: str, user_id: str) -> GroupMember:
    """End a user's membership in a group.

    Raises:
        ApiError: the user is no member.
    """
    member = world.store.group_members.get(group_id, user_id)
    if member is None or member.delete_at:
        raise not_found("app.group.no_rows", f"group_id={group_id}, user_id={user_id}")
    member.delete_at = world.now_ms()
    world.store.group_members.put(member)
    _tell_of_member(world, "group_member_deleted", member)
    return member


def _tell_of_member(world: World, event: str, member: GroupMember) -> None:
    world.broadcast(event, {"group_member": json_text(member)}, WebsocketBroadcast(user_id=member.user_id))
