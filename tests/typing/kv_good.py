# pyright: strict
"""The key-value store, page iterators and bots as authors may use them. Both type checkers must accept every line."""

from collections.abc import AsyncIterator, Iterator
from datetime import timedelta
from typing import Literal, TypedDict, assert_type

from pydantic import BaseModel

from mattermost_plugin import Plugin
from mattermost_plugin.api import AsyncPluginAPI, PluginAPI, RepeatedPageError
from mattermost_plugin.bots import BotUsernameTakenError, ensure_bot
from mattermost_plugin.kv import (
    DELETE,
    AsyncKVStore,
    Deletion,
    JsonArray,
    JsonObject,
    JsonValue,
    KVConflictError,
    KVError,
    KVStore,
    KVValueError,
)
from mattermost_plugin.models import (
    Bot,
    BotGetOptions,
    ChannelMember,
    Post,
    PropertyField,
    PropertyFieldSearchOpts,
    User,
)


class Poll(BaseModel):
    """A model of the author's."""

    question: str = ""
    votes: dict[str, int] = {}


class Settings(TypedDict):
    """A dict of the author's."""

    color: str


def one_more(count: int) -> int:
    return count + 1


def vote(poll: Poll | None) -> Poll | Literal[Deletion.DELETE]:
    return DELETE if poll is None else poll


def touch(settings: JsonObject) -> JsonObject:
    settings["touched"] = True
    return settings


class Keeper(Plugin):
    """Both stores in handlers."""

    def on_activate(self) -> None:
        assert_type(self.kv, KVStore)
        assert_type(self.kv.aio, AsyncKVStore)
        self.kv.set("text", "a", expires_in=timedelta(minutes=5))
        self.kv.set("number", 1.5, expires_in=60)
        self.kv.set("poll", Poll(), timeout=5)
        self.kv.set("polls", [Poll(), Poll()])
        self.kv.set("dict", {"a": [1, None, {"b": True}]})
        self.kv.set("typed dict", Settings(color="red"))
        assert_type(self.kv.get("any"), JsonValue)
        assert_type(self.kv.get("any", default="none"), JsonValue | str)
        assert_type(self.kv.get("poll", Poll), Poll | None)
        assert_type(self.kv.get("poll", as_type=Poll, default=Poll()), Poll)
        assert_type(self.kv.get("text", str), str | None)
        assert_type(self.kv.get("count", int, default=0), int)
        assert_type(self.kv.get("ratio", float), float | None)
        assert_type(self.kv.get("flag", bool, default=False), bool)
        assert_type(self.kv.get("list", JsonArray), list[JsonValue] | None)
        assert_type(self.kv.get("dict", JsonObject, default=None), dict[str, JsonValue] | None)
        assert_type(self.kv.set_if_absent("poll", Poll(), expires_in=0.5), bool)
        assert_type(self.kv.compare_and_set("poll", None, Poll()), bool)
        assert_type(self.kv.compare_and_set("poll", Poll(), DELETE), bool)
        self.kv.delete("poll")
        assert_type(self.kv.keys("poll-"), list[str])
        assert_type(self.kv.items(), Iterator[tuple[str, JsonValue]])
        assert_type(self.kv.items("poll-", Poll), Iterator[tuple[str, Poll]])
        assert_type(self.kv.items(as_type=int), Iterator[tuple[str, int]])
        assert_type(self.kv.delete_all("poll-"), int)

    def updates(self) -> None:
        assert_type(self.kv.update("count", one_more, int, initial=0), int)
        assert_type(self.kv.update("count", lambda count: count + 1, int, initial=0), int)
        assert_type(self.kv.update("count", lambda count: (count or 0) + 1, int), int)
        assert_type(self.kv.update("ratio", lambda ratio: ratio / 2, float, initial=1.0), float)
        poll = self.kv.update("poll", vote, Poll, attempts=3)
        if poll is not DELETE:
            assert_type(poll, Poll)
        assert_type(self.kv.update("dict", touch, JsonObject, initial={}), dict[str, JsonValue])
        assert_type(self.kv.update("any", lambda value: [value]), list[JsonValue])
        assert_type(self.kv.update("any", lambda value: f"{value}", initial=[]), str)

    async def on_deactivate(self) -> None:
        kv = self.kv.aio
        await kv.set("poll", Poll())
        assert_type(await kv.get("poll", Poll), Poll | None)
        assert_type(await kv.get("count", int, default=0), int)
        assert_type(await kv.update("count", lambda count: count + 1, int, initial=0), int)
        assert_type(await kv.compare_and_set("poll", None, Poll()), bool)
        assert_type(await kv.keys(), list[str])
        assert_type(kv.items("poll-", Poll), AsyncIterator[tuple[str, Poll]])
        async for key, value in kv.items():
            assert_type(key, str)
            assert_type(value, JsonValue)
        assert_type(await kv.delete_all(""), int)

    def errors(self) -> None:
        try:
            self.kv.update("count", one_more, int, initial=0)
        except KVConflictError as error:
            self.logger.info("%s %d", error.key, error.attempts)
        except KVValueError as error:
            self.logger.info("%s %s", error.key, error.reason)
        except KVError as error:
            self.logger.info("%s", error.key)


class Walker(Plugin):
    """Lists of the server."""

    def on_activate(self) -> None:
        assert_type(self.api.iter_users_in_team("t"), Iterator[User])
        assert_type(self.api.iter_channel_members("c", page_size=10, timeout=5), Iterator[ChannelMember])
        assert_type(self.api.iter_posts_for_channel("c"), Iterator[Post])
        assert_type(self.api.iter_kv_list(), Iterator[str])
        assert_type(self.api.iter_bots(BotGetOptions()), Iterator[Bot])
        found = self.api.iter_search_property_fields("g", PropertyFieldSearchOpts())
        assert_type(found, Iterator[PropertyField])
        try:
            for user in self.api.iter_users(role="system_admin"):
                assert_type(user, User)
        except RepeatedPageError as error:
            self.logger.info("%s", error.method)

    async def on_deactivate(self) -> None:
        assert_type(self.api.aio.iter_users_in_team("t"), AsyncIterator[User])
        names = [user.username async for user in self.api.aio.iter_users(page_size=50)]
        assert_type(names, list[str])


class Greeter(Plugin):
    """A bot."""

    def on_activate(self) -> None:
        assert_type(ensure_bot(self.api, "greeter", display_name="Greeter", profile_image="assets/icon.png"), str)

    async def on_deactivate(self) -> None:
        try:
            assert_type(await ensure_bot(self.api.aio, "greeter", profile_image=b"png", timeout=5), str)
        except BotUsernameTakenError as error:
            self.logger.info("%s %s", error.username, error.user_id)


def substitutes(api: PluginAPI, aio: AsyncPluginAPI) -> tuple[KVStore, AsyncKVStore]:
    return KVStore(api), AsyncKVStore(aio)
