"""The exceptions of PEP 249, with what PostgreSQL says of a failure.

Their texts hold what the database says of a statement and not the values that it was given. Those may be quoted in
`Diagnostics.detail`, which is why no text has it, and in `Diagnostics.message`, of which the texts leave them out.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

from mattermost_plugin.errors import PluginError

__all__ = [
    "NO_DIAGNOSTICS",
    "ConnectionLostError",
    "DataError",
    "DatabaseError",
    "Diagnostics",
    "Error",
    "IntegrityError",
    "InterfaceError",
    "InternalError",
    "NotSupportedError",
    "OperationalError",
    "ProgrammingError",
    "Warning",
]


@dataclass(frozen=True, slots=True)
class Diagnostics:
    """What PostgreSQL tells of a failure beside its message; "" where it tells nothing."""

    sqlstate: str = ""
    """Five characters; see the appendix on error codes in PostgreSQL's documentation."""
    severity: str = ""
    """ERROR, FATAL or PANIC."""
    message: str = ""
    """May quote values if the SQLSTATE begins with 22."""
    detail: str = ""
    """May quote values of rows and parameters."""
    hint: str = ""
    position: str = ""
    """Character of the statement, from 1."""
    schema: str = ""
    table: str = ""
    column: str = ""
    data_type: str = ""
    constraint: str = ""


NO_DIAGNOSTICS: Final = Diagnostics()


class Warning(Exception):  # noqa: A001, N818 - PEP 249's name
    """Never raised; PEP 249 asks for it."""


class Error(PluginError):
    """Base of everything that `self.db` raises, but for uses in the wrong place (RuntimeError).

    Attributes:
        diagnostics: what PostgreSQL tells; empty if the failure is not one of a statement.
    """

    def __init__(self, message: str, diagnostics: Diagnostics = NO_DIAGNOSTICS) -> None:
        super().__init__(message)
        self.diagnostics = diagnostics

    @property
    def sqlstate(self) -> str:
        """PostgreSQL's code for the failure, such as "23505"; "" if it is none of PostgreSQL's."""
        return self.diagnostics.sqlstate

    def __str__(self) -> str:
        message = str(self.args[0])
        found = self.diagnostics
        known = f"SQLSTATE {found.sqlstate}" if found.sqlstate else ""
        named = f"constraint {found.constraint}" if found.constraint else ""
        about = ", ".join(filter(None, (known, named)))
        return f"{message} ({about})" if about else message


class InterfaceError(Error):
    """The connection or cursor is closed. The author must act."""


class DatabaseError(Error):
    """The database, or the server's way to it, has failed. Subclasses say how."""


class DataError(DatabaseError):
    """A value is out of range or of the wrong form."""


class OperationalError(DatabaseError):
    """Nothing that the statement is to blame for: the database is away, busy, full, or a deadlock was resolved."""


class ConnectionLostError(OperationalError):
    """The connection cannot be used any more, or none can be had.

    An open transaction is rolled back. A commit that was under way may have kept its changes or not.
    """


class IntegrityError(DatabaseError):
    """A constraint is violated; `diagnostics.constraint` names it."""


class InternalError(DatabaseError):
    """The database is in another state than it should be: the transaction has failed before, for example."""


class ProgrammingError(DatabaseError):
    """The statement is wrong: its syntax, a table that is not there, parameters that do not fit."""


class NotSupportedError(DatabaseError):
    """The host offers no database, or its protocol cannot carry what was asked for. The text says what to do."""
