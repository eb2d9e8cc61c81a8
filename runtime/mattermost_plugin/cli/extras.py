"""Libraries that only some commands need."""

import importlib.util
import sys
from collections.abc import Sequence

from mattermost_plugin.cli.distribution import DISTRIBUTION
from mattermost_plugin.cli.errors import CommandError

__all__ = ["require"]


def require(modules: Sequence[str], extra: str, without: str = "") -> None:
    """Make sure that modules can be imported.

    Args:
        modules: their names.
        extra: the extra of this package that installs them.
        without: how the command does without them, for the error's text; "" if it does not.

    Raises:
        CommandError: a module is not installed.
    """
    missing = [name for name in modules if importlib.util.find_spec(name) is None]
    if missing:
        pip = f"{sys.executable} -m pip install '{DISTRIBUTION}[{extra}]'"
        instead = f", or {without}" if without else ""
        raise CommandError(f"this needs {' and '.join(missing)}, not installed here: run\n    {pip}{instead}")
