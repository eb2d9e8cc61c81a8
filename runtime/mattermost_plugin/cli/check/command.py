"""The command line of `mattermost-plugin check`."""

from __future__ import annotations

import argparse
import sys
from collections import Counter
from pathlib import Path
from typing import Final

from mattermost_plugin.cli.bundle.versions import ServerVersion, read_server_version
from mattermost_plugin.cli.errors import CommandError
from mattermost_plugin.cli.terminal import Terminal

__all__ = ["HELP", "add_arguments", "run"]

HELP: Final = "tell what a server would refuse or leave out of a plugin"

_DESCRIPTION: Final = """\
Check a plugin's folder, or an archive made of it, by the rules of the server. Of a folder the plugin is imported, to
learn which hooks it handles; of an archive nothing is run.
"""

_EPILOG: Final = """\
Exit codes: 0 if there are no errors, 1 if there are, 2 for a wrong command line.
"""


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Say what the command takes."""
    parser.description, parser.epilog = _DESCRIPTION, _EPILOG
    parser.add_argument("path", metavar="PATH", type=Path, help="folder of a plugin, or its tar.gz")
    parser.add_argument(
        "--server-version",
        type=_version,
        metavar="X.Y.Z",
        help="version of the server that it is for (default: all that its manifest allows)",
    )
    parser.add_argument("--strict", action="store_true", help="let warnings count as errors")
    parser.set_defaults(run=run)


def _version(text: str) -> ServerVersion:
    try:
        return read_server_version(text)
    except ValueError as error:
        raise argparse.ArgumentTypeError(str(error)) from error


def run(arguments: argparse.Namespace) -> int:
    """Run the command.

    Returns:
        The exit code.

    Raises:
        CommandError: there is nothing that can be checked.
    """
    # Late, as they load protobuf, which neither the help nor a wrong command line needs.
    from mattermost_plugin.cli.bundle.findings import Severity, show
    from mattermost_plugin.cli.check.inspection import inspect_path

    path: Path = arguments.path
    if not path.exists():
        raise CommandError(f"{path} does not exist")
    terminal = Terminal(sys.stdout)
    findings = inspect_path(path, arguments.server_version)
    show(findings, terminal)
    counts = Counter(finding.severity for finding in findings)
    errors, warnings = counts[Severity.ERROR], counts[Severity.WARNING]
    terminal.write(f"{path}: {_count(errors, 'error')}, {_count(warnings, 'warning')}")
    return 1 if errors or (arguments.strict and warnings) else 0


def _count(number: int, word: str) -> str:
    return f"{number or 'no'} {word}{'' if number == 1 else 's'}"
