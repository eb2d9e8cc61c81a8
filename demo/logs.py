"""A plugin's log lines: JSON objects on stderr, in the form of Go's hclog."""

import json
from collections.abc import Mapping
from dataclasses import dataclass, field

_LEVELS = frozenset({"trace", "debug", "info", "warn", "error"})


@dataclass(frozen=True, slots=True)
class LogLine:
    """One line of a plugin's log."""

    level: str
    """"trace", "debug", "info", "warn" or "error"."""

    message: str
    """The text."""

    pairs: Mapping[str, object] = field(default_factory=dict)
    """The values that were logged with it."""

    def __str__(self) -> str:
        return "  ".join([self.message, *(f"{key}={value}" for key, value in self.pairs.items())])


def parse_log_line(line: bytes) -> LogLine:
    """Read a line as the host does: what is not in hclog's form is text at level debug."""
    text = line.decode(errors="replace").rstrip("\r\n")
    try:
        fields = json.loads(text)
    except ValueError:
        return LogLine("debug", text)
    # Compared as a text: whatever type the plugin wrote, it can be told.
    if not isinstance(fields, dict) or str(fields.get("@level")) not in _LEVELS:
        return LogLine("debug", text)
    pairs = {key: value for key, value in fields.items() if not key.startswith("@")}
    return LogLine(fields["@level"], str(fields.get("@message", "")), pairs)
