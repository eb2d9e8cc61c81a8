"""Drives `tests/gobpeer`, Go's own gob. Its `main.go` lists the commands."""

import json
import os
import shutil
import subprocess
from pathlib import Path
from typing import Any

from tests.gob.go_source import GoSource, stock

SOURCE_DIR = Path(__file__).parents[1] / "gobpeer"
BUILD_DIR = Path(__file__).parents[2] / "build" / "gobpeer"


class GobPeerError(Exception):
    """What Go says of the bytes, or of the command."""


class GobPeer:
    """A running peer; a context manager."""

    def __init__(self, program: Path) -> None:
        self._process = subprocess.Popen([program], stdin=subprocess.PIPE, stdout=subprocess.PIPE)

    def __enter__(self) -> "GobPeer":
        return self

    def __exit__(self, *_: object) -> None:
        assert self._process.stdin is not None
        assert self._process.stdout is not None
        self._process.stdin.close()
        self._process.stdout.close()
        assert self._process.wait() == 0

    def echo(self, type_name: str, data: bytes) -> bytes:
        """Go's own stream for a value of a stock type that it has read.

        Raises:
            GobPeerError: Go refuses it.
        """
        return bytes.fromhex(self._ask(type=type_name, hex=data.hex())["hex"])

    def echo_shape(self, shape: object, data: bytes) -> bytes:
        """The same with a type that is described, see `shapes.go`."""
        return bytes.fromhex(self._ask(shape=shape, hex=data.hex())["hex"])

    def features(self) -> dict[str, bytes]:
        """Streams by the names of what they show."""
        return {name: bytes.fromhex(text) for name, text in self._ask(features=True)["streams"].items()}

    def _ask(self, **command: object) -> dict[str, Any]:
        assert self._process.stdin is not None
        assert self._process.stdout is not None
        self._process.stdin.write(json.dumps(command).encode() + b"\n")
        self._process.stdin.flush()
        line = self._process.stdout.readline()
        assert line, "the peer has ended"
        answer: dict[str, Any] = json.loads(line)
        if "error" in answer:
            raise GobPeerError(answer["error"])
        return answer


def build() -> Path:
    """Builds the peer, once in a test session, and returns its executable."""
    sources = BUILD_DIR / "source"
    shutil.rmtree(sources, ignore_errors=True)
    shutil.copytree(SOURCE_DIR, sources)
    table = stock()
    (sources / "types_gen.go").write_text(GoSource(table["types"], table["gob_registered"]).text(), encoding="utf-8")
    target = BUILD_DIR / "gobpeer"
    fresh = BUILD_DIR / f"gobpeer.{os.getpid()}"
    command = ["go", "build", "-buildvcs=false", "-o", str(fresh), "."]
    done = subprocess.run(command, cwd=sources, capture_output=True, text=True, check=False)
    if done.returncode != 0:
        raise GobPeerError(f"go build failed:\n{done.stderr}")
    fresh.replace(target)
    return target
