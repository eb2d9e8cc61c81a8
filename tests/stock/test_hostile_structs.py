"""Whatever a peer sends for a struct, and whatever a message holds: a value, or a typed error that names the place."""

import traceback
from typing import Any

import pytest
from google.protobuf.message import Message
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from mattermost_plugin._gob import NEED_DATA, Decoder, Encoder, GobDataError, GobEncodeError, GobMismatchError, Limits
from mattermost_plugin._gob import go_types as go
from mattermost_plugin._gob.go_types import GoField, GoMap, GoSlice, GoStruct, GoType
from mattermost_plugin._stock.go_types import go_type as go_type_of
from mattermost_plugin._stock.struct_sources import registry, struct_source
from mattermost_plugin._stock.struct_targets import struct_target
from mattermost_pluginapi.stock.structs import STRUCTS
from mattermost_pluginapi.v1.api_config_pb2 import SaveConfigRequest
from mattermost_pluginapi.v1.api_log_pb2 import LogAuditRecWithLevelRequest
from mattermost_pluginapi.v1.channel_sidebar_pb2 import SidebarCategoryWithChannels
from mattermost_pluginapi.v1.group_pb2 import GroupSearchOpts
from mattermost_pluginapi.v1.post_list_pb2 import SearchParams
from mattermost_pluginapi.v1.property_pb2 import PropertyValue
from tests.gob.streams import stock_encoder, stock_table
from tests.stock.struct_vectors import StructVector, read_message, struct_vectors, write_struct


def config(text: str) -> SaveConfigRequest:
    return SaveConfigRequest(config_json=text.encode())


RELAXED = settings(deadline=None, suppress_health_check=[HealthCheck.too_slow])
LIMITS = Limits(max_message_bytes=1 << 20, max_elements=1 << 16)

INNER = GoStruct("Inner", (GoField("Id", go.INT), GoField("Name", go.BYTES), GoField("Other", go.ANY)))
ODD_VALUES: list[tuple[GoType, Any]] = [
    (go.BOOL, True),
    (go.INT, -7),
    (go.UINT, 2**63),
    (go.FLOAT64, 0.5),
    (go.COMPLEX128, 1j),
    (go.STRING, "x"),
    (go.STRING, "\udcff"),
    (go.BYTES, b"\xff{"),
    (go.ANY, "y"),
    (go.ANY, [1, {"a": None}]),
    (go.TIME, b"\1" + bytes(14)),
    (go.URL, "https://x"),
    (INNER, {"Id": 1, "Name": b"n", "Other": 2.5}),
    (GoSlice(go.INT), [1]),
    (GoSlice(go.STRING), ["a", "b"]),
    (GoSlice(go.BYTES), [b"\xff"]),
    (GoSlice(go.ANY), [1, None]),
    (GoSlice(INNER), [{"Id": 1}]),
    (GoMap(go.STRING, go.STRING), {"a": "b"}),
    (GoMap(go.STRING, go.BOOL), {"a": True}),
    (GoMap(go.INT, go.STRING), {1: "b"}),
    (GoMap(go.STRING, GoSlice(go.STRING)), {"a": ["b"]}),
    (GoMap(go.STRING, INNER), {"a": {"Id": 1}}),
    (GoMap(go.STRING, go.ANY), {"a": 1}),
]


CONVERSIONS = sorted({field[2] for _, _, fields in STRUCTS.values() for field in fields} - {"pairs"})
"""All but the one that nothing comes of."""

SECRET = "hunter2"


def places(conversion: str) -> list[tuple[str, str]]:
    """Some struct maps and fields with a conversion."""
    found = [(name, row[0]) for name, (_, _, fields) in STRUCTS.items() for row in fields if row[2] == conversion]
    return found[:: max(1, len(found) // 6)]


@pytest.mark.parametrize("conversion", CONVERSIONS)
def test_a_field_of_another_type_gives_a_message_or_an_error_that_names_it(conversion: str) -> None:
    count = 0
    for name, field in places(conversion):
        refused: list[GobMismatchError] = []
        for go_type, value in ODD_VALUES:
            data = Encoder().encode({field: value}, GoStruct("Odd", (GoField(field, go_type),)))
            try:
                read_message(name, data).SerializeToString()
            except GobMismatchError as error:
                refused.append(error)
        assert all(field in error.path.split(".") for error in refused)
        count += len(refused)
    assert count


def test_texts_that_are_no_utf8_are_repaired_wherever_they_are() -> None:
    value = {"Id": "a\udcff", "FileIds": ["é\udcc3", "ok"], "Participants": [{"Props": {"k\udcfe": "v\udcfe"}}]}
    data = stock_encoder().encode(value, stock_table().struct("model.Post"))
    post = read_message("model.Post", data)
    assert (post.id, list(post.file_ids)) == ("a\ufffd", ["é\ufffd", "ok"])
    assert dict(post.participants[0].props) == {"k\ufffd": "v\ufffd"}


SEEDS = [vector for vector in struct_vectors() if vector.case == "filled"][::17]


@RELAXED
@given(st.sampled_from(SEEDS), st.data())
def test_damaged_bytes_give_messages_or_errors_of_gob(vector: StructVector, data: st.DataObject) -> None:
    damaged = bytearray(vector.data)
    for _ in range(data.draw(st.integers(1, 3))):
        place = data.draw(st.integers(0, len(damaged) - 1))
        damaged[place : place + data.draw(st.integers(0, 2))] = data.draw(st.binary(max_size=3))
    decoder = Decoder(LIMITS)
    decoder.feed(bytes(damaged))
    while True:
        try:
            message = decoder.next_value(struct_target(vector.name))
        except GobMismatchError:
            continue
        except GobDataError:
            return
        if message is NEED_DATA:
            return
        assert isinstance(message, Message)
        message.SerializeToString()


@RELAXED
@given(st.sampled_from(SEEDS), st.data())
def test_a_struct_in_pieces_is_the_same(vector: StructVector, data: st.DataObject) -> None:
    decoder = Decoder()
    found: list[object] = []
    rest = vector.data
    while rest:
        size = data.draw(st.integers(1, max(1, len(rest) // 2)))
        decoder.feed(rest[:size])
        rest = rest[size:]
        while (message := decoder.next_value(struct_target(vector.name))) is not NEED_DATA:
            found.append(message)
    decoder.close()
    assert found == [read_message(vector.name, vector.data)]


def category(sorting: int) -> SidebarCategoryWithChannels:
    return SidebarCategoryWithChannels(sorting=sorting)


NAN = PropertyValue()
NAN.value.struct_value.fields[SECRET].number_value = float("nan")


@pytest.mark.parametrize(
    ("name", "message", "reason"),
    [
        ("model.GroupSearchOpts", GroupSearchOpts(since=SECRET), "since must be decimal digits"),
        ("model.GroupSearchOpts", GroupSearchOpts(since="-"), "since must be decimal digits"),
        ("model.GroupSearchOpts", GroupSearchOpts(since="9" * 20), "an integer that is not in"),
        ("model.SearchParams", SearchParams(excluded_dates=[SECRET, "b"]), "excluded_dates may have one text"),
        ("model.SidebarCategoryWithChannels", category(4), "sorting must be from 0 to 3"),
        ("model.SidebarCategoryWithChannels", category(-1), "sorting must be from 0 to 3"),
        ("model.PropertyValue", NAN, "value has a number that is not finite"),
        ("plugin.Z_LogAuditRecWithLevelArgs", LogAuditRecWithLevelRequest(level=SECRET), "level must be one of audit-"),
        ("plugin.Z_SaveConfigArgs", config(f'{{"{SECRET}"'), "config_json is no JSON"),
        ("plugin.Z_SaveConfigArgs", config("[" * 100_000), "config_json is JSON that is nested too deep"),
        ("plugin.Z_SaveConfigArgs", config(f'["{SECRET}"]'), "config_json is no JSON object"),
        ("plugin.Z_SaveConfigArgs", config(f'{{"ServiceSettings": "{SECRET}"}}'), "refused with AttributeError"),
        (
            "plugin.Z_SaveConfigArgs",
            config(f'{{"ServiceSettings": {{"SiteURL": ["{SECRET}"]}}}}'),
            "no attribute 'encode'",
        ),
        ("plugin.Z_SaveConfigArgs", config('{"LogSettings": {"EnableConsole": 1}}'), "a int for a bool"),
        ("plugin.Z_SaveConfigArgs", config('{"SqlSettings": {"QueryTimeout": 1.5}}'), "a float for an integer"),
    ],
)
def test_a_message_that_cannot_be_sent_is_refused_by_a_text_without_what_is_in_it(
    name: str, message: Message, reason: str
) -> None:
    with pytest.raises(GobEncodeError, match=reason) as caught:
        write_struct(name, message)
    assert caught.value.path
    assert SECRET not in "".join(traceback.format_exception(caught.value))


def test_of_a_refused_message_nothing_is_sent() -> None:
    encoder = Encoder(registry())
    go_type, source = go_type_of("plugin.Z_SaveConfigArgs"), struct_source("plugin.Z_SaveConfigArgs")
    with pytest.raises(GobEncodeError):
        encoder.encode(config("x"), go_type, source)
    sent = encoder.encode(config("{}"), go_type, source)
    assert sent == write_struct("plugin.Z_SaveConfigArgs", config("{}"))
