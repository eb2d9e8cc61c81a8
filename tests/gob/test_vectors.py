"""What Go wrote for the structs of the stock plugin interface, and what Go reads back."""

import io
import json

import pytest

from mattermost_plugin._gob import GENERIC, SKIP, Decoder
from mattermost_plugin._gob.json_form import json_form
from mattermost_plugin.gob import convert
from tests.gob.streams import (
    Vector,
    read,
    read_in_pieces,
    stock_encoder,
    stock_table,
    values,
    vector,
    vectors,
)

SOME = vectors()[::25]


def ids(case: Vector) -> str:
    return f"{case.type}-{case.case}"


def test_all_vectors_are_there() -> None:
    assert len(vectors()) == 1246


def test_every_value_is_read_as_go_reads_it() -> None:
    wrong = [ids(case) for case in vectors() if [json_form(value) for value in read(case.data)] != [case.value]]
    assert wrong == []


def test_every_value_can_be_skipped() -> None:
    assert [ids(case) for case in vectors() if read(case.data, SKIP) != [None]] == []


def test_every_value_is_read_back_as_it_was_after_our_encoder() -> None:
    wrong = []
    for case in vectors():
        (value,) = read(case.data)
        data = stock_encoder().encode(value, stock_table().struct(f"plugin.{case.type}"))
        if read(data) != [value] or read(data, SKIP) != [None]:
            wrong.append(ids(case))
    assert wrong == []


def test_all_values_in_one_stream() -> None:
    encoder, decoder = stock_encoder(), Decoder()
    for case in vectors():
        (value,) = read(case.data)
        decoder.feed(encoder.encode(value, stock_table().struct(f"plugin.{case.type}")))
        assert list(values(decoder, GENERIC)) == [value]
    decoder.close()


@pytest.mark.parametrize("case", SOME, ids=ids)
@pytest.mark.parametrize("size", [1, 7])
def test_a_value_in_pieces_is_the_same(case: Vector, size: int) -> None:
    assert read_in_pieces(case.data, size) == read(case.data)


def test_the_command_writes_the_same_form() -> None:
    output, complaints = io.BytesIO(), io.StringIO()
    assert convert((case.data.hex().encode() for case in vectors()), output, complaints)
    assert complaints.getvalue() == ""
    assert [json.loads(line) for line in output.getvalue().splitlines()] == [case.value for case in vectors()]


def test_a_definition_in_the_midst_of_a_value_is_one_message_more() -> None:
    case = vector("Z_OnActivateReturns")
    assert read_in_pieces(case.data, 1) == read(case.data)
