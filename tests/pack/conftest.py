"""What tests of packing share: wheels to install from, and the bundle of an example."""

import os
import shutil
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.pack.server_side import TIMEOUT_S
from tests.pack.wheelhouse import NEEDED, make_plain_wheel, make_wheelhouse, pip_settings

ROOT = Path(__file__).parents[2]
COMMAND = [sys.executable, "-m", "mattermost_plugin.cli"]


@pytest.fixture(scope="session")
def wheels(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Path]:
    """A folder of wheels, which pip is told to take everything from."""
    folder = make_wheelhouse(tmp_path_factory.mktemp("wheels") / "all", NEEDED)
    make_plain_wheel(folder, "sample_helper", "WORD = 'helped'\n")
    with pytest.MonkeyPatch.context() as patch:
        for name, value in pip_settings(folder).items():
            patch.setenv(name, value)
        yield folder


def run_command(*arguments: str | Path, env: dict[str, str] | None = None) -> subprocess.CompletedProcess[str]:
    """Run a command that ends by itself."""
    command = [*COMMAND, *map(str, arguments)]
    return subprocess.run(
        command,
        capture_output=True,
        text=True,
        timeout=2 * TIMEOUT_S,
        env=os.environ | (env or {}),
        stdin=subprocess.DEVNULL,
    )


@pytest.fixture(scope="session")
def greeter(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A copy of the example, so that nothing is written beside the original."""
    folder = tmp_path_factory.mktemp("source") / "greeter"
    shutil.copytree(ROOT / "examples" / "greeter", folder, ignore=shutil.ignore_patterns("__pycache__"))
    return folder


@pytest.fixture(scope="session")
def greeter_bundle(wheels: Path, greeter: Path) -> Path:
    """The example, packed for a Python of the server's machine."""
    done = run_command("pack", greeter)
    assert done.returncode == 0, done.stdout + done.stderr
    return greeter / "dist" / "com.example.greeter-0.1.0.tar.gz"
