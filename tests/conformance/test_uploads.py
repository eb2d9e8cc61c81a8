"""FileWillBeUploaded over every wire: contents in and out. What its results mean is in test_hooks."""

import asyncio
import os
from collections.abc import Awaitable, Callable
from typing import Any, cast

import pytest

from mattermost_plugin import HookName, Plugin
from mattermost_plugin._hook_wire import WireName
from mattermost_plugin.http import ReplacementFile, UploadedFile
from mattermost_plugin.models import FileInfo, PluginContext
from mattermost_pluginapi.v1.hooks_file_pb2 import FileWillBeUploadedRequest
from tests.conformance.hosts import WIRES, hosted
from tests.conformance.recorder import STYLES, Style
from tests.conformance.texts import SECRET

CONTENT = os.urandom(4 * 1024 * 1024 + 17)

every_wire = pytest.mark.parametrize("wire", WIRES)
every_style = pytest.mark.parametrize("style", STYLES)


class Loop(Plugin):
    """Does on the event loop what the file's name says."""

    async def file_will_be_uploaded(
        self, context: PluginContext, file_info: FileInfo, file: UploadedFile, output: ReplacementFile
    ) -> FileInfo | None:
        if file_info.name == "ignored":
            return None
        await output.awrite(b"new: ")
        async for piece in file:
            await output.awrite(piece)
        if file_info.name == "failing":
            raise RuntimeError(SECRET)
        file_info.name = "replaced"
        return file_info


class Threads(Plugin):
    """The same in threads."""

    def file_will_be_uploaded(
        self, context: PluginContext, file_info: FileInfo, file: UploadedFile, output: ReplacementFile
    ) -> FileInfo | None:
        if file_info.name == "ignored":
            return None
        output.write(b"new: ")
        for piece in file:
            output.write(piece)
        if file_info.name == "failing":
            raise RuntimeError(SECRET)
        file_info.name = "replaced"
        return file_info


def run(scenario: Callable[[], Awaitable[None]]) -> None:
    asyncio.run(cast("Any", scenario()))


def uploaded(wire: WireName, style: Style, name: str) -> Any:
    """The response to an upload, from a plugin that goes on afterwards."""
    found: list[Any] = []
    request = FileWillBeUploadedRequest(file_content=CONTENT)
    request.file_info.name = name

    async def scenario() -> None:
        async with hosted(wire, Loop if style == "async def" else Threads) as host:
            found.append(await host.hook(HookName.FileWillBeUploaded, request))
            assert HookName.FileWillBeUploaded in await host.implemented()

    run(scenario)
    return found[0]


@every_wire
@every_style
def test_a_large_content_streams_through_the_handler(wire: WireName, style: Style) -> None:
    response = uploaded(wire, style, "a.txt")

    assert response.modified_file_info.name == "replaced"
    assert response.modified_content == b"new: " + CONTENT
    assert response.rejection_reason == ""


@every_wire
@every_style
def test_a_content_that_nobody_reads_holds_nothing_up(wire: WireName, style: Style) -> None:
    assert uploaded(wire, style, "ignored").ListFields() == []


@every_wire
@every_style
def test_half_a_replacement_is_never_stored(wire: WireName, style: Style) -> None:
    response = uploaded(wire, style, "failing")

    assert SECRET not in str(response)
    if wire == "grpc":
        assert response.ListFields() == []
    else:
        # What was written has left already, so that the upload can only be refused.
        assert "administrator" in response.rejection_reason
