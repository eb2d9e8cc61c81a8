"""A plugin's keys and values, as a test looks at them and sets them."""

from collections.abc import Iterator
from typing import Any, cast

import pytest

from mattermost_plugin import Plugin
from mattermost_plugin.testing import DevHost, TestServer


class Keeper(Plugin):
    """Keeps what it is told to."""


@pytest.fixture
def server() -> Iterator[TestServer]:
    with TestServer() as server:
        yield server


def test_what_the_plugin_stores_and_what_the_test_does(server: TestServer) -> None:
    keeper = server.load(Keeper)
    keeper.kv.set("theirs", {"a": 1})
    server.kv["ours"] = b"2"
    assert dict(server.kv) == {"ours": b"2", "theirs": b'{"a":1}'}
    assert keeper.kv.get("ours", int) == 2
    assert repr(server.kv) == "<keys of test.keeper: {'ours': b'2', 'theirs': b'{\"a\":1}'}>"
    del server.kv["theirs"]
    with pytest.raises(KeyError, match="theirs"):
        del server.kv["theirs"]
    with pytest.raises(KeyError, match="theirs"):
        server.kv["theirs"]
    server.kv["ours"] = b""
    assert "ours" not in server.kv
    assert keeper.kv.keys() == []


def test_each_plugin_has_its_own(server: TestServer) -> None:
    server.load(Keeper)
    server.load(Keeper, manifest={"id": "com.example.other"})
    server.plugins["test.keeper"].kv["key"] = b"1"
    assert len(server.plugins["com.example.other"].kv) == 0


def test_values_expire_by_the_servers_clock(server: TestServer) -> None:
    server.load(Keeper)
    server.kv.set("short", b"1", expires_in_s=5)
    assert server.kv["short"] == b"1"
    server.clock.advance(seconds=6)
    assert "short" not in server.kv


@pytest.mark.parametrize("count", [999, 1000, 1001])
def test_all_keys_are_seen(server: TestServer, count: int) -> None:
    server.load(Keeper)
    names = {f"key-{number}" for number in range(count)}

    def fill(host: DevHost) -> None:
        for name in names:
            host.store.kv.set("test.keeper", name, b"1")

    server.call(fill)
    assert set(server.kv) == names
    assert len(server.kv) == count


def test_values_are_bytes(server: TestServer) -> None:
    server.load(Keeper)
    text = cast("Any", "text")
    with pytest.raises(TypeError, match="the server keeps bytes, not str"):
        server.kv["key"] = text
    with pytest.raises(TypeError, match="the server keeps bytes, not str"):
        server.kv.set("key", text, expires_in_s=1)
