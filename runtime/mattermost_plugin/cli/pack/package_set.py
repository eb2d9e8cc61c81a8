"""The dependencies of a bundle: for each machine and Python that it is for, or once for all."""

from __future__ import annotations

import shutil
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

from mattermost_plugin.cli.bundle.findings import Finding, warning
from mattermost_plugin.cli.bundle.layout import PACKAGES
from mattermost_plugin.cli.pack.dependencies import install
from mattermost_plugin.cli.pack.launcher import PythonNeed
from mattermost_plugin.cli.pack.native_files import GlibcVersion, NativeFiles, find_native
from mattermost_plugin.cli.pack.platforms import PLATFORMS, Target
from mattermost_plugin.cli.pack.requirements import requirements_file
from mattermost_plugin.cli.pack.sdk_wheel import make_sdk_wheel

__all__ = ["PackageSet", "install_packages"]


@dataclass(frozen=True, slots=True)
class PackageSet:
    """What has been installed."""

    folders: dict[Target, str]
    """Where it is, relative to the bundle's root."""

    natives: dict[Target, NativeFiles]
    """What of it is no Python."""

    @property
    def is_pure(self) -> bool:
        """Whether it runs on any machine."""
        return not any(native.packages for native in self.natives.values())

    @property
    def platforms(self) -> list[str]:
        """The machines that the bundle runs on."""
        named = dict.fromkeys(target.platform.name for target in self.folders)
        if self.is_pure:
            named |= dict.fromkeys(name for name in PLATFORMS if name.startswith("linux-"))
        return sorted(named)

    @property
    def need(self) -> PythonNeed:
        """The versions of Python that it runs with."""
        versions = list(dict.fromkeys(target.python for target in self.folders))
        one_version = any(native.one_version for native in self.natives.values())
        return PythonNeed(versions, and_later=not one_version and len(set(self.folders.values())) == 1)

    @property
    def glibc(self) -> GlibcVersion | None:
        """The oldest glibc that has all it needs."""
        return max((native.glibc for native in self.natives.values() if native.glibc is not None), default=None)

    def findings(self, self_contained: bool) -> Iterator[Finding]:
        """What its maker should know."""
        native = dict.fromkeys(package for each in self.natives.values() for package in each.packages)
        if self_contained or not native:
            return
        need = self.need if self.need.and_later else f"exactly {self.need}"
        advice = "name all that it is for with --python-version and --platform, or carry Python along: --self-contained"
        what = f"have parts for one kind of machine: the bundle needs {need} on {' or '.join(self.platforms)}"
        yield warning("", f"{', '.join(native)} {what}", advice)


def install_packages(stage: Path, source: Path, targets: Sequence[Target]) -> PackageSet:
    """Install this package and the plugin's requirements.

    Args:
        stage: the bundle's root.
        source: the plugin's folder.
        targets: what they are installed for.

    Raises:
        CommandError: they cannot be installed.
    """
    scratch = stage.with_name("wheel")
    scratch.mkdir()
    requirements = requirements_file(source, scratch)
    wheel = make_sdk_wheel(scratch)
    folders = {target: target.folder if len(targets) > 1 else PACKAGES for target in targets}
    for target, folder in folders.items():
        install(wheel, requirements, target, source, stage / folder)
    packages = PackageSet(folders, {target: find_native(stage / folder) for target, folder in folders.items()})
    if len(targets) > 1 and packages.is_pure:
        return _as_one(stage, packages)
    return packages


def _as_one(stage: Path, packages: PackageSet) -> PackageSet:
    """Keep one of several sets that all run anywhere: that for the oldest Python, which may need more."""
    kept = min(packages.folders, key=lambda target: int(target.python.partition(".")[2]))
    for target, folder in packages.folders.items():
        if target != kept:
            shutil.rmtree(stage / folder)
    (stage / packages.folders[kept]).rename(stage / PACKAGES)
    return PackageSet(dict.fromkeys(packages.folders, PACKAGES), packages.natives)
