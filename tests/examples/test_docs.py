"""The code in the documentation runs, and does what is said beside it."""

from __future__ import annotations

import asyncio
import itertools
import re
import textwrap
from datetime import UTC, timedelta
from pathlib import Path
from typing import Any, cast

import pytest

import mattermost_plugin
from mattermost_plugin import Plugin, bots, cluster, jobs, kv, models
from mattermost_plugin.api import PluginAPI
from mattermost_plugin.testing import RejectedByPlugin, TestServer

ROOT = Path(__file__).parents[2]
PICTURE = b"\x89PNG\r\n\x1a\n rest"


def blocks(page: str) -> list[str]:
    return re.findall(r"```python\n(.*?)```", (ROOT / page).read_text(encoding="utf-8"), re.DOTALL)


def names_of(source: str) -> dict[str, Any]:
    """What a block defines. Its imports are its own where it has some, and else the package's names are there."""
    names: dict[str, Any] = {"__name__": "documented", "timedelta": timedelta, "ensure_bot": bots.ensure_bot}
    for module in (models, mattermost_plugin, cluster, jobs, kv):
        names |= {name: getattr(module, name) for name in module.__all__}
    exec(compile(source, "documented.py", "exec"), names)
    return names


def plugin_of(source: str, name: str, more: str = "") -> type[Plugin]:
    """The plugin class of a block, which may be some methods of one.

    Args:
        source: the block.
        name: the class's name.
        more: methods that the block calls and leaves to the reader.
    """
    if not source.startswith(("class ", "from ")):
        source = f"class {name}(Plugin):\n{textwrap.indent(source, '    ')}"
    return cast("type[Plugin]", names_of(source + textwrap.indent(textwrap.dedent(more), "    "))[name])


def test_the_first_plugin(mattermost: TestServer) -> None:
    (source,) = blocks("README.md")
    mattermost.load(plugin_of(source, "Greeter"))
    ada = mattermost.user("ada")
    channel = mattermost.channel("lounge", members=[ada])
    ada.post(channel, "Hello")
    with pytest.raises(RejectedByPlugin, match="Please do not shout"):
        ada.post(channel, "HELLO")
    assert mattermost.logs("activated")


def test_keys_and_values(mattermost: TestServer) -> None:
    (source,) = blocks("docs/kv.md")
    mattermost.load(plugin_of(source, "Polls"))
    ada = mattermost.user("ada")
    channel = mattermost.channel("lounge", members=[ada])
    assert mattermost.logs(r"start number 1, polls: \['poll-tea'\]")
    for message in ("yes", "yes", "no"):
        ada.post(channel, message)
    assert mattermost.kv["poll-tea"] == b'{"question":"Tea?","votes":{"yes":2,"no":1}}'
    ada.post(channel, "close")
    assert list(mattermost.kv) == ["starts"]


def test_mutexes(mattermost: TestServer) -> None:
    source, _, _ = blocks("docs/cluster.md")
    more = """
        def pages(self):
            return range(3)

        def write(self, page):
            self.logger.info("page %d", page)

        async def count(self, post):
            self.logger.info("counted %s", post.message)
    """
    mattermost.load(plugin_of(source, "Reports", more))
    ada = mattermost.user("ada")
    ada.log_in()
    ada.post(mattermost.channel("lounge", members=[ada]), "hi")
    assert [line.message for line in mattermost.logs(level="info")] == ["page 0", "page 1", "page 2", "counted hi"]


def test_recurring_jobs(mattermost: TestServer) -> None:
    _, source, _ = blocks("docs/cluster.md")
    more = """
        spans, digests = [], []

        async def fetch(self, since, until):
            self.spans.append((since, until))

        def digest(self, run):
            self.digests.append(run.due)
    """
    plugin = vars(type(mattermost.load(plugin_of(source, "Recurring", more))))
    mattermost.clock.advance(days=1)
    assert [(due.hour, due.minute, due.tzinfo) for due in plugin["digests"]] == [(6, 0, UTC)]
    spans = plugin["spans"]
    assert len(spans) == 288
    assert all(before[1] == after[0] for before, after in itertools.pairwise(spans))


def test_one_shot_jobs(mattermost: TestServer) -> None:
    _, _, source = blocks("docs/cluster.md")
    plugin = mattermost.load(plugin_of(source, "Reminders"))
    mattermost.register_command("remind")
    ada, bot = mattermost.user("ada"), mattermost.user("reminder")
    vars(plugin)["bot_id"] = bot.id
    channel = mattermost.channel("lounge", members=[ada, bot])
    assert ada.command("/remind", channel).text == "I will."
    mattermost.clock.advance(hours=1, minutes=59)
    before = channel.messages
    mattermost.clock.advance(minutes=1)
    assert channel.messages == [*before, f"<@{ada.id}> Now!"]


def test_both_clients(mattermost: TestServer) -> None:
    source, lists, _ = blocks("docs/api.md")
    mattermost.load(plugin_of(source, "Welcome"))
    ada = mattermost.user("ada")
    channel = mattermost.channel("lounge", members=[ada])
    ada.post(channel, "hi")
    assert mattermost.kv[f"joined-{ada.id}"] == b"1"
    assert mattermost.api_calls("get_user")

    walk = names_of(f"async def walk(self, team_id, channel_id):\n{textwrap.indent(lists, '    ')}")["walk"]
    assert asyncio.iscoroutinefunction(walk)
    for method in walk.__code__.co_names:
        if method.startswith("iter_"):
            assert hasattr(PluginAPI, method)


def test_the_plugins_bot(mattermost: TestServer, tmp_path: Path) -> None:
    _, _, source = blocks("docs/api.md")
    (tmp_path / "assets").mkdir()
    (tmp_path / "assets" / "greeter.png").write_bytes(PICTURE)
    (tmp_path / "plugin.json").write_text('{"id": "com.example.bot", "server": {"executable": "plugin.py"}}')
    (tmp_path / "plugin.py").write_text(f"from mattermost_plugin import Plugin\n{source}")
    plugin = mattermost.load(tmp_path)
    assert vars(plugin)["bot_id"] == mattermost.find_user("greeter").id
