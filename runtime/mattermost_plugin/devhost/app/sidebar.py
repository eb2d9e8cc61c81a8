"""The categories of users' sidebars."""

from collections.abc import Iterable, Sequence
from http import HTTPStatus
from typing import Final

from mattermost_plugin.devhost.app.channel_members import is_private_talk, save_member
from mattermost_plugin.devhost.app.json_texts import json_text
from mattermost_plugin.devhost.app.teams import existing_team
from mattermost_plugin.devhost.app.users import existing_user
from mattermost_plugin.devhost.errors import ApiError
from mattermost_plugin.devhost.ids import new_id
from mattermost_plugin.devhost.world import World
from mattermost_pluginapi.v1.channel_sidebar_pb2 import SidebarCategoryWithChannels
from mattermost_pluginapi.v1.preference_pb2 import Preference
from mattermost_pluginapi.v1.websocket_pb2 import WebsocketBroadcast

__all__ = ["FAVORITE", "create_category", "note_favorites", "sidebar_of", "update_categories"]

FAVORITE: Final = "favorite_channel"
"""Category of the preferences that name a user's favourite channels."""

SORT_STEP: Final = 10
"""Between the places of two categories."""

_FAVORITES, _CHANNELS, _DIRECT = "favorites", "channels", "direct_messages"
_AS_SERVER_LIKES, _BY_LAST_POST = 0, 2
_DEFAULTS: Final = (
    (_FAVORITES, "Favorites", _AS_SERVER_LIKES),
    (_CHANNELS, "Channels", _AS_SERVER_LIKES),
    (_DIRECT, "Direct Messages", _BY_LAST_POST),
)


def sidebar_of(world: World, user_id: str, team_id: str) -> list[SidebarCategoryWithChannels]:
    """A user's categories in a team, in their order; the built-in ones hold what is in no other.

    Raises:
        ApiError: user or team are not there.
    """
    existing_user(world, user_id)
    existing_team(world, team_id)
    return _filled(world, user_id, team_id, _stored(world, user_id, team_id))


def _stored(world: World, user_id: str, team_id: str) -> list[SidebarCategoryWithChannels]:
    found = world.store.sidebar.of_user(user_id, team_id)
    if found:
        return found
    with world.store.transaction():
        for place, (kind, name, sorting) in enumerate(_DEFAULTS):
            category = SidebarCategoryWithChannels(
                id=f"{kind}_{user_id}_{team_id}",
                user_id=user_id,
                team_id=team_id,
                display_name=name,
                type=kind,
                sorting=sorting,
                sort_order=place * SORT_STEP,
            )
            if kind == _FAVORITES:
                category.channel_ids.extend(_favorites(world, user_id, team_id))
            world.store.sidebar.put(category)
    return world.store.sidebar.of_user(user_id, team_id)


def _favorites(world: World, user_id: str, team_id: str) -> list[str]:
    chosen = {
        preference.name
        for preference in world.store.preferences.of_user(user_id)
        if preference.category == FAVORITE and preference.value == "true"
    }
    return [channel.id for channel in world.store.channels.of_user(user_id, team_id) if channel.id in chosen]


def _filled(
    world: World, user_id: str, team_id: str, categories: list[SidebarCategoryWithChannels]
) -> list[SidebarCategoryWithChannels]:
    """Show only channels that the user is in, and those that are in no category in the built-in ones."""
    channels = {channel.id: channel for channel in world.store.channels.of_user(user_id, team_id)}
    for category in categories:
        category.channel_ids[:] = [channel_id for channel_id in category.channel_ids if channel_id in channels]
    placed = {channel_id for category in categories for channel_id in category.channel_ids}
    by_type = {category.type: category for category in categories}
    for channel in channels.values():
        kind = _DIRECT if is_private_talk(channel) else _CHANNELS
        if channel.id not in placed and kind in by_type:
            by_type[kind].channel_ids.append(channel.id)
    return categories


def create_category(
    world: World, user_id: str, team_id: str, given: SidebarCategoryWithChannels
) -> SidebarCategoryWithChannels:
    """Create a category, which comes first, or second if the favourites do. Its channels leave the others.

    Raises:
        ApiError: user or team are not there.
    """
    existing_user(world, user_id)
    existing_team(world, team_id)
    categories = _stored(world, user_id, team_id)
    category = SidebarCategoryWithChannels(
        id=new_id(),
        user_id=user_id,
        team_id=team_id,
        display_name=given.display_name,
        type="custom",
        sorting=given.sorting,
        muted=given.muted,
        channel_ids=given.channel_ids,
    )
    categories.insert(1 if categories[0].type == _FAVORITES else 0, category)
    with world.store.transaction():
        for place, each in enumerate(categories):
            each.sort_order = place * SORT_STEP
            if each is not category:
                _take(each, category.channel_ids)
            world.store.sidebar.put(each)
    _tell(world, "sidebar_category_created", category, {"category_id": category.id})
    return category


def _take(category: SidebarCategoryWithChannels, channel_ids: Sequence[str]) -> None:
    category.channel_ids[:] = [channel_id for channel_id in category.channel_ids if channel_id not in channel_ids]


def update_categories(
    world: World, user_id: str, team_id: str, given: Sequence[SidebarCategoryWithChannels]
) -> list[SidebarCategoryWithChannels]:
    """Replace categories, as far as their kind allows; the user's favourite channels and mutes follow.

    Raises:
        ApiError: user or team are not there, or a category is not.
    """
    existing_user(world, user_id)
    existing_team(world, team_id)
    stored = {category.id: category for category in _stored(world, user_id, team_id)}
    unknown = [each.id for each in given if each.id not in stored]
    if unknown:
        detail = f"category_id={unknown[0]}"
        raise ApiError("app.channel.sidebar_categories.app_error", HTTPStatus.INTERNAL_SERVER_ERROR, detail)
    muted_before = _muted_channels(stored.values())
    favorites_before = _favorites_in(stored.values())
    for each in given:
        stored[each.id] = _replaced(stored[each.id], each)
    for each in given:
        for other in stored.values():
            if other.id != each.id:
                _take(other, stored[each.id].channel_ids)
    with world.store.transaction():
        for category in stored.values():
            world.store.sidebar.put(category)
        _follow_favorites(world, user_id, favorites_before, _favorites_in(stored.values()))
        _follow_mutes(world, user_id, muted_before, _muted_channels(stored.values()))
    updated = {each.id: each for each in _filled(world, user_id, team_id, list(stored.values()))}
    answer = [updated[each.id] for each in given]
    if answer:
        texts = ", ".join(json_text(category) for category in answer)
        _tell(world, "sidebar_category_updated", answer[0], {"updatedCategories": f"[{texts}]"})
    return answer


def _replaced(old: SidebarCategoryWithChannels, given: SidebarCategoryWithChannels) -> SidebarCategoryWithChannels:
    category = SidebarCategoryWithChannels()
    category.CopyFrom(old)
    category.sorting, category.collapsed = given.sorting, given.collapsed
    if old.type == "custom":
        category.display_name = given.display_name
    if old.type != _DIRECT:
        category.muted = given.muted
        category.channel_ids[:] = dict.fromkeys(given.channel_ids)
    return category


def _muted_channels(categories: Iterable[SidebarCategoryWithChannels]) -> dict[str, bool]:
    return {channel_id: category.muted for category in categories for channel_id in category.channel_ids}


def _follow_mutes(world: World, user_id: str, before: dict[str, bool], after: dict[str, bool]) -> None:
    """Mute the channels that have come into a muted category, and the reverse."""
    for channel_id, muted in after.items():
        member = world.store.channel_members.get(channel_id, user_id)
        if member is not None and muted != before.get(channel_id, False):
            member.notify_props["mark_unread"] = "mention" if muted else "all"
            save_member(world, member)


def _favorites_in(categories: Iterable[SidebarCategoryWithChannels]) -> set[str]:
    return {channel_id for category in categories if category.type == _FAVORITES for channel_id in category.channel_ids}


def _follow_favorites(world: World, user_id: str, before: set[str], after: set[str]) -> None:
    for channel_id in before - after:
        world.store.preferences.delete(user_id, FAVORITE, channel_id)
    for channel_id in after - before:
        world.store.preferences.put(Preference(user_id=user_id, category=FAVORITE, name=channel_id, value="true"))


def note_favorites(world: World, user_id: str, preferences: Iterable[Preference], *, deleted: bool = False) -> None:
    """Have the sidebar follow when preferences make channels favourites, or favourites none.

    Args:
        world: the host's parts.
        user_id: whose preferences have changed.
        preferences: those that have.
        deleted: whether they are gone.
    """
    for preference in preferences:
        channel = world.store.channels.get(preference.name) if preference.category == FAVORITE else None
        if channel is None:
            continue
        teams = [channel.team_id] if channel.team_id else [team.id for team in world.store.teams.of_user(user_id)]
        for team_id in teams:
            for category in world.store.sidebar.of_user(user_id, team_id):
                _take(category, [channel.id])
                if category.type == _FAVORITES and preference.value == "true" and not deleted:
                    category.channel_ids.insert(0, channel.id)
                world.store.sidebar.put(category)


def _tell(world: World, event: str, category: SidebarCategoryWithChannels, data: dict[str, object]) -> None:
    reaches = WebsocketBroadcast(user_id=category.user_id, team_id=category.team_id)
    world.broadcast(event, data, reaches)
