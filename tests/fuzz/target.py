"""What the engine needs of a protocol."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from random import Random
from typing import Protocol

__all__ = ["FuzzTarget", "Mutate"]

Mutate = Callable[[bytes, int], bytes]
"""A change that knows nothing of the protocol: bytes, and how many there may be."""


class FuzzTarget(Protocol):
    """One protocol.

    Attributes:
        name: How it is called on the command line, and its folder of seeds.
        max_bytes: Longest input.
    """

    name: str
    max_bytes: int

    def run(self, data: bytes) -> None:
        """Run an input. Raises whatever must not happen, AssertionError for a check of this target's own."""
        ...

    def corpus(self) -> Sequence[bytes]:
        """Inputs to start from."""
        ...

    def mutate(self, data: bytes, random: Random, blind: Mutate) -> bytes:
        """A changed input; cut to `max_bytes` by the caller."""
        ...
