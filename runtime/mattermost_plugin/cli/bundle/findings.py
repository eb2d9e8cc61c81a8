"""What is wrong with a bundle, and what to do about it."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from enum import StrEnum
from typing import Final

from mattermost_plugin.cli.terminal import DIM, RED, YELLOW, Colour, Terminal, visible

__all__ = ["Finding", "Severity", "error", "has_errors", "note", "show", "warning"]


class Severity(StrEnum):
    """How bad it is."""

    ERROR = "error"
    """A server refuses the bundle, does not start the plugin, or leaves out something that it needs."""

    WARNING = "warning"
    """It works, but not everywhere, or not as it seems."""

    NOTE = "note"
    """Nothing is wrong."""


@dataclass(frozen=True, slots=True)
class Finding:
    """One thing that was found."""

    severity: Severity

    where: str
    """The file, and the field in it; "" for the bundle as a whole."""

    what: str
    """What is the case."""

    advice: str
    """What to do; "" if there is nothing to do."""


_COLOURS: Final[dict[Severity, Colour]] = {Severity.ERROR: RED, Severity.WARNING: YELLOW, Severity.NOTE: DIM}


def error(where: str, what: str, advice: str) -> Finding:
    """A finding that ends in failure."""
    return Finding(Severity.ERROR, where, what, advice)


def warning(where: str, what: str, advice: str) -> Finding:
    """A finding that somebody should look at."""
    return Finding(Severity.WARNING, where, what, advice)


def note(where: str, what: str, advice: str = "") -> Finding:
    """A finding for information."""
    return Finding(Severity.NOTE, where, what, advice)


def has_errors(findings: Iterable[Finding]) -> bool:
    """Whether one of them is an error."""
    return any(each.severity is Severity.ERROR for each in findings)


def show(findings: Iterable[Finding], terminal: Terminal) -> None:
    """Print them, the worst first, each with what to do."""
    order = list(Severity)
    for each in sorted(findings, key=lambda finding: order.index(finding.severity)):
        label = terminal.paint(_COLOURS[each.severity], f"{each.severity}:")
        where = f"{visible(each.where)}: " if each.where else ""
        terminal.write(f"{label} {where}{visible(each.what)}")
        for line in each.advice.splitlines():
            terminal.write(f"    {visible(line)}")
