"""The SQLite file: one connection, transactions, migrations."""

from __future__ import annotations

import os
import re
import sqlite3
import tempfile
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from functools import lru_cache
from pathlib import Path

from mattermost_plugin.devhost.errors import DevHostError
from mattermost_plugin.devhost.store.file_lock import FileLock
from mattermost_plugin.devhost.store.schema import MIGRATIONS

__all__ = ["Database", "DuplicateError", "SqlValue"]

SqlValue = str | int | bytes | None


class DuplicateError(DevHostError):
    """A row with that key is there already."""


def _holds(text: object, part: object) -> bool:
    """SQL's holds(text, part): whether a text contains another one, in upper or lower case of any script."""
    return str(part).casefold() in str(text).casefold()


def _connect(path: Path) -> sqlite3.Connection:
    """Open a file, made if there is none: sessions' tokens are in it, so that nobody else may read it.

    Raises:
        DevHostError: it cannot be opened.
    """
    try:
        os.close(os.open(path, os.O_CREAT | os.O_RDWR, 0o600))
        return sqlite3.connect(path, isolation_level=None)
    except (OSError, sqlite3.Error) as error:
        raise DevHostError(f"{path} cannot be used: {error}") from error


@lru_cache(maxsize=256)
def _pattern(words: str) -> re.Pattern[str]:
    """What a text with some words in a row looks like; a "*" at the end stands for the rest of a word."""
    in_a_row = r"\s+".join(re.escape(word) for word in words.rstrip("*").split())
    return re.compile(rf"(?<!\w){in_a_row}" + ("" if words.endswith("*") else r"(?!\w)"), re.IGNORECASE)


def _says(text: object, words: object) -> bool:
    """SQL's says(text, words): whether a text has words in a row, whole and in upper or lower case."""
    return _pattern(str(words)).search(str(text)) is not None


class Database:
    """A SQLite file that a killed process leaves whole: every write outside of a transaction is one.

    All use is on one thread, and no transaction is held while something is awaited.

    Args:
        path: the file; None makes one that is deleted when the database is closed.

    Raises:
        DevHostError: the file is in use by another host, is no database, or one of a newer version.
    """

    def __init__(self, path: Path | None = None) -> None:
        # Not ":memory:": a file has a write-ahead log, so that tests see what a kept file does.
        self._folder = None if path else tempfile.TemporaryDirectory(prefix="mattermost-devhost-")
        self.path = path or Path(self._folder.name if self._folder else "") / "state.sqlite"
        self._lock = FileLock(self.path)
        try:
            self._connection = _connect(self.path)
        except DevHostError:
            self._lock.release()
            raise
        self._connection.create_function("holds", 2, _holds, deterministic=True)
        self._connection.create_function("says", 2, _says, deterministic=True)
        self._depth = 0
        try:
            self._prepare()
        except sqlite3.DatabaseError as error:
            self.close()
            raise DevHostError(f"{self.path} cannot be used: {error}") from error
        except DevHostError:
            self.close()
            raise

    def _prepare(self) -> None:
        self.execute("PRAGMA journal_mode = WAL")
        # In WAL mode this outlives the process at any moment; only a power cut can take the last commits.
        self.execute("PRAGMA synchronous = NORMAL")
        version = self.version
        if version > len(MIGRATIONS):
            raise DevHostError(f"{self.path} is of version {version}; this host knows versions up to {len(MIGRATIONS)}")
        for number, script in enumerate(MIGRATIONS[version:], start=version + 1):
            with self.transaction():
                for statement in filter(str.strip, script.split(";")):
                    self.execute(statement)
                self.execute(f"PRAGMA user_version = {number}")

    @property
    def version(self) -> int:
        """How many migrations the file has seen."""
        ((version,),) = self.execute("PRAGMA user_version")
        return int(version or 0)

    def execute(self, sql: str, parameters: Sequence[SqlValue] = ()) -> list[tuple[SqlValue, ...]]:
        """Run one statement and read all its rows.

        Raises:
            DuplicateError: a unique column would have a value twice.
        """
        try:
            return self._connection.execute(sql, parameters).fetchall()
        except sqlite3.IntegrityError as error:
            raise DuplicateError(str(error)) from error

    def change(self, sql: str, parameters: Sequence[SqlValue] = ()) -> int:
        """Run one statement that changes rows.

        Returns:
            How many rows it changed.

        Raises:
            DuplicateError: a unique column would have a value twice.
        """
        try:
            return self._connection.execute(sql, parameters).rowcount
        except sqlite3.IntegrityError as error:
            raise DuplicateError(str(error)) from error

    @contextmanager
    def transaction(self) -> Iterator[None]:
        """Make everything inside happen or nothing. One inside another belongs to the outer one."""
        if self._depth:
            yield
            return
        self._connection.execute("BEGIN IMMEDIATE")
        self._depth = 1
        try:
            yield
        except BaseException:
            # Some failures, such as a full disk, have ended the transaction already.
            if self._connection.in_transaction:
                self._connection.execute("ROLLBACK")
            raise
        else:
            self._connection.execute("COMMIT")
        finally:
            self._depth = 0

    def close(self) -> None:
        """Close the file; legal more than once."""
        self._connection.close()
        self._lock.release()
        if self._folder is not None:
            self._folder.cleanup()
            self._folder = None
