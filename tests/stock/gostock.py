"""Drives `tests/gostock`, a stock host on Go's own go-plugin. Its `main.go` lists the commands."""

from __future__ import annotations

import base64
import functools
import json
import os
import re
import shutil
import subprocess
import threading
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import IO, Any

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
    """A running host with at most one plugin; a context manager.

    Args:
        program: the host's executable.
        cwd: its folder, which plugins that are installed in it run in; default is this process's.
        env: its environment, which they get; default is this process's.
        log: where its log goes; default is stderr.
    """

    def __init__(
        self,
        program: Path,
        cwd: Path | None = None,
        env: Mapping[str, str] | None = None,
        *,
        log: IO[bytes] | None = None,
    ) -> None:
        self._process = subprocess.Popen(
            [program], stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=log, cwd=cwd, env=env
        )
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

    def install(self, bundle: Path, directory: str | Path) -> str:
        """Unpack a bundle into a folder of plugins as a server does; gives the plugin's folder."""
        return str(self._ask("install", bundle=str(bundle), directory=str(directory))["plugin"])

    def start_installed(
        self, plugin: str, *, api: Mapping[str, object] | None = None, checksum: bytes | None = None
    ) -> Any:
        """Start a plugin by its verified executable and ask what it implements.

        Args:
            plugin: what `install` gave.
            api: answers of the plugin API by method.
            checksum: SHA-256 that the executable must have; default is that of the moment, as on a server.
        """
        return self._ask("start_installed", **_installed(plugin, api, checksum))

    def to_active(self, plugin: str, *, api: Mapping[str, object] | None = None) -> Any:
        """Start an installed plugin and activate it.

        Gives the time since its process's start, and what its threads used of a CPU, in milliseconds.
        """
        return self._ask("to_active", **_installed(plugin, api, None))

    def check_health(self) -> Any:
        """Ask the plugin for a sign of life, and start it anew if there is none."""
        return self._ask("check_health")

    def pid(self) -> int:
        """The process that was started last."""
        return int(self._ask("pid")["pid"])

    def log(self) -> list[dict[str, Any]]:
        """Records that a server would have in its log, of plugins that were installed."""
        lines = str(self._ask("log")["text"]).splitlines()
        return [json.loads(line) for line in lines if line.startswith("{")]

    def deactivate(self) -> Any:
        """Disable the plugin; gives the text of the hook's error and the process's exit code, -1 if it was killed."""
        return self._ask("deactivate")

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

    def wait_api_call(self, method: str) -> Any:
        """Wait for the end of a call of the plugin API and give it."""
        return self._ask("wait_api_call", method=method)

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


def _installed(plugin: str, api: Mapping[str, object] | None, checksum: bytes | None) -> dict[str, object]:
    given = base64.b64encode(checksum).decode() if checksum else None
    return {"plugin": plugin, "api": api or {}, "checksum": given}


@functools.cache
def build() -> Path:
    """Builds the host, once in a process, and returns its executable."""
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
