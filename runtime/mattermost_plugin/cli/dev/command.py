"""The command line of `mattermost-plugin dev`."""

from __future__ import annotations

import argparse
import asyncio
import sys
from pathlib import Path
from typing import Final

from mattermost_plugin.cli.dev.options import DevOptions
from mattermost_plugin.cli.errors import CommandError
from mattermost_plugin.cli.extras import require
from mattermost_plugin.cli.plugin_folders import find_plugins
from mattermost_plugin.cli.terminal import Terminal

__all__ = ["HELP", "add_arguments", "run"]

HELP: Final = "run plugins on a development host and restart them when their files change"

DEFAULT_PORT: Final = 8066
"""Beside the 8065 of a server that may run on the same machine."""

LARGEST_PORT: Final = 65535

_DESCRIPTION: Final = """\
Start a development host, which plays the server, and run plugins on it as real processes. A plugin is restarted when
a file in its folder changes; hidden folders, virtual environments, caches, dist and build do not count.
"""

_EPILOG: Final = """\
Ctrl-C deactivates the plugins and ends; a second Ctrl-C ends at once. Exit codes: 0 after Ctrl-C, SIGTERM or SIGHUP;
1 if it cannot start; 2 for a wrong command line; 128 + the signal's number if it was ended at once.
"""


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Say what the command takes."""
    parser.description, parser.epilog = _DESCRIPTION, _EPILOG
    parser.add_argument("paths", metavar="PATH", nargs="+", help="folder of a plugin: where its plugin.json is")
    parser.add_argument(
        "--data", type=Path, metavar="FILE", help="SQLite file in which the host's state is kept (default: none is)"
    )
    parser.add_argument(
        "--port",
        type=_port,
        default=DEFAULT_PORT,
        help="port of the page on 127.0.0.1; 0 for any (default: %(default)s)",
    )
    parser.add_argument("--no-page", action="store_false", dest="page", help="serve no page")
    parser.add_argument("--no-watch", action="store_false", dest="watch", help="do not restart plugins after changes")
    parser.add_argument("--verbose", action="store_true", help="show hook calls and API calls too")
    parser.set_defaults(run=run)


def _port(text: str) -> int:
    if not text.isdecimal() or int(text) > LARGEST_PORT:
        raise argparse.ArgumentTypeError(f"{text} is no number from 0 to {LARGEST_PORT}")
    return int(text)


def run(arguments: argparse.Namespace) -> int:
    """Run the command.

    Returns:
        The exit code.

    Raises:
        CommandError: it cannot start.
    """
    if arguments.page:
        require(["aiohttp"], "dev", "do without the page: --no-page")
    if arguments.watch:
        require(["watchfiles"], "dev", "do without restarts: --no-watch")
    data: Path | None = arguments.data
    if data is not None and not data.parent.is_dir():
        raise CommandError(f"{data} cannot be used: there is no folder {data.parent}")
    options = DevOptions(
        plugins=find_plugins(arguments.paths),
        data=data,
        port=arguments.port if arguments.page else None,
        watch=arguments.watch,
        verbose=arguments.verbose,
    )
    # Late, as it loads gRPC and SQLite, which neither the help nor a wrong command line needs.
    from mattermost_plugin.cli.dev.session import run_session

    return asyncio.run(run_session(options, Terminal(sys.stdout)))
