"""Results as a table and as JSON, with the machine they come from."""

import json
import math
import os
import platform
import subprocess
from collections.abc import Sequence
from datetime import UTC, datetime
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path
from typing import Final

from bench.compare import Result

_PACKAGES: Final = ("mattermost-plugin-sdk", "grpcio", "grpcio-health-checking", "protobuf")
_CALM_LOAD: Final = 0.5
"""Load average per CPU up to which a machine counts as idle."""
_HEADER: Final = f"{'':<52} {'bare':>9} {'ours':>9} {'':<8} {'ratio':>6} {'spread':>14}  target"


def print_header() -> None:
    print(_HEADER)


def print_results(results: Sequence[Result]) -> None:
    for result in results:
        low, high = result.spread
        spread = f"{low:.2f} .. {high:.2f}" if len(result.rounds) > 1 else ""
        print(
            f"{result.name:<52} {_number(result.bare):>9} {_number(result.ours):>9} {result.unit:<8}"
            f" {_ratio(result.ratio):>6} {spread:>14}  {_verdict(result)}"
        )


def print_summary(results: Sequence[Result]) -> None:
    judged = [result for result in results if result.target is not None]
    missed = [result.name for result in judged if not result.is_met]
    print(f"\n{len(judged) - len(missed)} of {len(judged)} targets met.")
    for name in missed:
        print(f"  missed: {name}")


def print_load_warning() -> None:
    """Say so if other work is running: the ratios can still be used, the spread grows."""
    waiting, cpus = os.getloadavg()[0], os.cpu_count() or 1
    if waiting > cpus * _CALM_LOAD:
        print(f"Other programs are running (load average {waiting:.1f} on {cpus} CPUs): expect a wide spread.\n")


def write_json(path: Path, results: Sequence[Result], *, quick: bool) -> None:
    """Write the results, with the values of every round."""
    path.parent.mkdir(parents=True, exist_ok=True)
    document = {
        "measured_at": datetime.now(UTC).isoformat(timespec="seconds"),
        "quick": quick,
        "machine": _machine(),
        "versions": _versions(),
        "results": [_as_json(result) for result in results],
    }
    path.write_text(json.dumps(document, indent=2) + "\n")


def _as_json(result: Result) -> dict[str, object]:
    target = result.target
    return {
        "name": result.name,
        "unit": result.unit,
        "bare": result.bare,
        "ours": result.ours,
        "ratio": _finite(result.ratio),
        "spread": [_finite(bound) for bound in result.spread],
        "target": None if target is None else {"of": target.of, "relation": target.relation, "limit": target.limit},
        "met": result.is_met,
        "rounds": [[pair.bare, pair.ours] for pair in result.rounds],
    }


def _machine() -> dict[str, object]:
    return {
        "platform": platform.platform(),
        "processor": _processor(),
        "cpus": os.cpu_count(),
        "load_average": os.getloadavg(),
    }


def _processor() -> str:
    for line in Path("/proc/cpuinfo").read_text().splitlines():
        if line.startswith("model name"):
            return line.partition(":")[2].strip()
    return platform.machine()


def _versions() -> dict[str, str]:
    versions = {"python": platform.python_version(), "implementation": platform.python_implementation()}
    for package in _PACKAGES:
        try:
            versions[package] = version(package)
        except PackageNotFoundError:
            versions[package] = "not installed"
    commit = subprocess.run(
        ["git", "rev-parse", "HEAD"], capture_output=True, text=True, check=False, cwd=Path(__file__).parent
    )
    versions["commit"] = commit.stdout.strip()
    return versions


def _verdict(result: Result) -> str:
    target = result.target
    if target is None:
        return ""
    limit = f"{target.limit:.2f}" if target.of == "ratio" else f"{target.limit:g} {result.unit}"
    return f"{target.relation} {limit} {'met' if result.is_met else 'MISSED'}"


def _number(value: float) -> str:
    return f"{value:,.0f}" if abs(value) >= 100 else f"{value:.1f}"


def _ratio(value: float) -> str:
    return f"{value:.2f}" if math.isfinite(value) else ""


def _finite(value: float) -> float | None:
    return value if math.isfinite(value) else None
