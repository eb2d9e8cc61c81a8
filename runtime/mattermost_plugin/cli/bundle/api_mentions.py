"""Finds the methods of the plugin API that a plugin's sources mention.

It reads the sources as they are written: `self.api.get_user`, `api.aio.get_user`. What goes by other names is not
found, so that this is a hint and no proof.
"""

from __future__ import annotations

import ast
import warnings
from collections.abc import Iterable
from pathlib import Path
from typing import Final

__all__ = ["api_mentions"]

_CLIENTS: Final = frozenset({"api", "aio"})

_LARGEST_SOURCE: Final = 4 * 1024 * 1024
"""Bytes; larger sources are generated, and take long to parse."""


def api_mentions(folder: Path, sources: Iterable[str]) -> dict[str, str]:
    """The names that follow `api.` or `api.aio.`, each with the first place that has it, as file:line.

    Args:
        folder: the folder.
        sources: Python files in it; those that cannot be parsed are passed over.
    """
    found: dict[str, str] = {}
    for source in sources:
        path = folder / source
        if path.stat().st_size > _LARGEST_SOURCE:
            continue
        try:
            with warnings.catch_warnings():
                warnings.simplefilter("ignore")  # the author's own affair, and Python's to tell
                tree = ast.parse(path.read_bytes(), source)
        except (SyntaxError, ValueError, RecursionError, MemoryError):
            continue
        for node in ast.walk(tree):
            if isinstance(node, ast.Attribute) and _is_client(node.value):
                found.setdefault(node.attr, f"{source}:{node.lineno}")
    return found


def _is_client(node: ast.expr) -> bool:
    if isinstance(node, ast.Attribute):
        return node.attr in _CLIENTS
    return isinstance(node, ast.Name) and node.id == "api"
