"""Writers of the same key at the same time, in any order that their calls can have: no change is lost."""

from collections.abc import Coroutine, Generator
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from mattermost_plugin._kv_operations import KVOperations
from mattermost_plugin.kv import DELETE, KVConflictError
from tests.unit.memory_api import AsyncMemoryAPI, Memory

ORDER = st.lists(st.integers(0, 5), max_size=200)
"""Whose turn it is, by its place among those who have not ended."""


class Turn:
    """Where a coroutine waits until it is its turn again."""

    def __await__(self) -> Generator[None, None, None]:
        yield


async def give_way(_: float = 0) -> None:
    await Turn()


class Writers:
    """Coroutines that write the same key, and their outcomes."""

    def __init__(self, memory: Memory) -> None:
        self.memory = memory
        self.kv = KVOperations(AsyncMemoryAPI(memory, give_way), give_way)
        self.outcomes: list[Any] = []
        self._waiting: list[Coroutine[Any, Any, None]] = []

    def add(self, coroutine: Coroutine[Any, Any, Any]) -> None:
        self._waiting.append(self._outcome(coroutine))

    def run(self, order: list[int]) -> None:
        """Let each go on from call to call, in the given order; when it is at its end, one after the other."""
        for place in order:
            if self._waiting:
                self._step(self._waiting[place % len(self._waiting)])
        while self._waiting:
            self._step(self._waiting[0])

    def _step(self, coroutine: Coroutine[Any, Any, None]) -> None:
        try:
            coroutine.send(None)
        except StopIteration:
            self._waiting.remove(coroutine)

    async def _outcome(self, coroutine: Coroutine[Any, Any, Any]) -> None:
        try:
            self.outcomes.append(await coroutine)
        except KVConflictError as error:
            self.outcomes.append(error)

    def update(self, function: Any, attempts: int, initial: object = None) -> None:
        self.add(self.kv.update("k", function, None, initial, None, attempts, None))

    @property
    def succeeded(self) -> list[Any]:
        return [outcome for outcome in self.outcomes if not isinstance(outcome, KVConflictError)]


@given(ORDER, st.integers(1, 5), st.integers(1, 4))
def test_no_update_of_a_counter_is_lost(order: list[int], count: int, attempts: int) -> None:
    writers = Writers(Memory())
    for _ in range(count):
        writers.update(lambda number: number + 1, attempts, initial=0)
    writers.run(order)
    assert len(writers.outcomes) == count
    # Each of them returns the number that it stored, and no two of them the same.
    assert writers.succeeded == list(range(1, len(writers.succeeded) + 1))
    assert int(writers.memory.values["k"]) == len(writers.succeeded)
    # Who gives up was beaten once for each attempt.
    assert len(writers.succeeded) >= min(count, attempts)


@given(ORDER, st.integers(2, 5))
def test_everybody_gets_through_with_as_many_attempts_as_there_are_writers(order: list[int], count: int) -> None:
    writers = Writers(Memory())
    for number in range(count):
        writers.update(lambda names, number=number: [*names, number], count, initial=[])
    writers.run(order)
    stored = max(writers.outcomes, key=len)
    assert sorted(stored) == list(range(count))
    assert writers.memory.values["k"] == repr(stored).replace(" ", "").encode()


@given(ORDER, st.lists(st.sampled_from(["add", "delete", "claim", "release"]), min_size=2, max_size=5))
def test_all_conditional_writes_together_are_as_if_one_came_after_the_other(order: list[int], kinds: list[str]) -> None:
    """Every write knows what it replaced, so that the writes must form one chain from nothing to what is stored."""
    writers, links = Writers(Memory()), []

    async def write(name: int, kind: str) -> None:
        seen: list[Any] = []

        def change(value: Any) -> Any:
            seen.append(value)
            return DELETE if kind == "delete" else [name]

        if kind in ("add", "delete"):
            new = await writers.kv.update("k", change, None, None, None, 10, None)
            if not (seen[-1] is None and new is DELETE):
                links.append((seen[-1], None if new is DELETE else new))
        elif kind == "claim":
            if await writers.kv.compare_and_set("k", None, [name], None, None):
                links.append((None, [name]))
        else:
            value = await writers.kv.get("k", None, None, None)
            if value is not None and await writers.kv.compare_and_set("k", value, DELETE, None, None):
                links.append((value, None))

    for name, kind in enumerate(kinds):
        writers.add(write(name, kind))
    writers.run(order)
    assert len(writers.outcomes) == len(kinds)
    stored = writers.memory.values.get("k")
    value: Any = None
    for old, new in links:
        assert old == value
        value = new
    assert stored == (None if value is None else repr(value).encode())


def test_a_plain_write_in_between_loses_the_change() -> None:
    """Guards the tests above: with a store that compares nothing they must fail."""
    memory = Memory()
    memory.answers["KVSetWithOptions"] = lambda request: (memory.values.update(k=request.value), {"success": True})[1]
    writers = Writers(memory)
    for _ in range(2):
        writers.update(lambda number: number + 1, 5, initial=0)
    writers.run([0, 0, 1, 1] * 5)
    with pytest.raises(AssertionError):
        assert writers.succeeded == [1, 2]
