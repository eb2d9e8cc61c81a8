"""A table of messages: the message itself in one column, and beside it the fields that are searched."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Final, Generic, TypeVar

from google.protobuf.message import Message

from mattermost_plugin.devhost.store.database import Database, SqlValue

__all__ = ["Page", "Table"]

MessageT = TypeVar("MessageT", bound=Message)

LARGEST_PAGE: Final = 10_000
"""More rows than any server gives at once; a page of that size would be a mistake of the caller's."""

_VALUES_AT_ONCE: Final = 500
"""SQLite takes a limited number of parameters in one statement."""


def _parts(values: Sequence[str]) -> Iterator[list[str]]:
    """Different values in parts that one statement takes."""
    different = list(dict.fromkeys(values))
    for start in range(0, len(different), _VALUES_AT_ONCE):
        yield different[start : start + _VALUES_AT_ONCE]


def _marks(values: Sequence[str]) -> str:
    return ", ".join("?" * len(values))


@dataclass(frozen=True, slots=True)
class Page:
    """Which part of a list.

    A negative number counts as page 0; a size of 0 or less as no rows, as LIMIT 0 on a server.
    """

    number: int
    """From 0."""
    size: int
    """Rows on a page."""

    @property
    def limit(self) -> int:
        """How many rows."""
        return min(max(self.size, 0), LARGEST_PAGE)

    @property
    def offset(self) -> int:
        """How many rows come before."""
        return max(self.number, 0) * self.limit


class Table(Generic[MessageT]):
    """Messages of one kind.

    Args:
        database: where the table is.
        name: its name.
        message: kind of the messages.
        key: fields that tell one message from the others.
        index: other fields that have columns.
    """

    def __init__(
        self, database: Database, name: str, message: type[MessageT], key: Sequence[str], index: Sequence[str] = ()
    ) -> None:
        self._database = database
        self._name = name
        self._message = message
        self._columns = (*key, *index)
        self._by_key = " AND ".join(f"{column} = ?" for column in key)
        names = ", ".join((*self._columns, "data"))
        marks = ", ".join("?" * (len(self._columns) + 1))
        updates = ", ".join(f"{column} = excluded.{column}" for column in (*index, "data"))
        self._insert = " ".join(["INSERT INTO", name, f"({names})", f"VALUES ({marks})"])
        self._upsert = " ".join([self._insert, f"ON CONFLICT ({', '.join(key)})", f"DO UPDATE SET {updates}"])

    def get(self, *key: SqlValue) -> MessageT | None:
        """The message with a key."""
        found = self.select(self._by_key, key)
        return found[0] if found else None

    def insert(self, record: MessageT) -> MessageT:
        """Add a message.

        Raises:
            DuplicateError: one with its key, or another unique value of it, is there.
        """
        self._database.change(self._insert, self._values(record))
        return record

    def put(self, record: MessageT) -> MessageT:
        """Add a message, or replace the one with its key.

        Raises:
            DuplicateError: another message has a unique value of it.
        """
        self._database.change(self._upsert, self._values(record))
        return record

    def delete(self, *key: SqlValue) -> bool:
        """Remove the message with a key. Returns whether there was one."""
        return self.delete_where(self._by_key, key) > 0

    def delete_where(self, where: str, parameters: Sequence[SqlValue] = ()) -> int:
        """Remove what matches. Returns how many."""
        # Names and conditions are the host's own; values are parameters.
        return self._database.change(f"DELETE FROM {self._name} WHERE {where}", parameters)  # noqa: S608

    def select(
        self, where: str = "1", parameters: Sequence[SqlValue] = (), order: str = "", page: Page | None = None
    ) -> list[MessageT]:
        """What matches.

        Args:
            where: condition over the columns.
            parameters: values for its question marks.
            order: columns by which to sort.
            page: which part of the list; None for all.
        """
        parts = ["SELECT data FROM", self._name, "WHERE", where]
        values = list(parameters)
        if order:
            parts += ["ORDER BY", order]
        if page is not None:
            parts.append("LIMIT ? OFFSET ?")
            values += [page.limit, page.offset]
        return [self._read(row[0]) for row in self._database.execute(" ".join(parts), values)]

    def one(self, where: str, parameters: Sequence[SqlValue] = (), order: str = "") -> MessageT | None:
        """The first message that matches."""
        found = self.select(where, parameters, order, Page(0, 1))
        return found[0] if found else None

    def among(
        self,
        column: str,
        values: Sequence[str],
        where: str = "1",
        parameters: Sequence[SqlValue] = (),
        *,
        order: str = "",
    ) -> list[MessageT]:
        """What has one of the given values in a column.

        Args:
            column: name of the column.
            values: the values.
            where: another condition.
            parameters: values for its question marks.
            order: columns by which to sort; of many values, only parts are sorted.
        """
        found: list[MessageT] = []
        for part in _parts(values):
            found += self.select(f"{column} IN ({_marks(part)}) AND {where}", [*part, *parameters], order)
        return found

    def count_by(self, column: str, values: Sequence[str], where: str = "1") -> dict[str, int]:
        """How many have each of the given values in a column; values that none has are left out."""
        counts: dict[str, int] = {}
        for part in _parts(values):
            sql = f"SELECT {column}, count(*) FROM {self._name} WHERE {column} IN ({_marks(part)}) AND {where}"  # noqa: S608
            rows = self._database.execute(f"{sql} GROUP BY {column}", part)
            counts.update((str(value), int(number or 0)) for value, number in rows)
        return counts

    def count(self, where: str = "1", parameters: Sequence[SqlValue] = ()) -> int:
        """How many match."""
        sql = f"SELECT count(*) FROM {self._name} WHERE {where}"  # noqa: S608 - as above
        ((number,),) = self._database.execute(sql, parameters)
        return int(number or 0)

    def _values(self, record: MessageT) -> list[SqlValue]:
        return [*(getattr(record, column) for column in self._columns), record.SerializeToString()]

    def _read(self, data: SqlValue) -> MessageT:
        message = self._message()
        if isinstance(data, bytes):
            message.ParseFromString(data)
        return message
