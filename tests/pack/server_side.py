"""What a stock server does with a bundle: unpacks it, and starts its program as go-plugin starts one."""

import hashlib
import json
import os
import platform
import subprocess
import tarfile
from collections.abc import Mapping
from pathlib import Path

COOKIE = {"MATTERMOST_PLUGIN": "Securely message teams, anywhere."}
GO_PLUGIN = {**COOKIE, "PLUGIN_MIN_PORT": "10000", "PLUGIN_MAX_PORT": "25000", "PLUGIN_PROTOCOL_VERSIONS": "1"}

TIMEOUT_S = 60  # for what takes a second at most, on a machine that is busy with other things


def unpack(bundle: Path, folder: Path, umask: int = 0o022) -> Path:
    """Unpack as the server does: files with the archive's mode less the umask, folders with 0744 less it, nothing else.

    Returns:
        The plugin's folder, which is the only one at the top, if there is one only.
    """
    folder.mkdir(parents=True)
    with tarfile.open(bundle, "r:gz") as archive:
        for entry in archive:
            path = Path(os.path.normpath(folder / entry.name.lstrip("/")))
            assert path == folder or folder in path.parents, f"{entry.name} leads out: the server refuses the bundle"
            if entry.isdir():
                path.mkdir(exist_ok=True)
                path.chmod(0o744 & ~umask)
            elif entry.type == tarfile.REGTYPE:
                for parent in reversed(path.relative_to(folder).parents):
                    (folder / parent).mkdir(exist_ok=True)
                content = archive.extractfile(entry)
                assert content is not None
                path.write_bytes(content.read())
                path.chmod(entry.mode & 0o777 & ~umask)
    found: list[Path] = list(folder.iterdir())
    return found[0] if len(found) == 1 and found[0].is_dir() else folder


def executable_of(plugin: Path) -> Path:
    """The program that the manifest names for this machine."""
    architecture = {"x86_64": "amd64", "aarch64": "arm64", "arm64": "arm64"}[platform.machine()]
    server = json.loads((plugin / "plugin.json").read_text())["server"]
    return plugin / str(server["executables"][f"{platform.system().lower()}-{architecture}"])


class StartedPlugin:
    """A plugin's process and the line that it printed.

    Args:
        program: what is run, from a folder of its own as a server's.
        cwd: the server's folder.
        env: what the server's environment has beside the usual.
        relative: whether the program is named relative to the server's folder, as with its default settings.
    """

    def __init__(self, program: Path, cwd: Path, env: Mapping[str, str] | None = None, relative: bool = False) -> None:
        cwd.mkdir(exist_ok=True)
        self.checksum = hashlib.sha256(program.read_bytes()).hexdigest()
        inherited = {key: value for key, value in os.environ.items() if not key.startswith("PYTHON")}
        self.process = subprocess.Popen(
            [os.path.relpath(program, cwd) if relative else str(program)],
            cwd=cwd,
            env={**inherited, **GO_PLUGIN, **(env or {})},
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
        )
        assert self.process.stdout is not None
        self.line = self.process.stdout.readline().decode()

    def end(self) -> str:
        """End it. Returns what it wrote to stderr."""
        if self.line:
            self.process.terminate()
        _, errors = self.process.communicate(timeout=TIMEOUT_S)
        return errors.decode()
