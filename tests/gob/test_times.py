"""time.Time and its bytes."""

from datetime import UTC, datetime, timedelta, timezone

import pytest
from hypothesis import given
from hypothesis import strategies as st

from mattermost_plugin._gob import GoTime
from mattermost_plugin._gob.values import ZERO_TIME

# What Go's MarshalBinary writes.
BYTES = {
    "010000000edce5e8000754d4c0ffff": GoTime(1_700_000_000, 123_000_000),
    "010000000000000000 00000000 ffff": ZERO_TIME,
    "010000000e7791f7000000000000 3c": GoTime(0, 0, 3600),
    "020000000e7791f70000000000003c19": GoTime(0, 0, 3625),
    "020000000e7791f70000000000ffc4e7": GoTime(0, 0, -3625),
}


@pytest.mark.parametrize(("text", "time"), BYTES.items())
def test_bytes(text: str, time: GoTime) -> None:
    assert GoTime.from_bytes(bytes.fromhex(text)) == time
    assert time.to_bytes() == bytes.fromhex(text)


@given(
    st.integers(-(2**62), 2**62),
    st.integers(0, 999_999_999),
    st.none() | st.integers(-32767 * 60, 32767 * 60).filter(lambda offset: not -120 < offset <= -60),
)
def test_any_time(seconds: int, nanoseconds: int, offset: int | None) -> None:
    time = GoTime(seconds, nanoseconds, offset)
    assert GoTime.from_bytes(time.to_bytes()) == time


@pytest.mark.parametrize(
    ("text", "reason"),
    [
        ("", "unknown version"),
        ("03" + "00" * 14, "unknown version"),
        ("01" + "00" * 13, "14 bytes"),
        ("01" + "00" * 15, "16 bytes"),
        ("02" + "00" * 14, "15 bytes"),
        ("01" + "00" * 8 + "3b9aca00" + "ffff", "1000000000 nanoseconds"),
        ("01" + "00" * 8 + "ffffffff" + "ffff", "-1 nanoseconds"),
    ],
)
def test_bytes_that_are_no_time(text: str, reason: str) -> None:
    with pytest.raises(ValueError, match=reason):
        GoTime.from_bytes(bytes.fromhex(text))


@pytest.mark.parametrize(
    "time", [GoTime(0, -1), GoTime(0, 10**9), GoTime(0, 0, -60), GoTime(0, 0, -100), GoTime(2**63), GoTime(0, 0, 2**21)]
)
def test_times_without_an_encoding(time: GoTime) -> None:
    with pytest.raises(ValueError, match=r"nanoseconds|no encoding|out of range"):
        time.to_bytes()


TEXTS = {
    GoTime(1_700_000_000, 123_000_000): "2023-11-14T22:13:20.123Z",
    GoTime(1_700_000_000): "2023-11-14T22:13:20Z",
    GoTime(1_700_000_000, 1, 19_800): "2023-11-15T03:43:20.000000001+05:30",
    GoTime(0, 0, -28_800): "1969-12-31T16:00:00-08:00",
    GoTime(0, 0, 0): "1970-01-01T00:00:00Z",
    ZERO_TIME: "0001-01-01T00:00:00Z",
}


@pytest.mark.parametrize(("time", "text"), TEXTS.items())
def test_texts(time: GoTime, text: str) -> None:
    assert time.isoformat() == text


def test_datetimes() -> None:
    zone = timezone(timedelta(hours=5, minutes=30))
    moment = datetime(2023, 11, 15, 3, 43, 20, 500, zone)
    time = GoTime.from_datetime(moment)
    assert time == GoTime(1_700_000_000, 500_000, 19_800)
    assert time.to_datetime() == moment
    assert time.to_datetime().utcoffset() == moment.utcoffset()
    assert GoTime.from_datetime(datetime(1970, 1, 1, tzinfo=UTC)) == GoTime(0)
    naive = datetime(2023, 11, 15)  # noqa: DTZ001 - it is what is tried
    assert GoTime.from_datetime(naive).to_datetime() == naive.astimezone()


def test_years_that_python_has_not() -> None:
    with pytest.raises(OverflowError):
        GoTime(2**50).to_datetime()
