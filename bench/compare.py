"""Ratios between two sides that take turns, and what is asked of them."""

from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass
from statistics import median
from typing import Literal, NamedTuple, TypeVar

T = TypeVar("T")


@dataclass(frozen=True, slots=True)
class Target:
    """What a result should be."""

    relation: Literal["<=", ">="]
    limit: float
    of: Literal["ratio", "ours"] = "ratio"

    def is_met(self, value: float) -> bool:
        return value <= self.limit if self.relation == "<=" else value >= self.limit


class Pair(NamedTuple):
    """The same thing measured on both sides, one right after the other."""

    bare: float
    ours: float

    @property
    def ratio(self) -> float:
        return self.ours / self.bare if self.bare else float("nan")


@dataclass(frozen=True, slots=True)
class Result:
    """One line of the report."""

    name: str
    unit: str
    rounds: tuple[Pair, ...]
    target: Target | None = None

    @property
    def bare(self) -> float:
        return median(pair.bare for pair in self.rounds)

    @property
    def ours(self) -> float:
        return median(pair.ours for pair in self.rounds)

    @property
    def ratio(self) -> float:
        """Median of the rounds' ratios: what disturbs one round falls out."""
        return median(pair.ratio for pair in self.rounds)

    @property
    def spread(self) -> tuple[float, float]:
        """Lowest and highest ratio of a round."""
        ratios = [pair.ratio for pair in self.rounds]
        return min(ratios), max(ratios)

    @property
    def is_met(self) -> bool | None:
        """Whether the target is met; None if there is none."""
        if self.target is None:
            return None
        return self.target.is_met(self.ratio if self.target.of == "ratio" else self.ours)


async def interleave(
    rounds: int, bare: Callable[[], Awaitable[T]], ours: Callable[[], Awaitable[T]]
) -> list[tuple[T, T]]:
    """Measure both sides in turns; who begins changes with every round. Gives pairs of (bare, ours)."""
    pairs: list[tuple[T, T]] = []
    for number in range(rounds):
        if number % 2:
            second = await ours()
            pairs.append((await bare(), second))
        else:
            first = await bare()
            pairs.append((first, await ours()))
    return pairs


def result_of(
    name: str, unit: str, samples: Sequence[tuple[T, T]], value: Callable[[T], float], target: Target | None = None
) -> Result:
    """A result from one value of each sample."""
    return Result(name, unit, tuple(Pair(value(bare), value(ours)) for bare, ours in samples), target)
