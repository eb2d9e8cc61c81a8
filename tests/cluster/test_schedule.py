"""Due times, leases, records and keys: arithmetic and texts, without a server."""

import asyncio
import json
import math
import time
from datetime import UTC, datetime, timedelta, timezone

import pytest
from hypothesis import given
from hypothesis import strategies as st

from mattermost_plugin._clock import SystemClock, is_done_by, steady
from mattermost_plugin._cluster_keys import checked_handler_name, checked_once_key, lock_key, once_key, parse_once_key
from mattermost_plugin._job_records import MAX_PAYLOAD_BYTES, OneShotRecord, RecurringRecord
from mattermost_plugin._lease import LONGEST_TTL_S, SHORTEST_TTL_S, Lease
from mattermost_plugin._schedule import (
    LONGEST_INTERVAL_MS,
    SHORTEST_INTERVAL_MS,
    Schedule,
    as_datetime,
    is_too_far_ahead,
    schedule_of,
    seconds,
    timestamp_ms,
)
from tests.cluster.nodes import SetClock

NOW_MS = 1_700_000_000_000

times = st.integers(0, 4_000_000_000_000)
intervals = st.integers(SHORTEST_INTERVAL_MS, LONGEST_INTERVAL_MS)
schedules = st.builds(
    lambda interval, phase: Schedule(interval, None if phase is None else phase % interval),
    intervals,
    st.none() | st.integers(0, LONGEST_INTERVAL_MS),
)


@given(schedules, times)
def test_the_next_due_time_lies_on_the_grid(schedule: Schedule, last_ms: int) -> None:
    following = schedule.after(last_ms)
    assert 0 < following - last_ms <= schedule.interval_ms
    assert schedule.after(following) == following + schedule.interval_ms
    if schedule.phase_ms is None:
        assert following == last_ms + schedule.interval_ms
    else:
        assert following % schedule.interval_ms == schedule.phase_ms


@given(schedules, times, st.integers(0, 10_000_000_000))
def test_what_is_due_is_the_latest_that_has_come(schedule: Schedule, last_ms: int, later_ms: int) -> None:
    now_ms = last_ms + later_ms
    due = schedule.due(last_ms, now_ms)
    first_ms = schedule.after(last_ms)
    if due is None:
        assert now_ms < first_ms
        return
    assert last_ms < due.at_ms <= now_ms < due.at_ms + schedule.interval_ms
    assert due.at_ms == first_ms + due.missed * schedule.interval_ms
    assert schedule.due(due.at_ms, now_ms) is None, "missed ones are made up for once"


@given(schedules, times, st.lists(st.floats(0, 5), max_size=50))
def test_late_runs_shift_nothing(schedule: Schedule, start_ms: int, delays: list[float]) -> None:
    last_ms = start_ms
    for delay in delays:
        due = schedule.due(last_ms, schedule.after(last_ms) + int(delay * schedule.interval_ms))
        assert due is not None
        last_ms = due.at_ms
        assert (last_ms - schedule.after(start_ms)) % schedule.interval_ms == 0


@given(intervals)
def test_times_survive_the_clocks_floats(interval_ms: int) -> None:
    """A node sleeps until a due time in seconds, and must find it due then."""
    due_ms = Schedule(interval_ms).after(NOW_MS)
    assert round(due_ms / 1000 * 1000) == due_ms


def test_aligned_schedules() -> None:
    hourly = schedule_of(timedelta(hours=1), 0)
    assert as_datetime(hourly.after(NOW_MS)) == datetime(2023, 11, 14, 23, 0, tzinfo=UTC)
    nightly = schedule_of(timedelta(days=1), timedelta(hours=3))
    assert as_datetime(nightly.after(NOW_MS)) == datetime(2023, 11, 15, 3, 0, tzinfo=UTC)
    assert schedule_of(86400, -3600) == schedule_of(86400, timedelta(hours=23))
    assert schedule_of(60, None).phase_ms is None
    assert schedule_of(1.5, None).interval_ms == 1500


@pytest.mark.parametrize("interval", [0, 0.5, -1, 367 * 86400, timedelta(0)])
def test_intervals_out_of_range(interval: float) -> None:
    with pytest.raises(ValueError, match="interval must be from 1 second to 366 days"):
        schedule_of(interval, None)


@pytest.mark.parametrize("duration", ["1", None, True, [1]])
def test_what_is_no_duration(duration: object) -> None:
    with pytest.raises(TypeError, match="delay must be a timedelta or a number of seconds"):
        seconds("delay", duration)
    for endless in (math.nan, math.inf):
        with pytest.raises(ValueError, match="delay must be finite"):
            seconds("delay", endless)


def test_times() -> None:
    assert timestamp_ms(1.5) == 1500
    assert timestamp_ms(datetime(2023, 11, 14, 23, 13, 20, tzinfo=timezone(timedelta(hours=1)))) == NOW_MS
    with pytest.raises(ValueError, match="without a time zone"):
        timestamp_ms(datetime(2023, 1, 1))  # noqa: DTZ001 - that is the mistake
    for odd in ("now", None, True):
        with pytest.raises(TypeError, match="when must be a datetime or seconds"):
            timestamp_ms(odd)
    for outside in (-1, 1e15, math.inf, math.nan):
        with pytest.raises(ValueError, match="from 1970 to 9999"):
            timestamp_ms(outside)


def test_a_last_time_that_cannot_be() -> None:
    assert not is_too_far_ahead(NOW_MS + 3_600_000, NOW_MS)
    assert is_too_far_ahead(NOW_MS + 3_600_001, NOW_MS)


@given(st.integers(SHORTEST_TTL_S, LONGEST_TTL_S), st.floats(0, 2e9), st.lists(st.floats(0, 5), max_size=20))
def test_a_lease_ends_before_the_server_ends_it(ttl_s: int, sent_at: float, pauses: list[float]) -> None:
    lease = Lease(ttl_s, sent_at)
    assert lease.lost_at <= sent_at + ttl_s - 1
    assert lease.lost_at - sent_at >= ttl_s * 0.79
    # Two more attempts have time before it is lost, also if the first takes as long as it may.
    assert lease.refresh_at + lease.call_limit_s < lease.lost_at
    now = lease.refresh_at
    for pause in pauses:
        now = max(now, lease.refresh_at) + pause
        lease.delay(now)
        assert lease.refresh_at <= lease.lost_at
        assert lease.refresh_at > now or lease.refresh_at == lease.lost_at
    lease.renew(sent_at + 1)
    assert lease.lost_at > sent_at + 1
    assert not lease.is_over(sent_at + 1)
    assert lease.is_over(lease.lost_at)


payloads = st.dictionaries(
    st.text(max_size=5),
    st.recursive(
        st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False, allow_infinity=False) | st.text(),
        lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=3), inner, max_size=3),
        max_leaves=8,
    ),
    max_size=4,
)


@given(times, payloads, st.integers(0, 5))
def test_records_of_one_shot_jobs_survive_the_store(due_ms: int, payload: dict[str, object], attempts: int) -> None:
    record = OneShotRecord.planned(due_ms, payload)
    for _ in range(attempts):
        record = record.claimed()
    for each in (record, record.postponed(due_ms + 1), record.given_up()):
        assert OneShotRecord.decode(each.encode()) == each
    assert record.payload == payload
    assert record.claimed().encode() != record.claimed().encode(), "no two nodes write the same"
    assert OneShotRecord.planned(due_ms, payload).encode() != OneShotRecord.planned(due_ms, payload).encode()


@given(times, times)
def test_records_of_recurring_jobs_survive_the_store(last_ms: int, due_ms: int) -> None:
    record = RecurringRecord(last_ms)
    claimed = record.claimed()
    again = claimed.claimed()
    for each in (record, claimed, again, claimed.done(due_ms)):
        assert RecurringRecord.decode(each.encode()) == each
    assert (record.tries, claimed.tries, again.tries) == (0, 1, 2)
    assert again.done(due_ms) == RecurringRecord(due_ms, True)
    assert claimed.encode() != record.claimed().encode(), "no two nodes write the same"


@given(st.binary() | st.text().map(str.encode) | payloads.map(lambda value: json.dumps(value).encode()))
def test_what_is_no_record(raw: bytes) -> None:
    assert OneShotRecord.decode(raw) is None
    assert RecurringRecord.decode(raw) is None


@pytest.mark.parametrize(
    ("change", "kind"),
    [
        ({"due": 10**15}, "once"),
        ({"due": -1}, "once"),
        ({"last": -1}, "every"),
        ({"last": 10**15}, "every"),
        ({"due": "1"}, "once"),
        ({"payload": []}, "once"),
        ({"failed": 0}, "once"),
        ({"last": 1.5}, "every"),
    ],
)
def test_fields_of_other_types_are_no_record(change: dict[str, object], kind: str) -> None:
    record = OneShotRecord.planned(1, {}) if kind == "once" else RecurringRecord(1)
    raw = json.dumps({**json.loads(record.encode()), **change}).encode()
    assert type(record).decode(raw) is None


def test_fields_that_are_not_known_are_let_be() -> None:
    raw = json.dumps({**json.loads(RecurringRecord(7).encode()), "new": 1}).encode()
    assert RecurringRecord.decode(raw) == RecurringRecord(7)


def test_payloads_that_cannot_be_stored() -> None:
    odd: object
    for odd in ([], "text", {1: 2}):
        with pytest.raises(TypeError, match="a JSON object"):
            OneShotRecord.planned(0, odd)
    with pytest.raises(TypeError, match="JSON values only"):
        OneShotRecord.planned(0, {"at": datetime.now(UTC)})
    endless: dict[str, object] = {}
    endless["self"] = endless
    for odd in ({"x": math.nan}, endless):
        with pytest.raises(ValueError, match="cannot be written as JSON"):
            OneShotRecord.planned(0, odd)
    with pytest.raises(ValueError, match=r"is 65537 bytes of JSON, and 65536 are taken"):
        OneShotRecord.planned(0, {"x": "y" * (MAX_PAYLOAD_BYTES - 7)})
    largest = OneShotRecord.planned(0, {"x": "y" * (MAX_PAYLOAD_BYTES - 8)})
    assert OneShotRecord.decode(largest.encode()) == largest
    assert OneShotRecord.decode(json.dumps({**json.loads(largest.encode()), "more": "x" * 2000}).encode()) is None


names = st.from_regex(r"\A[A-Za-z0-9._/@+=,-]{1,40}\Z")


@given(names, names)
def test_keys_fit_and_are_told_apart(name: str, key: str) -> None:
    assert parse_once_key(once_key(checked_handler_name(name), checked_once_key(key))) == (name, key)
    assert len(lock_key("once", f"{name}:{key * 2}")) <= 150
    assert len(lock_key("mutex", "x" * 100)) <= 150


@pytest.mark.parametrize("key", ["", "pysdk:once:", "pysdk:once:x", "pysdk:job:a:b", "other"])
def test_keys_of_other_things(key: str) -> None:
    assert parse_once_key(key) is None


def test_the_machines_clock() -> None:
    async def scenario() -> None:
        clock = SystemClock()
        before = time.time()
        assert before <= clock.now() <= time.time()
        await clock.sleep_until(before - 1)
        await clock.sleep_until(before + 0.01)
        assert time.time() >= before + 0.01
        # What measures how long something takes is not the time that somebody may set.
        measured = steady(clock)
        assert measured is not clock
        started = measured.now()
        await measured.sleep_until(started + 0.01)
        assert measured.now() >= started + 0.01
        controlled = SetClock()
        assert steady(controlled) is controlled

    asyncio.run(scenario())


def test_a_wait_for_whatever_comes_first() -> None:
    async def scenario() -> None:
        clock = SetClock()
        future = asyncio.get_running_loop().create_future()
        waiting = asyncio.create_task(is_done_by(clock, clock.now() + 5, future))
        await clock.advance(5)
        assert await waiting is False
        assert not future.done()
        waiting = asyncio.create_task(is_done_by(clock, clock.now() + 5, future))
        await asyncio.sleep(0)
        future.set_result(None)
        assert await waiting is True
        # Whoever waited leaves no sleeper behind.
        await asyncio.sleep(0)
        assert clock.next_waking is None

    asyncio.run(scenario())


def test_a_clock_that_fails_is_no_clock_that_rings() -> None:
    class Broken(SetClock):
        async def sleep_until(self, when: float) -> None:
            raise OSError("no time")

    async def scenario() -> None:
        with pytest.raises(OSError, match="no time"):
            await is_done_by(Broken(), 1, asyncio.get_running_loop().create_future())

    asyncio.run(scenario())
