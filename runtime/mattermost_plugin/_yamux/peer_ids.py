"""Which stream ids the peer has used."""

from __future__ import annotations

from typing import Final

__all__ = ["PeerIds"]

_MAX_GAPS: Final = 1024
"""Ids above ones that have not come. Go chooses ids in order and sends them almost so: a few goroutines overtake each
other. Whoever leaves more out has skipped them."""


class PeerIds:
    """The ids that one end has chosen for its streams, every other one from its first.

    An id is used once. A second stream of the same id could not be told from the first, whose last bytes may still be
    unread.

    Args:
        first: smallest id that it can choose.
    """

    def __init__(self, first: int) -> None:
        self._first_unused = first
        self._above: set[int] = set()

    def use(self, stream_id: int) -> bool:
        """Take an id. Returns False if it was used before."""
        if stream_id < self._first_unused or stream_id in self._above:
            return False
        self._above.add(stream_id)
        if len(self._above) > _MAX_GAPS:
            self._first_unused = min(self._above)
        while self._first_unused in self._above:
            self._above.remove(self._first_unused)
            self._first_unused += 2
        return True
