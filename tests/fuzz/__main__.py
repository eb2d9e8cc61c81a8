"""Fuzzes one target or all of them. See the package."""

from __future__ import annotations

import argparse
import re
import shutil
import subprocess
import sys
import time
from collections.abc import Iterator
from importlib.util import find_spec
from pathlib import Path
from typing import Final

from tests.fuzz import targets
from tests.fuzz.bounds import TooSlow, bounded_time, memory_allowed, peak_memory

ROOT: Final = Path(__file__).parents[2]
_MOST_MEMORY_MIB: Final = 2048
_HANGS_S: Final = 60
"""Seconds of one run after which libFuzzer ends the process: for what does not even come to a Python signal handler."""

_STATUS: Final = re.compile(r"^#(?P<runs>\d+)\s.*\bcov: (?P<cov>\d+) ft: (?P<ft>\d+) corp: (?P<corpus>\d+)/")


def main() -> int:
    """Run from the command line. Returns 1 if something was found."""
    parser = argparse.ArgumentParser(prog="python -m tests.fuzz", description=__doc__)
    parser.add_argument("target", choices=[*targets.NAMES, "all"])
    parser.add_argument("--seconds", type=int, default=600, help="for each target (default: %(default)s)")
    parser.add_argument("--folder", type=Path, default=ROOT / "build" / "fuzz", help="of corpora and findings")
    arguments = parser.parse_args()
    if find_spec("atheris") is None:
        print("atheris is not installed: use `make fuzz`, or pip install atheris", file=sys.stderr)
        return 2
    names = targets.NAMES if arguments.target == "all" else (arguments.target,)
    return max([_fuzz(name, arguments.seconds, arguments.folder / name) for name in names])


def _fuzz(name: str, seconds: int, folder: Path) -> int:
    corpus, findings = folder / "corpus", folder / "findings"
    shutil.rmtree(findings, ignore_errors=True)
    for each in (corpus, findings):
        each.mkdir(parents=True, exist_ok=True)
    options = (
        f"-max_total_time={seconds}",
        f"-rss_limit_mb={_MOST_MEMORY_MIB}",
        f"-timeout={_HANGS_S}",
        f"-artifact_prefix={findings}/",
        "-print_final_stats=1",
    )
    command = [sys.executable, "-m", "tests.fuzz.worker", name, str(folder), *options]
    print(f"{name}: {seconds} s", flush=True)
    begun = time.monotonic()
    with subprocess.Popen(command, stderr=subprocess.PIPE, text=True, errors="replace", cwd=ROOT) as worker:
        assert worker.stderr is not None
        status = _follow(worker.stderr, folder / "log")
    found = [path for path in findings.iterdir() if path.suffix != ".txt"]
    print(
        f"{name}: {status['runs']} executions in {time.monotonic() - begun:.0f} s, coverage {status['cov']} branches "
        f"({status['ft']} features), corpus of {status['corpus']} inputs, {len(found)} findings"
    )
    most, hungry = _measure(name, corpus)
    print(f"{name}: at most {most / 2**20:.1f} MiB for an input of the corpus, {len(hungry)} above what is allowed")
    for path in [*found, *hungry]:
        print(f"  {path}")
    if worker.returncode:
        print(f"{name}: ended with {worker.returncode}, see {folder / 'log'}")
    return 1 if found or hungry or worker.returncode else 0


def _follow(lines: Iterator[str], log: Path) -> dict[str, str]:
    """Keep what libFuzzer says, show what was found, and return its last numbers."""
    status = {"runs": "0", "cov": "0", "ft": "0", "corpus": "0"}
    with log.open("w", encoding="utf-8") as kept:
        for line in lines:
            kept.write(line)
            if match := _STATUS.match(line):
                status = match.groupdict()
            elif line.startswith("FINDING"):
                print(line, end="", flush=True)
    return status


def _measure(name: str, corpus: Path) -> tuple[int, list[Path]]:
    """Run the corpus once more and watch the memory. Returns the most, and the inputs that take too much."""
    target = targets.load(name)
    most, hungry = 0, []
    for path in sorted(corpus.iterdir()):
        data = path.read_bytes()
        try:
            with bounded_time():
                peak = peak_memory(target.run, data)
        except (Exception, TooSlow):  # noqa: BLE001 - a finding, and kept as such
            continue
        most = max(most, peak)
        if peak > memory_allowed(data):
            hungry.append(path)
    return most, hungry


if __name__ == "__main__":
    sys.exit(main())
