"""Faults in the proto definitions, collected so that one run reports them all."""

from collections.abc import Sequence
from dataclasses import dataclass


@dataclass(frozen=True, slots=True, order=True)
class Fault:
    """One thing that the generator cannot handle, and where it stands."""

    file: str
    """Path of the proto file, as protoc knows it."""
    line: int
    """Line of the faulty declaration, counted from 1; 0 if protoc gave no position."""
    symbol: str
    """The rpc, message or field at fault."""
    message: str
    """What is wrong and what would be right."""

    def __str__(self) -> str:
        return f"{self.file}:{self.line}: {self.symbol}: {self.message}"


class CodegenError(Exception):
    """The generator stopped. Whoever edited the proto files or the templates must act.

    Attributes:
        faults: everything that is wrong, each once, in the order of the files. Empty if a tool failed rather than a
            definition.
    """

    def __init__(self, message: str, faults: Sequence[Fault] = ()) -> None:
        self.faults = tuple(sorted(set(faults)))
        lines = [message, *(f"  {fault}" for fault in self.faults)]
        super().__init__("\n".join(lines))
