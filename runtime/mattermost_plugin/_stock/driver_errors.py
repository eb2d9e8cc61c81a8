"""What Go's errors of the database mean in the terms of PEP 249."""

from __future__ import annotations

import re
from typing import Final

from mattermost_plugin._db_errors import (
    ConnectionLostError,
    DatabaseError,
    DataError,
    Diagnostics,
    IntegrityError,
    InternalError,
    NotSupportedError,
    OperationalError,
    ProgrammingError,
)
from mattermost_plugin._gob import Interface
from mattermost_plugin._stock.plain import mapping_of, text_of

__all__ = ["EOF", "StreamGoneError", "code_of", "database_error"]

EOF: Final = 1
"""Code of io.EOF: the end of the rows."""
_NO_ROWS, _CONN_DONE, _TX_DONE, _SKIP, _BAD_CONN, _REMOVE_ARGUMENT = 2, 3, 4, 5, 6, 7

_MAX_TEXT: Final = 10_000
"""Characters of a message; a statement may be quoted in it."""

_READ_ONLY: Final = "25006"
_BAD_VALUE: Final = "22"
"""Class of the failures whose messages quote values, such as: invalid input syntax for type uuid: "..." """

_QUOTED: Final = re.compile(r'".*"', re.DOTALL)

_FAILED_TRANSACTION: Final = "operation in a failed transaction"
"""What the server's driver says of a commit that PostgreSQL has turned into a rollback; it has no code of its own."""

_WRONG_COUNT: Final = "parameters but the statement requires"
"""What it says itself, before PostgreSQL sees them."""

_BY_STATE: Final[dict[str, type[DatabaseError]]] = {
    "25006": ProgrammingError,
    "0A": NotSupportedError,
    "20": ProgrammingError,
    "21": ProgrammingError,
    "22": DataError,
    "23": IntegrityError,
    "24": InternalError,
    "25": InternalError,
    "2B": InternalError,
    "2D": InternalError,
    "2F": InternalError,
    "26": OperationalError,
    "27": OperationalError,
    "28": OperationalError,
    "34": OperationalError,
    "38": InternalError,
    "39": InternalError,
    "3B": InternalError,
    "3D": ProgrammingError,
    "3F": ProgrammingError,
    "40": OperationalError,
    "42": ProgrammingError,
    "44": ProgrammingError,
    "53": OperationalError,
    "54": OperationalError,
    "55": OperationalError,
    "57": OperationalError,
    "58": OperationalError,
    "F0": InternalError,
    "HV": OperationalError,
    "P0": InternalError,
    "XX": InternalError,
}
"""By SQLSTATE, or its class, which is its first two characters."""


class StreamGoneError(ConnectionLostError):
    """The stream has ended, and with it everything that the server has given ids for."""


def code_of(held: object) -> int:
    """The code of a *plugin.ErrorString; 0 for other errors and for none."""
    if not isinstance(held, Interface) or held.name != "*plugin.ErrorString":
        return 0
    code = mapping_of(held.value).get("Code", 0)
    return code if isinstance(code, int) else 0


def database_error(held: object) -> DatabaseError | None:
    """What an `error` of the server is here; None for no error.

    Args:
        held: what the interface holds.
    """
    if held is None:
        return None
    name = held.name if isinstance(held, Interface) else ""
    fields = mapping_of(held.value) if isinstance(held, Interface) else {}
    match name:
        case "*pq.Error":
            return _of_postgres({key: text_of(fields, key)[:_MAX_TEXT] for key in fields})
        case "*plugin.ErrorString":
            return _of_code(code_of(held), text_of(fields, "Err")[:_MAX_TEXT])
        case "*model.AppError":
            return DatabaseError(text_of(fields, "Message")[:_MAX_TEXT])
    return DatabaseError(f"the server answered with an error of type {ascii(name)[1:-1][:80]}")


def _of_code(code: int, text: str) -> DatabaseError:
    match code:
        case 1:
            return OperationalError("the server reached an end where there should be none (EOF)")
        case 2:
            return ProgrammingError("the statement gave no rows")
        case 3 | 6:
            return ConnectionLostError("the server's connection to the database is gone")
        case 4:
            return InternalError("the transaction is over")
        case 5 | 7:
            return NotSupportedError("the server's database driver does not do this")
    if _WRONG_COUNT in text:
        return ProgrammingError(text)
    if _FAILED_TRANSACTION in text:
        return InternalError("nothing was kept: a statement of the transaction had failed, and rollback() was due")
    return DatabaseError(text or "the server gave no reason")


def _of_postgres(fields: dict[str, str]) -> DatabaseError:
    state, message = fields.get("Code", ""), fields.get("Message", "")
    kind = _BY_STATE.get(state) or _BY_STATE.get(state[:2], DatabaseError)
    diagnostics = Diagnostics(
        sqlstate=state,
        severity=fields.get("Severity", ""),
        message=message,
        detail=fields.get("Detail", ""),
        hint=fields.get("Hint", ""),
        position=fields.get("Position", ""),
        schema=fields.get("Schema", ""),
        table=fields.get("Table", ""),
        column=fields.get("Column", ""),
        data_type=fields.get("DataTypeName", ""),
        constraint=fields.get("Constraint", ""),
    )
    if state.startswith(_BAD_VALUE):
        message = _QUOTED.sub('"..."', message)
    if state == _READ_ONLY:
        message += "; the connection is read-only unless it is asked for with connect(read_only=False)"
    return kind(message, diagnostics)
