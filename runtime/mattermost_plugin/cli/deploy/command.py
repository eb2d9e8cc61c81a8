"""The command line of `mattermost-plugin deploy`."""

from __future__ import annotations

import argparse
import os
import sys
import tempfile
from pathlib import Path
from typing import Final

from mattermost_plugin.cli.errors import CommandError
from mattermost_plugin.cli.pack.command import add_pack_arguments, pack_options, pack_to, plugin_folder
from mattermost_plugin.cli.terminal import Terminal

__all__ = ["HELP", "add_arguments", "run"]

HELP: Final = "upload a plugin to a server, and see it run there"

SERVER_VARIABLE: Final = "MM_SERVICESETTINGS_SITEURL"
TOKEN_VARIABLE: Final = "MM_ADMIN_TOKEN"  # noqa: S105 - the name of the variable
"""The names that Mattermost's own tools for plugins use."""

DEFAULT_WAIT_S: Final = 60.0

_DESCRIPTION: Final = """\
Pack a plugin, unless PATH is an archive, upload it in the place of the version that is there, enable it, and wait until
it runs. The access token of a system administrator comes from MM_ADMIN_TOKEN or from a file.
"""

_EPILOG: Final = """\
Exit codes: 0 if the plugin runs, 1 if not, 2 for a wrong command line.
"""


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Say what the command takes."""
    parser.description, parser.epilog = _DESCRIPTION, _EPILOG
    parser.add_argument("path", metavar="PATH", help="folder of a plugin, or its tar.gz")
    parser.add_argument(
        "--server",
        metavar="URL",
        default=os.environ.get(SERVER_VARIABLE),
        help=f"the server (default: {SERVER_VARIABLE})",
    )
    parser.add_argument(
        "--token-file", metavar="FILE", type=Path, help=f"file that the token is in (default: {TOKEN_VARIABLE})"
    )
    parser.add_argument(
        "--wait",
        type=_seconds,
        default=DEFAULT_WAIT_S,
        metavar="SECONDS",
        help="how long the plugin may take to start (default: %(default)g)",
    )
    add_pack_arguments(parser)
    parser.set_defaults(run=run)


def _seconds(text: str) -> float:
    seconds = float(text)
    if not 0 <= seconds < float("inf"):
        raise argparse.ArgumentTypeError(f"{text} is no time to wait")
    return seconds


def run(arguments: argparse.Namespace) -> int:
    """Run the command.

    Returns:
        The exit code.

    Raises:
        CommandError: the plugin cannot be uploaded, or does not start.
    """
    # Late, as it loads the libraries for HTTP and TLS, which neither the help nor a wrong command line needs.
    from mattermost_plugin.cli.deploy.deployment import deploy, require_sound_archive
    from mattermost_plugin.cli.deploy.server_client import ServerClient

    if not arguments.server:
        raise CommandError(f"which server? Say --server URL, or set {SERVER_VARIABLE}")
    terminal = Terminal(sys.stdout)
    client = ServerClient(arguments.server, _token(arguments.token_file))
    path = Path(arguments.path)
    if path.is_file():
        require_sound_archive(path, terminal)
        return deploy(client, path, arguments.wait, terminal)
    with tempfile.TemporaryDirectory(prefix="mattermost-plugin-deploy-") as scratch:
        archive = Path(scratch) / "bundle.tar.gz"
        pack_to(pack_options(arguments, plugin_folder(arguments.path), archive), terminal)
        return deploy(client, archive, arguments.wait, terminal)


def _token(file: Path | None) -> str:
    try:
        text = os.environ.get(TOKEN_VARIABLE, "") if file is None else file.read_text(encoding="ascii")
    except (OSError, ValueError) as error:
        # Not chained, and no text of a ValueError: it may quote what is in the file.
        reason = error.strerror if isinstance(error, OSError) else type(error).__name__
        raise CommandError(f"no token can be read from {file}: {reason}") from None
    token = text.strip()
    if not token:
        where = f"{file} is empty" if file is not None else f"set {TOKEN_VARIABLE}, or say --token-file FILE"
        raise CommandError(f"there is no access token: {where}")
    if not token.isascii() or not token.isprintable() or " " in token:
        raise CommandError(f"what is in {file or TOKEN_VARIABLE} is no access token: it has blanks or other characters")
    return token
