"""`self.db` over the stock wire, with SQLite behind a host in Python."""

import asyncio
import logging
import math
import re
from contextlib import AbstractContextManager
from typing import Any

import pytest

from mattermost_plugin import db
from mattermost_plugin._db_cursor import MAX_KEPT_ROWS
from tests.stock.database_use import DOCUMENTATION, INSERT, numbers, use, with_database
from tests.stock.driver_host import DriverHost, pq_error


def test_the_module_is_one_of_pep_249() -> None:
    assert (db.apilevel, db.threadsafety, db.paramstyle) == ("2.0", 2, "numeric_dollar")
    for name in ("InterfaceError", "DatabaseError"):
        assert issubclass(getattr(db, name), db.Error)
    for name in (
        "DataError",
        "OperationalError",
        "IntegrityError",
        "InternalError",
        "ProgrammingError",
        "NotSupportedError",
    ):
        assert issubclass(getattr(db, name), db.DatabaseError)
        assert getattr(db.Connection, name) is getattr(db, name)
    assert db.Timestamp(2024, 2, 29, 1, 2, 3) == "2024-02-29 01:02:03"
    assert (db.Date(2024, 2, 29), db.Time(1, 2, 3)) == ("2024-02-29", "01:02:03")
    assert db.TimestampFromTicks(0) == "1970-01-01 00:00:00+00:00"
    assert (db.DateFromTicks(0), db.TimeFromTicks(1)) == ("1970-01-01", "00:00:01")
    assert db.STRING == "TEXT"
    assert db.STRING != "INT8"
    assert db.Binary(b"x") == b"x"


def test_a_connection_is_read_only_unless_asked_otherwise() -> None:
    def function(database: db.Database, driver: DriverHost) -> None:
        with database.connect() as connection:
            assert connection.read_only
            with pytest.raises(db.ProgrammingError, match="read_only=False") as error:
                connection.execute(INSERT, (1, "a", None))
        assert error.value.sqlstate == "25006"
        assert driver.transactions == [True]
        with database.connect(read_only=False) as connection:
            assert connection.execute(INSERT, (1, "a", None)).rowcount == 1
        with database.connect() as connection:
            assert connection.execute("SELECT id, name FROM things").fetchall() == [(1, "a")]
        assert driver.transactions == [True, False, True]

    use(function)


def test_which_server_of_the_database() -> None:
    def function(database: db.Database, driver: DriverHost) -> None:
        with database.connect(), database.connect(replica=True):
            assert [conn.is_master for conn in driver.conns.values()] == [True, False]
        with pytest.raises(db.ProgrammingError, match="replica"):
            database.connect(read_only=False, replica=True)
        with pytest.raises(db.ProgrammingError, match="autocommit"):
            database.connect(autocommit=True)
        for timeout in (0, -1, math.nan, math.inf):
            with pytest.raises(db.ProgrammingError, match=f"timeout={timeout} is no number"):
                database.connect(timeout=timeout)
        assert driver.calls.count("Conn") == 2

    use(function)


def insert_and_fail(database: db.Database) -> None:
    with database.connect(read_only=False) as connection:
        connection.execute(INSERT, (4, "d", None))
        raise ZeroDivisionError


def test_transactions() -> None:
    def count(database: db.Database) -> object:
        with database.connect() as connection:
            return connection.execute("SELECT count(*) FROM things").fetchone()

    def function(database: db.Database, driver: DriverHost) -> None:
        with database.connect(read_only=False) as connection:
            connection.execute(INSERT, (1, "a", None))
            connection.rollback()
            connection.rollback()
            assert count(database) == (0,)
            connection.execute(INSERT, (2, "b", None))
            connection.commit()
            assert count(database) == (1,)
            connection.execute(INSERT, (3, "c", None))
        assert count(database) == (2,)
        with pytest.raises(ZeroDivisionError):
            insert_and_fail(database)
        connection = database.connect(read_only=False)
        connection.execute(INSERT, (5, "e", None))
        connection.close()
        connection.close()
        assert count(database) == (2,)
        assert driver.is_clean

    use(function)


def test_autocommit() -> None:
    def function(database: db.Database, driver: DriverHost) -> None:
        with database.connect(read_only=False, autocommit=True) as connection:
            assert connection.autocommit
            connection.execute(INSERT, (1, "a", None))
            assert driver.transactions == []
            connection.autocommit = False
            connection.execute("SELECT 1")
            with pytest.raises(db.ProgrammingError, match="within a transaction"):
                connection.autocommit = True
            connection.commit()
            connection.autocommit = True
        with database.connect() as connection, pytest.raises(db.ProgrammingError, match="read-only"):
            connection.autocommit = True
        assert driver.transactions == [False]

    use(function)


def test_rows_come_as_they_are_asked_for() -> None:
    def function(database: db.Database, driver: DriverHost) -> None:
        with database.connect() as connection:
            cursor = connection.execute(numbers(1000))
            assert "RowsNext" not in driver.calls
            assert cursor.fetchone() == (1,)
            assert driver.calls.count("RowsNext") == 1
            assert cursor.fetchmany() == [(2,)]
            assert cursor.fetchmany(3) == [(3,), (4,), (5,)]
            assert next(cursor) == (6,)
            assert driver.calls.count("RowsNext") < 150
            assert [number for (number,) in cursor] == list(range(7, 1001))
            assert cursor.fetchone() is None
            assert cursor.fetchall() == cursor.fetchmany(5) == []
            assert len(connection.execute(numbers(250)).fetchall()) == 250
            assert connection.execute(numbers(5)).fetchmany(0) == []

    use(function)


def test_the_end_of_rows_gives_no_row_twice() -> None:
    def function(database: db.Database, driver: DriverHost) -> None:
        with database.connect() as connection:
            assert connection.execute(numbers(2)).fetchall() == [(1,), (2,)]
            assert connection.execute("SELECT 1 WHERE 1 = 2").fetchall() == []

    use(function)


def test_statements_without_rows() -> None:
    def function(database: db.Database, driver: DriverHost) -> None:
        with database.connect(read_only=False) as connection:
            cursor = connection.execute("CREATE TABLE more (a INTEGER)")
            assert (cursor.description, cursor.rowcount) == (None, -1)
            with pytest.raises(db.ProgrammingError, match="no rows to fetch"):
                cursor.fetchone()
            cursor.executemany("INSERT INTO more VALUES ($1)", [(n,) for n in range(250)])
            assert cursor.rowcount == 250
            assert cursor.execute("UPDATE more SET a = a + 1 WHERE a < 100").rowcount == 100
            cursor.execute("INSERT INTO more VALUES (7) RETURNING a")
            assert (cursor.rowcount, cursor.fetchall()) == (-1, [(7,)])
            assert cursor.executemany("DELETE FROM more WHERE a = $1", []).rowcount == 0
            with pytest.raises(db.ProgrammingError, match="use execute"):
                cursor.executemany("SELECT $1", [(1,), (2,)])

    use(function)


def test_two_cursors_share_a_connection() -> None:
    def function(database: db.Database, driver: DriverHost) -> None:
        with database.connect() as connection:
            first = connection.execute(numbers(300))
            assert first.fetchone() == (1,)
            assert connection.execute("SELECT 'x'").fetchall() == [("x",)]
            assert [number for (number,) in first] == list(range(2, 301))
            large = connection.execute(numbers(MAX_KEPT_ROWS + 200))
            with pytest.raises(db.ProgrammingError, match="rows left"):
                connection.execute("SELECT 'x'")
            assert len(large.fetchall()) == MAX_KEPT_ROWS + 200
            dropped = connection.execute(numbers(300))
            del dropped
            assert connection.execute("SELECT 'x'").fetchall() == [("x",)]

    use(function)


def test_rows_that_another_thread_has_lost_do_not_look_like_the_end(monkeypatch: pytest.MonkeyPatch) -> None:
    def function(database: db.Database, driver: DriverHost) -> None:
        with database.connect() as connection:
            cursor = connection.execute(numbers(300))
            take_turn = connection._use

            def after_another_thread(doing: str) -> AbstractContextManager[None]:
                monkeypatch.undo()
                driver.fail("RowsNext", pq_error(Code="57014", Message="canceling statement"))
                with pytest.raises(db.OperationalError, match="canceling"):
                    connection.execute("SELECT 1")
                return take_turn(doing)

            monkeypatch.setattr(connection, "_use", after_another_thread)
            with pytest.raises(db.ProgrammingError, match="or failed"):
                cursor.fetchone()

    use(function)


def test_rows_end_with_their_transaction_and_cursor() -> None:
    def function(database: db.Database, driver: DriverHost) -> None:
        with database.connect() as connection:
            for end in (connection.commit, connection.rollback):
                cursor = connection.execute(numbers(300))
                cursor.fetchone()
                end()
                with pytest.raises(db.ProgrammingError, match="rows are gone"):
                    cursor.fetchall()
                cursor.close()
            with connection.execute(numbers(300)) as cursor:
                cursor.fetchone()
            assert not driver.rows
            cursor.close()
            for use_of in (cursor.fetchone, cursor.fetchall, lambda: cursor.execute("SELECT 1")):
                with pytest.raises(db.InterfaceError, match="cursor is closed"):
                    use_of()
            cursor = connection.execute(numbers(300))
        with pytest.raises(db.InterfaceError, match="connection is closed"):
            cursor.fetchall()
        cursor.close()
        for use_of in (connection.cursor, connection.commit, connection.rollback):
            with pytest.raises(db.InterfaceError, match="it was closed"):
                use_of()

    use(function)


@pytest.mark.parametrize("type_name", ["TIMESTAMP", "TIMESTAMPTZ", "DATE", "TIME", "TIMETZ"])
def test_times_are_refused_before_they_come(type_name: str) -> None:
    def function(database: db.Database, driver: DriverHost) -> None:
        driver.types = {"at": type_name}
        with database.connect() as connection:
            with pytest.raises(db.NotSupportedError, match=rf"column 2 \('at'\) is a {type_name}.*::text"):
                connection.execute("SELECT 1, 2 AS at")
            with pytest.raises(db.NotSupportedError, match="column 2"):
                connection.execute("SELECT ';', 2 AS at")
            assert connection.execute("SELECT 3").fetchall() == [(3,)]
        assert "RowsNext" in driver.calls

    use(function)


def test_a_statement_is_one() -> None:
    def function(database: db.Database, driver: DriverHost) -> None:
        with database.connect(read_only=False) as connection:
            with pytest.raises(db.ProgrammingError, match="multiple commands"):
                connection.execute("SELECT 1; DELETE FROM things")
            connection.rollback()
            assert connection.execute("SELECT 'a' || ';'").fetchall() == [("a;",)]
            assert connection.execute("DELETE FROM things WHERE name = ';'").rowcount == 0
            with pytest.raises(db.ProgrammingError):
                connection.execute("INSERT INTO nothing VALUES (';')")
            assert driver.calls.count("Stmt") == driver.calls.count("StmtClose") + 1

    use(function)


@pytest.mark.parametrize(
    "statement",
    [
        "COMMIT",
        " -- x\n rollback",
        "/* /* */ */ begin",
        "SET x = 1",
        "DEALLOCATE ALL",
        "RESET ALL",
        "",
        "  ",
        "-- x",
        "a\0b",
        ";COMMIT",
        "--x\rend",
    ],
)
def test_what_must_not_be_sent(statement: str) -> None:
    def function(database: db.Database, driver: DriverHost) -> None:
        with database.connect(read_only=False) as connection, pytest.raises(db.ProgrammingError):
            connection.execute(statement)
        assert driver.statements == []

    use(function)


def test_what_the_documentation_shows(caplog: pytest.LogCaptureFixture) -> None:
    source, _ = re.findall(r"```python\n(.*?)```", DOCUMENTATION.read_text(encoding="utf-8"), re.DOTALL)
    names: dict[str, Any] = {"__name__": "documented"}
    exec(compile(source, "documented.py", "exec"), names)
    caplog.set_level(logging.INFO)

    async def run() -> None:
        driver = DriverHost()
        driver.db.executescript(
            "CREATE TABLE posts (channelid TEXT, createat INTEGER); CREATE TABLE report_runs (id INTEGER PRIMARY KEY);"
            "INSERT INTO posts VALUES ('c1', 1700000000001), ('c1', 1700000000002), ('c2', 1);"
        )
        async with with_database(names["Report"], driver=driver) as (_, host, _):
            assert await host.activate() == ""

    asyncio.run(run())
    assert "c1 has 2 posts" in caplog.text
    assert "ran before: things_pkey" in caplog.text
