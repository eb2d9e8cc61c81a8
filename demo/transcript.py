"""What the demo prints: one line for each step, the plugin's log in between, and a verdict."""

import os
import time
from typing import Final, TextIO

from mattermost_plugin.devhost.events import LogWritten

_NAME_WIDTH: Final = 19  # MessageWillBePosted
_SENT_WIDTH: Final = 19
_LOG_WIDTH: Final = 89
_GREEN, _RED, _YELLOW, _DIM, _BOLD = "32", "31", "33", "2", "1"


class Transcript:
    """Prints the steps and remembers those that went otherwise than expected.

    Args:
        out: where to print; in colour, if it is a terminal.
    """

    def __init__(self, out: TextIO) -> None:
        self._out = out
        self._colour = out.isatty() and "NO_COLOR" not in os.environ
        self._started = time.perf_counter()
        self._steps = 0
        self._differences: list[str] = []

    def say(self, text: str) -> None:
        """Print a line of its own."""
        self._print(text)

    def heading(self, text: str) -> None:
        """Begin a group of steps."""
        self._print("")
        self._print(self._paint(_BOLD, text))

    def step(self, name: str, sent: str, got: str, elapsed_s: float | None = None, expected: str | None = None) -> None:
        """Print a step.

        Args:
            name: what was done, such as the hook's name.
            sent: what the plugin was sent.
            got: what came back.
            elapsed_s: how long that took; None if nobody knows.
            expected: what should have come back, if it is something else.
        """
        self._steps += 1
        mark = self._paint(_GREEN, "ok") if expected is None else self._paint(_RED, "NO")
        duration = self._paint(_DIM, "" if elapsed_s is None else f"{elapsed_s * 1000:8.1f} ms")
        self._print(f"  {mark} {duration:11}  {name:{_NAME_WIDTH}}  {sent:{_SENT_WIDTH}}  -> {got}")
        if expected is not None:
            self._print(self._paint(_RED, f"{'':{_NAME_WIDTH + _SENT_WIDTH + 20}}not {expected}"))
            self._differences.append(" ".join([*filter(None, [name, sent])]) + f": got {got}, expected {expected}")

    def log(self, line: LogWritten) -> None:
        """Print a line of the log. A plugin that works as it should logs no error."""
        pairs = [f"{key}={value}" for key, value in line.pairs.items()]
        text = "  ".join([line.message, *pairs]).strip().replace("\n", " | ")
        text = text if len(text) <= _LOG_WIDTH else f"{text[:_LOG_WIDTH]}..."
        colour = {"warn": _YELLOW, "error": _RED}.get(line.level, _DIM)
        self._print(self._paint(colour, f"{'':16} log {line.level:5}  {text}"))
        if line.level == "error" and line.plugin_id:
            self._differences.append(f"the plugin logged an error: {line.message.strip()}")

    def fail(self, reason: str) -> None:
        """Print why the demo cannot go on."""
        self._print(f"  {self._paint(_RED, 'NO')} {reason}")
        self._differences.append(reason)

    def summarize(self) -> bool:
        """Print the verdict. Returns whether everything came back as expected."""
        self._print("")
        total = f"{self._steps} steps in {time.perf_counter() - self._started:.2f} s"
        if not self._differences:
            self._print(self._paint(_GREEN, f"{total}: everything came back as expected."))
            return True
        self._print(self._paint(_RED, f"{total}: not everything came back as expected."))
        for difference in self._differences:
            self._print(f"  - {difference}")
        return False

    def _print(self, text: str) -> None:
        print(text, file=self._out, flush=True)

    def _paint(self, colour: str, text: str) -> str:
        return f"\033[{colour}m{text}\033[0m" if self._colour else text
