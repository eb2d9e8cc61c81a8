"""Every struct that Go has written becomes its message, and the message becomes the struct again.

What is not the same afterwards is listed here, each with its reason; anything else fails.
"""

import gzip
import json
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from mattermost_plugin._gob import GENERIC, NEED_DATA, Decoder, Encoder, GobMismatchError
from mattermost_plugin._gob.json_form import json_form
from mattermost_plugin._gob.targets import AnyTarget
from mattermost_plugin._stock.go_types import go_type
from mattermost_plugin._stock.struct_sources import registry, struct_source
from mattermost_plugin._stock.struct_targets import struct_target
from mattermost_pluginapi.stock.structs import STRUCTS

VECTORS = Path(__file__).parents[1] / "contract" / "gob-vectors.jsonl.gz"

BY_HAND = re.compile(r"Z_Db\w+|Z_PluginHTTP\w*|Z_Serve\w+|HTTPRequestSubset|ErrorString")
"""Structs that the runtime builds and reads itself."""

STREAM = re.compile(r"\.(\w+StreamID?|APIMuxId|DriverMuxId|UploadedFileStream|ReplacementFileStream)")
LEFT_OUT = re.compile(r"\.(GroupID|PageOpts|Session)\b")
"""What unmapped.toml lists."""

ENUM = re.compile(r"(\.Type|\.ChannelType|\.Sorting)")
PERMISSION = re.compile(r"\.(Name|Description|Scope)")

NUMBERS = {"int", "int64", "float64"}


def vectors() -> Iterator[tuple[str, str, bytes, Any]]:
    with gzip.open(VECTORS, "rt", encoding="utf-8") as lines:
        for line in lines:
            vector = json.loads(line)
            name = vector["type"]
            known = [full for full in (name, f"plugin.{name}", f"model.{name}") if full in STRUCTS]
            assert known or BY_HAND.fullmatch(name), name
            for full in known:
                yield full, vector["case"], bytes.fromhex(vector["gob_hex"]), vector["value"]


def decoded(data: bytes, target: AnyTarget) -> Any:
    decoder = Decoder()
    decoder.feed(data)
    value = decoder.next_value(target)
    assert value is not NEED_DATA
    return value


def changes(path: str, before: Any, after: Any) -> Iterator[tuple[str, Any, Any]]:
    """What differs, as deep down as it can be told."""
    if before == after:
        return
    if isinstance(before, dict) and isinstance(after, dict) and "$type" not in before:
        for key in before.keys() | after.keys():
            yield from changes(f"{path}.{key}", before.get(key), after.get(key))
    elif isinstance(before, list) and isinstance(after, list) and len(before) == len(after):
        for index, pair in enumerate(zip(before, after, strict=True)):
            yield from changes(f"{path}[{index}]", *pair)
    else:
        yield path, before, after


def is_meant(name: str, path: str, before: Any, after: Any) -> bool:
    """Whether a change is one of those that the messages make."""
    if isinstance(before, dict) and "$type" in before:
        return is_same_json(before, after)
    method = name.removeprefix("plugin.Z_")
    if method.startswith("HasPermission"):
        # Of a permission only the id counts.
        return bool(PERMISSION.search(path)) or after == {}
    if method in ("GetUsersArgs", "SearchUsersArgs"):
        # The options are never nil.
        return (before, after) == (None, {})
    if method.startswith("Log") and method.endswith("Args"):
        # What is logged goes to the server, never from it.
        return path == ".B"
    if STREAM.search(path) or LEFT_OUT.search(path):
        return after is None
    # The vectors have texts there that no server has.
    return bool(ENUM.search(path)) and after is None


def is_same_json(before: Any, after: Any) -> bool:
    """Whether two values of interfaces are the same JSON: numbers of other types, and structs by their JSON keys."""
    if not isinstance(after, dict):
        return False
    kind, other = before["$type"], after["$type"]
    if kind.startswith("*") and other == "*plugin.ErrorString":
        # A plugin's errors carry their text.
        return bool(before["value"].get("Message", before["value"].get("Err")) == after["value"].get("Err"))
    if kind == "[]*model.SlackAttachment":
        attachments = [plain(each) for each in after["value"]]
        return [each["fallback"] for each in attachments] == [each.get("Fallback", "") for each in before["value"]]
    return bool(plain(before) == plain(after)) and (kind == other or {kind, other} <= NUMBERS or kind == "[]uint8")


def plain(value: Any) -> Any:
    """A value of an interface without the names of types."""
    if isinstance(value, dict) and "$type" in value:
        return plain(value["value"])
    if isinstance(value, dict) and "$bytes" in value:
        return value["$bytes"]
    if isinstance(value, dict):
        return {key: plain(item) for key, item in value.items()}
    return [plain(item) for item in value] if isinstance(value, list) else value


def exceeds(value: Any) -> bool:
    """Whether a number is in it that the contract's 32 bits cannot hold."""
    if isinstance(value, dict):
        return any(map(exceeds, value.values()))
    if isinstance(value, list):
        return any(map(exceeds, value))
    return isinstance(value, int) and not -(2**31) <= value < 2**31


NO_JSON = re.compile(r"\.(Value|AdvancedLoggingJSON)$")


@pytest.mark.parametrize("case", ["zero", "filled"])
def test_structs_become_messages_and_structs_again(case: str) -> None:
    count, refused = 0, 0
    for name, kind, data, value in vectors():
        if kind != case or name == "plugin.Z_LogAuditRecWithLevelArgs":
            continue
        count += 1
        try:
            message = decoded(data, struct_target(name))
        except GobMismatchError as error:
            # Go's int has 64 bits, the contract's 32; and the vectors have texts for JSON that are none.
            if not exceeds(value) and not NO_JSON.search(str(error)):
                raise
            refused += 1
            continue
        sent = Encoder(registry()).encode(message, go_type(name), struct_source(name))
        again = json_form(decoded(sent, GENERIC))
        unmeant = [change for change in changes("", value, again) if not is_meant(name, *change)]
        assert unmeant == [], name
    assert count > 550
    assert refused < (1 if case == "zero" else 90)
