"""What a plugin prints and logs is the same over every wire, and never reaches the host's pipe for the handshake."""

import asyncio
import json
from typing import Any

import pytest

from mattermost_plugin import HookName
from mattermost_plugin._hook_wire import WireName
from mattermost_pluginapi.hooks.adapters import ADAPTERS
from mattermost_pluginapi.v1.hooks_command_pb2 import ExecuteCommandRequest
from tests.conformance.hosts import WIRES
from tests.conformance.processes import PluginProcess, Record, plugin_process

COMMANDS = [
    "print one\ntwo\n\nthrée",
    "raw text",
    "bytes",
    "levels",
    "bad-extra",
    "exception",
    "thread",
    "warning",
    "bad-line",
    "child",
    "long 200000",
]
LAST = "the very last line"

LEVELS = {"trace", "debug", "info", "warn", "error"}


async def records(wire: WireName) -> tuple[PluginProcess, list[Record]]:
    """What is logged by a plugin that does everything once."""
    env = {"MATTERMOST_PLUGIN_LOG_LEVEL": "TRACE", "PYTHONUNBUFFERED": ""}
    async with plugin_process(wire, "noisy.py", env=env) as process:
        activated = await process.host.hook(HookName.OnActivate, ADAPTERS[HookName.OnActivate].request_type())
        assert activated.ListFields() == []
        for command in [*COMMANDS, f"print {LAST}"]:
            request = ExecuteCommandRequest()
            request.args.command = command
            response = await process.host.hook(HookName.ExecuteCommand, request)
            assert response.response.text == "done", (command, response)
        await process.record(LAST)
        await process.host.quit()
        assert await process.ended() == 0
        return process, process.records


def comparable(found: list[Record]) -> list[str]:
    """Records without what differs from run to run, in an order of their own: threads write them."""
    kept = [
        {name: value for name, value in record.items() if name not in ("@timestamp", "pid", "odd")} for record in found
    ]
    return sorted(json.dumps(record, sort_keys=True) for record in kept if _is_the_plugins(record))


def _is_the_plugins(record: Record) -> bool:
    """Whether the record is none of the wire's own."""
    module = str(record.get("@module", ""))
    return not module.startswith(("asyncio", "grpc", "mattermost_plugin"))


@pytest.fixture(scope="module")
def outputs() -> dict[WireName, tuple[PluginProcess, list[Record]]]:
    async def both() -> list[tuple[PluginProcess, list[Record]]]:
        return await asyncio.gather(*[records(wire) for wire in WIRES])

    return dict(zip(WIRES, asyncio.run(both()), strict=True))


every_wire = pytest.mark.parametrize("wire", WIRES)


def test_the_lines_and_their_levels_are_the_same(outputs: dict[WireName, Any]) -> None:
    first, second = [comparable(outputs[wire][1]) for wire in WIRES]
    assert first == second
    assert len(first) > len(COMMANDS)


@every_wire
def test_nothing_comes_on_stdout_after_the_handshake(outputs: dict[WireName, Any], wire: WireName) -> None:
    assert outputs[wire][0].raw == b""


@every_wire
def test_every_line_is_a_record_that_a_host_survives(outputs: dict[WireName, Any], wire: WireName) -> None:
    process, found = outputs[wire]
    assert process.bad_lines == []
    for record in found:
        # A Go host dies of a field of these names that is no text.
        for name, value in record.items():
            assert not name.startswith("@") or isinstance(value, str), record
        assert record["@level"] in LEVELS
