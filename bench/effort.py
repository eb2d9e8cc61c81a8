"""How much of everything a run measures."""

from dataclasses import dataclass


@dataclass(frozen=True, slots=True, kw_only=True)
class Effort:
    """Numbers of rounds and calls."""

    processes: int
    """Pairs of processes that share the rounds of hooks and HTTP: two processes of the same program differ too."""
    hook_rounds: int
    """Per pair of processes, as all rounds below."""
    hook_calls: int
    """One after the other, per round and side. A round is short, so that what disturbs it disturbs both sides."""
    hook_calls_in_flight: int
    """Several at once, per round and side."""
    api_rounds: int
    api_calls: int
    """One after the other in one handler, per round and side."""
    http_rounds: int
    http_calls: int
    http_calls_in_flight: int
    echo_rounds: int
    starts: int
    imports: int
    memory_calls: int
    stock_rounds: int
    """On the stock wire, as all below. Per pair of processes."""
    stock_calls: int
    """One after the other, per round and side."""
    stock_calls_in_flight: int
    stock_echo_rounds: int
    stock_starts: int
    stock_memory_calls: int


FULL = Effort(
    processes=4,
    hook_rounds=18,
    hook_calls=100,
    hook_calls_in_flight=320,
    api_rounds=18,
    api_calls=100,
    http_rounds=8,
    http_calls=60,
    http_calls_in_flight=160,
    echo_rounds=4,
    starts=20,
    imports=10,
    memory_calls=20_000,
    stock_rounds=12,
    stock_calls=300,
    stock_calls_in_flight=1500,
    stock_echo_rounds=4,
    stock_starts=8,
    stock_memory_calls=100_000,
)

QUICK = Effort(
    processes=2,
    hook_rounds=7,
    hook_calls=100,
    hook_calls_in_flight=320,
    api_rounds=7,
    api_calls=100,
    http_rounds=4,
    http_calls=50,
    http_calls_in_flight=96,
    echo_rounds=3,
    starts=6,
    imports=4,
    memory_calls=5_000,
    stock_rounds=6,
    stock_calls=200,
    stock_calls_in_flight=800,
    stock_echo_rounds=2,
    stock_starts=4,
    stock_memory_calls=20_000,
)
