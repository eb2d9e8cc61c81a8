"""Plugins that run in the test's process, and a host that has them."""

from collections.abc import AsyncIterator, Sequence
from contextlib import AsyncExitStack, asynccontextmanager

from mattermost_plugin import Plugin
from mattermost_plugin.config import RuntimeConfig
from mattermost_plugin.devhost import DevHost, ManualClock
from mattermost_plugin.testing import serving
from mattermost_pluginapi.v1.channel_pb2 import Channel
from mattermost_pluginapi.v1.user_pb2 import User
from tests.devhost.site import Api

CONFIG = RuntimeConfig(drain_s=0.1, deactivate_s=0.5)


class Loaded:
    """A host with plugins, a user and a channel."""

    host: DevHost
    clock: ManualClock
    apis: dict[str, Api]
    plugins: dict[str, Plugin]
    ada: User
    bob: User
    channel: Channel

    @property
    def api(self) -> Api:
        """The first plugin's."""
        return next(iter(self.apis.values()))


class Talker(Plugin):
    """A plugin with an API; the runtime's own client is not what is tested here."""

    api_calls: Api


@asynccontextmanager
async def loaded(plugins: Sequence[type[Plugin]]) -> AsyncIterator[Loaded]:
    """A host with plugins, whose ids are the names of their classes."""
    async with AsyncExitStack() as stack:
        here = Loaded()
        here.clock = ManualClock()
        here.host = await stack.enter_async_context(DevHost(clock=here.clock))
        here.apis, here.plugins = {}, {}
        here.ada, here.bob = await here.host.act.create_user("ada"), await here.host.act.create_user("bob")
        team = await here.host.act.create_team("core")
        for user in (here.ada, here.bob):
            await here.host.act.join_team(team.id, user.id)
        here.channel = await here.host.act.create_channel(team.id, "lobby", creator_id=here.ada.id)
        for kind in plugins:
            name = kind.__name__
            api = here.apis[name] = Api(await here.host.open_api(name))
            stack.push_async_callback(api.channel.close)
            plugin = here.plugins[name] = kind(config=CONFIG)
            if isinstance(plugin, Talker):
                plugin.api_calls = api
            await stack.enter_async_context(serving(here.host, plugin, manifest={"id": name}, runtime=CONFIG))
        here.host.events.clear()
        yield here
