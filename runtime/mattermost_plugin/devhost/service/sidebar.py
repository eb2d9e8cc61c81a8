"""Methods about the categories of users' sidebars."""

from typing import Final

from mattermost_plugin.devhost.app.teams import existing_team
from mattermost_plugin.devhost.app.users import existing_user
from mattermost_plugin.devhost.errors import bad_request, not_found
from mattermost_plugin.devhost.ids import new_id
from mattermost_plugin.devhost.service.registry import Call, Methods
from mattermost_pluginapi.v1 import api_channel_sidebar_pb2 as pb
from mattermost_pluginapi.v1.channel_pb2 import ChannelType
from mattermost_pluginapi.v1.channel_sidebar_pb2 import OrderedSidebarCategories, SidebarCategoryWithChannels
from mattermost_pluginapi.v1.websocket_pb2 import WebsocketBroadcast

METHODS: Final = Methods()

SORT_STEP: Final = 10
"""Between the places of two categories."""

_DEFAULTS: Final = (("favorites", "Favorites"), ("channels", "Channels"), ("direct_messages", "Direct Messages"))


def _categories(call: Call, user_id: str, team_id: str) -> list[SidebarCategoryWithChannels]:
    """A user's categories; the default ones hold what is in no other."""
    existing_user(call.world, user_id)
    existing_team(call.world, team_id)
    store = call.world.store
    if not store.sidebar.of_user(user_id, team_id):
        with store.transaction():
            for place, (kind, name) in enumerate(_DEFAULTS):
                store.sidebar.put(
                    SidebarCategoryWithChannels(
                        id=f"{kind}_{user_id}_{team_id}",
                        user_id=user_id,
                        team_id=team_id,
                        display_name=name,
                        type=kind,
                        sort_order=place * SORT_STEP,
                    )
                )
    categories = store.sidebar.of_user(user_id, team_id)
    placed = {channel_id for category in categories for channel_id in category.channel_ids}
    private = (ChannelType.CHANNEL_TYPE_DIRECT, ChannelType.CHANNEL_TYPE_GROUP)
    for channel in store.channels.of_user(user_id, team_id):
        kind = "direct_messages" if channel.type in private else "channels"
        if channel.id not in placed:
            next(category for category in categories if category.type == kind).channel_ids.append(channel.id)
    return categories


def _take(call: Call, user_id: str, team_id: str, channel_ids: set[str], but: str) -> None:
    """Take channels out of all categories but one."""
    for category in call.world.store.sidebar.of_user(user_id, team_id):
        kept = [channel_id for channel_id in category.channel_ids if channel_id not in channel_ids]
        if category.id != but and len(kept) < len(category.channel_ids):
            category.channel_ids[:] = kept
            call.world.store.sidebar.put(category)


@METHODS.rpc
def _create_category(
    call: Call, request: pb.CreateChannelSidebarCategoryRequest
) -> pb.CreateChannelSidebarCategoryResponse:
    categories = _categories(call, request.user_id, request.team_id)
    if not request.new_category.display_name:
        raise bad_request("app.channel.sidebar_categories.app_error", "display_name is empty")
    category = SidebarCategoryWithChannels()
    category.CopyFrom(request.new_category)
    category.id, category.user_id, category.team_id, category.type = (
        new_id(),
        request.user_id,
        request.team_id,
        "custom",
    )
    with call.world.store.transaction():
        # A new category comes second, after the favourites.
        category.sort_order = SORT_STEP
        for each in categories:
            if each.sort_order >= SORT_STEP:
                stored = call.world.store.sidebar.get(each.id) or each
                stored.sort_order += SORT_STEP
                call.world.store.sidebar.put(stored)
        _take(call, request.user_id, request.team_id, set(category.channel_ids), category.id)
        call.world.store.sidebar.insert(category)
    _tell(call, "sidebar_category_created", category)
    return pb.CreateChannelSidebarCategoryResponse(category=category)


@METHODS.rpc
def _get_categories(
    call: Call, request: pb.GetChannelSidebarCategoriesRequest
) -> pb.GetChannelSidebarCategoriesResponse:
    categories = _categories(call, request.user_id, request.team_id)
    ordered = OrderedSidebarCategories(categories=categories, order=[category.id for category in categories])
    return pb.GetChannelSidebarCategoriesResponse(categories=ordered)


@METHODS.rpc
def _update_categories(
    call: Call, request: pb.UpdateChannelSidebarCategoriesRequest
) -> pb.UpdateChannelSidebarCategoriesResponse:
    known = {category.id: category for category in _categories(call, request.user_id, request.team_id)}
    updated = []
    for given in request.categories:
        if given.id not in known:
            raise not_found("app.channel.sidebar_categories.app_error", f"category_id={given.id}")
        category = SidebarCategoryWithChannels()
        category.CopyFrom(given)
        old = known[given.id]
        category.user_id, category.team_id, category.type = old.user_id, old.team_id, old.type
        category.sort_order = old.sort_order
        updated.append(category)
    with call.world.store.transaction():
        for category in updated:
            _take(call, request.user_id, request.team_id, set(category.channel_ids), category.id)
            call.world.store.sidebar.put(category)
    for category in updated:
        _tell(call, "sidebar_category_updated", category)
    return pb.UpdateChannelSidebarCategoriesResponse(categories=updated)


def _tell(call: Call, event: str, category: SidebarCategoryWithChannels) -> None:
    call.world.broadcast(event, {"category_id": category.id}, WebsocketBroadcast(user_id=category.user_id))
