"""The database that a host offers to its plugin, on SQLite. Where a server dies or does its pool harm, a test fails."""

from __future__ import annotations

import asyncio
import itertools
import sqlite3
from collections import deque
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from mattermost_plugin._gob import GENERIC, Interface, Registered
from mattermost_plugin._gob.go_types import ANY, INT, INT64, STRING, GoField, GoSlice, GoStruct, GoType
from mattermost_plugin._netrpc import Call, no_such_method
from mattermost_plugin._stock.go_types import go_type
from mattermost_plugin._stock.rpc_streams import RpcServer
from mattermost_plugin._stock.stream import MuxStream
from mattermost_plugin._stock.struct_sources import registry

EOF, CONN_DONE, TX_DONE, BAD_CONN = 1, 3, 4, 6


def _struct(*types: GoType) -> GoStruct:
    return GoStruct("", tuple([GoField(letter, each) for letter, each in zip("AB", types, strict=False)]))


STR_ERR, ERR = _struct(STRING, ANY), _struct(ANY)
RESULT = GoStruct(
    "ResultContainer",
    (
        GoField("LastID", INT64),
        GoField("LastIDError", ANY),
        GoField("RowsAffected", INT64),
        GoField("RowsAffectedError", ANY),
    ),
)
RES, STRINGS, SCAN, NUMBER = _struct(RESULT, ANY), _struct(GoSlice(STRING)), _struct(ANY, GoSlice(ANY)), _struct(INT)

REPLIES: Mapping[str, GoType] = {
    **dict.fromkeys(["Conn", "Tx", "Stmt", "StmtQuery", "ConnQuery"], STR_ERR),
    **dict.fromkeys(["ConnPing", "ConnClose", "TxCommit", "TxRollback", "StmtClose", "RowsClose"], ERR),
    **dict.fromkeys(["StmtExec", "ConnExec"], RES),
    "RowsColumns": STRINGS,
    "RowsNext": SCAN,
    "RowsColumnTypeDatabaseTypeName": STRING,
}


class Died(Exception):  # noqa: N818 - what the server did
    """The server's process would be gone."""


def error_string(code: int, text: str = "") -> Interface:
    return Interface("*plugin.ErrorString", {"Code": code, "Err": text})


def pq_error(**fields: str) -> Interface:
    return Interface("*pq.Error", {"Severity": "ERROR", **fields})


@dataclass
class _Conn:
    db: sqlite3.Connection
    is_master: bool
    tx: str | None = None
    open_rows: set[str] = field(default_factory=set)


@dataclass
class _Rows:
    conn: str
    names: list[str]
    rows: deque[tuple[Any, ...]]
    last: list[Any]


class DriverHost:
    """What a server knows of its plugin's connections.

    Attributes:
        deaths: what the server would have died of, or what would have broken its pool.
        calls: the methods called.
        types: the database's names of columns' types, by the columns' names; TEXT for others.
        held: by method: calls are answered when the event is set.
        reached: set when a call is held.
        closed: set when a connection was closed.
        failures: by method: errors for the next calls.
        refused: by method: an error of the protocol for every call.
        canned: rows for statements that SQLite does not know: names and rows.
    """

    def __init__(self) -> None:
        self.deaths: list[str] = []
        self.calls: list[str] = []
        self.statements: list[tuple[str, list[Any]]] = []
        self.types: dict[str, str] = {}
        self.held: dict[str, asyncio.Event] = {}
        self.reached = asyncio.Event()
        self.closed = asyncio.Event()
        self.failures: dict[str, deque[Interface]] = {}
        self.refused: dict[str, str] = {}
        self.canned: dict[str, tuple[list[str], list[tuple[Any, ...]]]] = {}
        self.transactions: list[bool] = []
        self.lacks: set[str] = set()
        self.stream: MuxStream | None = None
        self._name = f"file:driver{id(self)}?mode=memory&cache=shared"
        self.db = self._connect()
        self._ids = itertools.count(1)
        self.conns: dict[str, _Conn] = {}
        self.txs: dict[str, str] = {}
        self.stmts: dict[str, tuple[str, str]] = {}
        self.rows: dict[str, _Rows] = {}
        self._tasks: set[asyncio.Task[None]] = set()

    def serve(self, stream: MuxStream) -> None:
        """Answer on a stream. Those that were given for another one are of no use any more."""
        self.drop_all()
        self.stream = stream
        known = {**registry(), "*pq.Error": Registered(go_type("*pq.Error"))}
        RpcServer(stream, "driver", self._choose, self._handle, registry=known)

    def drop_all(self) -> None:
        """What the host does when the plugin is gone."""
        for conn in self.conns.values():
            conn.db.close()
        for open_things in (self.conns, self.txs, self.stmts, self.rows):
            open_things.clear()

    def close(self) -> None:
        self.drop_all()
        self.db.close()

    @property
    def is_clean(self) -> bool:
        """Whether the plugin has given back all that it had."""
        return not (self.conns or self.txs or self.stmts or self.rows)

    def fail(self, method: str, *errors: Interface) -> None:
        self.failures.setdefault(method, deque()).extend(errors)

    def _connect(self) -> sqlite3.Connection:
        return sqlite3.connect(self._name, uri=True, isolation_level=None, check_same_thread=False)

    def _choose(self, method: str) -> Any:
        if method.removeprefix("Plugin.") not in REPLIES or method.removeprefix("Plugin.") in self.lacks:
            raise no_such_method(method, ("Plugin",))
        return GENERIC

    def _handle(self, server: RpcServer, call: Call, body: Any) -> None:
        method = call.method.removeprefix("Plugin.")
        self.calls.append(method)
        if method not in self.held:
            self._answer(server, call, method, body)
            return
        task = asyncio.ensure_future(self._answer_later(server, call, method, body))
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)

    async def _answer_later(self, server: RpcServer, call: Call, method: str, body: Any) -> None:
        self.reached.set()
        await self.held[method].wait()
        self._answer(server, call, method, body)

    def _answer(self, server: RpcServer, call: Call, method: str, body: Any) -> None:
        if method in self.refused:
            server.fail(call, self.refused[method])
            return
        try:
            failures = self.failures.get(method)
            failure = failures.popleft() if failures else None
            reply = getattr(self, method)(body, failure)
        except Died as death:
            self.deaths.append(f"{method}: {death}")
            if self.stream is not None:
                self.stream.reset()
            return
        server.reply(call, reply, REPLIES[method])

    def _new_id(self, kind: str) -> str:
        return f"{kind}{next(self._ids)}"

    def _known(self, things: dict[str, Any], handle: str) -> Any:
        if handle not in things:
            raise Died(f"unknown id {handle}")
        return things[handle]

    # Connections

    def Conn(self, is_master: bool, failure: Interface | None) -> object:
        if failure:
            return {"B": failure}
        handle = self._new_id("conn")
        self.conns[handle] = _Conn(self._connect(), is_master)
        return {"A": handle}

    def ConnClose(self, handle: str, failure: Interface | None) -> object:
        conn = self.conns.pop(handle, None)
        if conn is None:
            return {"A": error_string(BAD_CONN)}
        if conn.tx or conn.open_rows:
            raise Died("a connection goes back to the pool with a transaction or rows")
        if any(of == handle for of, _ in self.stmts.values()):
            raise Died("a connection goes back to the pool with a statement")
        conn.db.close()
        self.closed.set()
        return {"A": failure}

    def Tx(self, args: Any, failure: Interface | None) -> object:
        conn = self.conns.get(args["A"])
        if conn is None:
            return {"B": error_string(BAD_CONN)}
        if conn.tx or conn.open_rows:
            raise Died("a transaction within another one, or beside rows")
        if failure:
            return {"B": failure}
        conn.tx = self._new_id("tx")
        self.txs[conn.tx] = args["A"]
        is_read_only = args.get("B", {}).get("ReadOnly", False)
        self.transactions.append(is_read_only)
        conn.db.execute("BEGIN")
        conn.db.execute(f"PRAGMA query_only = {int(is_read_only)}")
        return {"A": conn.tx}

    def TxCommit(self, handle: str, failure: Interface | None) -> object:
        return self._end(handle, "ROLLBACK" if failure else "COMMIT", failure)

    def TxRollback(self, handle: str, failure: Interface | None) -> object:
        return self._end(handle, "ROLLBACK", failure)

    def _end(self, handle: str, statement: str, failure: Interface | None) -> object:
        conn = self._known(self.conns, self._known(self.txs, handle))
        if conn.open_rows:
            raise Died("a transaction ends while rows are open")
        del self.txs[handle]
        conn.tx = None
        conn.db.execute(statement)
        conn.db.execute("PRAGMA query_only = 0")
        return {"A": failure}

    # Statements

    def ConnQuery(self, args: Any, failure: Interface | None) -> object:
        return self._query(args["A"], args["B"], args.get("C", []), failure)

    def ConnExec(self, args: Any, failure: Interface | None) -> object:
        return self._exec(args["A"], args["B"], args.get("C", []), failure)

    def Stmt(self, args: Any, failure: Interface | None) -> object:
        if self.conns[args["A"]].open_rows:
            raise Died("a statement is prepared beside open rows")
        if failure:
            return {"B": failure}
        if sqlite3.complete_statement(args["B"] + ";") and ";" in args["B"].strip().removesuffix(";").replace(
            "';'", ""
        ):
            text = "cannot insert multiple commands into a prepared statement"
            return {"B": pq_error(Code="42601", Message=text)}
        handle = self._new_id("stmt")
        self.stmts[handle] = args["A"], args["B"]
        return {"A": handle}

    def StmtQuery(self, args: Any, failure: Interface | None) -> object:
        conn, statement = self._known(self.stmts, args["A"])
        return self._query(conn, statement, args.get("B", []), failure)

    def StmtExec(self, args: Any, failure: Interface | None) -> object:
        conn, statement = self._known(self.stmts, args["A"])
        return self._exec(conn, statement, args.get("B", []), failure)

    def StmtClose(self, handle: str, failure: Interface | None) -> object:
        conn, _ = self._known(self.stmts, handle)
        if self.conns[conn].open_rows:
            raise Died("a statement is closed before its rows")
        del self.stmts[handle]
        return {"A": failure}

    def _query(self, conn: str, statement: str, values: Any, failure: Interface | None) -> object:
        done = self._run(conn, statement, values, failure)
        if isinstance(done, Interface):
            return {"B": done}
        names, rows, _ = done
        handle = self._new_id("rows")
        self.rows[handle] = _Rows(conn, names, deque(rows), [None] * len(names))
        self.conns[conn].open_rows.add(handle)
        return {"A": handle}

    def _exec(self, conn: str, statement: str, values: Any, failure: Interface | None) -> object:
        done = self._run(conn, statement, values, failure)
        if isinstance(done, Interface):
            return {"B": done}
        return {"A": {"RowsAffected": done[2]}}

    def _run(
        self, handle: str, statement: str, values: Any, failure: Interface | None
    ) -> Interface | tuple[list[str], list[tuple[Any, ...]], int]:
        conn = self.conns.get(handle)
        if conn is None:
            return error_string(BAD_CONN)
        if conn.open_rows:
            raise Died("a statement is run beside open rows")
        if failure:
            return failure
        held = [value.get("Value") for value in values]
        assert [value["Ordinal"] for value in values] == list(range(1, len(values) + 1))
        plain = [value.value if isinstance(value, Interface) else value for value in held]
        self.statements.append((statement, held))
        if statement.strip() in self.canned:
            return *self.canned[statement.strip()], 0
        try:
            done = conn.db.execute(statement, {str(n): value for n, value in enumerate(plain, 1)})
            names = [column[0] for column in done.description or ()]
            return names, done.fetchall(), done.rowcount
        except (sqlite3.Error, sqlite3.Warning) as error:
            return _as_pq(error)

    # Rows

    def RowsColumns(self, handle: str, failure: Interface | None) -> object:
        return {"A": self._known(self.rows, handle).names}

    def RowsColumnTypeDatabaseTypeName(self, args: Any, failure: Interface | None) -> object:
        rows = self._known(self.rows, args["A"])
        index = args.get("B", 0)
        if not 0 <= index < len(rows.names):
            raise Died("a column that is none")
        return self.types.get(rows.names[index], "TEXT")

    def RowsNext(self, args: Any, failure: Interface | None) -> object:
        rows = self._known(self.rows, args["A"])
        if len(args.get("B", [])) != len(rows.names):
            raise Died("a row for another number of columns")
        if failure:
            return {"A": failure, "B": rows.last}
        if not rows.rows:
            return {"A": error_string(EOF, "EOF"), "B": rows.last}
        if any("TIME" in self.types.get(name, "") for name in rows.names):
            raise Died("a time cannot travel")
        rows.last = [
            _held(value, self.types.get(name, "TEXT"))
            for value, name in zip(rows.rows.popleft(), rows.names, strict=True)
        ]
        return {"B": rows.last}

    def RowsClose(self, handle: str, failure: Interface | None) -> object:
        rows = self._known(self.rows, handle)
        del self.rows[handle]
        self.conns[rows.conn].open_rows.discard(handle)
        return {"A": failure}


def _held(value: Any, type_name: str) -> Any:
    if isinstance(value, int):
        return Interface("bool", bool(value)) if type_name == "BOOL" else Interface("int64", value)
    if isinstance(value, str) and type_name != "TEXT":
        # As the server's driver has what it does not know.
        return value.encode()
    return value


def _as_pq(error: Exception) -> Interface:
    text = str(error)
    if isinstance(error, sqlite3.IntegrityError):
        return pq_error(Code="23505", Message=text, Constraint="things_pkey", Table="things", Detail="Key (id)=(1)")
    if "readonly" in text:
        return pq_error(Code="25006", Message="cannot execute INSERT in a read-only transaction")
    if "no such table" in text:
        return pq_error(Code="42P01", Message=text)
    return pq_error(Code="42601", Message=text, Position="1")
