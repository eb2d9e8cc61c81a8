"""The server's database: a module as PEP 249 wants it, for what `self.db.connect()` gives.

    with self.db.connect() as connection:
        cursor = connection.execute("SELECT username FROM users WHERE deleteat = $1", (0,))
        for (username,) in cursor:
            ...

Released servers offer it, the gRPC host does not. Connections are read-only unless they are asked for otherwise.
"""

from typing import Final

from mattermost_plugin._db_connection import Connection, Database
from mattermost_plugin._db_cursor import Cursor
from mattermost_plugin._db_errors import (
    ConnectionLostError,
    DatabaseError,
    DataError,
    Diagnostics,
    Error,
    IntegrityError,
    InterfaceError,
    InternalError,
    NotSupportedError,
    OperationalError,
    ProgrammingError,
    Warning,  # noqa: A004 - PEP 249's name
)
from mattermost_plugin._db_types import (
    BINARY,
    DATETIME,
    NUMBER,
    ROWID,
    STRING,
    Binary,
    Date,
    DateFromTicks,
    Time,
    TimeFromTicks,
    Timestamp,
    TimestampFromTicks,
)
from mattermost_plugin._db_wire import DbValue, Row

__all__ = [
    "BINARY",
    "DATETIME",
    "NUMBER",
    "ROWID",
    "STRING",
    "Binary",
    "Connection",
    "ConnectionLostError",
    "Cursor",
    "DataError",
    "Database",
    "DatabaseError",
    "Date",
    "DateFromTicks",
    "DbValue",
    "Diagnostics",
    "Error",
    "IntegrityError",
    "InterfaceError",
    "InternalError",
    "NotSupportedError",
    "OperationalError",
    "ProgrammingError",
    "Row",
    "Time",
    "TimeFromTicks",
    "Timestamp",
    "TimestampFromTicks",
    "Warning",
    "apilevel",
    "paramstyle",
    "threadsafety",
]

apilevel: Final = "2.0"

threadsafety: Final = 2
"""Threads may share connections: they take turns. A cursor is for one thread at a time."""

paramstyle: Final = "numeric_dollar"
"""Parameters are $1, $2, ...: PostgreSQL's own, as in Go plugins. No text is searched for places to put values in, so
nothing in a statement needs doubling, and nothing in it can be mistaken for one. PEP 249 has no word for it; this is
SQLAlchemy's."""
