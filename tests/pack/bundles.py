"""Bundles and plugins made by hand, for tests."""

import io
import json
import tarfile
from collections.abc import Mapping, Sequence
from pathlib import Path

MANIFEST = {
    "id": "com.example.sample",
    "name": "Sample",
    "version": "1.2.3",
    "min_server_version": "10.0.0",
    "server": {"executables": {"linux-amd64": "start", "linux-arm64": "start"}},
}
SOURCE_MANIFEST = {**MANIFEST, "server": {"runtime": "python", "executable": "plugin.py"}}

SCRIPT = """
from mattermost_plugin import Plugin, run_plugin

class Sample(Plugin):
    def on_activate(self):
        self.logger.info("hello")

if __name__ == "__main__":
    run_plugin(Sample)
"""

PROGRAM = b"#!/bin/sh\nexit 1\n"


Entry = tuple[tarfile.TarInfo, bytes]


def entry(name: str, content: bytes = b"", mode: int = 0o644, kind: bytes = tarfile.REGTYPE) -> Entry:
    """An entry of an archive, and its content."""
    info = tarfile.TarInfo(name)
    info.mode, info.type = mode, kind
    info.size = len(content) if kind == tarfile.REGTYPE else 0
    if kind in (tarfile.SYMTYPE, tarfile.LNKTYPE):
        info.linkname = "elsewhere"
    return info, content


def sound_entries(top: str = "", manifest: Mapping[str, object] = MANIFEST) -> list[Entry]:
    return [
        entry(f"{top}plugin.json", json.dumps(manifest).encode()),
        entry(f"{top}start", PROGRAM, 0o755),
    ]


def make_archive(path: Path, entries: Sequence[Entry]) -> Path:
    path.parent.mkdir(parents=True, exist_ok=True)
    with tarfile.open(path, "w:gz") as archive:
        for info, content in entries:
            archive.addfile(info, io.BytesIO(content))
    return path


def make_source(folder: Path, script: str = SCRIPT, **fields: object) -> Path:
    """A plugin's folder."""
    folder.mkdir(parents=True, exist_ok=True)
    (folder / "plugin.json").write_text(json.dumps({**SOURCE_MANIFEST, **fields}))
    (folder / "plugin.py").write_text(script)
    return folder
