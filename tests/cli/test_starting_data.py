"""What a new host has in it, once."""

import asyncio
from collections.abc import Awaitable, Callable
from pathlib import Path

import pytest

from mattermost_plugin.cli.dev.starting_data import make_starting_data
from mattermost_plugin.devhost import DevHost
from mattermost_pluginapi.v1.team_pb2 import TeamMember


def run(path: Path | None, scenario: Callable[[DevHost], Awaitable[None]]) -> None:
    async def inside() -> None:
        async with DevHost(path) as host:
            await scenario(host)

    asyncio.run(inside())


def rows(host: DevHost) -> list[int]:
    store = host.store
    return [table.count() for table in (store.users, store.teams, store.channels, store.team_members)] + [
        store.channel_members.count()
    ]


async def check_all(host: DevHost) -> None:
    team = host.store.teams.by_name("crew")
    assert team is not None
    members = {}
    for channel in host.store.channels.search(team.id, "") + [
        found for found in [host.store.channels.by_name(team.id, "backstage")] if found
    ]:
        users = [host.store.users.get(member.user_id) for member in host.store.channel_members.of_channel(channel.id)]
        members[channel.name] = sorted(user.username for user in users if user)
    everybody = ["ada", "admin", "bob"]
    assert members == {"town-square": everybody, "off-topic": everybody, "backstage": ["ada", "admin"]}
    admin, ada = host.store.users.by_username("admin"), host.store.users.by_username("ada")
    assert admin is not None
    assert ada is not None
    assert (admin.roles, ada.roles, ada.first_name) == ("system_user system_admin", "system_user", "Ada")


def test_what_there_is() -> None:
    async def scenario(host: DevHost) -> None:
        said = await make_starting_data(host)
        assert said == "team crew; users admin, ada, bob; channels town-square, off-topic, backstage"
        await check_all(host)

    run(None, scenario)


def test_a_kept_file_gets_it_once(tmp_path: Path) -> None:
    before: list[int] = []

    async def first(host: DevHost) -> None:
        await make_starting_data(host)
        before.extend(rows(host))

    async def second(host: DevHost) -> None:
        await make_starting_data(host)
        assert rows(host) == before
        bob, team = host.store.users.by_username("bob"), host.store.teams.by_name("crew")
        assert bob is not None
        assert team is not None
        host.store.team_members.put(TeamMember(team_id=team.id, user_id=bob.id, delete_at=1))

    async def third(host: DevHost) -> None:
        # What was changed stays changed.
        await make_starting_data(host)
        bob = host.store.users.by_username("bob")
        assert bob is not None
        assert host.store.teams.of_user(bob.id) == []

    for scenario in (first, second, third):
        run(tmp_path / "state.sqlite", scenario)


class KilledError(Exception):
    """The host has ended here."""


@pytest.mark.parametrize("action", ["create_user", "create_team", "join_team", "create_channel", "join_channel"])
def test_a_host_that_was_killed_meanwhile_goes_on(tmp_path: Path, action: str, monkeypatch: pytest.MonkeyPatch) -> None:
    async def interrupted(host: DevHost) -> None:
        original = getattr(host.act, action)

        async def act_once(*arguments: object, **fields: object) -> object:
            await original(*arguments, **fields)
            raise KilledError

        monkeypatch.setattr(host.act, action, act_once)
        with pytest.raises(KilledError):
            await make_starting_data(host)

    async def again(host: DevHost) -> None:
        await make_starting_data(host)
        await check_all(host)

    run(tmp_path / "state.sqlite", interrupted)
    run(tmp_path / "state.sqlite", again)
