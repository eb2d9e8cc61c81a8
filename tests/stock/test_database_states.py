"""Connections and cursors in any order of use: the server never gets an id that it does not know."""

import asyncio
import threading
from collections.abc import Awaitable, Callable
from typing import Any

from hypothesis import HealthCheck, settings
from hypothesis import strategies as st
from hypothesis.stateful import Bundle, RuleBasedStateMachine, invariant, multiple, rule, run_state_machine_as_test

from mattermost_plugin import db
from mattermost_plugin._gob import Interface
from tests.stock.database_use import numbers, with_database
from tests.stock.driver_host import BAD_CONN, CONN_DONE, TX_DONE, DriverHost, error_string, pq_error
from tests.stock.stand_in import StandInHost

FAILING = ["Conn", "Tx", "Stmt", "StmtQuery", "ConnQuery", "ConnExec", "RowsNext", "RowsClose", "StmtClose", "TxCommit"]
ERRORS = [
    error_string(BAD_CONN),
    error_string(CONN_DONE),
    error_string(TX_DONE),
    error_string(0, "something"),
    pq_error(Code="40001", Message="could not serialize access"),
]
STATEMENTS = [numbers(3), numbers(250), "SELECT 1, ';'", "SELECT 1 AS at", "SELECT 1 WHERE 1 = 2", "no statement"]


MODES: list[dict[str, bool]] = [{}, {"read_only": False}, {"read_only": False, "autocommit": True}]
ENDS = ["not", "not", "not", "not", "close", "abandon", "break"]
SETTINGS = settings(
    max_examples=100, stateful_step_count=40, deadline=None, suppress_health_check=[HealthCheck.too_slow]
)


class HostThread:
    """A plugin and its host on an event loop of their own."""

    def __init__(self) -> None:
        self._ready = threading.Event()
        self._thread = threading.Thread(target=lambda: asyncio.run(self._serve()), daemon=True)
        self._thread.start()
        assert self._ready.wait(20)

    async def _serve(self) -> None:
        self._loop, self._over = asyncio.get_running_loop(), asyncio.Event()
        async with with_database() as (self.driver, self.host, server):
            self.driver.types = {"at": "TIMESTAMPTZ"}
            self.database = server.plugin.db
            self._ready.set()
            await self._over.wait()

    def call(self, function: Callable[[DriverHost, StandInHost], Awaitable[None]]) -> None:
        async def run() -> None:
            await function(self.driver, self.host)

        asyncio.run_coroutine_threadsafe(run(), self._loop).result(20)

    def end(self) -> None:
        self._loop.call_soon_threadsafe(self._over.set)
        self._thread.join(20)


async def _break_stream(driver: DriverHost, host: StandInHost) -> None:
    assert driver.stream is not None
    driver.stream.reset()
    assert await host.activate() == ""


class Connections(RuleBasedStateMachine):
    """Uses connections and cursors as nobody should."""

    host: HostThread
    connections: Bundle[Any] = Bundle("connections")
    cursors: Bundle[Any] = Bundle("cursors")

    def __init__(self) -> None:
        super().__init__()
        self._opened: list[db.Connection] = []
        self._last: dict[db.Cursor, int] = {}

    @rule(target=connections, mode=st.sampled_from(MODES))
    def connect(self, mode: dict[str, bool]) -> Any:
        try:
            connection = self.host.database.connect(**mode)
        except db.Error:
            return multiple()
        self._opened.append(connection)
        return connection

    @rule(target=cursors, connection=connections, statement=st.sampled_from(STATEMENTS))
    def run(self, connection: db.Connection, statement: str) -> Any:
        if connection.closed:
            return multiple()
        cursor = connection.cursor()
        self.execute(cursor, statement)
        return cursor

    @rule(cursor=cursors, statement=st.sampled_from(STATEMENTS))
    def execute(self, cursor: db.Cursor, statement: str) -> None:
        self._last[cursor] = 0
        self._try(lambda: cursor.execute(statement))

    @rule(cursor=cursors, statement=st.sampled_from(["DELETE FROM things WHERE id = $1", "SELECT $1"]))
    def execute_many(self, cursor: db.Cursor, statement: str) -> None:
        self._last[cursor] = 0
        self._try(lambda: cursor.executemany(statement, [(number,) for number in range(120)]))

    @rule(cursor=cursors, way=st.sampled_from(["one", "many", "all", "next"]))
    def fetch(self, cursor: db.Cursor, way: str) -> None:
        match way:
            case "one":
                rows = [self._try(cursor.fetchone)]
            case "many":
                rows = self._try(lambda: cursor.fetchmany(7)) or []
            case "all":
                rows = self._try(cursor.fetchall) or []
            case _:
                rows = [self._try(lambda: next(cursor, None))]
        for row in filter(None, rows):
            # None is lost, none comes twice.
            assert row[0] == self._last[cursor] + 1
            self._last[cursor] = row[0]

    @rule(cursor=cursors)
    def close_cursor(self, cursor: db.Cursor) -> None:
        self._try(cursor.close)

    @rule(connection=connections, is_kept=st.booleans())
    def end_transaction(self, connection: db.Connection, is_kept: bool) -> None:
        self._try(connection.commit if is_kept else connection.rollback)

    @rule(connection=connections, is_on=st.booleans())
    def set_autocommit(self, connection: db.Connection, is_on: bool) -> None:
        self._try(lambda: setattr(connection, "autocommit", is_on))

    @rule(connection=connections, way=st.sampled_from(ENDS))
    def end(self, connection: db.Connection, way: str) -> None:
        """Most of the time nothing, for a connection should live for a while."""
        if way == "close":
            self._try(connection.close)
        elif way == "abandon":
            # What the garbage collector does, while cursors are still used.
            connection._session.abandon()
        elif way == "break":
            self.host.call(_break_stream)

    @rule(method=st.sampled_from(FAILING), error=st.sampled_from(ERRORS))
    def fail_next(self, method: str, error: Interface) -> None:
        if method not in self.host.driver.failures:
            self.host.driver.fail(method, error)

    @invariant()
    def the_server_lives(self) -> None:
        assert self.host.driver.deaths == []

    def teardown(self) -> None:
        self.host.driver.failures.clear()
        for connection in self._opened:
            connection.close()
        self._opened.clear()
        self._last.clear()

        async def settle(driver: DriverHost, host: StandInHost) -> None:
            for _ in range(1000):
                await asyncio.sleep(0)

        self.host.call(settle)
        assert self.host.driver.deaths == []

    def _try(self, function: Callable[[], Any]) -> Any:
        try:
            return function()
        except db.Error:
            return None


def test_any_order_of_use() -> None:
    Connections.host = HostThread()
    try:
        run_state_machine_as_test(Connections, settings=SETTINGS)
        assert Connections.host.driver.is_clean
    finally:
        Connections.host.end()
