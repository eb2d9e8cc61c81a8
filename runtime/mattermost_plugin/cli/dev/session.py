"""A development host with plugins on it, from its start to its end."""

from __future__ import annotations

import asyncio
import contextlib
import os
import signal
from collections.abc import Sequence
from pathlib import Path
from typing import Final

from mattermost_plugin.cli.dev.file_watch import FileWatch
from mattermost_plugin.cli.dev.keeper import PluginKeeper
from mattermost_plugin.cli.dev.library_log import library_log_in
from mattermost_plugin.cli.dev.log_view import LogView, short_names
from mattermost_plugin.cli.dev.options import DevOptions
from mattermost_plugin.cli.dev.page import Page, start_page
from mattermost_plugin.cli.dev.starting_data import make_starting_data
from mattermost_plugin.cli.errors import CommandError
from mattermost_plugin.cli.signals import ends_at_signals
from mattermost_plugin.cli.terminal import Terminal
from mattermost_plugin.devhost import DevHost, DevHostError
from mattermost_plugin.devhost.events import Event

__all__ = ["run_session"]

END_S: Final = 5.0
"""How long the end may take: twice the 2 s that a plugin has after it was asked to end, and a little."""


async def run_session(options: DevOptions, terminal: Terminal) -> int:
    """Run the plugins until a signal ends it.

    Args:
        options: what was asked for.
        terminal: where the log goes.

    Returns:
        The exit code.

    Raises:
        CommandError: it cannot start.
    """
    try:
        host = DevHost(options.data)
    except DevHostError as error:
        raise CommandError(str(error)) from error
    session = _Session(host, options, terminal)
    with library_log_in(host), ends_at_signals(session.on_signal, session.kill):
        try:
            await session.serve()
        finally:
            await session.close()
    return 0


class _Session:
    def __init__(self, host: DevHost, options: DevOptions, terminal: Terminal) -> None:
        self._host = host
        self._options = options
        self._terminal = terminal
        names = short_names([plugin.plugin_id for plugin in options.plugins])
        self._view = LogView(terminal, names, verbose=options.verbose)
        self._keepers = {
            plugin.folder: PluginKeeper(host, plugin, names[plugin.plugin_id], watched=options.watch)
            for plugin in options.plugins
        }
        self._watch = FileWatch(host, list(self._keepers), options.data, self._on_change)
        self._page: Page | None = None
        self._keeping: list[asyncio.Task[None]] = []
        self._end = asyncio.Event()

    async def serve(self) -> None:
        """Start everything, and return when it is to end.

        Raises:
            CommandError: the page cannot be served.
        """
        data = await self._make_data()
        self._host.events.subscribe(self._show)
        url = ""
        if self._options.port is not None:
            self._page, url = await start_page(self._host, self._options.port)
            await self._host.act.configure("ServiceSettings", SiteURL=url.partition("/#")[0])
        kept = f"kept in {self._options.data}" if self._options.data else "not kept (--data FILE keeps it)"
        self._log("info", f"data: {data}; {kept}")
        if url:
            self._log("info", f"page: {url}")
        if self._options.watch:
            await self._watch.start()
        self._keeping = [asyncio.create_task(keeper.run()) for keeper in self._keepers.values()]
        end = asyncio.create_task(self._end.wait())
        done, _ = await asyncio.wait({end, *self._keeping}, return_when=asyncio.FIRST_COMPLETED)
        end.cancel()
        for task in done:
            task.result()

    async def _make_data(self) -> str:
        """Make the starting data. Returns what there is, in words."""
        try:
            return await make_starting_data(self._host)
        except DevHostError as error:
            return f"what {self._options.data} has, as the usual team and users cannot be added to it: {error}"

    async def close(self) -> None:
        """Deactivate and end the plugins, and close the file."""
        try:
            async with asyncio.timeout(END_S):
                await self._close_in_order()
        except TimeoutError:
            self._log("warn", f"the end took longer than {END_S:g} s: what still runs is killed")
            self._kill_processes()
            with contextlib.suppress(TimeoutError):
                async with asyncio.timeout(END_S):
                    await self._host.close()

    async def _close_in_order(self) -> None:
        await self._watch.stop()
        for task in self._keeping:
            task.cancel()
        await asyncio.gather(*self._keeping, return_exceptions=True)
        if self._page is not None:
            await self._page.stop()
        plugins = list(self._host.world.plugins)
        ends = [self._host.disable(plugin.plugin_id) for plugin in plugins]
        for plugin, end in zip(plugins, await asyncio.gather(*ends, return_exceptions=True), strict=True):
            # The others are ended, and the file is closed, all the same.
            if isinstance(end, BaseException):
                self._log("error", f"{plugin.plugin_id} cannot be ended: {end}")
        await self._host.close()

    def kill(self) -> None:
        """Kill the plugins' processes and close the file."""
        self._kill_processes()
        self._host.abandon()

    def _kill_processes(self) -> None:
        for plugin in self._host.world.plugins:
            pid = self._host.pid(plugin.plugin_id)
            if pid is not None:
                with contextlib.suppress(ProcessLookupError):
                    os.kill(pid, signal.SIGKILL)

    def on_signal(self, heard: signal.Signals) -> None:
        """Begin the end."""
        again = "; Ctrl-C again ends at once" if heard is signal.SIGINT else ""
        self._log("info", f"{heard.name}: deactivating the plugins{again}")
        for keeper in self._keepers.values():
            keeper.give_up()
        self._end.set()

    def _on_change(self, folder: Path, files: Sequence[Path]) -> None:
        self._keepers[folder].change(files)

    def _show(self, event: Event) -> None:
        try:
            self._view.show(event)
        except OSError:
            # Nobody reads the log any more, as when it was piped into `head`.
            self._terminal.abandon()
            self._end.set()

    def _log(self, level: str, text: str) -> None:
        self._host.world.log(level, text)
