"""Methods about posts and reactions."""

from typing import Final

from mattermost_plugin.devhost.app.channels import existing_channel
from mattermost_plugin.devhost.app.config import load_config, section
from mattermost_plugin.devhost.app.ephemeral import delete_ephemeral, send_ephemeral, update_ephemeral
from mattermost_plugin.devhost.app.post_lists import MOST_SINCE, list_of, search_posts, thread_of
from mattermost_plugin.devhost.app.posts import create_post, delete_post, live_post, prepared, update_post
from mattermost_plugin.devhost.app.reactions import add_reaction, remove_reaction
from mattermost_plugin.devhost.app.teams import existing_team
from mattermost_plugin.devhost.app.users import existing_user
from mattermost_plugin.devhost.errors import ApiError, bad_request
from mattermost_plugin.devhost.service.registry import Call, Methods
from mattermost_plugin.devhost.store import Page
from mattermost_pluginapi.v1 import api_post_pb2 as pb
from mattermost_pluginapi.v1.channel_pb2 import ChannelType
from mattermost_pluginapi.v1.post_list_pb2 import PostSearchResults
from mattermost_pluginapi.v1.post_pb2 import Post

METHODS: Final = Methods()


@METHODS.rpc
async def _create_post(call: Call, request: pb.CreatePostRequest) -> pb.CreatePostResponse:
    post = Post()
    post.CopyFrom(request.post)
    post.props["from_plugin"] = "true"
    return pb.CreatePostResponse(post=await create_post(call.world, call.context(), post))


@METHODS.rpc
def _delete_post(call: Call, request: pb.DeletePostRequest) -> pb.DeletePostResponse:
    delete_post(call.world, call.context(), request.post_id)
    return pb.DeletePostResponse()


@METHODS.rpc
def _get_post(call: Call, request: pb.GetPostRequest) -> pb.GetPostResponse:
    return pb.GetPostResponse(post=prepared(call.world, live_post(call.world, request.post_id)))


@METHODS.rpc
def _get_post_thread(call: Call, request: pb.GetPostThreadRequest) -> pb.GetPostThreadResponse:
    return pb.GetPostThreadResponse(post_list=thread_of(call.world, live_post(call.world, request.post_id)))


def _anchor(call: Call, channel_id: str, post_id: str) -> Post:
    post = live_post(call.world, post_id)
    if post.channel_id != channel_id:
        raise bad_request("app.post.get_posts_around.get.app_error", f"post_id={post_id} is in another channel")
    return post


@METHODS.rpc
def _get_posts_after(call: Call, request: pb.GetPostsAfterRequest) -> pb.GetPostsAfterResponse:
    anchor = _anchor(call, request.channel_id, request.post_id)
    posts = call.world.store.posts.after(anchor, Page(request.page, request.per_page))
    return pb.GetPostsAfterResponse(post_list=list_of(call.world, posts[::-1]))


@METHODS.rpc
def _get_posts_before(call: Call, request: pb.GetPostsBeforeRequest) -> pb.GetPostsBeforeResponse:
    anchor = _anchor(call, request.channel_id, request.post_id)
    posts = call.world.store.posts.before(anchor, Page(request.page, request.per_page))
    return pb.GetPostsBeforeResponse(post_list=list_of(call.world, posts))


@METHODS.rpc
def _get_posts_for_channel(call: Call, request: pb.GetPostsForChannelRequest) -> pb.GetPostsForChannelResponse:
    posts = call.world.store.posts.of_channel(request.channel_id, Page(request.page, request.per_page))
    return pb.GetPostsForChannelResponse(post_list=list_of(call.world, posts))


@METHODS.rpc
def _get_posts_since(call: Call, request: pb.GetPostsSinceRequest) -> pb.GetPostsSinceResponse:
    posts = call.world.store.posts.since(request.channel_id, request.time, MOST_SINCE)
    return pb.GetPostsSinceResponse(post_list=list_of(call.world, posts))


def _check_search(call: Call) -> None:
    if not section(load_config(call.world), "ServiceSettings").get("EnablePostSearch"):
        raise ApiError("store.sql_post.search.disabled", 501)


@METHODS.rpc
def _search_posts_in_team(call: Call, request: pb.SearchPostsInTeamRequest) -> pb.SearchPostsInTeamResponse:
    _check_search(call)
    existing_team(call.world, request.team_id)
    channels = call.world.store.channels.select("team_id = ?", [request.team_id])
    found: dict[str, Post] = {}
    for params in request.params_list:
        searched = [
            channel.id
            for channel in channels
            if (not channel.delete_at or params.include_deleted_channels)
            and (not params.in_channels or channel.id in params.in_channels or channel.name in params.in_channels)
            and channel.id not in params.excluded_channels
        ]
        people = [*params.from_users]
        users = call.world.store.users.among("username", people) + call.world.store.users.among("id", people)
        author_ids = [user.id for user in users] or people
        posts = search_posts(call.world, searched, params.terms, any_word=params.is_or_search, user_ids=author_ids)
        found.update({post.id: post for post in posts})
    newest_first = sorted(found.values(), key=lambda post: (-post.create_at, post.id))
    return pb.SearchPostsInTeamResponse(posts=newest_first)


@METHODS.rpc
def _search_posts_in_team_for_user(
    call: Call, request: pb.SearchPostsInTeamForUserRequest
) -> pb.SearchPostsInTeamForUserResponse:
    _check_search(call)
    existing_user(call.world, request.user_id)
    params = request.search_params
    channels = call.world.store.channels.of_user(
        request.user_id, request.team_id, include_deleted=params.include_deleted_channels
    )
    ids = [channel.id for channel in channels if channel.type != ChannelType.CHANNEL_TYPE_UNSPECIFIED]
    posts = search_posts(call.world, ids, params.terms, any_word=params.is_or_search)
    # A server without a search engine gives everything on the first page.
    posts = posts if params.page == 0 else []
    results = PostSearchResults(order=[post.id for post in posts])
    for post in posts:
        results.posts[post.id].CopyFrom(post)
    return pb.SearchPostsInTeamForUserResponse(results=results)


@METHODS.rpc
async def _update_post(call: Call, request: pb.UpdatePostRequest) -> pb.UpdatePostResponse:
    return pb.UpdatePostResponse(post=await update_post(call.world, call.context(), request.post))


@METHODS.rpc
def _send_ephemeral_post(call: Call, request: pb.SendEphemeralPostRequest) -> pb.SendEphemeralPostResponse:
    existing_channel(call.world, request.post.channel_id)
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
