"""API methods with contents in streams of their own, taken by Go's own go-plugin as a stock server takes them."""

import base64
import hashlib
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from tests.stock.gostock import GoStock
from tests.stock.plugins.streams_plugin import content_of

ROOT = Path(__file__).parents[2]
PLUGIN = Path(__file__).parent / "plugins" / "streams_plugin.py"
MIB = 1024 * 1024
SIZE = 5 * MIB + 17
"""Not a number of whole pieces."""

API = {
    "InstallPlugin": {"A": {"Id": "com.example.other"}},
    "UploadData": {"A": {"Id": "f1"}},
    "PluginHTTPStream": {},
}
TAKE = 100_000

pytestmark = [pytest.mark.go, pytest.mark.timeout(60, func_only=True)]


@pytest.fixture
def host(program: Path) -> Iterator[GoStock]:
    """A host with the active plugin, which takes every content whole."""
    with started(program, API) as running:
        yield running


def started(program: Path, api: dict[str, Any]) -> GoStock:
    running = GoStock(program)
    running.start([sys.executable, str(PLUGIN)], api=api, env={"PYTHONPATH": str(ROOT)})
    assert running.activate() == ""
    return running


def run(host: GoStock, command: str) -> str:
    reply = host.hook("ExecuteCommand", A={}, B={"Command": command})
    assert reply["B"] is None, reply["B"]
    return str(reply["A"]["Text"])


def content(call: Any) -> bytes:
    """What the host took in a call."""
    return base64.b64decode(call["args"]["content"] or "")


@pytest.mark.parametrize("size", [0, 1, 32 * 1024, SIZE])
def test_a_request_to_another_plugin_and_its_answer_are_the_same_byte_for_byte(host: GoStock, size: int) -> None:
    sent = content_of(size)

    answer = run(host, f"/http /other/echo?q=1 {size}")

    assert answer == f"201 1,2 {size} {hashlib.sha256(sent).hexdigest()}"
    (call,) = host.api_calls()
    assert (call["args"]["method"], call["args"]["url"]) == ("POST", "/other/echo?q=1")
    assert content(call) == sent


def test_requests_at_the_same_time_do_not_mix(host: GoStock) -> None:
    assert run(host, f"/many 12 {MIB}") == "True"


def test_an_answer_before_the_end_of_the_request(host: GoStock) -> None:
    answer = run(host, f"/http /other/early/{TAKE} {SIZE}")

    assert answer.startswith("413 1,2 8 ")
    (call,) = host.api_calls()
    assert content(call) == content_of(SIZE)[:TAKE]
    assert run(host, "/http /other/digest 10").startswith("200 1,2 2 ")


def test_a_plugin_that_waits_no_longer(host: GoStock) -> None:
    assert run(host, f"/late /other/endless {SIZE}") == "too late"

    # The host is told, so that the other plugin's writes end, and its request is not taken for a whole one.
    call = host.wait_api_call("PluginHTTPStream")
    assert call["args"]["broken"]
    assert len(content(call)) < SIZE
    assert run(host, "/http /other/digest 10").startswith("200 1,2 2 ")
    host.ping()


def test_bundles_and_parts_of_files(host: GoStock) -> None:
    assert run(host, f"/install {SIZE}") == "com.example.other"
    assert run(host, f"/upload {SIZE + 1}") == "f1"
    assert run(host, "/upload 0") == "f1"

    install, upload, empty = host.api_calls()
    assert (install["args"]["args"]["B"], upload["args"]["args"]["A"]["Id"]) == (True, "s1")
    assert content(install) == content_of(SIZE)
    assert content(upload) == content_of(SIZE + 1)
    assert content(empty) == b""


def test_a_server_that_gives_a_content_up(program: Path) -> None:
    api = {"InstallPlugin": {**API["InstallPlugin"], "$take": TAKE}, "UploadData": {**API["UploadData"], "$take": 0}}
    with started(program, api) as host:
        assert run(host, f"/install {SIZE}") == "com.example.other"
        assert run(host, f"/upload {SIZE}") == "f1"
        install, upload = host.api_calls()
        assert content(install) == content_of(SIZE)[:TAKE]
        assert content(upload) == b""
        host.ping()
