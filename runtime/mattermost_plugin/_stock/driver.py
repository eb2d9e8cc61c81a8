"""The calls of the database stream.

The server looks ids of transactions, statements and results up without asking whether it has them, and its whole
process dies when it has not. So ids are of this module and `driver_session` alone, and the latter gives each one up
before it asks the server to.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, Final, TypeAlias

from mattermost_plugin._db_errors import ConnectionLostError, DatabaseError, DataError, NotSupportedError
from mattermost_plugin._db_wire import DbValue
from mattermost_plugin._gob import GENERIC, GobEncodeError, Interface, RecordTarget
from mattermost_plugin._gob.go_types import ANY, BOOL, INT, STRING, GoField, GoSlice, GoStruct, GoType
from mattermost_plugin._gob.puts import SetAttr
from mattermost_plugin._gob.targets import AnyTarget, GenericTarget
from mattermost_plugin._netrpc import NetRPCError, StreamEndedError
from mattermost_plugin._stock.driver_errors import EOF, StreamGoneError, code_of, database_error
from mattermost_plugin._stock.plain import mapping_of
from mattermost_plugin._stock.rpc_streams import CallRefusedError, RpcClient

__all__ = ["MAX_COLUMNS", "Driver", "Values"]

MAX_COLUMNS: Final = 1664
"""Columns of a result; PostgreSQL's own limit."""

Values: TypeAlias = Sequence[DbValue]


def _struct(name: str, *types: GoType) -> GoStruct:
    return GoStruct(name, tuple([GoField(letter, each) for letter, each in zip("ABC", types, strict=False)]))


_NAMED_VALUE: Final = GoStruct("NamedValue", (GoField("Name", STRING), GoField("Ordinal", INT), GoField("Value", ANY)))
_NAMED_VALUES: Final = GoSlice(_NAMED_VALUE)
_TX_OPTIONS: Final = GoStruct("TxOptions", (GoField("Isolation", INT), GoField("ReadOnly", BOOL)))
_CONN_ARGS: Final = _struct("Z_DbConnArgs", STRING, STRING, _NAMED_VALUES)
_TX_ARGS: Final = _struct("Z_DbTxArgs", STRING, _TX_OPTIONS)
_STMT_ARGS: Final = _struct("Z_DbStmtArgs", STRING, STRING)
_STMT_QUERY_ARGS: Final = _struct("Z_DbStmtQueryArgs", STRING, _NAMED_VALUES)
_SCAN_ARGS: Final = _struct("Z_DbRowScanArg", STRING, GoSlice(ANY))
_COLUMN_ARGS: Final = _struct("Z_DbRowsColumnArg", STRING, INT)


class _Scan:
    """What RowsNext answers."""

    error: object = None
    values: object = ()


_SCAN: Final = RecordTarget(
    _Scan,
    {
        "A": SetAttr("error", GENERIC),
        "B": SetAttr("values", GenericTarget(keep_names=False, text_errors="surrogateescape")),
    },
)

_GO_NAMES: Final = {bool: "bool", int: "int64", float: "float64", bytes: "[]uint8", str: "string"}
"""The types of database/sql's driver.Value that travel."""


class Driver:
    """Makes the calls. All raise:

        StreamGoneError: the stream has ended, before the call or under it.
        ConnectionLostError: the call cannot have its answer, or the connection is dead.
        DatabaseError: the database says no.

    Args:
        client: the stream.
    """

    def __init__(self, client: RpcClient) -> None:
        self._client = client

    @property
    def is_over(self) -> bool:
        """Whether the stream has ended."""
        return self._client.failure is not None

    def close(self) -> None:
        """End the stream."""
        self._client.close()

    # Connections

    async def open(self, *, is_master: bool) -> str:
        """Take a connection, and give its id."""
        return await self._id("Conn", is_master, BOOL)

    async def close_connection(self, connection: str) -> None:
        """Give a connection back. An id that the server does not know does no harm here, but everywhere else."""
        await self._end("ConnClose", connection)

    async def query(self, connection: str, statement: str, values: Values) -> str:
        """Run a statement for its rows, and give the result's id."""
        return await self._id("ConnQuery", {"A": connection, "B": statement, "C": _named(values)}, _CONN_ARGS)

    async def execute(self, connection: str, statement: str, values: Values) -> int:
        """Run a statement for its effect, and give the number of rows affected; -1 if it is not known."""
        return await self._affected("ConnExec", {"A": connection, "B": statement, "C": _named(values)}, _CONN_ARGS)

    # Transactions

    async def begin(self, connection: str, *, read_only: bool) -> str:
        """Begin a transaction, and give its id."""
        return await self._id("Tx", {"A": connection, "B": {"ReadOnly": read_only}}, _TX_ARGS)

    async def commit(self, transaction: str) -> None:
        """The id is of no use afterwards, whatever happens."""
        await self._end("TxCommit", transaction)

    async def roll_back(self, transaction: str) -> None:
        """The id is of no use afterwards, whatever happens."""
        await self._end("TxRollback", transaction)

    # Prepared statements

    async def prepare(self, connection: str, statement: str) -> str:
        """Prepare a statement, and give its id."""
        return await self._id("Stmt", {"A": connection, "B": statement}, _STMT_ARGS)

    async def query_prepared(self, prepared: str, values: Values) -> str:
        """As `query`."""
        return await self._id("StmtQuery", {"A": prepared, "B": _named(values)}, _STMT_QUERY_ARGS)

    async def execute_prepared(self, prepared: str, values: Values) -> int:
        """As `execute`."""
        return await self._affected("StmtExec", {"A": prepared, "B": _named(values)}, _STMT_QUERY_ARGS)

    async def close_prepared(self, prepared: str) -> None:
        """The id is of no use afterwards, whatever happens."""
        await self._end("StmtClose", prepared)

    # Results

    async def columns(self, rows: str) -> list[str]:
        """Names of a result's columns."""
        names = mapping_of(await self._call("RowsColumns", rows, STRING)).get("A", [])
        if not isinstance(names, list) or not all(isinstance(name, str) for name in names):
            raise ConnectionLostError("the server gave columns without names")
        return names

    async def column_type(self, rows: str, index: int) -> str:
        """The database's name of a column's type; "" if it has none. The server dies of an index out of range."""
        name = await self._call("RowsColumnTypeDatabaseTypeName", {"A": rows, "B": index}, _COLUMN_ARGS)
        return name if isinstance(name, str) else ""

    async def next_row(self, rows: str, width: int) -> list[object] | None:
        """The next row; None after the last. A row with a time in it ends the stream: see `driver_session`."""
        scan: Any = await self._call("RowsNext", {"A": rows, "B": [None] * width}, _SCAN_ARGS, _SCAN)
        if code_of(scan.error) == EOF:
            # The values are those of the row before.
            return None
        if (error := database_error(scan.error)) is not None:
            raise error
        values = scan.values
        if not isinstance(values, list) or len(values) != width:
            raise ConnectionLostError("the server gave a row of another length")
        return values

    async def close_rows(self, rows: str) -> None:
        """The id is of no use afterwards, whatever happens."""
        await self._end("RowsClose", rows)

    async def _id(self, method: str, argument: object, go_type: GoType) -> str:
        reply = mapping_of(await self._call(method, argument, go_type))
        if (error := database_error(reply.get("B"))) is not None:
            raise error
        found = reply.get("A")
        if not isinstance(found, str) or not found:
            raise ConnectionLostError("the server gave no id")
        return found

    async def _affected(self, method: str, argument: object, go_type: GoType) -> int:
        reply = mapping_of(await self._call(method, argument, go_type))
        if (error := database_error(reply.get("B"))) is not None:
            raise error
        result = mapping_of(reply.get("A"))
        count = result.get("RowsAffected", 0)
        return count if result.get("RowsAffectedError") is None and isinstance(count, int) else -1

    async def _end(self, method: str, handle: str) -> None:
        if (error := database_error(mapping_of(await self._call(method, handle, STRING)).get("A"))) is not None:
            raise error

    async def _call(self, method: str, argument: object, go_type: GoType, target: AnyTarget = GENERIC) -> object:
        try:
            return await self._client.call(f"Plugin.{method}", argument, go_type, target)
        except GobEncodeError as error:
            raise DataError(f"a text cannot be sent: {error.reason}") from None
        except StreamEndedError as error:
            raise StreamGoneError(
                f"the server's database is out of reach until the plugin is started again: {error}"
            ) from None
        except CallRefusedError as error:
            raise _refused(method, error) from None
        except NetRPCError as error:
            raise ConnectionLostError(f"an answer of the server's database cannot be read: {error}") from None


def _refused(method: str, error: CallRefusedError) -> DatabaseError:
    if error.lacks_method and method == "Conn":
        return NotSupportedError("this server offers no database to its plugins")
    return ConnectionLostError(f"the server refused a step: {error}")


def _named(values: Values) -> list[dict[str, object]]:
    return [{"Ordinal": position, "Value": _held(value)} for position, value in enumerate(values, 1)]


def _held(value: DbValue) -> Interface | None:
    return None if value is None else Interface(_GO_NAMES[type(value)], value)
