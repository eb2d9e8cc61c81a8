"""Who is there when the plugin starts, and where."""

from dataclasses import dataclass

from mattermost_plugin.devhost import DevHost
from mattermost_pluginapi.models import Channel, User


@dataclass(frozen=True, slots=True)
class Stage:
    """A host with people in a channel."""

    host: DevHost
    ada: User
    bob: User
    mallory: User
    lounge: Channel

    @property
    def names(self) -> dict[str, str]:
        """Usernames by id."""
        return {user.id: user.username for user in (self.ada, self.bob, self.mallory)}


async def set_stage(host: DevHost) -> Stage:
    """Make people, a team and a channel with ada and bob in it."""
    ada, bob, mallory = [await host.act.create_user(name) for name in ("ada", "bob", "mallory")]
    team = await host.act.create_team("crew")
    for user in (ada, bob):
        await host.act.join_team(team.id, user.id)
    lounge = await host.act.create_channel(team.id, "lounge", creator_id=ada.id)
    await host.act.join_channel(lounge.id, bob.id)
    return Stage(host, ada, bob, mallory, lounge)
