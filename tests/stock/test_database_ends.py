"""What goes wrong with connections of `self.db`, and how they end."""

import asyncio
import gc
import os
import threading
import warnings
from typing import cast

import pytest

from mattermost_plugin import HookError, Plugin, db
from mattermost_plugin._gob import Interface
from mattermost_plugin._stock.driver_errors import database_error
from mattermost_plugin.config import RuntimeConfig
from mattermost_plugin.models import PluginContext, Post
from mattermost_plugin.server import PluginServer
from tests.stock.database_use import INSERT, THINGS, Reader, numbers, scenario, use, with_database
from tests.stock.driver_host import BAD_CONN, TX_DONE, DriverHost, error_string, pq_error
from tests.stock.stand_in import StandInHost, served


def test_errors_of_the_database() -> None:
    def function(database: db.Database, driver: DriverHost) -> None:
        with database.connect(read_only=False) as connection:
            connection.execute(INSERT, (1, "a", None))
            with pytest.raises(db.IntegrityError) as integrity:
                connection.execute(INSERT, (1, "a", None))
            assert integrity.value.diagnostics.constraint == "things_pkey"
            assert "(SQLSTATE 23505, constraint things_pkey)" in str(integrity.value)
            assert "Key (id)" not in str(integrity.value)
            with pytest.raises(db.ProgrammingError, match="42P01"):
                connection.execute("SELECT * FROM nowhere")
            driver.fail("RowsNext", pq_error(Code="22012", Message="division by zero"))
            with pytest.raises(db.DataError, match="division"):
                connection.execute("SELECT 1").fetchall()
            driver.fail("ConnQuery", pq_error(Code="40P01", Message="deadlock detected"))
            with pytest.raises(db.OperationalError, match="deadlock"):
                connection.execute("SELECT 1")
            driver.fail("TxCommit", error_string(0, "pq: Could not complete operation in a failed transaction"))
            with pytest.raises(db.InternalError, match="nothing was kept"):
                connection.commit()
            connection.commit()
            driver.fail("TxCommit", error_string(TX_DONE))
            connection.execute("SELECT 1")
            with pytest.raises(db.InternalError, match="transaction is over"):
                connection.commit()
            driver.fail("ConnQuery", Interface("*plugin.ErrorString", {"Code": 99, "Err": "of a newer server"}))
            with pytest.raises(db.DatabaseError, match="of a newer server"):
                connection.execute("SELECT 1")

    use(function)


@pytest.mark.parametrize("method", ["Tx", "ConnQuery", "RowsNext", "RowsClose", "TxCommit"])
def test_a_dead_connection_is_closed_from_inside_out(method: str) -> None:
    def function(database: db.Database, driver: DriverHost) -> None:
        connection = database.connect(read_only=False)
        driver.fail(method, error_string(BAD_CONN, "driver: bad connection"))

        def use_all() -> None:
            connection.execute("SELECT 1").fetchall()
            connection.commit()

        with pytest.raises(db.ConnectionLostError, match="is gone"):
            use_all()
        assert connection.closed
        assert driver.is_clean
        with pytest.raises(db.InterfaceError, match="is gone"):
            connection.execute("SELECT 1")
        connection.close()

    use(function)


@pytest.mark.parametrize("method", ["Tx", "ConnQuery", "RowsColumns", "RowsColumnTypeDatabaseTypeName", "RowsNext"])
def test_a_refused_step_ends_the_connection(method: str) -> None:
    def function(database: db.Database, driver: DriverHost) -> None:
        driver.refused[method] = "gob: something of Go's"
        connection = database.connect()
        with pytest.raises(db.ConnectionLostError, match="something of Go's"):
            connection.execute("SELECT 1, 2").fetchall()
        assert connection.closed
        assert driver.is_clean
        assert driver.calls[-1] == "ConnClose"

    use(function)


@pytest.mark.parametrize(
    ("method", "reply", "error"),
    [
        ("ConnQuery", {}, db.ConnectionLostError),
        ("RowsColumns", {"A": ["x"] * 1665}, db.NotSupportedError),
        ("RowsNext", {"B": [b"1"]}, db.ConnectionLostError),
        ("RowsNext", {"B": [b"1", [1.5]]}, db.NotSupportedError),
    ],
)
def test_answers_that_make_no_sense(method: str, reply: object, error: type[db.Error]) -> None:
    def function(database: db.Database, driver: DriverHost) -> None:
        setattr(driver, method, lambda *_: reply)
        connection = database.connect()
        with pytest.raises(error):
            connection.execute("SELECT 1, 2").fetchall()
        connection.close()
        assert driver.is_clean

    use(function)


@pytest.mark.parametrize(
    ("state", "kind"),
    [
        ("0A000", db.NotSupportedError),
        ("22P02", db.DataError),
        ("23503", db.IntegrityError),
        ("25006", db.ProgrammingError),
        ("25P02", db.InternalError),
        ("28P01", db.OperationalError),
        ("40001", db.OperationalError),
        ("42501", db.ProgrammingError),
        ("53300", db.OperationalError),
        ("57014", db.OperationalError),
        ("P0001", db.InternalError),
        ("ZZ000", db.DatabaseError),
        ("", db.DatabaseError),
    ],
)
def test_the_sqlstate_says_which_error(state: str, kind: type[db.Error]) -> None:
    error = database_error(pq_error(Code=state, Message="why"))
    assert error is not None
    assert type(error) is kind
    assert error.sqlstate == state
    assert "why" in str(error)


@pytest.mark.parametrize(
    ("message", "text"),
    [
        ('invalid input syntax for type uuid: "a "secret"\n value"', 'invalid input syntax for type uuid: "..."'),
        ('value "99999999999" is out of range for type integer', 'value "..." is out of range for type integer'),
        ("division by zero", "division by zero"),
    ],
)
def test_values_are_left_out_of_the_texts(message: str, text: str) -> None:
    error = database_error(pq_error(Code="22P02", Message=message))
    assert str(error) == f"{text} (SQLSTATE 22P02)"
    assert error is not None
    assert error.diagnostics.message == message
    named = database_error(pq_error(Code="42P01", Message='relation "nowhere" does not exist'))
    assert 'relation "nowhere" does not exist' in str(named)


def test_a_server_that_gives_no_connection() -> None:
    def function(database: db.Database, driver: DriverHost) -> None:
        driver.fail("Conn", error_string(0, "context deadline exceeded"), pq_error(Code="28000", Message="no"))
        with pytest.raises(db.OperationalError, match="gives no connection: context deadline exceeded"):
            database.connect()
        with pytest.raises(db.OperationalError, match=r"^no \(SQLSTATE 28000\)"):
            database.connect()
        database.connect().close()

    use(function)


def test_errors_of_other_types() -> None:
    assert database_error(None) is None
    for held in (5, Interface("*new.Error", {}), Interface("*model.AppError", {"Message": "why"}), error_string(99)):
        assert type(database_error(held)) is db.DatabaseError
    wrong = database_error(error_string(0, "pq: got 1 parameters but the statement requires 2"))
    assert type(wrong) is db.ProgrammingError


def test_the_end_of_the_stream() -> None:
    async def function(driver: DriverHost, host: StandInHost, server: PluginServer) -> None:
        database = server.plugin.db
        connection = await asyncio.to_thread(database.connect)
        cursor = await asyncio.to_thread(connection.execute, numbers(300))
        held = driver.held["RowsNext"] = asyncio.Event()
        reading = asyncio.create_task(asyncio.to_thread(cursor.fetchall))
        await driver.reached.wait()
        assert driver.stream is not None
        driver.stream.reset()
        with pytest.raises(db.ConnectionLostError, match="until the plugin is started again"):
            await reading
        held.set()
        calls = len(driver.calls)

        def use_on() -> None:
            connection.close()
            cursor.close()
            with pytest.raises(db.InterfaceError):
                connection.execute("SELECT 1")
            with pytest.raises(db.ConnectionLostError, match="started again"):
                database.connect()

        await asyncio.to_thread(use_on)
        assert len(driver.calls) == calls
        # Another activation brings another stream, on which no old id must come.
        assert await host.activate() == ""
        del driver.held["RowsNext"]

        def use_anew() -> None:
            with database.connect() as fresh:
                assert fresh.execute("SELECT 1").fetchall() == [(1,)]

        await asyncio.to_thread(use_anew)

    scenario(function)


def test_threads_take_turns() -> None:
    def function(database: db.Database, driver: DriverHost) -> None:
        with database.connect() as connection:
            sums: list[int] = []

            def work() -> None:
                for _ in range(5):
                    rows = connection.execute(numbers(150)).fetchall()
                    sums.append(sum(cast("int", number) for (number,) in rows))

            threads = [threading.Thread(target=work) for _ in range(4)]
            for thread in threads:
                thread.start()
            for thread in threads:
                thread.join()
            assert sums == [150 * 151 // 2] * 20

    use(function)


def test_a_connection_that_nobody_closed_is_closed_and_told_of() -> None:
    def function(database: db.Database, driver: DriverHost) -> None:
        connection = database.connect()
        connection.execute(numbers(300)).fetchone()
        with warnings.catch_warnings(record=True) as caught:
            warnings.simplefilter("always")
            del connection
            gc.collect()
        assert [each.category for each in caught] == [ResourceWarning]
        with database.connect() as another:
            another.execute("SELECT 1")
        # Its own end was asked for before the other one's beginning.
        assert driver.calls.count("ConnClose") == 2

    use(function)


def test_connections_are_limited() -> None:
    def function(database: db.Database, driver: DriverHost) -> None:
        connections = [database.connect() for _ in range(50)]
        with pytest.raises(db.OperationalError, match="50 connections are open"):
            database.connect()
        connections.pop().close()
        connections.append(database.connect())
        for connection in connections:
            connection.close()

    use(function)


def test_the_end_of_the_plugin_closes_what_is_open(caplog: pytest.LogCaptureFixture) -> None:
    async def function(driver: DriverHost, host: StandInHost, server: PluginServer) -> None:
        connection = await asyncio.to_thread(server.plugin.db.connect, read_only=False)
        await asyncio.to_thread(connection.execute, numbers(300))
        await host.hook("OnDeactivate")
        assert driver.is_clean
        assert driver.calls[-3:] == ["RowsClose", "TxRollback", "ConnClose"]
        with pytest.raises(db.ConnectionLostError, match="until on_deactivate has returned"):
            await asyncio.to_thread(server.plugin.db.connect)
        await server.stop()
        with pytest.raises(db.ConnectionLostError):
            await asyncio.to_thread(server.plugin.db.connect)
        await asyncio.to_thread(connection.close)

    scenario(function)
    assert "1 database connections were not closed" in caplog.text


def test_the_event_loop_is_not_blocked() -> None:
    async def function(driver: DriverHost, host: StandInHost, server: PluginServer) -> None:
        with pytest.raises(RuntimeError, match=r"self\.db\.connect\(\.\.\.\) would block the event loop.*to_thread"):
            server.plugin.db.connect()
        connection = await asyncio.to_thread(server.plugin.db.connect)
        cursor = await asyncio.to_thread(connection.execute, "SELECT 1")
        for use_of in (connection.commit, connection.rollback, connection.close, cursor.fetchone, cursor.close):
            with pytest.raises(RuntimeError, match="would block the event loop"):
                use_of()
        await asyncio.to_thread(connection.close)

    scenario(function)


def test_a_forked_process_has_no_database() -> None:
    def function(database: db.Database, driver: DriverHost) -> None:
        pid = os.getpid
        with pytest.MonkeyPatch.context() as patch:
            patch.setattr(os, "getpid", lambda: pid() + 1)
            with pytest.raises(RuntimeError, match="forked"):
                database.connect()

    use(function)


def test_handlers_use_it() -> None:
    class Counting(Plugin):
        counted: object = None

        def on_activate(self) -> None:
            with self.db.connect(read_only=False) as connection:
                connection.execute(INSERT, (1, "a", b"x"))

        def message_has_been_posted(self, context: PluginContext, post: Post) -> None:
            with self.db.connect(replica=True) as connection:
                self.counted = connection.execute("SELECT count(*) FROM things").fetchone()

    async def run() -> None:
        async with with_database(Counting) as (_, host, server):
            await host.hook("MessageHasBeenPosted")
            assert cast("Counting", server.plugin).counted == (1,)

    asyncio.run(run())


def test_a_failed_activation_leaves_nothing() -> None:
    class Failing(Plugin):
        def on_activate(self) -> None:
            self.left = self.db.connect(read_only=False)
            self.left.execute(INSERT, (1, "a", None))
            raise HookError("on purpose")

    async def run() -> None:
        driver = DriverHost()
        driver.db.execute(THINGS)
        async with served(Failing, activate=False, driver=driver.serve) as (host, server):
            assert await host.activate() == "on purpose"
            assert driver.calls[-2:] == ["TxRollback", "ConnClose"]
            await asyncio.to_thread(cast("Failing", server.plugin).left.close)
        assert driver.deaths == []
        driver.close()

    asyncio.run(run())


def test_a_server_that_offers_no_database() -> None:
    async def run() -> None:
        driver = DriverHost()
        driver.lacks = {"Conn"}
        async with served(Reader, driver=driver.serve) as (_, server):
            with pytest.raises(db.NotSupportedError, match="offers no database"):
                await asyncio.to_thread(server.plugin.db.connect)
        driver.close()

    asyncio.run(run())


def test_before_the_activation() -> None:
    async def run() -> None:
        with pytest.raises(RuntimeError, match="once the plugin is served"):
            _ = Reader().db
        async with served(Reader, activate=False) as (_, server):
            with pytest.raises(db.ConnectionLostError, match="from on_activate on"):
                await asyncio.to_thread(server.plugin.db.connect)

    asyncio.run(run())


def test_the_grpc_host_offers_none() -> None:
    async def run() -> None:
        server = PluginServer(Reader, RuntimeConfig(), wire="grpc")
        await server.start()
        try:
            with pytest.raises(db.NotSupportedError, match="gRPC host offers no database"):
                _ = server.plugin.db
        finally:
            await server.stop()

    asyncio.run(run())
