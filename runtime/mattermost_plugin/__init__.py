"""Mattermost server plugins in Python.

from mattermost_plugin import Plugin, run_plugin

class Greeter(Plugin):
    def on_activate(self) -> None:
        self.logger.info("activated")

if __name__ == "__main__":
    run_plugin(Greeter)
"""

import gc

from mattermost_plugin._start import begin_if_started_by_host

# Before anything can print: the first line on stdout belongs to the handshake, and a print() of the author's
# modules, which are imported next, would end the start.
if begin_if_started_by_host() is not None:
    # The host waits for the handshake, and imports make no garbage: collecting meanwhile costs a tenth of the start.
    # The runtime switches it on again once the plugin serves.
    gc.disable()

from mattermost_plugin.errors import HookError, HookRegistrationError, PluginError
from mattermost_plugin.hooks import HookName, hook
from mattermost_plugin.plugin import Plugin
from mattermost_plugin.server import run_plugin, serve_plugin
from mattermost_pluginapi.hooks.results import Reject

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
