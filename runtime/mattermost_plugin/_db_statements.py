"""What must be known of a statement before it is sent: its first words, and whether it may be several.

The connection is the server's own and goes back to its pool. So nothing may leave a trace on it, and a transaction
may be ended by `commit` and `rollback` alone, which the server keeps an account of.
"""

from __future__ import annotations

import re
from typing import Final, NamedTuple

from mattermost_plugin._db_errors import NotSupportedError, ProgrammingError

__all__ = ["Manner", "manner_of"]

_WORD: Final = re.compile(r"[A-Za-z]+")
_SPACE: Final = re.compile(r"(?:[\s(;]|--[^\n\r]*)*")
_COMMENT_EDGE: Final = re.compile(r"/\*|\*/")

_CHANGES: Final = frozenset({"INSERT", "UPDATE", "DELETE", "MERGE"})
_TRANSACTION: Final = frozenset({"BEGIN", "START", "COMMIT", "END", "ABORT", "ROLLBACK"})
_LASTING: Final = frozenset({"SET", "RESET", "DISCARD", "LISTEN", "PREPARE", "DEALLOCATE"})
_NOT_LASTING: Final = frozenset({("SET", "LOCAL"), ("SET", "TRANSACTION"), ("SET", "CONSTRAINTS")})


class Manner(NamedTuple):
    """How a statement is sent."""

    is_counted: bool
    """Whether it certainly gives no rows, so that the rows it affects can be counted."""
    may_be_several: bool
    """Whether it must be prepared, for then PostgreSQL takes one statement only."""


def manner_of(statement: str) -> Manner:
    """How to send a statement.

    Raises:
        ProgrammingError: it is empty, or must not be sent.
        NotSupportedError: the protocol cannot carry what it does.
    """
    if "\0" in statement:
        # The server's driver sends it as a C string, and would take the rest for something else.
        raise ProgrammingError("the statement has a NUL character in it")
    start = _skip_comments(statement, 0)
    word, after = _word_at(statement, start)
    if start == len(statement):
        raise ProgrammingError("the statement is empty")
    if word in _TRANSACTION or word in _LASTING or word == "COPY":
        _refuse(word, _word_at(statement, _skip_comments(statement, after))[0])
    has_rows = "RETURNING" in statement.upper()
    return Manner(word in _CHANGES and not has_rows, ";" in statement.rstrip().removesuffix(";"))


def _refuse(first: str, second: str) -> None:
    """Refuse what must not be sent; returns if it may be."""
    if (first, second) in _NOT_LASTING or (first == "ROLLBACK" and second == "TO"):
        return
    if first == "COPY":
        raise NotSupportedError("COPY needs a stream of its own, which the server's protocol has not: use executemany")
    if first == "SET":
        raise ProgrammingError("SET would stay on the server's own connection: use SET LOCAL in the transaction")
    if first in _LASTING:
        raise ProgrammingError(f"{first} would change the server's own connection, which others use after you")
    raise ProgrammingError(
        f"{first} is not sent as a statement: use commit() and rollback(), or connect(autocommit=True)"
    )


def _word_at(statement: str, position: int) -> tuple[str, int]:
    found = _WORD.match(statement, position)
    return (found[0].upper(), found.end()) if found else ("", position)


def _skip_comments(statement: str, position: int) -> int:
    """The first place from there on that is no blank, opening parenthesis, semicolon or comment."""
    while True:
        found = _SPACE.match(statement, position)
        position = found.end() if found else position
        if not statement.startswith("/*", position):
            return position
        position = _comment_end(statement, position)


def _comment_end(statement: str, position: int) -> int:
    """Where a comment ends; PostgreSQL's have comments within them."""
    depth = 0
    for edge in _COMMENT_EDGE.finditer(statement, position):
        depth += 1 if edge[0] == "/*" else -1
        if depth == 0:
            return edge.end()
    return len(statement)
