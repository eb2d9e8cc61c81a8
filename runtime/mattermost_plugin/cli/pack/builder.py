"""Makes a bundle, step by step."""

from __future__ import annotations

import json
import sys
from collections.abc import Mapping
from pathlib import Path
from typing import Final

from mattermost_plugin.cli.bundle.bundle_rules import check_archive
from mattermost_plugin.cli.bundle.findings import Finding, Severity, has_errors, note, warning
from mattermost_plugin.cli.bundle.handlers import FoundHandlers, MissingModuleError, find_handlers
from mattermost_plugin.cli.bundle.layout import RECORD, RUNTIME, SHARED, START
from mattermost_plugin.cli.bundle.manifest_fields import MANIFEST
from mattermost_plugin.cli.bundle.record import BundleRecord, write_record
from mattermost_plugin.cli.errors import CommandError
from mattermost_plugin.cli.pack.archive_writer import write_archive
from mattermost_plugin.cli.pack.bytecode import compile_modules, find_python
from mattermost_plugin.cli.pack.interpreter import PROGRAM, copy_interpreter, copy_libraries, loader_of
from mattermost_plugin.cli.pack.launcher import PythonNeed, write_launcher, write_starter
from mattermost_plugin.cli.pack.native_files import find_native
from mattermost_plugin.cli.pack.options import PackOptions
from mattermost_plugin.cli.pack.package_set import PackageSet, install_packages
from mattermost_plugin.cli.pack.report import BundleReport, size_lines
from mattermost_plugin.cli.pack.sdk_wheel import sdk_version
from mattermost_plugin.cli.pack.source_files import copy_sources
from mattermost_plugin.cli.pack.source_plugin import (
    check_calls,
    check_source,
    missing_here,
    missing_in_bundle,
    read_source,
    require_sound,
)

__all__ = ["BundleBuilder"]

IMAGE_GLIBC: Final = 36
"""The second number of glibc's version in the server's own container image, which is Debian 12's."""

_ALONE: Final = ("-I", "-S", "-B", "-X", "utf8")
"""Options of a Python that sees nothing of what is installed for it."""

_FOR_OTHER_HOSTS: Final = ("executable", "executables", "runtime", "python_version", "python")
"""Fields of the manifest's part for the server that tell how to start the script itself."""


class BundleBuilder:
    """Makes one bundle.

    Args:
        options: what was asked for.
        scratch: a folder that goes away afterwards.

    Attributes:
        findings: what has been found so far, also if a step fails.
    """

    def __init__(self, options: PackOptions, scratch: Path) -> None:
        self.findings: list[Finding] = []
        self._options = options
        self._stage = scratch.resolve() / "stage"

    def build(self) -> BundleReport:
        """Make the bundle.

        Raises:
            CommandError: it cannot be made.
        """
        self._plugin = read_source(self._options.folder, self._options.output)
        self.findings += check_source(self._plugin)
        require_sound(self.findings)
        copy_sources(self._plugin.files, self._stage)
        packages = install_packages(self._stage, self._plugin.folder, self._options.targets)
        self.findings += packages.findings(self._options.self_contained)
        needs = self._add_start(packages)
        files = set(self._stage.rglob("*"))
        handlers = self._find_handlers(packages)
        self._remove_what_is_not_in(files)
        self.findings += check_calls(self._plugin, handlers, None)
        require_sound(self.findings)
        self._write_manifest(packages.platforms)
        kind = "self-contained" if self._options.self_contained else "system"
        record = BundleRecord(sdk_version(), kind, list(handlers.hooks), packages.platforms, str(packages.need))
        (self._stage / RECORD).write_bytes(write_record(record))
        self._compile(packages)
        return self._write(list(handlers.hooks), needs)

    def _add_start(self, packages: PackageSet) -> str:
        """Add what starts the plugin. Returns what the server's machine needs, for people."""
        script, need, glibc = self._plugin.script, packages.need, packages.glibc
        if not self._options.self_contained:
            write_launcher(self._stage, script, need)
            where = "any machine" if packages.is_pure else " or ".join(packages.platforms)
            return f"{need} on {where}" + (f", with glibc 2.{glibc} or newer" if glibc is not None else "")
        (platform,) = packages.platforms
        need = PythonNeed(need.versions, and_later=False)
        write_starter(self._stage, script, need, platform)
        copy_interpreter(self._stage)
        missing = copy_libraries(
            self._stage, [self._stage / RUNTIME, *map(self._stage.joinpath, packages.folders.values())]
        )
        if missing:
            what = f"{', '.join(missing)} are not on this machine, and what needs them cannot be imported on the server"
            self.findings.append(warning("", what, "install them here if the plugin needs them"))
        natives = find_native(self._stage)
        if "musl" in loader_of(self._stage / PROGRAM):
            return f"{platform} with musl, as Alpine Linux has it"
        if natives.glibc is not None and natives.glibc > IMAGE_GLIBC:
            what = f"the bundle needs glibc 2.{natives.glibc}, and the server's container image has 2.{IMAGE_GLIBC}"
            self.findings.append(warning("", what, f"pack it on a system with glibc 2.{IMAGE_GLIBC} or older"))
        return f"{platform} with glibc 2.{natives.glibc} or newer, and no Python"

    def _find_handlers(self, packages: PackageSet) -> FoundHandlers:
        """Import the plugin as the server's machine will, if that is possible here."""
        here = next((target for target in packages.folders if target.is_here), None)
        if here is None:
            what = "the plugin was imported with the packages that are installed here, not with those of the bundle"
            self.findings.append(note("", what))
            python, folders, env = [sys.executable, "-B", "-P"], [], None
        else:
            python, folders, env = [sys.executable, *_ALONE], [self._stage / packages.folders[here]], None
            if self._options.self_contained:
                python[0], env = str(self._stage / PROGRAM), {"LD_LIBRARY_PATH": str(self._stage / SHARED)}
        try:
            return find_handlers(python, self._stage, self._plugin.script, folders, env)
        except MissingModuleError as error:
            advice = (missing_here if here is None else missing_in_bundle)(self._plugin, error.module)
            raise CommandError(f"{error}\n{advice}") from error

    def _remove_what_is_not_in(self, files: set[Path]) -> None:
        """Remove what the plugin has written when it was imported: bytecode, logs, databases."""
        for path in sorted(set(self._stage.rglob("*")) - files, reverse=True):
            path.rmdir() if path.is_dir() and not path.is_symlink() else path.unlink()

    def _write_manifest(self, platforms: list[str]) -> None:
        fields = dict(self._plugin.fields)
        server = fields.get("server")
        kept = {} if not isinstance(server, Mapping) else {k: v for k, v in server.items() if k not in _FOR_OTHER_HOSTS}
        fields["id"] = str(fields["id"]).lower()
        fields["server"] = {"executables": dict.fromkeys(platforms, START), **kept}
        text = json.dumps(fields, indent=4, ensure_ascii=False) + "\n"
        (self._stage / MANIFEST).write_text(text, encoding="utf-8")

    def _compile(self, packages: PackageSet) -> None:
        sources = [self._stage / name for name in self._plugin.modules]
        for version in dict.fromkeys(target.python for target in packages.folders):
            python = find_python(version)
            if python is None:
                what = f"there is no python{version} here to compile modules for it: starts take twice as long with it"
                self.findings.append(warning("", what, f"install Python {version} on this machine"))
                continue
            said = compile_modules(python, self._stage, sources)
            self.findings += [warning("", f"a module cannot be compiled: {line}", "") for line in said[:1]]
            folders = {self._stage / name for target, name in packages.folders.items() if target.python == version}
            runtime = [self._stage / RUNTIME] if self._options.self_contained else []
            compile_modules(python, self._stage, [*sorted(folders), *runtime])

    def _write(self, hooks: list[str], needs: str) -> BundleReport:
        fields = self._plugin.fields
        plugin_id, version = str(fields["id"]).lower(), str(fields.get("version") or "")
        name = "-".join(filter(None, (plugin_id, version)))
        output = self._options.output or self._plugin.folder / "dist" / f"{name}.tar.gz"
        write_archive(self._stage, plugin_id, output)
        self.findings += [each for each in check_archive(output) if each not in self.findings and _is_new(each)]
        if has_errors(self.findings):
            output.unlink()
            require_sound(self.findings)
        return BundleReport(output, plugin_id, version, hooks, needs, size_lines(self._stage))


def _is_new(finding: Finding) -> bool:
    """Whether it is about the archive: what the manifest and the hooks amount to has been told before."""
    return finding.severity is not Severity.NOTE
