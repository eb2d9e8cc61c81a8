"""The start of the page: where it is, and that its port may be taken."""

import asyncio
import socket
import sys
import urllib.request
from pathlib import Path
from types import ModuleType

import pytest

from mattermost_plugin.cli.dev.page import start_page
from mattermost_plugin.cli.errors import CommandError
from mattermost_plugin.devhost import DevHost, DevHostError
from tests.cli.dev_process import DevProcess, make_plugin, run_command, wait_gone


class FakeFront:
    """In the place of the page: its start may fail."""

    failure: Exception | None = None

    def __init__(self, host: DevHost, *, port: int = 0) -> None:
        self.port = port

    async def start(self) -> str:
        if self.failure is not None:
            raise self.failure
        return f"http://127.0.0.1:{self.port}/"

    async def stop(self) -> None: ...


@pytest.fixture
def front(monkeypatch: pytest.MonkeyPatch) -> type[FakeFront]:
    class Front(FakeFront):
        pass

    web = ModuleType("mattermost_plugin.devhost.web")
    monkeypatch.setattr(web, "Front", Front, raising=False)
    monkeypatch.setitem(sys.modules, "mattermost_plugin.devhost.web", web)
    return Front


def start(port: int) -> str:
    async def inside() -> str:
        async with DevHost() as host:
            return (await start_page(host, port))[1]

    return asyncio.run(inside())


def test_the_page_says_where_it_is(front: type[FakeFront]) -> None:
    assert start(8066) == "http://127.0.0.1:8066/"


def test_a_page_that_does_not_start_says_what_to_do(front: type[FakeFront]) -> None:
    front.failure = DevHostError("port 8066 cannot be had")
    with pytest.raises(CommandError, match=r"^port 8066 cannot be had: end what .*--port \(0 for a free one\)$"):
        start(8066)


@pytest.fixture
def sample(tmp_path: Path) -> Path:
    return make_plugin(tmp_path / "sample")


def test_the_page_is_served_as_long_as_the_command_runs(sample: Path) -> None:
    with DevProcess("--port", "0", sample) as dev:
        url = dev.wait_for(r"page: (http://127\.0\.0\.1:\d+/\S*)$")[1]
        pid, _ = dev.wait_for_hello()
        with urllib.request.urlopen(url) as answer:
            assert answer.status == 200
        assert dev.end() == 0
        with pytest.raises(OSError, match="refused"):
            urllib.request.urlopen(url)
        wait_gone(pid)


def test_a_port_that_is_taken(sample: Path) -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
        done = run_command("dev", "--port", str(port), sample)
    assert (done.returncode, done.stdout) == (1, "")
    assert done.stderr.startswith(f"mattermost-plugin dev: error: port {port} ")
    assert "take another port with --port" in done.stderr
