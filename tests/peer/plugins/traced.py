"""A plugin that leaves a trace of its life: lines in TRACE_FILE, and the same in the log.

Its arguments say what it does otherwise than well: see `on_activate`, `on_deactivate` and the functions below.
"""

import asyncio
import atexit
import os
import subprocess
import sys
import threading
import time
from pathlib import Path

from mattermost_plugin import Plugin, run_plugin
from mattermost_plugin.models import Channel, PluginContext, Post, User

TRACE = Path(os.environ.get("TRACE_FILE", os.devnull))
LOOK_INTERVAL_S = 0.01
CHILD = "import os, sys; print('child has', os.environ.get('MATTERMOST_PLUGIN')); sys.stdout.flush(); sys.stdin.read()"


def trace(event: str) -> None:
    with TRACE.open("a") as file:
        file.write(f"{event}\n")


def wait_for_file(name: str) -> None:
    while not (TRACE.parent / name).exists():
        time.sleep(LOOK_INTERVAL_S)


class Traced(Plugin):
    """Some hooks do what their names say, the others do something bad."""

    def __init__(self, *arguments: object, **named: object) -> None:
        super().__init__(*arguments, **named)  # type: ignore[arg-type]  # passed on as they are
        if "init-fails" in sys.argv:
            raise RuntimeError("no vault was found")

    def note(self, event: str) -> None:
        trace(event)
        self.logger.info("trace: %s", event, extra={"pid": os.getpid()})

    def on_configuration_change(self) -> None:
        self.note("configuration")
        if "configuration-fails" in sys.argv:
            raise RuntimeError("the configuration is empty")

    def on_activate(self) -> None:
        self.note("activating")
        if "activation-waits" in sys.argv:
            wait_for_file("go")
        if "activation-fails" in sys.argv and not (TRACE.parent / "go").exists():
            raise RuntimeError("the vault is sealed")
        self.note("active")

    async def on_deactivate(self) -> None:
        self.note("deactivating")
        if "deactivation-fails" in sys.argv:
            raise RuntimeError("the vault cannot be closed")
        if "deactivation-hangs" in sys.argv:
            await asyncio.Event().wait()
        await asyncio.sleep(0)
        self.note("deactivated")

    def message_has_been_posted(self, context: PluginContext, post: Post) -> None:
        self.note("posted")

    def user_has_logged_in(self, context: PluginContext, user: User) -> None:
        """Hangs in its thread."""
        self.note("hanging")
        threading.Event().wait()

    async def user_has_been_created(self, context: PluginContext, user: User) -> None:
        """Waits, and says that it was cancelled."""
        self.note("waiting")
        try:
            await asyncio.Event().wait()
        finally:
            self.note("cancelled")

    async def channel_has_been_created(self, context: PluginContext, channel: Channel) -> None:
        """Blocks the event loop."""
        self.note("blocking")
        threading.Event().wait()

    def user_has_been_deactivated(self, context: PluginContext, user: User) -> None:
        """Leaves a child behind that lives until its stdin is closed, which is never."""
        read_end, _ = os.pipe()
        # Not waited for and not closed on purpose.
        child = subprocess.Popen([sys.executable, "-c", CHILD], stdin=read_end, close_fds="all-fds" not in sys.argv)
        self.logger.info("the child runs", extra={"child": child.pid})


if __name__ == "__main__":
    atexit.register(trace, "atexit")
    run_plugin(Traced)
