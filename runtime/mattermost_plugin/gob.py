"""Shows what gob bytes say: `python -m mattermost_plugin.gob`.

Reads lines of hexadecimal digits from stdin: each is one message, or several, up to a whole stream. Writes each value
as one line of JSON: a struct by Go's field names with the fields that were sent, {"$bytes": base64} for bytes and
{"$type": name, "value": ...} for what an interface holds.

A line goes on with the stream of the lines before it, or begins a new one where it cannot, which is where it defines
types anew.
"""

from __future__ import annotations

import argparse
import json
import sys
from collections.abc import Iterable
from typing import BinaryIO, TextIO

from mattermost_plugin._gob import GENERIC, NEED_DATA, Decoder, GobError
from mattermost_plugin._gob.json_form import json_form

__all__ = ["main"]


class _Streams:
    """Streams one after the other, cut into lines."""

    def __init__(self) -> None:
        self._decoder = Decoder()
        self._fed = 0

    def values(self, data: bytes) -> list[object]:
        """The values that a line completes.

        Raises:
            GobError: it neither goes on with the stream nor begins one. The next line begins one.
        """
        before, self._fed = self._fed, self._fed + len(data)
        try:
            return _read(self._decoder, data)
        except GobError as error:
            self._decoder, self._fed = Decoder(), len(data)
            try:
                return _read(self._decoder, data)
            except GobError as anew:
                self._decoder, self._fed = Decoder(), 0
                # The line belongs where more of it could be read.
                raise (error if (error.offset or 0) - before >= (anew.offset or 0) else anew) from None

    def close(self) -> None:
        """There are no more lines.

        Raises:
            GobError: a value is not complete.
        """
        self._decoder.close()


def _read(decoder: Decoder, data: bytes) -> list[object]:
    decoder.feed(data)
    values: list[object] = []
    while (value := decoder.next_value(GENERIC)) is not NEED_DATA:
        values.append(value)
    if decoder.is_inside_message:
        decoder.close()
    return values


def convert(lines: Iterable[bytes], output: BinaryIO, complaints: TextIO) -> bool:
    """Write the values of all lines; False if some were no gob, which is said on `complaints`."""
    streams = _Streams()
    is_good = True
    number = 0
    for number, line in enumerate(lines, 1):
        try:
            values = streams.values(bytes.fromhex(line.decode("ascii")))
        except GobError as error:
            is_good = False
            print(f"line {number}: {error}", file=complaints)
        except ValueError:
            is_good = False
            print(f"line {number}: not hexadecimal digits", file=complaints)
        else:
            for value in values:
                text = json.dumps(
                    json_form(value), ensure_ascii=False, allow_nan=False, sort_keys=True, separators=(",", ":")
                )
                output.write(text.encode() + b"\n")
            output.flush()
    try:
        streams.close()
    except GobError as error:
        is_good = False
        print(f"line {number}: {error}", file=complaints)
    return is_good


def main() -> int:
    """Convert stdin to stdout.

    Returns:
        The exit status: 0, or 1 if some lines were no gob.
    """
    parser = argparse.ArgumentParser(
        prog="python -m mattermost_plugin.gob",
        description="Read gob bytes as lines of hexadecimal digits from stdin, a message or a stream each, and write "
        "one JSON value a line. What is wrong with a line is said on stderr, and the exit status is then 1.",
    )
    parser.parse_args()
    return 0 if convert(sys.stdin.buffer, sys.stdout.buffer, sys.stderr) else 1


if __name__ == "__main__":
    sys.exit(main())
