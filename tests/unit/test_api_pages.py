"""The iterators of both clients: which there are, what they ask for, and when they end."""

import asyncio
import inspect
from collections.abc import AsyncIterator, Callable, Iterator
from functools import partial
from typing import Any

import pytest
from google.protobuf.message import Message

from mattermost_plugin.api import RepeatedPageError
from mattermost_plugin.models import PostList, User
from mattermost_pluginapi.api.client import AsyncPluginAPI, PluginAPI
from mattermost_pluginapi.api.method import ApiMethod
from mattermost_pluginapi.api.methods import METHODS
from tests.peer.filled import filled
from tests.unit.api_host import argument, connected
from tests.unit.memory_api import AsyncMemoryAPI, Memory, MemoryAPI

NUMBERS = "page per_page"
OF_POSTS = "order posts"

# Each iterator: the method that lists, the parameters by which it asks for a page, and what else is between the answer
# and its items.
ITERATORS = {
    "iter_access_control_fields_autocomplete": ("GetAccessControlFieldsAutocomplete", "after limit", ""),
    "iter_bots": ("GetBots", "options", ""),
    "iter_channel_members": ("GetChannelMembers", NUMBERS, ""),
    "iter_channel_members_for_user": ("GetChannelMembersForUser", NUMBERS, ""),
    "iter_emoji_list": ("GetEmojiList", NUMBERS, ""),
    "iter_file_infos": ("GetFileInfos", NUMBERS, ""),
    "iter_group_member_users": ("GetGroupMemberUsers", NUMBERS, ""),
    "iter_groups": ("GetGroups", NUMBERS, ""),
    "iter_kv_list": ("KVList", NUMBERS, ""),
    "iter_posts_after": ("GetPostsAfter", NUMBERS, OF_POSTS),
    "iter_posts_before": ("GetPostsBefore", NUMBERS, OF_POSTS),
    "iter_posts_for_channel": ("GetPostsForChannel", NUMBERS, OF_POSTS),
    "iter_public_channels_for_team": ("GetPublicChannelsForTeam", NUMBERS, ""),
    "iter_query_users_for_access_control_expression": (
        "QueryUsersForAccessControlExpression",
        "cursor_id limit",
        "users",
    ),
    "iter_search_posts_in_team_for_user": ("SearchPostsInTeamForUser", "search_params", OF_POSTS),
    "iter_search_property_fields": ("SearchPropertyFields", "opts", ""),
    "iter_search_property_values": ("SearchPropertyValues", "opts", ""),
    "iter_team_members": ("GetTeamMembers", NUMBERS, ""),
    "iter_team_members_for_user": ("GetTeamMembersForUser", NUMBERS, ""),
    "iter_users": ("GetUsers", NUMBERS, ""),
    "iter_users_in_channel": ("GetUsersInChannel", NUMBERS, ""),
    "iter_users_in_team": ("GetUsersInTeam", NUMBERS, ""),
}

# Parameters that sound like pages, and are not: there is no way to the next one.
NO_PAGES = {"SearchUsers"}


def parameters(client: type, name: str) -> dict[str, inspect.Parameter]:
    found = dict(inspect.signature(getattr(client, name)).parameters)
    del found["self"]
    return found


@pytest.mark.parametrize("client", [PluginAPI, AsyncPluginAPI])
def test_every_list_with_pages_has_an_iterator(client: type) -> None:
    assert {name for name in dir(client) if name.startswith("iter_")} == set(ITERATORS)
    for name, (method, _, _) in ITERATORS.items():
        assert name == f"iter_{METHODS[method].method.removeprefix('get_')}"
    paged = {
        name
        for name, method in METHODS.items()
        if {"page", "per_page", "limit", "offset", "after"} & set(method.request_type.DESCRIPTOR.fields_by_name)
    }
    assert paged - NO_PAGES <= {method for method, _, _ in ITERATORS.values()}


@pytest.mark.parametrize("name", ITERATORS)
def test_an_iterator_has_the_parameters_of_its_method(name: str) -> None:
    method, asked_by, _ = ITERATORS[name]
    of_method = parameters(PluginAPI, METHODS[method].method)
    dropped = set() if asked_by in of_method else set(asked_by.split())
    wanted = {key: value for key, value in of_method.items() if key not in dropped}
    found = parameters(PluginAPI, name)
    page_size = found.pop("page_size")
    assert (page_size.kind, page_size.default) == (inspect.Parameter.KEYWORD_ONLY, 200)
    assert found == wanted
    assert parameters(AsyncPluginAPI, name) == parameters(PluginAPI, name)
    assert getattr(AsyncPluginAPI, name).__doc__ == getattr(PluginAPI, name).__doc__


def answer_of(method: ApiMethod[Any, Any], below: str) -> tuple[Any, list[Any]]:
    """A page with two different items, and these."""
    response = method.response_type()
    (field,) = (each for each in response.DESCRIPTOR.fields if each.name != "error")
    if below == OF_POSTS:
        posts = getattr(response, field.name)
        for name in ("newer", "older"):
            posts.posts[name].id = name
        posts.posts["root"].id = "root"
        posts.order.extend(["newer", "older"])
        items = [posts.posts["newer"], posts.posts["older"]]
        return response, items[::-1] if method.name == "GetPostsAfter" else items
    repeated = getattr(getattr(response, field.name), below) if below else getattr(response, field.name)
    if method.name == "KVList":
        repeated.extend(["a", "b"])
    else:
        for name in ("a", "b"):
            repeated.append(filled(type(repeated.add()), name))
            del repeated[-2]
    return response, list(repeated)


@pytest.mark.parametrize("name", ITERATORS)
def test_an_iterator_asks_for_page_after_page(name: str) -> None:
    method_name, asked_by, below = ITERATORS[name]
    method = METHODS[method_name]
    request = filled(method.request_type, "asked")
    response, items = answer_of(method, below)
    pages: list[Message] = [response, method.response_type()]
    arguments = {
        field.name: argument(request, field)
        for field in method.request_type.DESCRIPTOR.fields
        if field.name in parameters(PluginAPI, name)
    }

    async def scenario() -> None:
        async with connected() as (host, api):

            async def answer(request: Any, context: Any) -> Message:
                return pages[(len(host.calls) - 1) % 2]

            host.answers[method_name] = answer
            found = await asyncio.to_thread(lambda: list(getattr(api, name)(**arguments, page_size=2)))
            assert found == items
            assert [item async for item in getattr(api.aio, name)(**arguments, page_size=2)] == items
            first, second, *again = (call.request for call in host.calls)
            assert again == [first, second]
            check_pages(asked_by, first, second, items[-1])
            for field in method.request_type.DESCRIPTOR.fields:
                if field.name not in asked_by.split():
                    assert getattr(first, field.name) == getattr(second, field.name) == getattr(request, field.name)

    asyncio.run(scenario())


def check_pages(asked_by: str, first: Any, second: Any, last: Any) -> None:
    """Whether two requests ask for two pages of two items."""
    if asked_by in ("after limit", "cursor_id limit"):
        cursor = asked_by.removesuffix(" limit")
        assert (getattr(first, cursor), getattr(second, cursor)) == ("", last.id)
        assert (first.limit, second.limit) == (2, 2)
        return
    pages = (0, 1)
    if asked_by != NUMBERS:
        first, second = getattr(first, asked_by), getattr(second, asked_by)
        if "cursor" in first.DESCRIPTOR.fields_by_name:
            assert not first.HasField("cursor")
            (name,) = (each.name for each in second.cursor.DESCRIPTOR.fields if each.name.endswith("_id"))
            assert (getattr(second.cursor, name), second.cursor.create_at) == (last.id, last.create_at)
            pages = (0, 0)
        changed = {"page", "per_page", "cursor"} & set(first.DESCRIPTOR.fields_by_name)
        plain, other = type(first)(), type(first)()
        plain.CopyFrom(first)
        other.CopyFrom(second)
        for name in changed:
            plain.ClearField(name)
            other.ClearField(name)
        assert plain == other != type(first)()
    assert (first.page, second.page) == pages
    assert (first.per_page, second.per_page) == (2, 2)


# What is the same for all of them, seen on two.


class Lists:
    """One of the clients, whose server gives some pages of keys and users."""

    def __init__(self, runner: asyncio.Runner | None, *pages: list[str]) -> None:
        self.memory = Memory()
        self.runner = runner
        self.api: Any = MemoryAPI(self.memory) if runner is None else AsyncMemoryAPI(self.memory)
        self.pages = list(pages)
        self.memory.answers["KVList"] = lambda request: {"keys": self._page(request)}
        self.memory.answers["GetUsersInTeam"] = lambda request: {
            "users": [User(id=name) for name in self._page(request)]
        }

    def _page(self, request: Any) -> list[str]:
        return self.pages[request.page] if request.page < len(self.pages) else []

    def all(self, items: Any) -> list[Any]:
        if self.runner is None:
            assert isinstance(items, Iterator)
            return list(items)
        assert isinstance(items, AsyncIterator)

        async def collect() -> list[Any]:
            return [item async for item in items]

        return self.runner.run(collect())

    def first(self, items: Any) -> Any:
        async def one() -> Any:
            return await anext(items)

        return next(items) if self.runner is None else self.runner.run(one())


MakeLists = Callable[..., Lists]


@pytest.fixture(params=["threads", "coroutines"])
def make_lists(request: pytest.FixtureRequest) -> Iterator[MakeLists]:
    if request.param == "threads":
        yield partial(Lists, None)
        return
    with asyncio.Runner() as runner:
        yield partial(Lists, runner)


def test_only_an_empty_page_ends_a_list(make_lists: MakeLists) -> None:
    lists = make_lists(["a", "b"], ["c"], ["d", "e", "f"], [], ["g"])
    assert lists.all(lists.api.iter_kv_list(page_size=2)) == ["a", "b", "c", "d", "e", "f"]
    assert len(lists.memory.requests) == 4


def test_an_empty_list(make_lists: MakeLists) -> None:
    lists = make_lists()
    assert lists.all(lists.api.iter_kv_list()) == []
    assert len(lists.memory.requests) == 1


def test_nothing_is_called_before_it_is_needed(make_lists: MakeLists) -> None:
    lists = make_lists(["a", "b"], ["c"])
    items = lists.api.iter_kv_list()
    assert lists.memory.requests == []
    assert lists.first(items) == "a"
    assert lists.first(items) == "b"
    assert len(lists.memory.requests) == 1
    assert lists.first(items) == "c"
    assert len(lists.memory.requests) == 2


@pytest.mark.parametrize("page_size", [0, -1, 2**31, 1.0, True, "10", None])
def test_a_wrong_page_size_is_refused_at_once(make_lists: MakeLists, page_size: Any) -> None:
    lists = make_lists()
    with pytest.raises(ValueError, match="kv_list: page_size must be a whole number from 1 to 2147483647"):
        lists.api.iter_kv_list(page_size=page_size)


def test_the_timeout_goes_with_every_call(make_lists: MakeLists) -> None:
    lists = make_lists(["a"], ["b"])
    lists.all(lists.api.iter_kv_list(timeout=5))
    assert lists.memory.timeouts == [5, 5, 5]


def test_a_server_that_does_not_know_pages(make_lists: MakeLists) -> None:
    lists = make_lists()
    lists.memory.answers["KVList"] = lambda request: {"keys": ["a", "b"]}
    seen = []

    def consume() -> None:
        items = lists.api.iter_kv_list(page_size=2)
        while True:
            seen.append(lists.first(items))

    with pytest.raises(RepeatedPageError, match="kv_list: the server gives the same page again and again") as caught:
        consume()
    assert caught.value.method == "kv_list"
    # Nothing comes twice before it is noticed.
    assert seen == ["a", "b"]
    assert len(lists.memory.requests) == 4


def test_a_server_that_does_not_know_pages_and_gives_everything(make_lists: MakeLists) -> None:
    lists = make_lists()
    lists.memory.answers["KVList"] = lambda request: {"keys": ["a", "b"]}
    assert lists.all(lists.api.iter_kv_list(page_size=3)) == ["a", "b"]
    assert len(lists.memory.requests) == 2


def test_it_is_noticed_even_if_the_items_were_changed_meanwhile() -> None:
    memory = Memory()
    memory.answers["GetUsersInTeam"] = lambda request: {"users": [User(id="a")]}

    def consume() -> None:
        for user in MemoryAPI(memory).iter_users_in_team("t", page_size=1):
            user.nickname = "changed"

    with pytest.raises(RepeatedPageError, match="get_users_in_team"):
        consume()


def test_a_page_may_come_twice_because_others_added_items(make_lists: MakeLists) -> None:
    lists = make_lists(["c"], ["c"], ["b"], ["b"], ["b"], ["a"])
    assert lists.all(lists.api.iter_kv_list(page_size=1)) == ["c", "b", "a"]


def test_posts_that_are_no_part_of_the_page_are_left_out(make_lists: MakeLists) -> None:
    lists = make_lists()
    pages = [PostList(order=["b", "a"]), PostList()]
    for name in ("a", "b", "root of a thread"):
        pages[0].posts[name].id = name
    lists.memory.answers["GetPostsForChannel"] = lambda request: {"post_list": pages[request.page]}
    lists.memory.answers["GetPostsAfter"] = lists.memory.answers["GetPostsForChannel"]
    assert [post.id for post in lists.all(lists.api.iter_posts_for_channel("c"))] == ["b", "a"]
    assert [post.id for post in lists.all(lists.api.iter_posts_after("c", "p"))] == ["a", "b"]


def test_the_method_of_a_substitute_is_asked() -> None:
    class Fixed(MemoryAPI):
        def kv_list(self, page: int = 0, per_page: int = 60, *, timeout: float | None = None) -> list[str]:
            return ["a"] if page == 0 else []

    assert list(Fixed(Memory()).iter_kv_list()) == ["a"]


def test_what_the_server_raises_ends_the_list(make_lists: MakeLists) -> None:
    lists = make_lists(["a"])

    def fail(request: Any) -> dict[str, Any]:
        if request.page == 1:
            raise LookupError("the server")
        return {"keys": ["a"]}

    lists.memory.answers["KVList"] = fail
    with pytest.raises(LookupError, match="the server"):
        lists.all(lists.api.iter_kv_list())


def test_arguments_of_a_wrong_type_are_named_with_the_first_item(make_lists: MakeLists) -> None:
    lists = make_lists()
    with pytest.raises(TypeError, match="get_users_in_team: team_id must be str, not int"):
        lists.all(lists.api.iter_users_in_team(5))
