"""SQLAlchemy on `self.db`, with SQLite behind the host: what goes over the wire, not what PostgreSQL makes of it."""

import os
import re
from collections.abc import Callable
from datetime import UTC, date, datetime, time
from decimal import Decimal
from typing import Any, cast

import pytest

from mattermost_plugin import db
from tests.stock import database_use
from tests.stock.database_use import DOCUMENTATION
from tests.stock.driver_host import BAD_CONN, DriverHost, error_string

try:
    import sqlalchemy
except ImportError:
    if os.environ.get("CI"):
        raise
    pytest.skip("SQLAlchemy is missing", allow_module_level=True)

from sqlalchemy import BigInteger, Column, Integer, LargeBinary, MetaData, String, Table, func, insert, select, text
from sqlalchemy import exc as failures
from sqlalchemy.dialects.postgresql import ARRAY, JSONB
from sqlalchemy.orm import DeclarativeBase, Mapped, Session, mapped_column

from mattermost_plugin.db_sqlalchemy import create_engine

THINGS = Table(
    "things",
    MetaData(),
    Column("id", BigInteger, primary_key=True),
    Column("name", String),
    Column("data", LargeBinary),
)


class Base(DeclarativeBase):
    pass


class Thing(Base):
    __tablename__ = "things"

    id: Mapped[int] = mapped_column(Integer, primary_key=True)
    name: Mapped[str]


class PostgresLike(DriverHost):
    """Knows what the dialect asks at the first connection, and what a cast looks like."""

    def __init__(self) -> None:
        super().__init__()
        self.canned = {
            "select pg_catalog.version()": (["version"], [("PostgreSQL 16.4 on x86_64",)]),
            "show standard_conforming_strings": (["standard_conforming_strings"], [("on",)]),
            "select current_schema()": (["current_schema"], [("public",)]),
        }

    def _run(self, handle: str, statement: str, values: Any, failure: Any) -> Any:
        plain = re.sub(r"::[A-Z]+( WITH(OUT)? TIME ZONE)?(\(\d+(, \d+)?\))?", "", statement)
        return super()._run(handle, plain, values, failure)


def use(function: Callable[[db.Database, DriverHost], None]) -> None:
    database_use.use(function, PostgresLike())


def test_core() -> None:
    def function(database: db.Database, driver: DriverHost) -> None:
        driver.types = {"data": "BYTEA"}
        engine = create_engine(database, read_only=False)
        with engine.begin() as connection:
            connection.execute(insert(THINGS), [{"id": n, "name": f"n{n}", "data": b"\x00"} for n in range(5)])
        with engine.connect() as connection:
            found = connection.execute(select(THINGS.c.id, THINGS.c.data).where(THINGS.c.name == "n3"))
            assert found.all() == [(3, b"\x00")]
            assert connection.execute(select(func.count()).select_from(THINGS)).scalar_one() == 5
            assert connection.execute(THINGS.update().where(THINGS.c.id > 2).values(name="x")).rowcount == 2
            connection.rollback()
            outer = connection.execute(select(THINGS.c.id).order_by(THINGS.c.id))
            pairs = [
                (row.id, connection.execute(select(THINGS.c.name).where(THINGS.c.id == row.id)).scalar())
                for row in outer
            ]
            assert pairs == [(n, f"n{n}") for n in range(5)]
            assert connection.execute(text("SELECT :a || 'x'"), {"a": "%s $1"}).scalar() == "%s $1x"
        assert driver.is_clean

    use(function)


def test_what_the_documentation_shows() -> None:
    _, source = re.findall(r"```python\n(.*?)```", DOCUMENTATION.read_text(encoding="utf-8"), re.DOTALL)

    def function(database: db.Database, driver: DriverHost) -> None:
        driver.db.execute("CREATE TABLE users (username TEXT, deleteat INTEGER)")
        driver.db.execute("INSERT INTO users VALUES ('ada', 0), ('gone', 1)")
        names: dict[str, Any] = {}
        exec(compile(source.replace("self.db", "database"), "documented.py", "exec"), {"database": database}, names)
        assert names["names"] == ["ada"]

    use(function)


def test_engines_are_read_only() -> None:
    def function(database: db.Database, driver: DriverHost) -> None:
        engine = create_engine(database)
        with engine.connect() as connection, pytest.raises(failures.ProgrammingError, match="25006"):
            connection.execute(insert(THINGS).values(id=1, name="a"))
        assert driver.is_clean

    use(function)


def test_the_orm() -> None:
    def function(database: db.Database, driver: DriverHost) -> None:
        engine = create_engine(database, read_only=False)
        with Session(engine) as session:
            session.add_all([Thing(id=1, name="a"), Thing(id=2, name="b")])
            session.commit()
            thing = session.get_one(Thing, 1)
            thing.name = "changed"
            with session.begin_nested():
                session.delete(session.get_one(Thing, 2))
            session.commit()
        with Session(engine) as session:
            assert [(thing.id, thing.name) for thing in session.scalars(select(Thing))] == [(1, "changed")]
            session.add(Thing(id=1, name="twice"))
            with pytest.raises(failures.IntegrityError) as refused:
                session.commit()
            assert "hide_parameters" in str(refused.value)
            assert "twice" not in str(refused.value)
        assert driver.is_clean

    use(function)


def test_autocommit() -> None:
    def function(database: db.Database, driver: DriverHost) -> None:
        engine = create_engine(database, read_only=False)
        with engine.connect() as connection:
            begun = len(driver.transactions)
            connection.execution_options(isolation_level="AUTOCOMMIT").execute(insert(THINGS).values(id=1, name="a"))
            assert len(driver.transactions) == begun
        with engine.connect() as connection:
            assert connection.execute(select(THINGS.c.id)).scalar() == 1

    use(function)


def test_types_that_travel_as_texts() -> None:
    moment = datetime(2024, 2, 29, 12, 30, tzinfo=UTC)
    values = (moment, date(2024, 2, 29), time(1, 2, 3), Decimal("1.50"), 2.5, True, "x", 7)

    def function(database: db.Database, driver: DriverHost) -> None:
        with create_engine(database).connect() as connection:
            found = connection.execute(select(*[sqlalchemy.literal(value) for value in values])).one()
        # SQLite has no booleans.
        assert tuple(found) == values
        statement = driver.statements[-1][0]
        assert statement.count("CAST(") == 3

    use(function)


def test_arrays_are_refused() -> None:
    def function(database: db.Database, driver: DriverHost) -> None:
        with create_engine(database).connect() as connection:
            for statement in (
                select(sqlalchemy.type_coerce(sqlalchemy.literal("{1,2}"), ARRAY(Integer))),
                select(sqlalchemy.literal([1, 2], ARRAY(Integer))),
            ):
                with pytest.raises((db.NotSupportedError, failures.StatementError), match="arrays cannot travel"):
                    connection.execute(statement).all()

    use(function)


def test_keys_and_places_within_json_are_told_apart() -> None:
    statement = select(THINGS.c.id).where(sqlalchemy.type_coerce(THINGS.c.name, JSONB)["key"][0].as_integer() == 1)
    engine = create_engine(cast("db.Database", None))
    text_of = str(statement.compile(dialect=engine.dialect))
    assert re.search(r"\$1::TEXT", text_of)
    assert re.search(r"\$2::INT\b", text_of)


def test_a_lost_connection_is_one() -> None:
    def function(database: db.Database, driver: DriverHost) -> None:
        with create_engine(database).connect() as connection:
            driver.fail("ConnQuery", error_string(BAD_CONN))
            with pytest.raises(failures.OperationalError) as error:
                connection.execute(select(THINGS.c.id))
            assert error.value.connection_invalidated

    use(function)
