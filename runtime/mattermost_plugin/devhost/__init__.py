"""A host for plugins under development, which plays the server to them. A plugin's process never imports it.

async with DevHost() as host:
    await host.launch(Path("examples/greeter"))
    ada = await host.act.create_user("ada")
    ...
"""

from mattermost_plugin.devhost.clock import Clock, ManualClock, SystemClock
from mattermost_plugin.devhost.errors import ApiError, DevHostError, StartError
from mattermost_plugin.devhost.events import EventBus
from mattermost_plugin.devhost.host import DevHost
from mattermost_plugin.devhost.http_exchange import HttpAnswer, HttpQuestion
from mattermost_plugin.devhost.service import implemented_methods

__all__ = [
    "ApiError",
    "Clock",
    "DevHost",
    "DevHostError",
    "EventBus",
    "HttpAnswer",
    "HttpQuestion",
    "ManualClock",
    "StartError",
    "SystemClock",
    "implemented_methods",
]
