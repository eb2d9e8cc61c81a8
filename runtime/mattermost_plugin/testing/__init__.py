"""Tests of plugins: a Mattermost server within the test's process. A plugin's process never imports it.

def test_greeting(mattermost):  # a fixture, of the type TestServer
    mattermost.load(Greeter)
    ada = mattermost.user("ada")
    channel = mattermost.channel("lounge", members=[ada])
    assert ada.post(channel, "hello").message == "hello :wave:"

Without pytest: `with TestServer() as server`. In coroutines: `async with DevHost() as host, serving(host, Greeter)`.
"""

from importlib import import_module
from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from mattermost_plugin.devhost import DevHost, ManualClock, SystemClock
    from mattermost_plugin.testing._connection import TestConnection
    from mattermost_plugin.testing._control import serving
    from mattermost_plugin.testing._http import Answer
    from mattermost_plugin.testing._kv import KeyValues
    from mattermost_plugin.testing._people import TestUser
    from mattermost_plugin.testing._places import TestChannel, TestTeam
    from mattermost_plugin.testing._plugin import TestPlugin
    from mattermost_plugin.testing._records import ApiCall, HookCall, LogLine, Records
    from mattermost_plugin.testing._server import TestServer
    from mattermost_plugin.testing._server_faults import ExpectedErrors, Fault, HeldCalls
    from mattermost_plugin.testing._time import TestClock, advance
    from mattermost_plugin.testing._work import quiet
    from mattermost_plugin.testing.errors import (
        DeadlineError,
        LeftoverWarning,
        LoadError,
        MisuseError,
        PostDismissed,
        RejectedByPlugin,
        RequestRefused,
        ServerUnderTestError,
        UnexpectedErrors,
    )

__all__ = [
    "Answer",
    "ApiCall",
    "DeadlineError",
    "DevHost",
    "ExpectedErrors",
    "Fault",
    "HeldCalls",
    "HookCall",
    "KeyValues",
    "LeftoverWarning",
    "LoadError",
    "LogLine",
    "ManualClock",
    "MisuseError",
    "PostDismissed",
    "Records",
    "RejectedByPlugin",
    "RequestRefused",
    "ServerUnderTestError",
    "SystemClock",
    "TestChannel",
    "TestClock",
    "TestConnection",
    "TestPlugin",
    "TestServer",
    "TestTeam",
    "TestUser",
    "UnexpectedErrors",
    "advance",
    "quiet",
    "serving",
]

_HOMES: Final = {
    "mattermost_plugin.devhost": ("DevHost", "ManualClock", "SystemClock"),
    "mattermost_plugin.testing._connection": ("TestConnection",),
    "mattermost_plugin.testing._control": ("serving",),
    "mattermost_plugin.testing._http": ("Answer",),
    "mattermost_plugin.testing._kv": ("KeyValues",),
    "mattermost_plugin.testing._people": ("TestUser",),
    "mattermost_plugin.testing._places": ("TestChannel", "TestTeam"),
    "mattermost_plugin.testing._plugin": ("TestPlugin",),
    "mattermost_plugin.testing._records": ("ApiCall", "HookCall", "LogLine", "Records"),
    "mattermost_plugin.testing._server": ("TestServer",),
    "mattermost_plugin.testing._server_faults": ("ExpectedErrors", "Fault", "HeldCalls"),
    "mattermost_plugin.testing._time": ("TestClock", "advance"),
    "mattermost_plugin.testing._work": ("quiet",),
    "mattermost_plugin.testing.errors": (
        "DeadlineError",
        "LeftoverWarning",
        "LoadError",
        "MisuseError",
        "PostDismissed",
        "RejectedByPlugin",
        "RequestRefused",
        "ServerUnderTestError",
        "UnexpectedErrors",
    ),
}

if not TYPE_CHECKING:

    def __getattr__(name: str) -> object:
        # Not at the top: pytest imports this package in every run, and most runs test no plugin.
        for home, names in _HOMES.items():
            if name in names:
                value = getattr(import_module(home), name)
                globals()[name] = value
                return value
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")

    def __dir__() -> list[str]:
        return sorted({*globals(), *__all__})
