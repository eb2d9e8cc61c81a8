"""Whether a server can run what a manifest names."""

from __future__ import annotations

import posixpath
import struct
from collections.abc import Iterator, Mapping
from typing import Final

from mattermost_plugin.cli.bundle.findings import Finding, error, note, warning
from mattermost_plugin.cli.bundle.manifest_fields import MANIFEST, Fields
from mattermost_plugin.cli.bundle.tree import PluginFile, PluginTree

__all__ = ["check_executables", "check_paths", "executables_of"]

_OWNER_RUNS: Final = 0o100
_ELF_MACHINES: Final = {"amd64": 62, "arm64": 183}
_MACH_O: Final = (b"\xcf\xfa\xed\xfe", b"\xca\xfe\xba\xbe")
_USUAL: Final = ("linux-amd64", "linux-arm64")
"""What most servers run on."""

_ADVICE: Final = "let `mattermost-plugin pack` make the bundle"


def executables_of(fields: Fields) -> dict[str, str]:
    """The programs that a manifest names, by platform; "" is for those that are not named."""
    server = fields.get("server")
    named: dict[str, str] = {}
    if isinstance(server, Mapping):
        executables = server.get("executables")
        if isinstance(executables, Mapping):
            named.update({str(key): str(value) for key, value in executables.items() if value})
        if server.get("executable"):
            named[""] = str(server["executable"])
    return named


def check_executables(fields: Fields, tree: PluginTree) -> Iterator[Finding]:
    """Check the programs of a manifest's part for the server."""
    if fields.get("server") is None:
        return
    named = executables_of(fields)
    for platform, path in named.items():
        where = f"{MANIFEST}: server.executable{f's.{platform}' if platform else ''}"
        yield from _check_executable(where, platform, path, tree)
    if named and "" not in named and not any(platform in named for platform in _USUAL):
        yield warning(
            f"{MANIFEST}: server.executables",
            f"there is none for {' or '.join(_USUAL)}, on which most servers run",
            "pack it for the platform of the server: --platform",
        )
    elif "" not in named:
        yield note(
            f"{MANIFEST}: server.executables", f"the plugin starts on {', '.join(sorted(named))} and nowhere else"
        )


def check_paths(fields: Fields, tree: PluginTree) -> Iterator[Finding]:
    """Check the other files that a manifest names."""
    webapp, icon = fields.get("webapp"), fields.get("icon_path")
    bundle = webapp.get("bundle_path") if isinstance(webapp, Mapping) else None
    if isinstance(bundle, str) and (leads_out(bundle) or tree.find(bundle) is None):
        yield error(f"{MANIFEST}: webapp.bundle_path", f"there is no file {bundle!r}", "build the web app first")
    if isinstance(icon, str) and icon and tree.find(icon) is None:
        yield warning(f"{MANIFEST}: icon_path", f"there is no file {icon!r}", "add or remove it")


def leads_out(path: str) -> bool:
    """Whether the server takes a path for one that leads out of the plugin's folder."""
    return posixpath.normpath(path).startswith("..") or path.startswith("/")


def _check_executable(where: str, platform: str, path: str, tree: PluginTree) -> Iterator[Finding]:
    if leads_out(path):
        yield error(where, f"{path!r} leads out of the plugin's folder", "name a file in it")
        return
    file = tree.find(path)
    if file is None:
        what = "is a folder" if tree.has_folder(path) else "is not there"
        yield error(where, f"{path!r} {what}", _ADVICE)
        return
    if not file.mode & _OWNER_RUNS:
        yield error(
            where,
            f"{path!r} has the mode {file.mode:04o}: it is no program, and the server does not make it one",
            f"chmod +x before you pack it, or {_ADVICE}",
        )
    if platform.startswith("windows-"):
        if not path.endswith(".exe"):
            yield error(where, f"{path!r} must end in .exe on Windows", "rename it")
        return
    yield from _check_program(where, platform, path, file)


def _check_program(where: str, platform: str, path: str, file: PluginFile) -> Iterator[Finding]:
    if file.head.startswith(b"#!"):
        first, _, _ = file.head.partition(b"\n")
        words = first[2:].split()
        if first.endswith(b"\r"):
            yield error(
                where, f"{path!r} has Windows line ends, so its first line names no program", "save it with \\n"
            )
        elif not words or not words[0].startswith(b"/"):
            yield error(where, f"the first line of {path!r} names no program by its whole path", "write #!/bin/sh")
    elif file.head.startswith(b"\x7fELF"):
        wanted = _ELF_MACHINES.get(platform.rpartition("-")[2])
        machine = struct.unpack_from("<H", file.head, 18)[0] if len(file.head) >= 20 else 0
        if wanted is not None and machine != wanted:
            yield error(where, f"{path!r} is a program for another machine than {platform}", "build it for that one")
    elif not file.head.startswith(_MACH_O):
        yield error(where, f"{path!r} is neither a program nor a script that begins with #!", _ADVICE)
