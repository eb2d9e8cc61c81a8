"""The start of the page, with something in the page's place."""

import asyncio
import errno
import sys
from types import ModuleType

import pytest

from mattermost_plugin.cli.dev.page import start_page
from mattermost_plugin.cli.errors import CommandError
from mattermost_plugin.devhost import DevHost


class FakeFront:
    """A page whose start may fail."""

    failure: OSError | None = None
    stopped = False

    def __init__(self, host: DevHost, *, port: int = 0) -> None:
        self.port = port

    async def start(self) -> str:
        if self.failure is not None:
            raise self.failure
        return f"http://127.0.0.1:{self.port}/"

    async def stop(self) -> None:
        type(self).stopped = True


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


@pytest.mark.parametrize(
    ("number", "text"),
    [
        (errno.EADDRINUSE, "port 8066 is in use: end what listens there, or take another with --port"),
        (errno.EACCES, "the page cannot be served on port 8066: .*Permission denied"),
    ],
)
def test_a_port_that_cannot_be_had(front: type[FakeFront], number: int, text: str) -> None:
    front.failure = OSError(number, "Permission denied")
    with pytest.raises(CommandError, match=text):
        start(8066)
    assert front.stopped
