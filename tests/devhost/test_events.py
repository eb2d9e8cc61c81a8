"""The bus of events, and the clocks."""

import asyncio

from mattermost_plugin.devhost import EventBus, ManualClock, SystemClock
from mattermost_plugin.devhost.events import (
    HISTORY_BYTES,
    HISTORY_LIMIT,
    ApiCalled,
    Event,
    HookCalled,
    LogWritten,
    MailSent,
)
from mattermost_pluginapi.v1.api_session_pb2 import CreateSessionRequest, CreateSessionResponse
from mattermost_pluginapi.v1.hooks_user_pb2 import UserHasBeenCreatedRequest
from mattermost_pluginapi.v1.session_pb2 import Session
from mattermost_pluginapi.v1.user_pb2 import User


def line(message: str) -> LogWritten:
    return LogWritten(at_ms=1, plugin_id="", level="info", message=message)


def test_subscribers_hear_what_comes_until_they_leave() -> None:
    bus = EventBus()
    bus.publish(line("before"))
    heard: list[Event] = []
    leave = bus.subscribe(heard.append)
    bus.publish(line("now"))
    leave()
    leave()
    bus.publish(line("after"))
    assert [event.message for event in heard if isinstance(event, LogWritten)] == ["now"]
    assert [event.message for event in bus.history(LogWritten)] == ["before", "now", "after"]
    assert bus.history(MailSent) == []


def test_a_subscriber_that_fails_keeps_nobody_from_hearing() -> None:
    bus = EventBus()
    heard: list[Event] = []

    def fail(event: Event) -> None:
        raise RuntimeError("broken")

    bus.subscribe(fail)
    bus.subscribe(heard.append)
    bus.publish(line("x"))
    assert len(heard) == 1


def test_waiting_finds_what_was_and_what_comes() -> None:
    async def scenario() -> None:
        bus = EventBus()
        bus.publish(line("old"))
        assert (await bus.wait_for(LogWritten)).message == "old"
        waiting = asyncio.create_task(bus.wait_for(LogWritten, lambda event: event.message == "new"))
        await asyncio.sleep(0)
        bus.publish(line("other"))
        bus.publish(line("new"))
        assert (await waiting).message == "new"

    asyncio.run(scenario())


def test_the_history_has_a_limit() -> None:
    bus = EventBus()
    for number in range(HISTORY_LIMIT + 5):
        bus.publish(line(str(number)))
    assert len(bus.history(Event)) == HISTORY_LIMIT
    assert bus.history(LogWritten)[0].message == "5"
    bus.clear()
    assert not bus.history(Event)


def test_the_history_has_a_limit_in_bytes() -> None:
    bus = EventBus()
    for number in range(5):
        bus.publish(line(str(number) * (HISTORY_BYTES // 3)))
    assert [event.message[0] for event in bus.history(LogWritten)] == ["3", "4"]
    bus.clear()
    bus.publish(line("x"))
    assert len(bus.history(LogWritten)) == 1


def test_events_hold_no_secrets() -> None:
    response = CreateSessionResponse(session=Session(id="1", token="t0ken"))
    called = ApiCalled(
        at_ms=1, plugin_id="p", method="m", request=CreateSessionRequest(), response=response, duration_ms=1
    )
    request = UserHasBeenCreatedRequest(user=User(id="1", mfa_secret="s3cret"))
    hooked = HookCalled(at_ms=1, plugin_id="p", hook="h", request=request, response=None, failure="", duration_ms=1)
    assert "t0ken" not in repr(called)
    assert "s3cret" not in repr(hooked)
    assert response.session.token == "t0ken"


def test_no_clock_tells_a_time_twice() -> None:
    for clock in (SystemClock(), ManualClock()):
        times = [clock.now_ms() for _ in range(1000)]
        assert times == sorted(set(times))
    manual = ManualClock(1000)
    assert manual.now_ms() == 1000
    manual.advance(seconds=1.5, ms=10)
    assert manual.now_ms() == 2511
