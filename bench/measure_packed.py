"""How long a packed plugin takes from its process's start until it is active, on a stock server.

Bare is a Go plugin. Both are installed from archives and started by their verified executables, by a host built on Go's
own go-plugin; it takes the time until OnActivate's reply. Without Go there is nothing to measure.
"""

import json
import os
import shutil
import subprocess
import sys
import tarfile
import tempfile
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Final

from bench.compare import Result, Target, interleave, result_of
from bench.effort import Effort
from bench.plugin_process import Workplace
from tests.pack.wheelhouse import NEEDED, make_wheelhouse, pip_settings
from tests.stock.gostock import GoStock, build

_EXAMPLE: Final = Path(__file__).parents[1] / "examples" / "greeter"
_API: Final[Mapping[str, object]] = {"RegisterCommand": {}}
_STARTS: Final = 5
_WAYS: Final = {
    "system Python": ("system", Target("<=", 250.0, of="ours")),
    "self-contained": ("self-contained", Target("<=", 500.0, of="ours")),
}
"""The ways to pack, as `--python` calls them, and what is asked of each."""


@dataclass(frozen=True, slots=True)
class _Start:
    handshake_ms: float
    active_ms: float
    cpu_ms: float


async def measure_packed(place: Workplace, effort: Effort) -> list[Result]:
    """Start the plugins in turns, however much effort is wanted. The first start of each is not counted."""
    if shutil.which("go") is None or sys.platform != "linux":
        print("packed: not measured, it needs Go and Linux")
        return []
    results: list[Result] = []
    with _Server.set_up() as server:
        go = server.install(server.pack_go())
        for name, (python, target) in _WAYS.items():
            ours = server.install(server.pack_example(python))
            for plugin in (go, ours):
                await server.start(plugin)
            starts = await interleave(_STARTS, partial(server.start, go), partial(server.start, ours))
            results += [
                result_of(f"packed, {name}: process to active", "ms", starts, lambda start: start.active_ms, target),
                result_of(f"packed, {name}: process to hooks' names", "ms", starts, lambda start: start.handshake_ms),
                result_of(f"packed, {name}: CPU until active", "ms", starts, lambda start: start.cpu_ms),
            ]
    return results


class _Server:
    """A server's machine. Its environment leads to no checkout and to no packages but the bundles' own."""

    def __init__(self, folder: Path) -> None:
        self._program = build()
        self._folder = folder
        self._wheels = make_wheelhouse(folder / "wheels", NEEDED)
        # The distribution's own Python, if it is of the version that the bundle is for.
        self._env = {"PATH": f"/usr/bin:/bin:{sys.base_prefix}/bin"}

    @classmethod
    @contextmanager
    def set_up(cls) -> Iterator["_Server"]:
        with tempfile.TemporaryDirectory(prefix="bench") as name:
            yield cls(Path(name))

    def pack_example(self, python: str) -> Path:
        """What `mattermost-plugin pack` makes of the example."""
        source, bundle = self._folder / f"source-{python}", self._folder / f"{python}.tar.gz"
        shutil.copytree(_EXAMPLE, source, ignore=shutil.ignore_patterns("__pycache__", "dist"))
        command = [sys.executable, "-m", "mattermost_plugin.cli", "pack", str(source)]
        subprocess.run(
            [*command, "--python", python, "--output", str(bundle)],
            env=os.environ | pip_settings(self._wheels),
            stdout=subprocess.DEVNULL,
            check=True,
        )
        return bundle

    def pack_go(self) -> Path:
        """The host's program as a plugin."""
        folder, bundle = self._folder / "go", self._folder / "go.tar.gz"
        folder.mkdir()
        manifest = {"id": "com.example.go", "version": "1.0.0", "server": {"executable": "plugin"}}
        (folder / "plugin.json").write_text(json.dumps(manifest))
        shutil.copy2(self._program, folder / "plugin")
        with tarfile.open(bundle, "w:gz") as archive:
            archive.add(folder, "com.example.go")
        return bundle

    def install(self, bundle: Path) -> str:
        with self._run() as host:
            return host.install(bundle, f"plugins-{bundle.name}")

    async def start(self, plugin: str) -> _Start:
        with self._run() as host:
            answer = host.to_active(plugin, api=_API)
            if answer["activated"]["error"]:
                raise RuntimeError(f"{plugin} was not activated: {answer['activated']['error']}")
            host.deactivate()
        return _Start(answer["started"]["elapsed_ms"], answer["active_ms"], answer["cpu_ms"])

    def _run(self) -> GoStock:
        return GoStock(self._program, cwd=self._folder, env=self._env)
