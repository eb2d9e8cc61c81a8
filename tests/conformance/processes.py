"""Plugins as processes, with hosts of either wire that are in the test's process."""

import asyncio
import contextlib
import json
import os
import subprocess
import sys
from asyncio import StreamReader
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

from mattermost_plugin._handshake import COOKIE_KEY, COOKIE_VALUE
from mattermost_plugin._hook_wire import WireName
from tests.conformance.hosts import PATIENCE_S, Host

ROOT = Path(__file__).parents[2]
PLUGINS = ROOT / "tests" / "peer" / "plugins"

_NOBODY_LISTENS = "127.0.0.1:1"
_LINE_BYTES = 1024 * 1024

Record = dict[str, Any]
"""A line of the plugin's stderr, which is JSON."""


class PluginProcess:
    """A running plugin.

    Attributes:
        host: is connected to it.
        records: what it has logged.
        raw: what came on stdout after the handshake line.
        bad_lines: of stderr, which are no JSON.
    """

    def __init__(self, wire: WireName, script: str, *arguments: str, env: dict[str, str] | None = None) -> None:
        self.wire = wire
        self.host: Host
        self.records: list[Record] = []
        self.raw = b""
        self.bad_lines: list[bytes] = []
        self.address = ""
        self._news = asyncio.Condition()
        environ = {**os.environ, COOKIE_KEY: COOKIE_VALUE, "PLUGIN_PROTOCOL_VERSIONS": "1", "PYTHONPATH": str(ROOT)}
        environ.pop("MATTERMOST_PLUGIN_API_TARGET", None)
        if wire == "grpc":
            environ["MATTERMOST_PLUGIN_API_TARGET"] = _NOBODY_LISTENS
        self._read_ends: list[int] = []
        self._transports: list[asyncio.BaseTransport] = []
        (out, stdout), (err, stderr) = os.pipe(), os.pipe()
        self._read_ends += [out, err]
        command = [sys.executable, str(PLUGINS / script), *arguments]
        self.process = subprocess.Popen(
            command, stdin=subprocess.DEVNULL, stdout=stdout, stderr=stderr, env={**environ, **(env or {})}
        )
        os.close(stdout)
        os.close(stderr)
        self._readers: list[asyncio.Task[None]] = []

    async def connect(self) -> None:
        """Read the handshake and connect as the host that the wire's servers are."""
        out, err = [await self._reader(fd) for fd in self._read_ends]
        self._readers.append(asyncio.create_task(self._read_records(err)))
        line = (await out.readline()).decode().strip()
        if not line:
            # It has ended, and its stderr says why.
            await asyncio.gather(*self._readers)
            raise AssertionError(f"no handshake line: {self.records} {self.bad_lines}")
        core, app, network, self.address, protocol, *certificate = line.split("|")
        assert (core, app, network, protocol) == ("1", "1", "unix", self.wire), line
        # A Go host that was not asked for one dies of a certificate.
        assert not any(certificate), line
        self._readers.append(asyncio.create_task(self._read_rest(out)))
        if self.wire == "grpc":
            from tests.conformance.grpc_host import GrpcHost

            self.host = GrpcHost(None, self.address)
        else:
            from tests.conformance.stock_host import StockHost

            stock = StockHost(None, self.address, None)
            await stock.stand_in.connect()
            self.host = stock

    async def record(self, text: str, after: int = 0) -> Record:
        """Wait for a log record with this text in its message."""

        def found() -> Record | None:
            return next((each for each in self.records[after:] if text in each["@message"]), None)

        async with self._news:
            await self._news.wait_for(lambda: found() is not None)
        record = found()
        assert record is not None
        return record

    async def ended(self) -> int:
        """Wait until a host takes the process for ended: it is gone, and nobody holds its pipes. Gives its code."""
        code = await asyncio.to_thread(self.process.wait)
        await asyncio.gather(*self._readers)
        return code

    async def leave(self) -> None:
        """Go, as a host that dies: nobody reads any longer, and the connection is lost."""
        for reader in self._readers:
            reader.cancel()
        for transport in self._transports:
            transport.close()
        with contextlib.suppress(Exception):
            await self.host.close()

    async def close(self) -> None:
        """Kill what is left."""
        if self.process.poll() is None:
            self.process.kill()
            await asyncio.to_thread(self.process.wait)
        await self.leave()

    async def _reader(self, fd: int) -> StreamReader:
        reader = StreamReader(limit=_LINE_BYTES)
        protocol = asyncio.StreamReaderProtocol(reader)
        transport, _ = await asyncio.get_running_loop().connect_read_pipe(lambda: protocol, os.fdopen(fd, "rb", 0))
        self._transports.append(transport)
        return reader

    async def _read_records(self, reader: StreamReader) -> None:
        while line := await reader.readline():
            try:
                record = json.loads(line)
            except ValueError:
                self.bad_lines.append(line)
                continue
            async with self._news:
                self.records.append(record)
                self._news.notify_all()

    async def _read_rest(self, reader: StreamReader) -> None:
        self.raw = await reader.read()


@asynccontextmanager
async def plugin_process(
    wire: WireName, script: str, *arguments: str, env: dict[str, str] | None = None
) -> AsyncIterator[PluginProcess]:
    """A script of tests/peer/plugins as a process, connected and not activated."""
    process = PluginProcess(wire, script, *arguments, env=env)
    try:
        async with asyncio.timeout(PATIENCE_S):
            await process.connect()
            yield process
    finally:
        await process.close()
