"""The output folder as a whole: replaced in one go, or compared."""

import shutil
from pathlib import Path

_LEFT_BY_PYTHON = {"__pycache__"}


def read_tree(root: Path) -> dict[str, bytes]:
    """Every file below the folder by its relative path; empty if there is no such folder."""
    return {
        path.relative_to(root).as_posix(): path.read_bytes()
        for path in sorted(root.rglob("*"))
        if path.is_file() and not _LEFT_BY_PYTHON & set(path.parts)
    }


def replace_tree(source: Path, target: Path) -> list[str]:
    """Make `target` hold exactly what `source` holds. Returns the paths that changed."""
    changed = differences(source, target)
    if target.exists():
        shutil.rmtree(target)
    shutil.copytree(source, target)
    return changed


def differences(wanted: Path, found: Path) -> list[str]:
    """The relative paths that are missing, differ or should not be there, each with the word for it."""
    new, old = read_tree(wanted), read_tree(found)
    lines = []
    for path in sorted(new.keys() | old.keys()):
        if path not in old:
            lines.append(f"missing: {path}")
        elif path not in new:
            lines.append(f"orphan: {path}")
        elif new[path] != old[path]:
            lines.append(f"differs: {path}")
    return lines
