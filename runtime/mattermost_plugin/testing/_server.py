"""The server under test, whole."""

from __future__ import annotations

from types import TracebackType
from typing import ClassVar, Self

from mattermost_plugin.testing._server_faults import ServerWithFaults
from mattermost_plugin.testing._server_people import ServerWithPeople
from mattermost_plugin.testing._time import TestClock

__all__ = ["TestServer"]

__tracebackhide__ = True  # pytest shows the line of the test


class TestServer(ServerWithFaults, ServerWithPeople):
    """A Mattermost server for tests: the development host, with plugins, people and a clock.

    with TestServer() as server:
        greeter = server.load(Greeter)
        ada = server.user("ada")
        channel = server.channel("lounge", members=[ada])
        assert ada.post(channel, "hello").message == "hello :wave:"

    Everything can be called from any thread, and has a deadline. What users do returns when everything that it causes
    has ended. At the end the plugins are unloaded, and errors that they logged, or hooks that got no answer, fail the
    test unless it expects them (`expect_errors`).

    With pytest use the fixture `mattermost`, which is one of these.

    Args:
        timeout_s: how long anything may take, in seconds; None for no limit, such as for a debugger.
        clock: the time; default is a clock that stands at the time of the start until the test advances it.
            `SystemClock()` is the machine's.
        network: how plugins reach the API: "unix" for sockets, "tcp" for ports on 127.0.0.1.
        path: the SQLite file to keep the state in; None for one that goes away.
    """

    __test__: ClassVar[bool] = False  # for pytest, which collects what is called so

    @property
    def clock(self) -> TestClock:
        """The time."""
        return TestClock(self)

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()
        if error is None:
            self.check()
