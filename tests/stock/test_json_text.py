"""JSON as Go writes and reads it."""

import json
from datetime import UTC, datetime
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from mattermost_plugin._gob import GobMismatchError, GoTime
from mattermost_plugin._gob.json_form import json_form
from mattermost_plugin._gob.values import ZERO_TIME
from mattermost_plugin._stock.json_text import (
    RawJSON,
    go_bytes,
    go_time,
    plain_json,
    raw_json,
    read_json,
    write_json,
)
from mattermost_pluginapi.v1.api_config_pb2 import SaveConfigRequest
from tests.gob.streams import read, stock_encoder, stock_table
from tests.stock.struct_vectors import read_message, write_struct

GET, SAVE = "plugin.Z_GetConfigReturns", "plugin.Z_SaveConfigArgs"


def test_bytes_are_base64_and_keys_are_texts() -> None:
    value = {2: b"\xff", True: [b"", ("a", None)], "é": {"x": 0.5}}
    assert write_json(value) == '{"2":"/w==","true":["",["a",null]],"é":{"x":0.5}}'.encode()
    assert plain_json(value) == {"2": "/w==", "true": ["", ["a", None]], "é": {"x": 0.5}}


def test_raw_json_stands_in_it_as_it_came() -> None:
    raw = RawJSON(b' {"n": 1.0, "big": 1e400, "twice": 1, "twice": 2, "u": "\\ud800"} ')
    assert write_json({"a": raw, "b": [raw], "c": '"\udc01'.encode("utf-8", "replace")}) == (
        b'{"a":' + raw + b',"b":[' + raw + b'],"c":"Ij8="}'
    )
    assert plain_json(RawJSON(b'{"a": [1]}')) == {"a": [1]}


@pytest.mark.parametrize(
    "text", [b"", b"{", b"nul", b"NaN", b"[Infinity]", b'"\xff"', '"a"'.encode("utf-16"), b"[" * 100_000]
)
def test_what_is_no_json_is_refused_without_being_quoted(text: bytes) -> None:
    with pytest.raises(ValueError, match=r"^(no JSON|JSON that is nested too deep)$") as caught:
        write_json({"a": RawJSON(text)})
    assert caught.value.__context__ is None
    with pytest.raises(ValueError, match=r"JSON"):
        read_json(text)


@pytest.mark.parametrize("value", [float("nan"), float("inf"), {"a": [-float("inf")]}])
def test_numbers_that_json_has_no_word_for_are_refused(value: object) -> None:
    with pytest.raises(ValueError, match="JSON compliant"):
        write_json(value)
    with pytest.raises(ValueError, match="JSON compliant"):
        raw_json(value)


def test_complex_numbers_are_refused() -> None:
    with pytest.raises(TypeError, match="a complex number"):
        write_json([1j])


@given(
    st.datetimes(timezones=st.timezones() | st.just(UTC)),
    st.integers(0, 999),
)
def test_times_come_back_to_the_nanosecond(moment: datetime, nanoseconds: int) -> None:
    time = GoTime.from_datetime(moment)
    if (time.offset_seconds or 0) % 60:
        # RFC 3339 has no seconds there.
        time = time._replace(offset_seconds=None)
    time = time._replace(nanoseconds=time.nanoseconds + nanoseconds, offset_seconds=time.offset_seconds or None)
    try:
        text = time.isoformat()
    except OverflowError:
        return
    assert go_time(text) == time


def test_times_in_other_spellings() -> None:
    assert go_time("0001-01-01T00:00:00Z") == ZERO_TIME
    assert go_time("1970-01-01t01:00:00.5+01:00") == GoTime(0, 500_000_000, 3600)
    assert go_time("1969-12-31T23:59:59.1234567891z") == GoTime(-1, 123_456_789)
    assert go_time("1970-01-01T00:00:00-00:00") == GoTime(0)
    assert go_time(None) is None


@pytest.mark.parametrize(
    "text", ["", "1970-01-01", "1970-02-30T00:00:00Z", "1970-01-01T24:00:00Z", "1970-01-01T00:00:00", "secret"]
)
def test_what_is_no_time_is_refused_without_being_quoted(text: str) -> None:
    with pytest.raises(ValueError, match=r"^a time that (is not as RFC 3339 has it|is in no calendar)$"):
        go_time(text)
    with pytest.raises(TypeError, match="a time that is no text"):
        go_time(5)


def test_bytes_from_json() -> None:
    assert go_bytes("/w==") == b"\xff"
    assert go_bytes(None) is None
    for wrong in ("/w=", "s!cret"):
        with pytest.raises(ValueError, match=r"^(?!.*cret)"):
            go_bytes(wrong)
    with pytest.raises(TypeError, match="bytes that are no text"):
        go_bytes([1])


def config(**sections: Any) -> Any:
    """What the plugin gets of a configuration."""
    data = stock_encoder().encode({"A": sections}, stock_table().struct(GET))
    return json.loads(read_message(GET, data).config_json)


def test_settings_that_gob_drops_are_off_and_not_null() -> None:
    got = config(ServiceSettings={"SiteURL": "https://x", "EnableDeveloper": True})
    assert got["ServiceSettings"]["SiteURL"] == "https://x"
    assert got["ServiceSettings"]["EnableDeveloper"] is True
    assert got["ServiceSettings"]["EnableTesting"] is False
    assert got["ServiceSettings"]["WebsocketURL"] == ""
    assert got["ServiceSettings"]["ReadTimeout"] == 0
    assert got["SqlSettings"]["DataSourceReplicas"] is None


def test_raw_json_of_a_setting_is_kept_to_the_letter() -> None:
    raw = b'{"a": 1.0, "b": 1e400}'
    data = stock_encoder().encode({"A": {"LogSettings": {"AdvancedLoggingJSON": raw}}}, stock_table().struct(GET))
    assert raw in read_message(GET, data).config_json
    data = stock_encoder().encode({"A": {"LogSettings": {"AdvancedLoggingJSON": b"{"}}}, stock_table().struct(GET))
    with pytest.raises(GobMismatchError, match="no JSON"):
        read_message(GET, data)


def test_json_that_a_plugin_sends_becomes_the_struct() -> None:
    sections = {
        "ServiceSettings": {"SiteURL": "https://x", "EnableDeveloper": True, "Unknown": 1},
        "PluginSettings": {"Plugins": {"com.example": {"count": 3, "list": [1, None, {"a": False}]}}},
        "LogSettings": {"AdvancedLoggingJSON": {"b": 1, "a": "é"}},
    }
    value: Any
    (value,) = read(write_struct(SAVE, SaveConfigRequest(config_json=json.dumps(sections).encode())))
    sent: Any = json_form(value)
    assert sent["A"]["ServiceSettings"] == {"SiteURL": "https://x", "EnableDeveloper": True}
    # As Go reads JSON: numbers of a plugin's own settings are float64.
    count = sent["A"]["PluginSettings"]["Plugins"]["com.example"]["count"]
    assert count == {"$type": "float64", "value": 3.0}
    assert value["A"]["LogSettings"] == {"AdvancedLoggingJSON": '{"a": "é", "b": 1}'.encode()}
    assert read(write_struct(SAVE, SaveConfigRequest(config_json=b"null"))) == [{}]
    assert read(write_struct(SAVE, SaveConfigRequest())) == [{}]
