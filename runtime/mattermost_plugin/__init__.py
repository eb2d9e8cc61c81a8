"""Mattermost server plugins in Python.

from mattermost_plugin import Plugin, run_plugin

class Greeter(Plugin):
    def on_activate(self) -> None:
        self.logger.info("activated")

if __name__ == "__main__":
    run_plugin(Greeter)
"""

from mattermost_plugin._stdio import install_if_started_by_host

# Before anything can print: the first line on stdout belongs to the handshake, and a print() of the author's
# modules, which are imported next, would end the start.
install_if_started_by_host()

from mattermost_plugin.errors import HookError, HookRegistrationError, PluginError  # noqa: E402
from mattermost_plugin.hooks import HookName, hook  # noqa: E402
from mattermost_plugin.plugin import Plugin  # noqa: E402
from mattermost_plugin.server import run_plugin, serve_plugin  # noqa: E402
from mattermost_pluginapi.hooks.results import Reject  # noqa: E402

__all__ = [
    "HookError",
    "HookName",
    "HookRegistrationError",
    "Plugin",
    "PluginError",
    "Reject",
    "hook",
    "run_plugin",
    "serve_plugin",
]
