"""Methods about posts and reactions."""

from typing import Final

from mattermost_plugin.devhost.app.config import load_config, section
from mattermost_plugin.devhost.app.ephemeral import delete_ephemeral, send_ephemeral, update_ephemeral
from mattermost_plugin.devhost.app.post_lists import after, before, changed_since, page_of_channel, thread_of
from mattermost_plugin.devhost.app.post_search import matching_posts, parsed
from mattermost_plugin.devhost.app.post_views import for_plugin, without_metadata
from mattermost_plugin.devhost.app.posts import create_post, delete_post, live_post, update_post
from mattermost_plugin.devhost.app.reactions import add_reaction, remove_reaction
from mattermost_plugin.devhost.errors import bad_request, not_implemented
from mattermost_plugin.devhost.service.registry import Call, Methods
from mattermost_plugin.devhost.store import Page
from mattermost_pluginapi.v1 import api_post_pb2 as pb
from mattermost_pluginapi.v1.post_list_pb2 import PostSearchResults
from mattermost_pluginapi.v1.post_pb2 import Post

METHODS: Final = Methods()


@METHODS.rpc
async def _create_post(call: Call, request: pb.CreatePostRequest) -> pb.CreatePostResponse:
    post = Post()
    post.CopyFrom(request.post)
    post.props["from_plugin"] = "true"
    created = await create_post(call.world, call.context(), post)
    return pb.CreatePostResponse(post=without_metadata(created))


@METHODS.rpc
def _delete_post(call: Call, request: pb.DeletePostRequest) -> pb.DeletePostResponse:
    delete_post(call.world, call.context(), request.post_id, call.plugin_id)
    return pb.DeletePostResponse()


@METHODS.rpc
def _get_post(call: Call, request: pb.GetPostRequest) -> pb.GetPostResponse:
    (post,) = for_plugin(call.world, [live_post(call.world, request.post_id)])
    return pb.GetPostResponse(post=post)


@METHODS.rpc
def _get_post_thread(call: Call, request: pb.GetPostThreadRequest) -> pb.GetPostThreadResponse:
    if not request.post_id:
        raise bad_request("app.post.get.app_error", "post_id is empty")
    return pb.GetPostThreadResponse(post_list=thread_of(call.world, live_post(call.world, request.post_id)))


@METHODS.rpc
def _get_posts_after(call: Call, request: pb.GetPostsAfterRequest) -> pb.GetPostsAfterResponse:
    page = Page(request.page, request.per_page)
    return pb.GetPostsAfterResponse(post_list=after(call.world, request.channel_id, request.post_id, page))


@METHODS.rpc
def _get_posts_before(call: Call, request: pb.GetPostsBeforeRequest) -> pb.GetPostsBeforeResponse:
    page = Page(request.page, request.per_page)
    return pb.GetPostsBeforeResponse(post_list=before(call.world, request.channel_id, request.post_id, page))


@METHODS.rpc
def _get_posts_for_channel(call: Call, request: pb.GetPostsForChannelRequest) -> pb.GetPostsForChannelResponse:
    page = Page(request.page, request.per_page)
    return pb.GetPostsForChannelResponse(post_list=page_of_channel(call.world, request.channel_id, page))


@METHODS.rpc
def _get_posts_since(call: Call, request: pb.GetPostsSinceRequest) -> pb.GetPostsSinceResponse:
    return pb.GetPostsSinceResponse(post_list=changed_since(call.world, request.channel_id, request.time))


def _check_search(call: Call) -> None:
    if not section(load_config(call.world), "ServiceSettings").get("EnablePostSearch"):
        raise not_implemented("store.sql_post.search.disabled")


@METHODS.rpc
def _search_posts_in_team(call: Call, request: pb.SearchPostsInTeamRequest) -> pb.SearchPostsInTeamResponse:
    _check_search(call)
    # Direct and group messages are in every team, and a plugin sees those of all users.
    channels = call.world.store.channels.of_team_and_private(request.team_id)
    return pb.SearchPostsInTeamResponse(posts=matching_posts(call.world, channels, request.params_list))


@METHODS.rpc
def _search_posts_in_team_for_user(
    call: Call, request: pb.SearchPostsInTeamForUserRequest
) -> pb.SearchPostsInTeamForUserResponse:
    _check_search(call)
    given = request.search_params
    sets = parsed(given.terms.strip(), given.time_zone_offset)
    for params in sets:
        params.is_or_search = given.is_or_search
        params.include_deleted_channels = given.include_deleted_channels
    channels = call.world.store.channels.of_user(request.user_id, request.team_id, include_deleted=True)
    # A server without a search engine gives everything on the first page.
    posts = matching_posts(call.world, channels, sets) if given.page == 0 else []
    results = PostSearchResults(order=[post.id for post in posts], posts={post.id: post for post in posts})
    return pb.SearchPostsInTeamForUserResponse(results=results)


@METHODS.rpc
async def _update_post(call: Call, request: pb.UpdatePostRequest) -> pb.UpdatePostResponse:
    updated = await update_post(call.world, call.context(), request.post)
    return pb.UpdatePostResponse(post=without_metadata(updated))


@METHODS.rpc
def _send_ephemeral_post(call: Call, request: pb.SendEphemeralPostRequest) -> pb.SendEphemeralPostResponse:
    return pb.SendEphemeralPostResponse(post=send_ephemeral(call.world, request.user_id, request.post))


@METHODS.rpc
def _update_ephemeral_post(call: Call, request: pb.UpdateEphemeralPostRequest) -> pb.UpdateEphemeralPostResponse:
    return pb.UpdateEphemeralPostResponse(post=update_ephemeral(call.world, request.user_id, request.post))


@METHODS.rpc
def _delete_ephemeral_post(call: Call, request: pb.DeleteEphemeralPostRequest) -> pb.DeleteEphemeralPostResponse:
    delete_ephemeral(call.world, request.user_id, request.post_id)
    return pb.DeleteEphemeralPostResponse()


@METHODS.rpc
def _add_reaction(call: Call, request: pb.AddReactionRequest) -> pb.AddReactionResponse:
    return pb.AddReactionResponse(reaction=add_reaction(call.world, call.context(), request.reaction))


@METHODS.rpc
def _get_reactions(call: Call, request: pb.GetReactionsRequest) -> pb.GetReactionsResponse:
    return pb.GetReactionsResponse(reactions=call.world.store.reactions.of_post(request.post_id))


@METHODS.rpc
def _remove_reaction(call: Call, request: pb.RemoveReactionRequest) -> pb.RemoveReactionResponse:
    remove_reaction(call.world, call.context(), request.reaction)
    return pb.RemoveReactionResponse()
