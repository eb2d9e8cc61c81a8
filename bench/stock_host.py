"""A stock host, Go's own go-plugin, with one plugin: the Go one, or the one of the SDK."""

from __future__ import annotations

import shutil
import sys
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from tempfile import TemporaryFile
from types import MappingProxyType
from typing import Final, NamedTuple

from bench.load import IN_FLIGHT
from bench.plugin_process import Mode, Workplace, status_mib
from bench.stock_workload import API_ANSWERS, post_arguments
from tests.stock.gostock import GoStock, build

GO_MISSING: Final = "Go is missing (no `go` on the PATH), so the stock wire was not measured against a Go plugin"

_WARM_UP_CALLS: Final = 500
_NO_VARIABLES: Final[Mapping[str, str]] = MappingProxyType({})


class StockLoad(NamedTuple):
    """What a number of calls took."""

    p50_us: float
    p99_us: float
    rate: float
    """Calls per second."""
    cpu_us: float
    """Processor time of the plugin, per call."""
    waits: float
    """How often the plugin's threads went to sleep, per call."""


@dataclass(frozen=True, slots=True)
class StockPlugin:
    """An active plugin."""

    host: GoStock
    pid: int

    def hooks(self, name: str, count: int, in_flight: int) -> StockLoad:
        """Call a hook that takes a post, `in_flight` at a time."""
        cpu_s, waits = _cpu_s(self.pid), _waits(self.pid)
        found = self.host.bench(name, count=count, concurrency=in_flight, **post_arguments())
        return StockLoad(
            found["p50_us"],
            found["p99_us"],
            found["per_s"],
            (_cpu_s(self.pid) - cpu_s) / count * 1e6,
            (_waits(self.pid) - waits) / count,
        )

    def gets(self, count: int) -> float:
        """Ask for a small page, one request after the other. Gives the median, in us."""
        return float(self.host.bench_http("/small", count=count)["p50_us"])

    def echo(self, mib: int) -> float:
        """Send a body and read it back. Gives MiB/s."""
        return float(self.host.bench_http("/echo", mib=mib)["mib_per_s"])

    def rss_mib(self) -> float:
        """Resident set."""
        return status_mib(self.pid, "VmRSS")


def go_command(program: Path) -> list[str]:
    """Starts the Go plugin."""
    return [str(program), "plugin"]


def stock_program() -> Path | None:
    """The host's executable, built now; None where Go is missing."""
    return build() if shutil.which("go") else None


def sdk_command(place: Workplace, mode: Mode) -> list[str]:
    """Starts the plugin under test."""
    return place.command("stock", mode)


@contextmanager
def stock_plugin(
    program: Path, command: list[str], variables: Mapping[str, str] = _NO_VARIABLES
) -> Iterator[StockPlugin]:
    """Run a plugin on a host of its own, until the context is left. It has answered some hooks when this yields.

    Args:
        program: the host.
        command: starts the plugin.
        variables: what its environment has beside the host's own.
    """
    with _host(program) as host:
        _activate(host, command, variables)
        warm_up = host.bench("MessageWillBePosted", count=_WARM_UP_CALLS, concurrency=IN_FLIGHT, **post_arguments())
        yield StockPlugin(host, int(warm_up["pid"]))


def start_ms(program: Path, command: list[str]) -> tuple[float, float]:
    """Start a plugin and end it. Gives the time until it is active, and until its first hook is answered, in ms."""
    with _host(program) as host:
        began = time.perf_counter()
        _activate(host, command, _NO_VARIABLES)
        active_s = time.perf_counter() - began
        host.hook("MessageWillBePosted", **post_arguments())
        return active_s * 1e3, (time.perf_counter() - began) * 1e3


@contextmanager
def _host(program: Path) -> Iterator[GoStock]:
    """A host whose log is shown if something goes wrong."""
    with TemporaryFile() as log:
        try:
            with GoStock(program, log=log) as host:
                yield host
        except Exception:
            log.seek(0)
            sys.stderr.write(log.read().decode(errors="replace"))
            raise


def _activate(host: GoStock, command: list[str], variables: Mapping[str, str]) -> None:
    host.start(command, api=API_ANSWERS, env=variables)
    if error := host.activate():
        raise RuntimeError(f"the plugin was not activated: {error}")


def _cpu_s(pid: int) -> float:
    """Processor time of all threads."""
    spent_ns = 0
    for task in Path("/proc", str(pid), "task").iterdir():
        spent_ns += int((task / "schedstat").read_text().split()[0])
    return spent_ns / 1e9


def _waits(pid: int) -> int:
    """How often all threads went to sleep."""
    waits = 0
    for task in Path("/proc", str(pid), "task").iterdir():
        for line in (task / "status").read_text().splitlines():
            if line.startswith("voluntary_ctxt_switches"):
                waits += int(line.split()[1])
    return waits
