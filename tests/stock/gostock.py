"""Drives `tests/gostock`, a stock host on Go's own go-plugin. Its `main.go` lists the commands."""

from __future__ import annotations

import base64
import json
import os
import re
import shutil
import subprocess
import threading
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from tests.gob.go_source import GoSource, stock

SOURCE_DIR = Path(__file__).parents[1] / "gostock"
BUILD_DIR = Path(__file__).parents[2] / "build" / "gostock"

# Go names for types that the host's code names itself.
ALIASES = {
    "FileInfo": "model_FileInfo",
    "ErrorString": "plugin_ErrorString",
    "HTTPHeader": "http_Header",
    "HTTPRequestSubset": "plugin_HTTPRequestSubset",
    "PQError": "pq_Error",
    "PQErrorCode": "pq_ErrorCode",
    "PluginContext": "plugin_Context",
    **{
        name: f"plugin_Z_{name}"
        for name in (
            "FileWillBeUploadedArgs",
            "FileWillBeUploadedReturns",
            "GetUserArgs",
            "GetUserReturns",
            "MessageHasBeenPostedArgs",
            "MessageHasBeenPostedReturns",
            "MessageWillBePostedArgs",
            "MessageWillBePostedReturns",
            "OnActivateArgs",
            "OnActivateReturns",
            "OnDeactivateArgs",
            "OnDeactivateReturns",
            "ServeHTTPArgs",
        )
    },
}


class GoStockError(Exception):
    """What the host says of a command that failed."""


class GoStock:
    """A running host with at most one plugin; a context manager."""

    def __init__(self, program: Path) -> None:
        self._process = subprocess.Popen([program], stdin=subprocess.PIPE, stdout=subprocess.PIPE)
        self._lock = threading.Lock()
        self._id = 0

    def __enter__(self) -> GoStock:
        return self

    def __exit__(self, *_: object) -> None:
        assert self._process.stdin is not None
        assert self._process.stdout is not None
        self._process.stdin.close()
        self._process.stdout.close()
        assert self._process.wait(30) == 0

    def start(
        self, cmd: Sequence[str], *, api: Mapping[str, object] | None = None, env: Mapping[str, str] | None = None
    ) -> Any:
        """Start a plugin and ask what it implements."""
        return self._ask("start", cmd=list(cmd), api=api or {}, env=env or {})

    def activate(self) -> str:
        """Activate the plugin and give the text of its error."""
        error = self._ask("activate")["error"]
        return error["Err"] if error else ""

    def hook(self, name: str, **args: object) -> Any:
        """Call a hook; gives its results."""
        return self._ask("hook", name=name, args=args)["reply"]

    def upload(self, info: Mapping[str, object], content: bytes) -> tuple[Any, bytes]:
        answer = self._ask("upload", info=info, content=base64.b64encode(content).decode())
        return answer["reply"], base64.b64decode(answer["content"] or "")

    def front(self) -> str:
        """Address of an HTTP server whose requests go to the plugin."""
        return str(self._ask("front")["address"])

    def ping(self) -> None:
        self._ask("ping")

    def api_calls(self) -> list[Any]:
        return list(self._ask("api_calls")["calls"])

    def driver(self) -> Any:
        """How many connections, transactions, statements and results the plugin has."""
        return self._ask("driver")

    def kill(self) -> float:
        """End the plugin as the server does; gives the milliseconds it took."""
        return float(self._ask("kill")["elapsed_ms"])

    def bench(self, name: str, *, count: int, concurrency: int, **args: object) -> Any:
        return self._ask("bench", name=name, args=args, count=count, concurrency=concurrency)

    def bench_http(self, path: str, *, mib: int = 0, count: int = 0) -> Any:
        return self._ask("bench_http", path=path, mib=mib, count=count)

    def _ask(self, command: str, **params: object) -> Any:
        assert self._process.stdin is not None
        assert self._process.stdout is not None
        with self._lock:
            self._id += 1
            line = json.dumps({"id": self._id, "command": command, "params": params})
            self._process.stdin.write(line.encode() + b"\n")
            self._process.stdin.flush()
            answer = json.loads(self._process.stdout.readline())
        if answer.get("error"):
            raise GoStockError(answer["error"])
        return answer.get("result")


def build() -> Path:
    """Builds the host, once in a test session, and returns its executable."""
    sources = BUILD_DIR / "source"
    shutil.rmtree(sources, ignore_errors=True)
    shutil.copytree(SOURCE_DIR, sources)
    table = stock()
    text = GoSource(table["types"], table["gob_registered"]).text()
    aliases = "\n".join(f"type {alias} = {_declared(text, name)}" for alias, name in ALIASES.items())
    (sources / "types_gen.go").write_text(f"{text}{aliases}\n", encoding="utf-8")
    target = BUILD_DIR / "gostock"
    fresh = BUILD_DIR / f"gostock.{os.getpid()}"
    command = ["go", "build", "-buildvcs=false", "-o", str(fresh), "."]
    done = subprocess.run(command, cwd=sources, capture_output=True, text=True, check=False)
    if done.returncode != 0:
        raise GoStockError(f"go build failed:\n{done.stderr}")
    fresh.replace(target)
    return target


def _declared(text: str, name: str) -> str:
    found = re.search(rf"^type (T\d+_{name}) ", text, re.MULTILINE)
    assert found is not None, name
    return found[1]
