"""Files that a plugin writes itself whenever it starts do not restart it for ever."""

import asyncio
from pathlib import Path

from mattermost_plugin.cli.dev.keeper import PluginKeeper
from mattermost_plugin.cli.dev.own_writes import CLOSE_S, MOST_STARTS, OwnWrites
from mattermost_plugin.cli.plugin_folders import PluginFolder
from mattermost_plugin.devhost import DevHost
from mattermost_plugin.devhost.events import LogWritten
from tests.cli.dev_process import make_plugin

CACHE, PAGE, SOURCE, MANIFEST = map(Path, ("state/cache.json", "page.html", "lib/code.py", "plugin.json"))


class Starts:
    """A plugin that starts again and again, and the time, in seconds."""

    def __init__(self) -> None:
        self.now = 0.0
        self.writes = OwnWrites(lambda: self.now)

    def change(self, *files: Path, after_s: float | None) -> tuple[list[Path], list[Path]]:
        """Start, and change files so soon after that; None: before the start has ended."""
        self.writes.start_begins()
        if after_s is not None:
            self.writes.start_ends()
            self.now += after_s
        return self.writes.sift(files)


def test_a_file_that_changes_at_each_start_counts_no_more() -> None:
    starts = Starts()
    for after_s in (None, 0, CLOSE_S, None):
        assert starts.change(CACHE, after_s=after_s) == ([CACHE], [])
    assert starts.change(CACHE, PAGE, after_s=0.1) == ([PAGE], [CACHE])
    assert starts.change(CACHE, after_s=3600) == ([], [])
    assert starts.change(PAGE, CACHE, SOURCE, after_s=3600) == ([PAGE, SOURCE], [])


def test_what_an_author_saves_now_and_then_counts() -> None:
    starts = Starts()
    for _ in range(3 * MOST_STARTS):
        assert starts.change(PAGE, after_s=CLOSE_S + 0.1) == ([PAGE], [])
    for number in range(3 * MOST_STARTS):
        # A start without a change of it comes in between.
        changed = PAGE if number % MOST_STARTS else CACHE
        assert starts.change(changed, after_s=0) == ([changed], [])


def test_sources_always_count() -> None:
    starts = Starts()
    for _ in range(3 * MOST_STARTS):
        assert starts.change(SOURCE, MANIFEST, after_s=0) == ([SOURCE, MANIFEST], [])


def test_the_keeper_tells_it_and_goes_on(tmp_path: Path) -> None:
    async def scenario() -> None:
        async with DevHost() as host:
            plugin = PluginFolder(make_plugin(tmp_path / "sample"), "sample", "com.example.sample")
            keeper = PluginKeeper(host, plugin, "sample", watched=True, now=lambda: 0.0)
            for _ in range(MOST_STARTS + 2):
                keeper.change([CACHE])
            keeper.change([SOURCE])
            restarts = [line.message for line in host.events.history(LogWritten) if "is restarted" in line.message]
            assert restarts == [f"sample is restarted: {CACHE} changed"] * (MOST_STARTS - 1) + [
                f"sample is restarted: {SOURCE} changed"
            ]
            (warning,) = (line.message for line in host.events.history(LogWritten) if line.level == "warn")
            assert warning.startswith("state/cache.json changes whenever sample starts")

    asyncio.run(scenario())
