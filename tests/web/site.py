"""A host with two plugins, a team and people, behind its front, and a client that talks to it as the page does."""

from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncIterator, Awaitable, Callable, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import aiohttp

from mattermost_plugin.devhost import DevHost
from mattermost_plugin.devhost.web import Front
from mattermost_pluginapi.v1.channel_pb2 import Channel
from mattermost_pluginapi.v1.team_pb2 import Team
from mattermost_pluginapi.v1.user_pb2 import User

GREETER = Path(__file__).parents[2] / "examples" / "greeter"
WORKSHOP = Path(__file__).parent / "workshop"
GREETER_ID, WORKSHOP_ID = "com.example.greeter", "com.example.workshop"


@dataclass
class Site:
    """What a test has."""

    host: DevHost
    front: Front
    link: str
    ada: User
    bob: User
    team: Team
    lounge: Channel
    client: Client

    @property
    def address(self) -> str:
        """Host and port."""
        return self.link.removeprefix("http://").partition("/")[0]


class Client:
    """Talks to the front as a tab of the page does."""

    def __init__(self, session: aiohttp.ClientSession, link: str) -> None:
        self.session = session
        base, _, key = link.partition("#key=")
        self.base = base.rstrip("/")
        self.key = key
        self.user_id = ""

    def headers(self, user_id: str = "") -> dict[str, str]:
        headers = {"X-Devhost-Key": self.key}
        return headers | ({"X-Devhost-User": user_id or self.user_id} if user_id or self.user_id else {})

    async def send(
        self, method: str, path: str, body: Any = None, *, status: int = 200, user_id: str = "", **options: Any
    ) -> Any:
        """Send a request to the API; the answer as JSON."""
        headers = self.headers(user_id) | options.pop("headers", {})
        async with self.session.request(method, f"{self.base}/api{path}", json=body, headers=headers, **options) as got:
            assert got.status == status, await got.text()
            assert got.headers["X-Content-Type-Options"] == "nosniff"
            return await got.json()

    async def get(self, path: str, **options: Any) -> Any:
        return await self.send("GET", path, **options)

    async def post(self, path: str, body: Mapping[str, object] | None = None, **options: Any) -> Any:
        return await self.send("POST", path, body or {}, **options)

    async def error(self, status: int, method: str, path: str, body: Any = None, **options: Any) -> dict[str, Any]:
        """The error that a request must have."""
        error = (await self.send(method, path, body, status=status, **options))["error"]
        assert error["status"] == status
        return dict(error)

    async def log_in(self, user: User) -> None:
        """Act as a user from now on."""
        await self.post("/login", {"user_id": user.id})
        self.user_id = user.id

    @asynccontextmanager
    async def feed(self, user_id: str = "", **hello: object) -> AsyncIterator[FeedClient]:
        """The websocket of a tab."""
        async with self.session.ws_connect(f"{self.base}/api/feed") as socket:
            await socket.send_json({"key": self.key, "user_id": user_id or self.user_id, **hello})
            yield FeedClient(socket)


class FeedClient:
    """What a tab hears."""

    def __init__(self, socket: aiohttp.ClientWebSocketResponse) -> None:
        self.socket = socket
        self.heard: list[dict[str, Any]] = []
        self.missed = 0

    async def hello(self) -> dict[str, Any]:
        """The first message."""
        return dict((await self.socket.receive_json())["hello"])

    async def until(self, matches: Callable[[dict[str, Any]], bool]) -> dict[str, Any]:
        """The first event that matches, of those heard and those to come."""
        for event in self.heard:
            if matches(event):
                return event
        while True:
            message = json.loads(await self.socket.receive_str())
            self.missed += message.get("missed", 0)
            new = message.get("events", [])
            self.heard += new
            for event in new:
                if matches(event):
                    return dict(event)

    async def effect(self, name: str) -> dict[str, Any]:
        """What the first event of a name changes."""
        return dict((await self.until(lambda event: event["name"] == name and "effect" in event))["effect"])


async def populate(host: DevHost) -> tuple[User, User, Team, Channel]:
    """A team with two people and a channel."""
    ada = await host.act.create_user("ada", first_name="Ada", last_name="Byron")
    bob = await host.act.create_user("bob")
    team = await host.act.create_team("crew", "Crew")
    for user in (ada, bob):
        await host.act.join_team(team.id, user.id)
    lounge = await host.act.create_channel(team.id, "lounge", creator_id=ada.id)
    await host.act.join_channel(lounge.id, bob.id)
    return ada, bob, team, lounge


@asynccontextmanager
async def site(*folders: Path, path: Path | None = None) -> AsyncIterator[Site]:
    """A host behind its front, with the plugins of some folders."""
    async with DevHost(path) as host:
        ada, bob, team, lounge = await populate(host)
        for folder in folders:
            await host.launch(folder)
        front = Front(host)
        link = await front.start()
        try:
            async with aiohttp.ClientSession(cookie_jar=aiohttp.CookieJar(unsafe=True)) as session:
                client = Client(session, link)
                await client.log_in(ada)
                yield Site(host, front, link, ada, bob, team, lounge, client)
        finally:
            await front.stop()


def run(scenario: Callable[[Site], Awaitable[None]], *folders: Path, path: Path | None = None) -> None:
    """Run a test's steps on a site."""

    async def inside() -> None:
        async with site(*folders, path=path) as here:
            await scenario(here)

    asyncio.run(inside())
