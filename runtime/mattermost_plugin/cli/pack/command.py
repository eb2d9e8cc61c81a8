"""The command line of `mattermost-plugin pack`."""

from __future__ import annotations

import argparse
import re
import sys
import tempfile
from collections.abc import Sequence
from pathlib import Path
from typing import Final

from mattermost_plugin.cli.errors import CommandError
from mattermost_plugin.cli.pack.options import PackOptions
from mattermost_plugin.cli.pack.platforms import OLDEST_PYTHON, PLATFORMS, Target, platform_here, python_here
from mattermost_plugin.cli.pack.report import BundleReport, as_size
from mattermost_plugin.cli.terminal import BOLD, Terminal, visible

__all__ = ["HELP", "add_arguments", "add_pack_arguments", "pack_options", "pack_to", "run"]

HELP: Final = "make the archive of a plugin that a server takes"

DEFAULT_PLATFORM: Final = "linux-amd64"

_DESCRIPTION: Final = """\
Make the tar.gz that is uploaded to a Mattermost server: the plugin, what it needs, and what starts it. What it needs
is in requirements.txt or, without that, in the dependencies of pyproject.toml, and pip installs it. The same files
make the same archive.
"""

_EPILOG: Final = """\
Files that .mattermostpluginignore names, with patterns as in .gitignore, stay out, and so do hidden ones, virtual
environments, caches, dist and build. Exit codes: 0 if the archive is made, 1 if not, 2 for a wrong command line.
"""


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Say what the command takes."""
    parser.description, parser.epilog = _DESCRIPTION, _EPILOG
    parser.add_argument("path", metavar="PATH", help="folder of the plugin: where its plugin.json is")
    parser.add_argument(
        "--output",
        type=Path,
        metavar="FILE",
        help="the archive (default: dist/ID-VERSION.tar.gz in the plugin's folder)",
    )
    add_pack_arguments(parser)
    parser.set_defaults(run=run)


def add_pack_arguments(parser: argparse.ArgumentParser) -> None:
    """Say what packing takes, in whichever command."""
    parser.add_argument(
        "--python",
        choices=("system", "self-contained"),
        default="system",
        help="where Python comes from: the server's machine, or the bundle (default: %(default)s)",
    )
    parser.add_argument(
        "--self-contained",
        dest="python",
        action="store_const",
        const="self-contained",
        help="the same as --python self-contained: the server's machine needs no Python, nor a shell",
    )
    parser.add_argument(
        "--platform",
        nargs="+",
        choices=sorted(PLATFORMS),
        metavar="OS-ARCH",
        dest="platforms",
        help=f"machines that it is for: {', '.join(sorted(PLATFORMS))} (default: this one, or {DEFAULT_PLATFORM})",
    )
    parser.add_argument(
        "--python-version",
        nargs="+",
        type=_version,
        metavar="X.Y",
        dest="versions",
        help="versions of Python that it is for, the preferred one first (default: the one that runs this)",
    )


def _version(text: str) -> str:
    if not re.fullmatch(r"3\.[1-9][0-9]?", text) or int(text[2:]) < int(OLDEST_PYTHON[2:]):
        raise argparse.ArgumentTypeError(f"{text} is no version from {OLDEST_PYTHON} on, such as 3.12")
    return text


def pack_options(arguments: argparse.Namespace, folder: Path, output: Path | None) -> PackOptions:
    """What the command line asks for.

    Raises:
        CommandError: the bundle cannot carry what it is asked to carry.
    """
    here = platform_here()
    default = here if here is not None and here.system == "linux" else PLATFORMS[DEFAULT_PLATFORM]
    platforms = [PLATFORMS[name] for name in dict.fromkeys(arguments.platforms or [default.name])]
    targets = [Target(each, version) for version in arguments.versions or [python_here()] for each in platforms]
    self_contained = arguments.python == "self-contained"
    if self_contained and (here is None or here.system != "linux" or [each.is_here for each in targets] != [True]):
        raise CommandError(
            f"a self-contained bundle carries the Python that runs this, {python_here()}, to a machine such as this "
            "one, and that must be Linux: leave --platform and --python-version out, and run it where they fit"
        )
    return PackOptions(folder=folder, output=output, targets=targets, self_contained=self_contained)


def pack_to(options: PackOptions, terminal: Terminal) -> BundleReport:
    """Make a bundle, and tell what was found on the way.

    Raises:
        CommandError: it cannot be made.
    """
    # Late, as it loads protobuf, which neither the help nor a wrong command line needs.
    from mattermost_plugin.cli.bundle.findings import show
    from mattermost_plugin.cli.pack.builder import BundleBuilder

    with tempfile.TemporaryDirectory(prefix="mattermost-plugin-pack-") as scratch:
        builder = BundleBuilder(options, Path(scratch))
        try:
            return builder.build()
        finally:
            show(builder.findings, terminal)


def plugin_folder(path: str) -> Path:
    """The folder that a command line names.

    Raises:
        CommandError: there is no plugin in it.
    """
    folder = Path(path)
    if not folder.exists():
        raise CommandError(f"{path} does not exist")
    if not (folder / "plugin.json").is_file():
        raise CommandError(f"{path} is no plugin's folder: there is no plugin.json in it")
    return folder.resolve()


def run(arguments: argparse.Namespace) -> int:
    """Run the command.

    Returns:
        The exit code.

    Raises:
        CommandError: the archive cannot be made.
    """
    terminal = Terminal(sys.stdout)
    options = pack_options(arguments, plugin_folder(arguments.path), arguments.output)
    for line in _told(pack_to(options, terminal), terminal):
        terminal.write(line)
    return 0


def _told(report: BundleReport, terminal: Terminal) -> Sequence[str]:
    size = as_size(report.output.stat().st_size)
    return [
        f"{terminal.paint(BOLD, visible(str(report.output)))}  {size}",
        *(f"    {visible(line)}" for line in report.sizes),
        f"needs  {report.needs}",
        f"hooks  {', '.join(report.hooks) or 'none'}",
    ]
