"""The text of a function that is being written, and what the names in it mean."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from contextlib import contextmanager

__all__ = ["SourceText"]


class SourceText:
    """Lines of a function.

    Args:
        names: Globals that every such function can use.

    Attributes:
        namespace: Its globals.
        places: Lines at which the code for fields begins, each with the field's name.
    """

    def __init__(self, names: Mapping[str, object]) -> None:
        self.namespace: dict[str, object] = dict(names)
        self.places: list[tuple[int, str]] = []
        self._lines: list[str] = []
        self._indent = ""

    @property
    def text(self) -> str:
        """All that was written."""
        return "\n".join(self._lines) + "\n"

    @property
    def line_count(self) -> int:
        """How many lines were written."""
        return len(self._lines)

    def line(self, text: str) -> None:
        """Write a line."""
        self._lines.append(self._indent + text)

    @contextmanager
    def block(self, head: str) -> Iterator[None]:
        """Write a line with a colon at its end; what is written within the context belongs to it."""
        self.line(head)
        self._indent += " "
        yield
        self._indent = self._indent[:-1]

    def begin_field(self, name: str) -> None:
        """The next line is the first one for this field; "" for none."""
        self.places.append((len(self._lines) + 1, name))

    def bind(self, value: object) -> str:
        """A name for an object in the function's globals."""
        for name, known in self.namespace.items():
            if known is value:
                return name
        name = f"x{len(self.namespace)}"
        self.namespace[name] = value
        return name
