"""Values that go to the database and come from it."""

from datetime import UTC, datetime
from decimal import Decimal
from enum import IntEnum
from typing import Any
from uuid import UUID

import pytest

from mattermost_plugin import db
from tests.stock.database_use import INSERT, use
from tests.stock.driver_host import DriverHost


def test_values_of_all_types_go_and_come() -> None:
    values = (-(1 << 63), "text \N{SNOWMAN}", b"\x00\xff", 2.5, None)

    def function(database: db.Database, driver: DriverHost) -> None:
        driver.types = {"c": "BYTEA", "flag": "BOOL"}
        statement = "SELECT $1 AS a, $2 AS b, $3 AS c, $4 AS d, $5 AS e, $6 = 1 AS flag"
        with database.connect() as connection:
            cursor = connection.execute(statement, (*values, True))
            assert cursor.fetchone() == (*values, True)
            assert cursor.fetchone() is None
            assert cursor.description is not None
            assert [column[:2] for column in cursor.description][2:] == [
                ("c", "BYTEA"),
                ("d", "TEXT"),
                ("e", "TEXT"),
                ("flag", "BOOL"),
            ]
        ((_, held),) = driver.statements
        assert [value and value.name for value in held] == ["int64", "string", "[]uint8", "float64", None, "bool"]

    use(function)


def test_values_of_subclasses_go_as_their_basic_types() -> None:
    class Key(bytes):
        pass

    class Name(str):
        __slots__ = ()

        def __str__(self) -> str:
            return "another"

    class Kind(IntEnum):
        OPEN = 1

    def function(database: db.Database, driver: DriverHost) -> None:
        driver.types = {"a": "BYTEA"}
        with database.connect() as connection:
            row = connection.execute("SELECT $1 AS a, $2 AS b, $3 AS c", (Key(b"k"), Name("n"), Kind.OPEN)).fetchone()
            assert row == (b"k", "n", 1)

    use(function)


def test_types_that_the_servers_driver_does_not_know_are_texts() -> None:
    def function(database: db.Database, driver: DriverHost) -> None:
        driver.types = {"kind": "", "props": "JSONB"}
        with database.connect() as connection:
            row = connection.execute("SELECT 'O' AS kind, '{}' AS props").fetchone()
            assert row == ("O", "{}")

    use(function)


@pytest.mark.parametrize(
    ("value", "instead"),
    [
        (datetime(2024, 1, 1, tzinfo=UTC), "milliseconds"),
        (datetime(2024, 1, 1, tzinfo=UTC).date(), r"\$1::date"),
        (Decimal(1), "numeric"),
        (UUID(int=1), "str"),
        ({"a": 1}, "json.dumps"),
        ([1], "one parameter for each"),
        (object(), "pass an int"),
    ],
)
def test_parameters_that_cannot_travel_are_named_and_not_sent(value: object, instead: str) -> None:
    def function(database: db.Database, driver: DriverHost) -> None:
        with database.connect(read_only=False) as connection:
            with pytest.raises(db.NotSupportedError, match=f"parameter 2 is a .*{instead}"):
                connection.execute("SELECT $1, $2", (1, value))
            with pytest.raises(db.NotSupportedError, match="parameter 2 of run 3 is a"):
                connection.cursor().executemany(INSERT, [(1, "a", b""), (2, "b", b""), (3, value, b"")])
        assert driver.statements == []
        assert driver.transactions == []

    use(function)


@pytest.mark.parametrize(
    ("parameters", "error", "text"),
    [
        ((1 << 63,), db.DataError, "parameter 1 does not fit"),
        ("text", db.ProgrammingError, "list or tuple, not a str"),
        ({"a": 1}, db.ProgrammingError, "list or tuple, not a dict"),
        (1, db.ProgrammingError, "list or tuple, not a int"),
        (range(65_536), db.ProgrammingError, "65536 parameters"),
    ],
)
def test_parameters_of_another_form_are_not_sent(parameters: Any, error: type[db.Error], text: str) -> None:
    def function(database: db.Database, driver: DriverHost) -> None:
        with database.connect() as connection, pytest.raises(error, match=text):
            connection.execute("SELECT $1", parameters)
        assert driver.statements == []

    use(function)
