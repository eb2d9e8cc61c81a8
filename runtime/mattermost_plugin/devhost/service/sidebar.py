"""Methods about the categories of users' sidebars."""

from typing import Final

from mattermost_plugin.devhost.app.sidebar import create_category, sidebar_of, update_categories
from mattermost_plugin.devhost.service.registry import Call, Methods
from mattermost_pluginapi.v1 import api_channel_sidebar_pb2 as pb
from mattermost_pluginapi.v1.channel_sidebar_pb2 import OrderedSidebarCategories

METHODS: Final = Methods()


@METHODS.rpc
def _create_category(
    call: Call, request: pb.CreateChannelSidebarCategoryRequest
) -> pb.CreateChannelSidebarCategoryResponse:
    category = create_category(call.world, request.user_id, request.team_id, request.new_category)
    return pb.CreateChannelSidebarCategoryResponse(category=category)


@METHODS.rpc
def _get_categories(
    call: Call, request: pb.GetChannelSidebarCategoriesRequest
) -> pb.GetChannelSidebarCategoriesResponse:
    categories = sidebar_of(call.world, request.user_id, request.team_id)
    ordered = OrderedSidebarCategories(categories=categories, order=[category.id for category in categories])
    return pb.GetChannelSidebarCategoriesResponse(categories=ordered)


@METHODS.rpc
def _update_categories(
    call: Call, request: pb.UpdateChannelSidebarCategoriesRequest
) -> pb.UpdateChannelSidebarCategoriesResponse:
    categories = update_categories(call.world, request.user_id, request.team_id, request.categories)
    return pb.UpdateChannelSidebarCategoriesResponse(categories=categories)
