"""Learns which hooks a plugin handles, by importing it in a process of its own."""

from __future__ import annotations

import json
import os
import subprocess
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from mattermost_plugin.cli.bundle import handler_probe
from mattermost_plugin.cli.errors import CommandError

__all__ = ["FoundHandlers", "MissingModuleError", "find_handlers"]

TIME_LIMIT_S: Final = 60.0
"""A plugin's imports take less than the 3 s that a server waits, but this machine may be busy or its disk cold."""

MOST_LINES: Final = 12
"""Of what the script printed."""

_COOKIE: Final = "MATTERMOST_PLUGIN"


@dataclass(frozen=True, slots=True)
class FoundHandlers:
    """What a plugin's class has."""

    hooks: Sequence[str]
    """The hooks that it handles."""

    other_methods: Sequence[str] = ()
    """The public methods that its author has added, beside those that handle a hook."""


class MissingModuleError(CommandError):
    """The plugin imports a module that is not there. The author must install it, or have it installed.

    Attributes:
        module: its name.
    """

    def __init__(self, text: str, module: str) -> None:
        super().__init__(text)
        self.module = module


def find_handlers(
    python: Sequence[str], folder: Path, script: str, packages: Sequence[Path], env: Mapping[str, str] | None = None
) -> FoundHandlers:
    """Import a plugin and look at its class.

    Args:
        python: the interpreter and its options.
        folder: the plugin's folder.
        script: its script, relative to the folder.
        packages: folders of packages that this interpreter does not know.
        env: the environment; default is this process's own.

    Raises:
        MissingModuleError: a module that it imports is not there.
        CommandError: the script cannot be imported, or serves no plugin.
    """
    env = {key: value for key, value in (os.environ if env is None else env).items() if key != _COOKIE}
    path = folder / script
    readable, writable = os.pipe()
    command = [*python, handler_probe.__file__, str(writable), str(path), *map(str, packages)]
    try:
        with open(readable, "rb") as answer:  # noqa: PTH123 - a descriptor
            try:
                done = subprocess.run(  # noqa: S603 - the plugin of the one who runs this
                    command,
                    cwd=folder,
                    env=env,
                    pass_fds=[writable],
                    stdin=subprocess.DEVNULL,
                    stdout=subprocess.PIPE,
                    stderr=subprocess.STDOUT,
                    timeout=TIME_LIMIT_S,
                    check=False,
                )
            finally:
                os.close(writable)
            text = answer.read()
    except subprocess.TimeoutExpired as error:
        raise CommandError(
            f"{script} does not serve its plugin within {TIME_LIMIT_S:g} s: what takes long belongs into on_activate"
        ) from error
    return _handlers(text, script, done)


def _handlers(text: bytes, script: str, done: subprocess.CompletedProcess[bytes]) -> FoundHandlers:
    answer: dict[str, object] = json.loads(text) if text else {}
    hooks, others, failure, module = map(answer.get, ("hooks", "others", "error", "module"))
    if isinstance(hooks, list) and isinstance(others, list):
        return FoundHandlers(list(map(str, hooks)), list(map(str, others)))
    if isinstance(failure, str):
        what = f"{script} cannot be started:\n{failure}"
        raise MissingModuleError(what, module) if isinstance(module, str) else CommandError(what)
    if text:
        raise CommandError(
            f"{script} serves no plugin when it is run: it needs run_plugin(...) under "
            '`if __name__ == "__main__":` at its end'
        )
    said = "\n".join(done.stdout.decode(errors="replace").splitlines()[-MOST_LINES:])
    raise CommandError(f"{script} ended its process (exit code {done.returncode}) when it was imported:\n{said}")
