"""Runs mypy and pyright as an author would, and reads the marks of a file that has wrong lines."""

import json
import os
import re
import shutil
import subprocess
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

ROOT = Path(__file__).parents[2]
SOURCES = (ROOT / "generated", ROOT / "runtime")

_MARK = re.compile(r"\s*# (mypy|pyright) says: (.+)")
_MYPY_ERROR = re.compile(r"(?P<path>.+?):(?P<line>\d+): error: (?P<message>.*)")


@dataclass(frozen=True, order=True)
class TypingError:
    """What a type checker has against a line."""

    line: int
    message: str

    def __str__(self) -> str:
        return f"line {self.line}: {self.message}"


def mypy(file: Path, scratch: Path) -> list[TypingError]:
    """The errors of `mypy --strict`."""
    command = [sys.executable, "-m", "mypy", "--strict", "--config-file=", f"--cache-dir={scratch / 'mypy_cache'}"]
    done = subprocess.run(
        [*command, str(file)],
        env={**os.environ, "MYPYPATH": os.pathsep.join(map(str, SOURCES))},
        cwd=scratch,
        capture_output=True,
        text=True,
        check=False,
    )
    found = [match for line in done.stdout.splitlines() if (match := _MYPY_ERROR.fullmatch(line))]
    elsewhere = [match[0] for match in found if (scratch / match["path"]).resolve() != file]
    assert done.returncode == (1 if found else 0), done.stdout + done.stderr
    assert not elsewhere, elsewhere
    return [TypingError(int(match["line"]), match["message"]) for match in found]


def pyright(file: Path, scratch: Path) -> list[TypingError]:
    """The errors and warnings of pyright; a file asks for the strict mode by a comment."""
    # A copy, for pyright takes no file from outside its project.
    shutil.copy(file, scratch / file.name)
    project = scratch / "pyrightconfig.json"
    project.write_text(
        json.dumps(
            {
                "include": [file.name],
                "extraPaths": [*map(str, SOURCES)],
                "pythonVersion": "3.11",
                "typeCheckingMode": "standard",
                # protobuf has no sources to look at, only stubs.
                "reportMissingModuleSource": False,
            }
        ),
        encoding="utf-8",
    )
    command = [sys.executable, "-m", "pyright", "--outputjson", "--pythonpath", sys.executable, "-p", str(project)]
    done = subprocess.run(command, cwd=scratch, capture_output=True, text=True, check=False)
    report = json.loads(done.stdout)
    assert report["summary"]["filesAnalyzed"] == 1, done.stdout
    return [
        TypingError(found["range"]["start"]["line"] + 1, " ".join(found["message"].split()))
        for found in report["generalDiagnostics"]
    ]


CHECKERS = {"mypy": mypy, "pyright": pyright}


def marks(source: str, checker: str) -> Iterator[tuple[int, str]]:
    """The lines that a checker must refuse, each with the pattern that its error must match.

    A mark is a comment `# mypy says: PATTERN` or `# pyright says: PATTERN` above the line of the error.
    """
    pending: list[str] = []
    for number, line in enumerate(source.splitlines(), start=1):
        match = _MARK.fullmatch(line)
        if match is None:
            yield from ((number, pattern) for pattern in pending)
            pending = []
        elif match[1] == checker:
            pending.append(match[2])


def disagreements(source: str, checker: str, errors: list[TypingError]) -> list[str]:
    """Marked lines without a matching error, and errors without a mark, in words."""
    unmarked = list(errors)
    found = []
    for line, pattern in marks(source, checker):
        matching = [error for error in unmarked if error.line == line and re.search(pattern, error.message)]
        if matching:
            unmarked.remove(matching[0])
        else:
            found.append(f"line {line}: {checker} reports nothing that matches {pattern!r}")
    return [*found, *(f"unmarked: {error}" for error in unmarked)]
