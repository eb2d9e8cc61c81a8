"""When a call of the plugin API is sent again, and what is said of it in the end: without clients, wires or waiting."""

from collections.abc import Iterator
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from mattermost_plugin import _api_call, _grpc_api
from mattermost_plugin._api_call import ApiCall, CallSettings, RetryPolicy
from mattermost_plugin._api_wire import PLUGIN_STOPPED, CallFailed
from mattermost_plugin.api import APITransportError, APIUnavailable, PluginAPIError
from mattermost_pluginapi.api.methods import DELETE_USER, GET_USER
from mattermost_pluginapi.v1.api_user_pb2 import DeleteUserRequest, GetUserRequest

POLICY = RetryPolicy(attempts=4, first_pause_s=1, longest_pause_s=8, reconnect_s=3, reconnect_pause_s=0.5)
AWAY = CallFailed("UNAVAILABLE", "no connection", was_sent=False)
CUT_OFF = CallFailed("UNAVAILABLE", "cut off")


class Clock:
    now = 1000.0

    def __call__(self) -> float:
        return self.now


@pytest.fixture
def clock(monkeypatch: pytest.MonkeyPatch) -> Clock:
    clock = Clock()
    monkeypatch.setattr(_api_call, "monotonic", clock)
    return clock


# Any: what the messages are is of no interest here.


def reading(timeout_s: float = 1000) -> ApiCall[Any, Any]:
    return ApiCall(GET_USER, GetUserRequest(), None, CallSettings(timeout_s, POLICY))


def deleting(timeout_s: float = 1000) -> ApiCall[Any, Any]:
    return ApiCall(DELETE_USER, DeleteUserRequest(), None, CallSettings(timeout_s, POLICY))


def verdict(call: ApiCall[Any, Any], failure: CallFailed) -> float | PluginAPIError | APITransportError:
    """The pause before the next try, or why there is none."""
    try:
        return call.pause_after(failure)
    except (PluginAPIError, APITransportError) as error:
        return error


def pauses(call: ApiCall[Any, Any], failure: CallFailed, clock: Clock) -> Iterator[float]:
    """The pauses until the call is given up; they pass at once."""
    while isinstance(pause_s := verdict(call, failure), float):
        yield pause_s
        clock.now += pause_s


def test_a_request_that_was_not_sent_is_no_repetition(clock: Clock) -> None:
    assert list(pauses(deleting(), AWAY, clock)) == [0.5] * 6
    assert len(list(pauses(reading(), AWAY, clock))) == 6 + POLICY.attempts - 1


def test_only_what_may_be_repeated_is_sent_twice(clock: Clock) -> None:
    assert list(pauses(deleting(), CUT_OFF, clock)) == []
    assert len(list(pauses(reading(), CUT_OFF, clock))) == POLICY.attempts - 1


def test_what_was_once_sent_stays_so(clock: Clock) -> None:
    call = deleting()
    assert isinstance(verdict(call, AWAY), float)
    end = verdict(call, CUT_OFF)
    assert isinstance(end, APIUnavailable)
    assert end.may_have_taken_effect
    call = reading()
    assert isinstance(verdict(call, CUT_OFF), float)
    clock.now += 100
    assert len(list(pauses(call, AWAY, clock))) == POLICY.attempts - 2
    end = verdict(call, AWAY)
    assert isinstance(end, APIUnavailable)
    assert end.may_have_taken_effect
    assert end.elapsed_s > 100


def test_pauses_grow_and_are_spread() -> None:
    policy = RetryPolicy(first_pause_s=0.1, longest_pause_s=0.5)
    for repetition, longest in [(1, 0.1), (2, 0.2), (3, 0.4), (4, 0.5), (2000, 0.5)]:
        found = {policy.pause(repetition) for _ in range(100)}
        assert len(found) > 1
        assert longest / 2 <= min(found) <= max(found) <= longest


def test_the_look_for_a_connection_outlasts_grpcs_own_pauses() -> None:
    # gRPC lengthens its pauses by up to a fifth.
    assert RetryPolicy().reconnect_s > _grpc_api._LAST_RECONNECT_MS / 1000 * 1.2 + RetryPolicy().reconnect_pause_s


def test_no_pause_reaches_the_deadline(clock: Clock) -> None:
    assert list(pauses(deleting(1.5), AWAY, clock)) == [0.5, 0.5]
    assert list(pauses(reading(0.4), CUT_OFF, clock)) == []


def test_a_timeout_of_centuries_is_taken_for_a_year(clock: Clock) -> None:
    for timeout in (1e300, 10**400):
        call = ApiCall(GET_USER, GetUserRequest(), timeout, CallSettings(1, POLICY))
        assert call.time_left_s == 366 * 86_400
    assert reading(1e300).time_left_s == 366 * 86_400


failures = st.builds(
    CallFailed,
    st.sampled_from(["UNAVAILABLE", "DEADLINE_EXCEEDED", "INTERNAL", "CANCELLED", "NOT_FOUND", PLUGIN_STOPPED]),
    st.sampled_from(["", "a.b: No.", "gone"]),
    st.booleans(),
)


@given(st.lists(failures, min_size=50, max_size=50), st.booleans(), st.floats(0.1, 1000))
def test_whatever_comes_a_call_ends(outcomes: list[CallFailed], repeatable: bool, timeout_s: float) -> None:
    clock, sent_before = Clock(), False
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(_api_call, "monotonic", clock)
        call = reading(timeout_s) if repeatable else deleting(timeout_s)
        deadline = clock.now + timeout_s
        for tries, failure in enumerate(outcomes):
            assert tries < POLICY.attempts + POLICY.reconnect_s / POLICY.reconnect_pause_s
            sent_before |= failure.was_sent
            pause_s = verdict(call, failure)
            if isinstance(pause_s, APITransportError):
                assert pause_s.may_have_taken_effect is sent_before
                assert pause_s.elapsed_s == clock.now - Clock.now
                return
            if isinstance(pause_s, PluginAPIError):
                assert pause_s.method == call.method.method
                return
            assert failure.code == "UNAVAILABLE"
            assert repeatable or not sent_before
            assert pause_s > 0
            clock.now += pause_s
            assert clock.now < deadline
    raise AssertionError("the call never ended")
