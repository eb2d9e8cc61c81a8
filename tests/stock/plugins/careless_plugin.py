"""A plugin that does by accident what a server does not survive, or would, if nobody was in between."""
# ruff: noqa: E402 - it prints between its imports

import asyncio
import ctypes
import json
import os
import subprocess
import sys

from mattermost_plugin import Plugin

CERTIFICATE = "A" * 400
# What it looks like to say where the plugin listens, with a certificate that nobody has asked for.
print(f"1|1|unix|/nowhere|netrpc|{CERTIFICATE}")

from google.protobuf.struct_pb2 import Value

from mattermost_plugin.api import APITransportError, PluginAPIError
from mattermost_plugin.models import CommandArgs, CommandResponse, KeyValuePair, PluginContext
from mattermost_plugin.server import run_plugin

BAD_LINES = [
    json.dumps({"@level": 5, "@message": "m", "@timestamp": "t"}),
    json.dumps({"@level": "info", "@message": None, "@timestamp": "t"}),
    json.dumps({"@level": "info", "@message": "m", "@timestamp": {}}),
    json.dumps({"@level": "info", "@message": ["m"], "@timestamp": 1, "@module": 2, "@caller": 3}),
]
BAD_URLS = ["", "/", "relative", "%zz", "http://[::1", "\x00", ":"]
CHILD = "import sys; [print(line) for line in sys.argv[1:]]; [print(line, file=sys.stderr) for line in sys.argv[1:]]"
WAITING_CHILD = "import sys; sys.stdin.read()"


class Careless(Plugin):
    """Every command is a method."""

    async def execute_command(self, context: PluginContext, args: CommandArgs) -> CommandResponse:
        word, _, rest = args.command.partition(" ")
        return CommandResponse(text=str(await getattr(self, f"do_{word}")(rest)))

    async def do_lines(self, _: str) -> str:
        """Lines of a log whose fields have the wrong types, by every way there is."""
        libc = ctypes.CDLL(None)
        for line in BAD_LINES:
            print(line)
            print(line, file=sys.stderr)
            os.write(1, f"{line}\n".encode())
            os.write(2, f"{line}\n".encode())
            libc.puts(line.encode())
            libc.fflush(None)
            self.logger.info("fields", extra=json.loads(line))
            self.logger.info(line)
        child = await asyncio.create_subprocess_exec(sys.executable, "-c", CHILD, *BAD_LINES)
        return str(await child.wait())

    async def do_long(self, size: str) -> str:
        """One line that is longer than any buffer, by every way there is."""
        data = b"x" * int(size)
        for fd in (1, 2):
            view = memoryview(data)
            while view:
                view = view[await asyncio.to_thread(os.write, fd, view) :]
        await asyncio.to_thread(print, "y" * int(size))
        self.logger.info("z" * int(size))
        return "written"

    async def do_child(self, _: str) -> str:
        """A child that outlives the plugin and has all that it could inherit."""
        read_end, _write_end = os.pipe()
        command = [sys.executable, "-c", WAITING_CHILD]
        child = await asyncio.to_thread(subprocess.Popen, command, stdin=read_end, close_fds=False)
        return str(child.pid)

    async def do_urls(self, _: str) -> str:
        """Requests to places that are none."""
        outcomes = []
        for url in BAD_URLS:
            try:
                outcomes.append(str((await self.api.aio.plugin_http("GET", url)).status_code))
            except (PluginAPIError, APITransportError) as error:
                outcomes.append(type(error).__name__)
        return " ".join(outcomes)

    async def do_pairs(self, _: str) -> str:
        """Pairs for the log that are no texts, at which the server's own code dies."""
        pairs = [KeyValuePair(key="number", value=Value(number_value=1)), KeyValuePair(key="", value=Value())]
        pair = KeyValuePair(key="map")
        pair.value.struct_value.update({"a": [1, None]})
        await self.api.aio.log_info("pairs", [*pairs, pair])
        return "logged"


if __name__ == "__main__":
    run_plugin(Careless)
