"""Errors in interfaces become AppErrors, and AppErrors errors whose text a server shows."""

from typing import Any

import pytest

from mattermost_plugin._gob import Encoder, GobMismatchError, Interface, Registered
from mattermost_plugin._gob import go_types as go
from mattermost_plugin._gob.go_types import GoField, GoStruct
from mattermost_plugin._gob.json_form import json_form
from mattermost_pluginapi.v1.common_pb2 import AppError
from mattermost_pluginapi.v1.hooks_lifecycle_pb2 import OnActivateResponse
from tests.gob import craft
from tests.gob.streams import read, stock_encoder, stock_table
from tests.stock.struct_vectors import read_message, write_struct

NAME = "plugin.Z_OnActivateReturns"


def error_of(held: object) -> Any:
    """The message that comes of a reply with one error."""
    return read_message(NAME, stock_encoder().encode({"A": held}, stock_table().struct(NAME)))


def sent(error: AppError | None) -> Any:
    """What a server reads of a reply."""
    (value,) = read(write_struct(NAME, OnActivateResponse(error=error)))
    return json_form(value)


def test_an_app_error_keeps_its_fields() -> None:
    fields = {
        "Id": "app.x",
        "Message": "m",
        "DetailedError": "d",
        "RequestId": "r",
        "StatusCode": 418,
        "Where": "w",
        "SkipTranslation": True,
    }
    assert error_of(Interface("*model.AppError", fields)).error == AppError(
        id="app.x",
        message="m",
        detailed_error="d",
        request_id="r",
        status_code=418,
        where="w",
        skip_translation=True,
    )
    assert error_of(Interface("*model.AppError", {})).HasField("error")


@pytest.mark.parametrize(("code", "status"), [(0, 500), (1, 500), (2, 404), (6, 500)])
def test_a_plain_error_has_its_text_and_a_status(code: int, status: int) -> None:
    held = Interface("*plugin.ErrorString", {"Code": code, "Err": "gone"})
    assert error_of(held).error == AppError(message="gone", status_code=status)


def test_an_error_of_the_database_has_its_texts() -> None:
    held = Interface("*pq.Error", {"Message": "duplicate key", "Detail": "Key (id)=(1) exists.", "Code": "23505"})
    expected = AppError(message="pq: duplicate key", detailed_error="Key (id)=(1) exists.", status_code=500)
    assert error_of(held).error == expected


def test_no_error_is_none_whether_it_is_sent_or_not() -> None:
    assert error_of(None) == OnActivateResponse()
    types = craft.define_struct(65, "Z_OnActivateReturns", A=craft.INTERFACE)
    assert read_message(NAME, craft.stream(types, craft.value(65, b"\1\0\0"))) == OnActivateResponse()


def test_an_error_of_an_unknown_type_is_one_nevertheless() -> None:
    other = Registered(GoStruct("Other", (GoField("Why", go.STRING),)))
    encoder = Encoder({"*newer.Ünknown\nError": other, "x" * 1000: Registered(go.STRING)})
    reply = GoStruct("Z_OnActivateReturns", (GoField("A", go.ANY),))
    data = encoder.encode({"A": Interface("*newer.Ünknown\nError", {"Why": "w"})}, reply)
    expected = "the server answered with an error of type *newer.\\xdcnknown\\nError"
    assert read_message(NAME, data).error == AppError(message=expected, status_code=500)
    data = Encoder({"x" * 1000: Registered(go.STRING)}).encode({"A": Interface("x" * 1000, "text")}, reply)
    assert len(read_message(NAME, data).error.message) < 200


def test_texts_of_errors_that_are_no_utf8_are_repaired() -> None:
    assert error_of(Interface("*plugin.ErrorString", {"Err": "a\udcff"})).error.message == "a\ufffd"


@pytest.mark.parametrize("field", ["Id", "Message", "StatusCode", "SkipTranslation"])
def test_an_error_with_a_field_of_another_type_is_refused(field: str) -> None:
    struct = Registered(GoStruct("AppError", (GoField(field, go.FLOAT64),)))
    reply = GoStruct("Z_OnActivateReturns", (GoField("A", go.ANY),))
    data = Encoder({"*model.AppError": struct}).encode({"A": Interface("*model.AppError", {field: 0.5})}, reply)
    with pytest.raises(GobMismatchError, match=r"in Z_OnActivateReturns\.A"):
        read_message(NAME, data)


@pytest.mark.parametrize(
    ("error", "text"),
    [
        (AppError(message="no"), "no"),
        (AppError(message="no", detailed_error="no"), "no"),
        (AppError(message="no", detailed_error="why"), "no, why"),
        (AppError(detailed_error="why"), "why"),
        (AppError(id="app.x", status_code=400), "app.x"),
        (AppError(), "unknown error"),
    ],
)
def test_an_error_is_sent_as_its_text(error: AppError, text: str) -> None:
    assert sent(error) == {"A": {"$type": "*plugin.ErrorString", "value": {"Err": text}}}


def test_no_error_is_not_sent() -> None:
    assert sent(None) == {}
