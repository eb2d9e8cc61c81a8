"""Every struct that Go has written becomes the message that it must become, and that message the struct again.

What is another afterwards is what `slow_structs` changes; anything else fails.
"""

import pytest

from mattermost_plugin._gob import Decoder, Encoder
from mattermost_plugin._gob.json_form import json_form
from mattermost_plugin._stock.go_types import go_type
from mattermost_plugin._stock.struct_sources import registry, struct_source
from mattermost_plugin._stock.struct_targets import struct_target
from tests.gob.streams import read
from tests.stock.slow_messages import expected, shown
from tests.stock.slow_structs import came_back
from tests.stock.struct_vectors import StructVector, read_message, struct_vectors, write_struct

WITH_LEVEL = "plugin.Z_LogAuditRecWithLevelArgs"


def of_case(case: str) -> list[StructVector]:
    found = [vector for vector in struct_vectors() if vector.case == case]
    assert len(found) == 600
    return found


@pytest.mark.parametrize("case", ["zero", "filled"])
def test_structs_become_the_messages_that_they_must(case: str) -> None:
    wrong = {}
    for vector in of_case(case):
        message = read_message(vector.name, vector.data)
        if shown(message) != expected(vector.name, vector.value):
            wrong[vector.name] = shown(message), expected(vector.name, vector.value)
    assert wrong == {}


@pytest.mark.parametrize("case", ["zero", "filled"])
def test_messages_become_the_structs_again(case: str) -> None:
    wrong = {}
    for vector in of_case(case):
        message = read_message(vector.name, vector.data)
        value = vector.value
        if vector.name == WITH_LEVEL:
            # Servers know four levels, which the vectors do not have.
            message.level = "audit-api"
            value = {**value, "B": {"ID": 100, "Name": "audit-api"}}
        found = [json_form(each) for each in read(write_struct(vector.name, message))]
        if found != [came_back(vector.name, value)]:
            wrong[vector.name] = found, came_back(vector.name, value)
    assert wrong == {}


def test_all_messages_in_one_stream() -> None:
    encoder, decoder = Encoder(registry()), Decoder()
    for vector in of_case("filled"):
        if vector.name == WITH_LEVEL:
            continue
        message = read_message(vector.name, vector.data)
        go, source, target = go_type(vector.name), struct_source(vector.name), struct_target(vector.name)
        decoder.feed(encoder.encode(message, go, source))
        again = decoder.next_value(target)
        decoder.feed(encoder.encode(again, go, source))
        assert decoder.next_value(target) == again
    decoder.close()
