"""The command line: which command is meant, and how it ended."""

from __future__ import annotations

import argparse
import importlib.metadata
import signal
import sys
from collections.abc import Sequence
from typing import Final

from mattermost_plugin.cli.check import command as check
from mattermost_plugin.cli.deploy import command as deploy
from mattermost_plugin.cli.dev import command as dev
from mattermost_plugin.cli.distribution import DISTRIBUTION
from mattermost_plugin.cli.errors import CommandError
from mattermost_plugin.cli.pack import command as pack
from mattermost_plugin.cli.terminal import Terminal

__all__ = ["main"]

PROGRAM: Final = "mattermost-plugin"

EXIT_FAILED: Final = 1
"""The command could not do what it was asked for; its last line says why. A wrong command line is 2, from argparse."""

EXIT_INTERRUPTED: Final = 128 + signal.SIGINT


def main(arguments: Sequence[str] | None = None) -> int:
    """Run a command.

    Args:
        arguments: what stands behind the program's name; default is the process's own.

    Returns:
        The exit code.

    Raises:
        SystemExit: with code 2 if the command line is wrong, with code 0 after the help.
    """
    options = _parser().parse_args(arguments)
    try:
        code: int = options.run(options)
    except CommandError as error:
        print(f"{PROGRAM} {options.command}: error: {error}", file=sys.stderr)
        return EXIT_FAILED
    except BrokenPipeError:
        # Nobody reads any more what is printed, and the interpreter's end would fail over what is left.
        Terminal(sys.stdout).abandon()
        return EXIT_FAILED
    except KeyboardInterrupt:
        return EXIT_INTERRUPTED
    return code


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog=PROGRAM, description="Develop Mattermost plugins in Python.")
    parser.add_argument("--version", action="version", version=f"{PROGRAM} {_version()}")
    commands = parser.add_subparsers(title="commands", dest="command", metavar="COMMAND", required=True)
    dev.add_arguments(commands.add_parser("dev", help=dev.HELP))
    check.add_arguments(commands.add_parser("check", help=check.HELP))
    pack.add_arguments(commands.add_parser("pack", help=pack.HELP))
    deploy.add_arguments(commands.add_parser("deploy", help=deploy.HELP))
    return parser


def _version() -> str:
    try:
        return importlib.metadata.version(DISTRIBUTION)
    except importlib.metadata.PackageNotFoundError:
        return "(not installed)"
