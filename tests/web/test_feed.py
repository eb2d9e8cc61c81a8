"""The websocket: what a tab hears, whom an event reaches, and what happens to a tab that does not listen."""

import pytest

from mattermost_plugin.devhost.events import HookCalled
from mattermost_plugin.devhost.web import Front, feed
from mattermost_plugin.devhost.web.feed import reaches
from mattermost_plugin.devhost.web.journal import REMEMBERED, Journal
from mattermost_pluginapi.v1.websocket_pb2 import WebsocketBroadcast
from tests.web.site import GREETER, WORKSHOP, Client, Site, run


def test_hook_calls_api_calls_log_lines_and_events_are_told() -> None:
    async def scenario(here: Site) -> None:
        async with here.client.feed() as tab:
            await tab.hello()
            await here.client.post("/posts", {"channel_id": here.lounge.id, "message": "Hello <i>"})
            hook = await tab.until(lambda event: event["name"] == "MessageWillBePosted")
            assert (hook["kind"], hook["plugin"]) == ("hook", "com.example.greeter")
            assert hook["ms"] >= 0
            called = await tab.until(lambda event: event["name"] == "KVSet")
            assert (called["kind"], called["plugin"]) == ("api", "com.example.workshop")
            posted = await tab.until(lambda event: event["name"] == "posted")
            assert posted["effect"]["by"] == here.ada.id
            here.host.world.log("warn", "careful", "com.example.greeter", {"count": 3, "token": "SECRET"})
            line = await tab.until(lambda event: event["kind"] == "log" and event["name"] == "careful")
            assert line["level"] == "warn"
        details = (await here.client.get(f"/events/{hook['number']}"))["event"]
        assert details["arguments"]["post"]["message"] == "Hello <i>"
        assert details["result"]["modified_post"]["message"] == "Hello <i> :wave:"
        details = (await here.client.get(f"/events/{called['number']}"))["event"]
        assert details["arguments"] == {"key": "posts", "value": "1"}
        details = (await here.client.get(f"/events/{posted['number']}"))["event"]
        assert details["data"]["post"]["message"] == "Hello <i> :wave:"
        details = (await here.client.get(f"/events/{line['number']}"))["event"]
        assert details["values"] == {"count": 3, "token": "<redacted>"}
        await here.client.error(404, "GET", "/events/999999")

    run(scenario, GREETER, WORKSHOP)


def test_a_tab_hears_on_where_it_was_and_of_a_new_run() -> None:
    async def scenario(here: Site) -> None:
        here.host.world.log("info", "one")
        async with here.client.feed() as tab:
            first = await tab.hello()
            last = (await tab.until(lambda event: event["name"] == "one"))["number"]
        here.host.world.log("info", "two")
        async with here.client.feed(run=first["run"], after=last) as tab:
            assert await tab.hello() == first
            await tab.until(lambda event: event["name"] == "two")
            assert min(event["number"] for event in tab.heard) > last
        await here.front.stop()
        port = int(here.address.partition(":")[2])
        front = Front(here.host, port=port)
        await front.start()
        try:
            await here.client.log_in(here.ada)
            async with here.client.feed(run=first["run"], after=10_000) as tab:
                assert (await tab.hello())["run"] != first["run"]
                await tab.until(lambda event: event["name"] == "one")
        finally:
            await front.stop()

    run(scenario)


def test_two_tabs_and_an_ephemeral_post() -> None:
    async def scenario(here: Site) -> None:
        bob = Client(here.client.session, here.link)
        await bob.log_in(here.bob)
        async with here.client.feed() as of_ada, bob.feed() as of_bob:
            await of_ada.hello()
            await of_bob.hello()
            await here.client.post("/commands", {"channel_id": here.lounge.id, "command": "/tidy"})
            await here.client.post("/posts", {"channel_id": here.lounge.id, "message": "Hello"})
            assert (await of_bob.effect("posted"))["by"] == here.ada.id
            assert (await of_ada.effect("ephemeral_message"))["post"]["message"] == "It is tidy already."
            # Bob's list has it too, as a developer's, but his page does not show it.
            told = await of_bob.until(lambda event: event["name"] == "ephemeral_message")
            assert "effect" not in told

    run(scenario, WORKSHOP)


def test_a_tab_is_a_connection_of_its_user() -> None:
    async def scenario(here: Site) -> None:
        async with here.client.feed() as tab:
            await tab.hello()
        await here.host.events.wait_for(HookCalled, lambda event: event.hook == "OnWebSocketDisconnect")
        hooks = [event.hook for event in here.host.events.history(HookCalled) if "WebSocket" in event.hook]
        assert hooks == ["OnWebSocketConnect", "OnWebSocketDisconnect"]

    run(scenario, WORKSHOP)


def test_a_tab_without_a_user_hears_of_the_first_one() -> None:
    async def scenario(here: Site) -> None:
        here.client.user_id = ""
        async with here.client.feed() as tab:
            await tab.hello()
            await here.host.act.create_user("carl")
            assert await tab.effect("new_user") == {"places": True}

    run(scenario)


def test_what_a_slow_tab_misses_is_counted(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(feed, "MOST_WAITING", 10)

    async def scenario(here: Site) -> None:
        async with here.client.feed() as tab:
            await tab.hello()
            here.host.world.log("info", "begin")
            await tab.until(lambda event: event["name"] == "begin")
            told = len(tab.heard), tab.missed
            for number in range(25):  # without a pause in which something could be sent
                here.host.world.log("info", f"line {number}")
            await tab.until(lambda event: event["name"] == "line 24")
            assert (len(tab.heard), tab.missed) == (told[0] + 10, told[1] + 15)

    run(scenario)


def test_there_is_a_limit_to_connections(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(feed, "MOST_CONNECTIONS", 1)

    async def scenario(here: Site) -> None:
        async with here.client.feed() as tab, here.client.feed() as other:
            await tab.hello()
            assert (await other.socket.receive()).data == 1013
        async with here.client.feed() as tab:
            await tab.hello()

    run(scenario)


def test_the_journal_forgets_the_oldest() -> None:
    async def scenario(here: Site) -> None:
        journal = Journal(here.host.events)
        for number in range(REMEMBERED + 5):
            here.host.world.log("info", str(number))
        newest = journal.after(0, REMEMBERED * 2)
        assert len(newest) == REMEMBERED
        assert newest[-1].number == journal.last_number
        assert journal.entry(1) is None
        assert [entry.number for entry in journal.after(journal.last_number - 3, 2)] == [
            journal.last_number - 1,
            journal.last_number,
        ]
        journal.close()
        journal.close()
        here.host.world.log("info", "unheard")
        assert journal.after(0, 1)[0].summary["name"] == str(REMEMBERED + 4)

    run(scenario)


def test_whom_an_event_reaches() -> None:
    async def scenario(here: Site) -> None:
        carl = await here.host.act.create_user("carl")
        cases: list[tuple[WebsocketBroadcast, tuple[bool, bool]]] = [
            (WebsocketBroadcast(), (True, True)),
            (WebsocketBroadcast(user_id=here.ada.id), (True, False)),
            (WebsocketBroadcast(user_id=here.ada.id, channel_id=here.lounge.id), (True, False)),
            (WebsocketBroadcast(channel_id=here.lounge.id), (True, False)),
            (WebsocketBroadcast(team_id=here.team.id), (True, False)),
            (WebsocketBroadcast(omit_users=[here.ada.id]), (False, True)),
            (WebsocketBroadcast(connection_id="tab"), (True, False)),
            (WebsocketBroadcast(connection_id="tab", omit_connection_id=True), (False, True)),
            (WebsocketBroadcast(omitted_connection_id="tab"), (False, True)),
        ]
        for broadcast, expected in cases:
            of_ada = reaches(here.host.world, broadcast, here.ada.id, "tab")
            of_carl = reaches(here.host.world, broadcast, carl.id, "other")
            assert (of_ada, of_carl) == expected, broadcast
        assert reaches(here.host.world, WebsocketBroadcast(), "", "")
        assert not reaches(here.host.world, WebsocketBroadcast(channel_id=here.lounge.id), "", "")

    run(scenario)
