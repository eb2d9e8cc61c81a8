"""A plugin that sets logging up as its argument says, and one of whose tasks may end the process."""

import asyncio
import atexit
import logging
import logging.config
import sys
import threading
from collections.abc import Callable

if "early" in sys.argv:
    logging.basicConfig(force="basic-force" in sys.argv)

from mattermost_plugin import Plugin, run_plugin
from mattermost_plugin.models import Channel, PluginContext, Post, User

EXIT_CODE = 7

SET_UPS: dict[str, Callable[[], None]] = {
    "dict": lambda: logging.config.dictConfig({"version": 1}),
    "dict-root": lambda: logging.config.dictConfig({"version": 1, "root": {"level": "INFO", "handlers": []}}),
    "basic": logging.basicConfig,
    "basic-force": lambda: logging.basicConfig(force=True),
    "none": lambda: None,
}


class SetUp(Plugin):
    """Fails, leaves a thread behind, or ends the process."""

    def on_activate(self) -> None:
        if "early" not in sys.argv:
            SET_UPS[sys.argv[1]]()

    def on_deactivate(self) -> None:
        print("deactivated")

    def message_has_been_posted(self, context: PluginContext, post: Post) -> None:
        raise RuntimeError("the handler fails")

    def channel_has_been_created(self, context: PluginContext, channel: Channel) -> None:
        logging.getLogger("author").warning("the author warns")

    def user_has_logged_in(self, context: PluginContext, user: User) -> None:
        """Leaves a thread behind that the interpreter waits for."""
        atexit.register(print, "atexit")
        threading.Thread(target=threading.Event().wait, name="endless", daemon=False).start()

    async def user_has_been_created(self, context: PluginContext, user: User) -> None:
        """Has a task end the process."""

        async def leave() -> None:
            sys.exit(EXIT_CODE)

        self.task = asyncio.create_task(leave(), name="leave")


if __name__ == "__main__":
    run_plugin(SetUp)
