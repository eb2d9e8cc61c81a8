"""A plugin that writes to stdout, stderr and the log in every way it can, some of them bad."""
# ruff: noqa: E402 - some of its output comes before the imports

import sys

print("printed before the SDK is imported")

import ctypes
import json
import logging
import os
import subprocess
import threading
import warnings

from mattermost_plugin import Plugin, run_plugin
from mattermost_plugin.models import CommandArgs, CommandResponse, PluginContext

print("printed after the SDK is imported")
sys.stderr.write("written to stderr at import\n")
logging.getLogger("noisy.module").info("logged at import")

PROGRAM = 'print({!r}); import sys; print("plain from the child", file=sys.stderr)'
BAD_LINE = json.dumps({"@level": 5, "@message": None, "@timestamp": {}})
CHILD_LINE = json.dumps({"@level": "warn", "@message": "the child warns", "@timestamp": 7, "@module": "child", "n": 1})


class Noisy(Plugin):
    """Every command is a method."""

    def execute_command(self, context: PluginContext, args: CommandArgs) -> CommandResponse:
        word, _, rest = args.command.partition(" ")
        getattr(self, f"do_{word.replace('-', '_')}")(rest)
        return CommandResponse(text="done")

    def do_print(self, text: str) -> None:
        print(text)

    def do_long(self, size: str) -> None:
        """One line without an end."""
        print("x" * int(size), end="", flush=True)

    def do_lines(self, count: str) -> None:
        for number in range(int(count)):
            print(f"line {number} {'-' * 100}")

    def do_raw(self, text: str) -> None:
        os.write(1, f"raw {text}\n".encode())
        ctypes.CDLL(None).puts(f"from C {text}".encode())
        ctypes.CDLL(None).fflush(None)

    def do_bytes(self, text: str) -> None:
        sys.stdout.buffer.write(b"not UTF-8: \xff\xfe\n")
        sys.stdout.buffer.flush()

    def do_levels(self, text: str) -> None:
        extra = {"number": 7, "nothing": None, "list": [1, "two"], "text": "é"}
        self.logger.log(5, "at trace", extra=extra)
        self.logger.debug("at debug", extra=extra)
        self.logger.info("at info", extra=extra)
        self.logger.warning("at warning", extra=extra)
        self.logger.error("at error", extra=extra)
        self.logger.critical("at critical", extra=extra)

    def do_bad_extra(self, text: str) -> None:
        extra = {"@level": 5, "@message": None, "@timestamp": {}, "timestamp": 1, "big": 2**70, "odd": object()}
        self.logger.info("with bad values", extra=extra)
        arguments: list[object] = ["bad"]
        self.logger.info("with %d arguments that %s", *arguments)
        self.logger.info("x" * 100_000)

    def do_exception(self, text: str) -> None:
        try:
            raise ValueError("inner\nwith a second line")
        except ValueError:
            self.logger.exception("an exception\nwith a second line")

    def do_thread(self, text: str) -> None:
        def fail() -> None:
            raise RuntimeError("in a thread")

        thread = threading.Thread(target=fail, name="author")
        thread.start()
        thread.join()

    def do_warning(self, text: str) -> None:
        warnings.warn("use something else", DeprecationWarning, stacklevel=1)

    def do_bad_line(self, text: str) -> None:
        """A line that would end the host, by two ways."""
        print(BAD_LINE)
        print(BAD_LINE, file=sys.stderr)
        subprocess.run([sys.executable, "-c", PROGRAM.format(BAD_LINE)], check=True)

    def do_child(self, text: str) -> None:
        subprocess.run([sys.executable, "-c", PROGRAM.format(CHILD_LINE)], check=True)

    def do_close(self, text: str) -> None:
        os.close(1)
        os.close(2)


if __name__ == "__main__":
    run_plugin(Noisy)
