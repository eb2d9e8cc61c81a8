"""Serving a plugin: what a plugin's main module calls, and the parts of it."""

from typing import TYPE_CHECKING

from mattermost_plugin._handshake import format_handshake_line
from mattermost_plugin.config import RuntimeConfig
from mattermost_plugin.plugin import Plugin

if TYPE_CHECKING:
    from mattermost_plugin._plugin_server import PluginServer

__all__ = ["PluginServer", "format_handshake_line", "run_plugin", "serve_plugin"]


async def serve_plugin(plugin_class: type[Plugin], config: RuntimeConfig | None = None) -> None:
    """Serve the plugin to the host that started this process, until the host is done with it.

    What comes after it must be quick: the process is ended 0.3 s later if it has not ended by itself. If it is
    cancelled, it stops the plugin in good order first.

    Args:
        plugin_class: the plugin.
        config: the runtime's settings; default is what the environment says.

    Raises:
        SystemExit: with code 1, if no host started this process (it says so on stderr), the plugin cannot start, or its
            connection to the host broke: the server starts it again then.
    """
    from mattermost_plugin._process import serve_process

    await serve_process(plugin_class, config)


def run_plugin(plugin_class: type[Plugin], config: RuntimeConfig | None = None) -> None:
    """Serve the plugin from a main module: `if __name__ == "__main__": run_plugin(MyPlugin)`.

    Args:
        plugin_class: the plugin.
        config: the runtime's settings; default is what the environment says.

    Raises:
        SystemExit: see `serve_plugin`; or a task of the plugin's has called `sys.exit`, which stops the plugin in
            good order.
    """
    from mattermost_plugin._process import run_process

    run_process(plugin_class, config)


if not TYPE_CHECKING:

    def __getattr__(name: str) -> object:
        # Loaded when asked for, which a plugin's main module never does itself.
        if name == "PluginServer":
            from mattermost_plugin._plugin_server import PluginServer

            return PluginServer
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
