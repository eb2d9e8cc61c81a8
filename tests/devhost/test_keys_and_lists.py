"""The key-value store, the iterators and ensure_bot against the development host, over the wire, in both clients."""

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass
from typing import Any

import pytest

from mattermost_plugin import bots
from mattermost_plugin._api_client import ThreadClient
from mattermost_plugin.bots import BotUsernameTakenError, ensure_bot
from mattermost_plugin.devhost import DevHost, ManualClock
from mattermost_plugin.kv import DELETE, AsyncKVStore, JsonObject, KVStore
from mattermost_plugin.models import Bot, BotGetOptions, PropertyField, PropertyFieldSearchOpts
from tests.devhost.site import PNG
from tests.unit.api_host import client

PLUGIN = "com.example.keeper"
OTHER_PLUGIN = "com.example.other"


@dataclass
class Served:
    """A host and the clients of a plugin."""

    host: DevHost
    clock: ManualClock
    api: ThreadClient
    other_api: ThreadClient
    """Of another plugin."""
    twin_api: ThreadClient
    """Of the same plugin on another node."""

    async def both(
        self, threads: Callable[[KVStore], Any], coroutines: Callable[[AsyncKVStore], Awaitable[Any]]
    ) -> Any:
        """The outcome of the same in a thread and then in a coroutine, which must not differ."""
        kv = KVStore(self.api)
        await asyncio.to_thread(kv.delete_all, "")
        from_thread = await asyncio.to_thread(threads, kv)
        await kv.aio.delete_all("")
        assert await coroutines(kv.aio) == from_thread
        return from_thread


@asynccontextmanager
async def serving() -> AsyncIterator[Served]:
    clock = ManualClock()
    async with DevHost(clock=clock) as host:
        target, other = await host.open_api(PLUGIN), await host.open_api(OTHER_PLUGIN)
        async with client(target) as api, client(other) as other_api, client(target) as twin_api:
            yield Served(host, clock, api, other_api, twin_api)


def test_values_and_conditions() -> None:
    def in_thread(kv: KVStore) -> list[object]:
        kv.set("a", {"né": [1, None]})
        seen: list[object] = [kv.get("a"), kv.get("b", int, default=5)]
        seen += [kv.set_if_absent("a", 1), kv.set_if_absent("b", 1), kv.compare_and_set("b", 2, 3)]
        seen += [kv.compare_and_set("b", 1, 2), kv.update("b", lambda count: count + 1, int, initial=0)]
        seen += [kv.keys(), list(kv.items()), kv.compare_and_set("b", 3, DELETE), kv.keys()]
        kv.delete("a")
        return [*seen, kv.get("a"), kv.delete_all("")]

    async def in_coroutine(kv: AsyncKVStore) -> list[object]:
        await kv.set("a", {"né": [1, None]})
        seen: list[object] = [await kv.get("a"), await kv.get("b", int, default=5)]
        seen += [await kv.set_if_absent("a", 1), await kv.set_if_absent("b", 1), await kv.compare_and_set("b", 2, 3)]
        seen += [await kv.compare_and_set("b", 1, 2), await kv.update("b", lambda count: count + 1, int, initial=0)]
        seen += [await kv.keys(), [item async for item in kv.items()]]
        seen += [await kv.compare_and_set("b", 3, DELETE), await kv.keys()]
        await kv.delete("a")
        return [*seen, await kv.get("a"), await kv.delete_all("")]

    async def scenario() -> None:
        async with serving() as here:
            value = {"né": [1, None]}
            assert await here.both(in_thread, in_coroutine) == [
                *[value, 5, False, True, False, True, 3, ["a", "b"], [("a", value), ("b", 3)], True, ["a"]],
                *[None, 0],
            ]

    asyncio.run(scenario())


def test_values_vanish() -> None:
    async def scenario() -> None:
        async with serving() as here:
            kv = KVStore(here.api).aio
            await kv.set("set", 1, expires_in=10)
            await kv.set_if_absent("claimed", 1, expires_in=9.5)
            await kv.set("updated", 1)
            await kv.update("updated", lambda count: count, int, initial=0, expires_in=10)
            await kv.set("kept", 1, expires_in=10)
            await kv.update("kept", lambda count: count, int, initial=0)
            here.clock.advance(seconds=9.9)
            assert await kv.keys() == ["claimed", "kept", "set", "updated"]
            here.clock.advance(seconds=0.2)
            # Storing without expires_in keeps a value for ever.
            assert await kv.keys() == ["kept"]
            assert await kv.set_if_absent("claimed", 2)

    asyncio.run(scenario())


def test_each_plugin_has_keys_of_its_own() -> None:
    async def scenario() -> None:
        async with serving() as here:
            kv, twin, other = (KVStore(api).aio for api in (here.api, here.twin_api, here.other_api))
            await kv.set("k", 1)
            assert await twin.get("k") == 1
            assert await other.get("k") is None
            assert await other.delete_all("") == 0

    asyncio.run(scenario())


def test_keys_on_many_pages() -> None:
    async def scenario() -> None:
        async with serving() as here:
            names = [f"k{number:04}" for number in range(1001)]
            for name in names:
                here.host.store.kv.set(PLUGIN, name, b"1")
            kv = KVStore(here.api)
            assert await kv.aio.keys("k") == names
            assert await asyncio.to_thread(kv.keys, "k1") == ["k1000"]
            assert [key async for key in here.api.aio.iter_kv_list(page_size=300)] == names
            assert await kv.aio.delete_all("k0") == 1000
            assert await kv.aio.keys() == ["k1000"]

    asyncio.run(scenario())


def test_no_update_is_lost_between_threads_and_coroutines_of_two_nodes() -> None:
    workers, each = 4, 10

    def count(kv: KVStore) -> None:
        for _ in range(each):
            kv.update("count", lambda count: count + 1, int, initial=0, attempts=10_000)

    async def scenario() -> None:
        async with serving() as here:
            stores = [KVStore(here.api), KVStore(here.twin_api)] * (workers // 2)

            async def count_in_coroutine(kv: AsyncKVStore) -> None:
                for _ in range(each):
                    await kv.update("count", lambda count: count + 1, int, initial=0, attempts=10_000)

            await asyncio.gather(
                *(asyncio.to_thread(count, kv) for kv in stores), *(count_in_coroutine(kv.aio) for kv in stores)
            )
            assert await stores[0].aio.get("count", int) == 2 * workers * each

    asyncio.run(scenario())


def test_a_large_value() -> None:
    async def scenario() -> None:
        async with serving() as here:
            kv = KVStore(here.api).aio
            value: JsonObject = {"text": "é" * 200_000}
            await kv.set("k", value)
            assert await kv.get("k", JsonObject) == value

    asyncio.run(scenario())


def test_lists_of_users_and_posts() -> None:
    async def scenario() -> None:
        async with serving() as here:
            team = await here.host.act.create_team("core")
            users = [await here.host.act.create_user(f"user{number}") for number in range(5)]
            for user in users:
                await here.host.act.join_team(team.id, user.id)
            lobby = await here.host.act.create_channel(team.id, "lobby", creator_id=users[0].id)
            posts = []
            for number in range(5):
                here.clock.advance(seconds=1)
                posts.append((await here.host.act.post(users[0].id, lobby.id, str(number))).id)
            api = here.api
            names = [user.username async for user in api.aio.iter_users_in_team(team.id, page_size=2)]
            assert sorted(names) == [f"user{number}" for number in range(5)]
            in_thread = await asyncio.to_thread(lambda: list(api.iter_users_in_team(team.id, page_size=2)))
            assert [user.username for user in in_thread] == names
            for size in (1, 2, 5):
                newest_first = [post.id async for post in api.aio.iter_posts_for_channel(lobby.id, page_size=size)]
                before = [post.id async for post in api.aio.iter_posts_before(lobby.id, posts[3], page_size=size)]
                after = [post.id async for post in api.aio.iter_posts_after(lobby.id, posts[0], page_size=size)]
                assert newest_first == posts[::-1]
                assert before == [posts[2], posts[1], posts[0]]
                assert after == posts[1:]

    asyncio.run(scenario())


def test_lists_of_bots_and_property_fields() -> None:
    async def scenario() -> None:
        async with serving() as here:
            api = here.api.aio
            for number in range(3):
                await api.create_bot(Bot(username=f"bot{number}"))
            names = [bot.username async for bot in api.iter_bots(BotGetOptions(owner_id=PLUGIN), page_size=2)]
            assert sorted(names) == ["bot0", "bot1", "bot2"]
            group = await api.register_property_group("group")
            for number in range(3):
                here.clock.advance(seconds=1)
                await api.create_property_field(PropertyField(group_id=group.id, name=f"field{number}", type="text"))
            found = api.iter_search_property_fields(group.id, PropertyFieldSearchOpts(), page_size=2)
            assert [field.name async for field in found] == ["field0", "field1", "field2"]

    asyncio.run(scenario())


def test_a_bot_is_made_and_kept_up_to_date() -> None:
    async def scenario() -> None:
        async with serving() as here:
            api = here.api
            user_id = await asyncio.to_thread(ensure_bot, api, "greeter", display_name="Greeter", profile_image=PNG)
            assert await ensure_bot(api.aio, "greeter", display_name="Greeter") == user_id
            bot = await api.aio.get_bot(user_id)
            assert (bot.username, bot.display_name, bot.owner_id) == ("greeter", "Greeter", PLUGIN)
            assert await api.aio.get_profile_image(user_id) == PNG

            await api.aio.update_bot_active(user_id, False)
            assert await ensure_bot(api.aio, "welcomer", display_name="Welcomer", description="Welcomes.") == user_id
            bot = await api.aio.get_bot(user_id)
            assert (bot.username, bot.display_name, bot.description) == ("welcomer", "Welcomer", "Welcomes.")

            # The store's own methods leave alone where the server keeps its id.
            await KVStore(api).aio.delete_all("")
            assert await ensure_bot(api.aio, "greeter") == user_id

    asyncio.run(scenario())


def test_a_bot_that_is_lost_is_made_anew() -> None:
    async def scenario() -> None:
        async with serving() as here:
            api = here.api.aio
            user_id = await ensure_bot(api, "greeter", display_name="Old")
            await api.kv_delete_all()
            assert await ensure_bot(api, "greeter", display_name="New") == user_id
            assert (await api.get_bot(user_id)).display_name == "New"
            await api.permanent_delete_bot(user_id)
            new_id = await ensure_bot(api, "greeter")
            assert (await api.get_bot(new_id)).username == "greeter"
            assert new_id != user_id

    asyncio.run(scenario())


def test_two_nodes_make_one_bot() -> None:
    async def scenario() -> None:
        async with serving() as here:
            apis = [here.api, here.twin_api] * 5
            in_threads = [asyncio.to_thread(ensure_bot, api, "greeter", display_name="Greeter") for api in apis]
            in_coroutines = [ensure_bot(api.aio, "greeter", display_name="Greeter") for api in apis]
            assert len(set(await asyncio.gather(*in_threads, *in_coroutines))) == 1
            assert [bot.username async for bot in here.api.aio.iter_bots(BotGetOptions())] == ["greeter"]

    asyncio.run(scenario())


def test_a_persons_username(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(bots, "_PAUSES_S", ())

    async def scenario() -> None:
        async with serving() as here:
            ada = await here.host.act.create_user("ada")
            with pytest.raises(BotUsernameTakenError, match="mmctl user convert ada --bot") as caught:
                await ensure_bot(here.api.aio, "ada")
            assert caught.value.user_id == ada.id

    asyncio.run(scenario())
