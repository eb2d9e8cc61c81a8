"""SQLAlchemy on `self.db`: `create_engine(self.db)`. Needs SQLAlchemy 2.0 or newer, which is no dependency.

    engine = create_engine(self.db)
    with engine.connect() as connection:
        for user in connection.execute(select(users.c.username).where(users.c.deleteat == 0)):
            ...

It is SQLAlchemy's own PostgreSQL dialect but for the types whose values do not travel as they are. Times go and come as
texts: their columns are selected with a cast, as long as SQLAlchemy knows them to be times.
"""

from __future__ import annotations

from collections.abc import Callable
from datetime import date, datetime, time
from decimal import Decimal
from typing import Any

import sqlalchemy
from sqlalchemy import types
from sqlalchemy.dialects import registry
from sqlalchemy.dialects.postgresql import ARRAY
from sqlalchemy.dialects.postgresql.base import PGDialect
from sqlalchemy.engine import Dialect, Engine
from sqlalchemy.pool import NullPool
from sqlalchemy.sql.elements import ColumnElement

from mattermost_plugin import db

__all__ = ["MattermostDialect", "create_engine"]


def create_engine(
    database: db.Database,
    *,
    read_only: bool = True,
    replica: bool = False,
    timeout: float | None = None,
    **arguments: Any,
) -> Engine:
    """An engine for threads, not for the event loop. Its connections go back to the server as soon as they are closed.

    Args:
        database: `self.db`.
        read_only: see `Database.connect`. The execution option isolation_level="AUTOCOMMIT" needs False.
        replica: see there.
        timeout: see there.
        arguments: those of SQLAlchemy's `create_engine`. With another `poolclass` connections are kept, which are then
            missing to the server. `hide_parameters` is True by default: errors end up in the server's log.
    """
    arguments.setdefault("poolclass", NullPool)
    arguments.setdefault("hide_parameters", True)
    return sqlalchemy.create_engine(
        "postgresql+mattermost://",
        module=db,
        creator=lambda: database.connect(read_only=read_only, replica=replica, timeout=timeout),
        **arguments,
    )


class _Text(types.TypeEngine[Any]):
    """Values that travel as texts. The parameter gets a cast to its own type, and the column one to text."""

    render_bind_cast = True
    read: Callable[[str], object]

    def bind_processor(self, dialect: Dialect) -> Any:
        return lambda value: value.isoformat() if hasattr(value, "isoformat") else value

    def column_expression(self, colexpr: ColumnElement[Any]) -> ColumnElement[Any]:
        return sqlalchemy.type_coerce(sqlalchemy.cast(colexpr, types.Text), self)

    def result_processor(self, dialect: Dialect, coltype: object) -> Any:
        read = type(self).read
        return lambda value: read(value) if isinstance(value, str) else value


class _DateTime(_Text, types.DateTime):
    read = datetime.fromisoformat


class _Date(_Text, types.Date):
    read = date.fromisoformat


class _Time(_Text, types.Time):
    read = time.fromisoformat


class _Decimals(types.TypeEngine[Any]):
    """Numbers of any size, which come as texts, and floats that are wanted as decimals."""

    render_bind_cast = True
    asdecimal: bool

    def bind_processor(self, dialect: Dialect) -> Any:
        return lambda value: str(value) if isinstance(value, Decimal) else value

    def result_processor(self, dialect: Dialect, coltype: object) -> Any:
        make: type[Decimal | float] = Decimal if self.asdecimal else float
        return lambda value: None if value is None else make(str(value))


class _Numeric(_Decimals, types.Numeric[Any]):
    pass


class _Float(_Decimals, types.Float[Any]):
    pass


class _String(types.String):
    render_bind_cast = True


class _Integer(types.Integer):
    render_bind_cast = True


class _SmallInteger(types.SmallInteger):
    render_bind_cast = True


class _BigInteger(types.BigInteger):
    render_bind_cast = True


class _Boolean(types.Boolean):
    render_bind_cast = True


class _IntIndex(types.JSON.JSONIntIndexType):
    __visit_name__ = "json_int_index"
    render_bind_cast = True


class _StrIndex(types.JSON.JSONStrIndexType):
    __visit_name__ = "json_str_index"
    render_bind_cast = True


class _Array(ARRAY[Any]):
    """PostgreSQL's text of an array is not taken apart here, and must not pass for a list of characters."""

    def bind_processor(self, dialect: Dialect) -> Any:
        return _refuse_array

    def result_processor(self, dialect: Dialect, coltype: object) -> Any:
        return _refuse_array


def _refuse_array(value: object) -> None:
    if value is not None:
        raise db.NotSupportedError("arrays cannot travel: cast to text, or use to_json(...) and its like")


class MattermostDialect(PGDialect):
    """PostgreSQL through a Mattermost server. `create_engine` uses it."""

    driver = "mattermost"
    default_paramstyle = "numeric_dollar"
    supports_statement_cache = True
    supports_native_uuid = False
    render_bind_cast = True

    colspecs = {  # noqa: RUF012 - SQLAlchemy's form
        **PGDialect.colspecs,
        types.DateTime: _DateTime,
        types.Date: _Date,
        types.Time: _Time,
        types.Numeric: _Numeric,
        types.Float: _Float,
        types.String: _String,
        types.Integer: _Integer,
        types.SmallInteger: _SmallInteger,
        types.BigInteger: _BigInteger,
        types.Boolean: _Boolean,
        types.JSON.JSONIntIndexType: _IntIndex,
        types.JSON.JSONStrIndexType: _StrIndex,
        types.ARRAY: _Array,
    }

    @property
    def supports_sane_rowcount_returning(self) -> bool:
        """Rows are not counted where they are returned."""
        return False

    @classmethod
    def import_dbapi(cls) -> Any:
        """The module of PEP 249."""
        return db

    def get_isolation_level_values(self, dbapi_conn: Any) -> Any:
        """Others are had by `SET TRANSACTION ISOLATION LEVEL ...` as the first statement of a transaction."""
        return ("AUTOCOMMIT", "READ COMMITTED")

    def get_isolation_level(self, dbapi_connection: Any) -> Any:
        """PostgreSQL's default, or AUTOCOMMIT."""
        return "AUTOCOMMIT" if dbapi_connection.autocommit else "READ COMMITTED"

    def set_isolation_level(self, dbapi_connection: Any, level: str) -> None:
        """Switch autocommit on or off."""
        dbapi_connection.autocommit = level == "AUTOCOMMIT"

    def detect_autocommit_setting(self, dbapi_conn: Any) -> bool:
        """Whether it is on."""
        return bool(dbapi_conn.autocommit)

    def is_disconnect(self, e: Exception, connection: Any, cursor: Any) -> bool:
        """Whether the connection is of no more use."""
        return isinstance(e, db.ConnectionLostError | db.InterfaceError)


registry.register("postgresql.mattermost", __name__, "MattermostDialect")
