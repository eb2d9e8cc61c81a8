"""Every input that found something once, and the beginning of every corpus, with some changes."""

from collections.abc import Iterator
from pathlib import Path
from random import Random

import pytest

from tests.fuzz import targets
from tests.fuzz.bounds import TooSlow, bounded_time, memory_allowed, peak_memory
from tests.fuzz.target import FuzzTarget

SEEDS = Path(__file__).parent / "seeds"
CHANGES = {"gob": 150, "yamux": 300, "netrpc": 100, "stock": 15}


def seeds() -> Iterator[tuple[str, Path]]:
    for path in sorted(SEEDS.glob("*/*.bin")):
        yield path.parent.name, path


def named(values: tuple[str, Path]) -> str:
    return f"{values[0]}-{values[1].stem}"


@pytest.mark.parametrize("seed", list(seeds()), ids=named)
def test_what_was_found_stays_repaired(seed: tuple[str, Path]) -> None:
    name, path = seed
    data = path.read_bytes()
    target = targets.load(name)
    with bounded_time():
        target.run(data)
    # Compiled by now, as it would be in a process that has run for a while.
    assert peak_memory(target.run, data) <= memory_allowed(data)


def blind(data: bytes, most: int) -> bytes:
    """What libFuzzer's own changes are like."""
    random = Random(len(data))
    changed = bytearray(data)
    for _ in range(random.randint(1, 4)):
        place = random.randint(0, len(changed))
        changed[place : place + random.randint(0, 2)] = random.randbytes(random.randint(0, 2))
    return bytes(changed[:most])


@pytest.mark.parametrize("name", targets.NAMES)
def test_changed_inputs(name: str) -> None:
    target, random = targets.load(name), Random(name)
    corpus = target.corpus()
    for _ in range(CHANGES[name]):
        data = target.mutate(random.choice(corpus), random, blind)[: target.max_bytes]
        with bounded_time():
            target.run(data)


def test_each_target_has_seeds() -> None:
    assert {name for name, _ in seeds()} == set(targets.NAMES)


class Faulty:
    """A target with every kind of fault."""

    name = "faulty"
    max_bytes = 10

    def run(self, data: bytes) -> None:
        if data == b"slow":
            while True:
                pass
        self.held = bytearray((8 << 20) + 8192 * len(data)) if data == b"hungry" else None

    def corpus(self) -> list[bytes]:
        return [b"slow", b"hungry", b"good"]

    def mutate(self, data: bytes, random: Random, blind: object) -> bytes:
        return data


def test_bounds_are_noticed() -> None:
    target: FuzzTarget = Faulty()
    with pytest.raises(TooSlow), bounded_time(0.05):
        target.run(b"slow")
    assert peak_memory(target.run, b"hungry") > memory_allowed(b"hungry")
    assert peak_memory(target.run, b"good") <= memory_allowed(b"good")
