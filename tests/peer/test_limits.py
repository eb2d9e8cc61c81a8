"""Handlers that take too long, hang or block, and messages that are too large: what the host sees of them."""

from collections.abc import Iterator, Mapping
from concurrent.futures import Future
from contextlib import closing
from pathlib import Path

import pytest

from tests.peer.conftest import StartPlugin, in_background, log_end, start_plugin
from tests.peer.gohost import CallResult, GoHost, GoPlugin

WORKERS = 4
MANY = 100
QUICK = {"MATTERMOST_PLUGIN_WORKERS": str(WORKERS), "MATTERMOST_PLUGIN_HOOK_TIMEOUT": "0.5"}

SHORT_DEADLINE_S = 2.0
DEFAULT_DEADLINE_S = 30.0
LOOP_EXIT_CODE = 70

MAX_MESSAGE_BYTES = 65536


@pytest.fixture(scope="module", autouse=True)
def slow_call(host: GoHost) -> Iterator[tuple[GoPlugin, Future[CallResult]]]:
    """A call with all that is the default; it takes nearly half a minute, in which the other tests run."""
    plugin = start_plugin(host, "stuck.py")
    yield plugin, in_background(plugin.call, "UserWillLogIn", timeout=DEFAULT_DEADLINE_S)
    plugin.kill()


def check_alive(plugin: GoPlugin) -> None:
    """Handlers that need no thread answer."""
    result = plugin.call("MessageWillBePosted", {"post": {"message": "a"}})
    assert result.response == {"modified_post": {"message": "a seen"}}


def hang_all(plugin: GoPlugin) -> None:
    """Makes every thread of the pool hang, with many calls at once."""
    calls = [in_background(plugin.call, "UserWillLogIn") for _ in range(MANY)]
    check_alive(plugin)
    for call in calls:
        # The login is let in, as the hook declares, long before the host gives up.
        assert (call.result().code, call.result().response) == ("OK", {})


def test_handlers_that_hang_are_given_up_in_time(start: StartPlugin) -> None:
    plugin = start("stuck.py", env=QUICK)

    hang_all(plugin)

    check_alive(plugin)
    stuck = [record for record in plugin.logs() if "UserWillLogIn handler" in record.message]
    assert len(stuck) == MANY
    assert {record.level for record in stuck} == {"error"}
    in_threads = [str(record.pairs["traceback"]) for record in stuck if "is stuck in" in str(record.pairs["traceback"])]
    assert len(in_threads) == WORKERS
    assert all("self.released.wait()" in traceback for traceback in in_threads)
    no_thread = [record for record in stuck if "got no thread: all 4 are busy" in str(record.pairs["traceback"])]
    assert len(no_thread) == MANY - WORKERS


def test_the_host_learns_that_no_thread_is_left_and_that_one_is_free_again(start: StartPlugin) -> None:
    plugin = start("stuck.py", env=QUICK)
    for _ in range(WORKERS):
        assert plugin.ping().ok
        plugin.call("UserWillLogIn")

    assert not plugin.ping().ok
    assert plugin.health("plugin").code == "UNAVAILABLE"
    check_alive(plugin)

    before = log_end(plugin)
    plugin.call("MessageHasBeenDeleted")
    plugin.wait_log("too late", level="warn", source="plugin", after=before)

    assert plugin.ping().ok
    plugin.call("ChannelHasBeenCreated")
    plugin.wait_log("a thread was free", after=before)


@pytest.mark.parametrize(
    ("hook", "response"),
    [("ExecuteCommand", {"error"}), ("FileWillBeDownloaded", {"rejection_reason"}), ("UserWillLogIn", set())],
)
def test_a_handler_that_hangs_means_what_its_failure_means(start: StartPlugin, hook: str, response: set[str]) -> None:
    plugin = start("stuck.py", env=QUICK)

    result = plugin.call(hook)

    assert (result.code, set(result.response)) == ("OK", response)
    assert f"{hook} handler" in plugin.wait_log("timed out", level="error").message


def test_a_coroutine_that_takes_too_long_is_cancelled(start: StartPlugin) -> None:
    plugin = start("stuck.py", env=QUICK)

    result = plugin.call("MessageWillBeUpdated")

    assert (result.code, result.response) == ("OK", {})
    plugin.wait_log("the edit was cancelled")
    record = plugin.wait_log("MessageWillBeUpdated handler", level="error")
    assert "timed out" in record.message
    assert "in message_will_be_updated" in str(record.pairs["traceback"])


def test_a_handler_has_a_limit_of_its_own(start: StartPlugin) -> None:
    plugin = start("stuck.py")

    result = plugin.call("ChannelWillBeArchived")

    assert set(result.response) == {"rejection_reason"}
    assert "did not finish within 0.2 s" in str(plugin.wait_log("timed out", level="error").pairs["error"])


def test_the_plugin_answers_before_the_host_gives_up(start: StartPlugin) -> None:
    plugin = start("stuck.py")
    hooks: Mapping[str, set[str]] = {
        "UserWillLogIn": set(),
        "MessageWillBeUpdated": set(),
        "FileWillBeDownloaded": {"rejection_reason"},
        "ExecuteCommand": {"error"},
    }

    calls = {hook: in_background(plugin.call, hook, timeout=SHORT_DEADLINE_S) for hook in hooks}

    for hook, call in calls.items():
        result: CallResult = call.result()
        assert (result.code, set(result.response)) == ("OK", hooks[hook])
        plugin.wait_log(f"{hook} handler", level="error")


def test_a_message_that_is_too_large_ends_only_its_call(start: StartPlugin) -> None:
    plugin = start("stuck.py", env={"MATTERMOST_PLUGIN_MAX_MESSAGE_BYTES": str(MAX_MESSAGE_BYTES)})

    result = plugin.call("MessageWillBePosted", {"post": {"message": "x" * MAX_MESSAGE_BYTES}})

    assert result.code == "RESOURCE_EXHAUSTED"
    check_alive(plugin)
    assert plugin.ping().ok


def test_what_blocks_the_loop_is_named(start: StartPlugin, tmp_path: Path) -> None:
    go = tmp_path / "go"
    plugin = start("stuck.py", env={"GO_FILE": str(go), "MATTERMOST_PLUGIN_LOOP_BLOCK_WARN": "0.2"})
    blocked = in_background(plugin.call, "MessageHasBeenPosted")

    record = plugin.wait_log("blocks the event loop", level="warn")

    assert record.message.startswith("MessageHasBeenPosted handler Stuck.message_has_been_posted blocks")
    assert "in block" in record.message
    go.touch()
    assert blocked.result().ok
    plugin.wait_log("blocked the event loop for", level="warn")
    check_alive(plugin)


def test_a_loop_that_stays_blocked_ends_the_process(start: StartPlugin, tmp_path: Path) -> None:
    limits = {"MATTERMOST_PLUGIN_LOOP_BLOCK_WARN": "0.2", "MATTERMOST_PLUGIN_LOOP_BLOCK_EXIT": "1"}
    plugin = start("stuck.py", env={"GO_FILE": str(tmp_path / "never"), **limits})
    in_background(plugin.call, "MessageHasBeenPosted")

    assert plugin.wait_exit().exit_code == LOOP_EXIT_CODE

    record = plugin.wait_log("The event loop has stood still", level="error")
    assert "in block" in record.message


def test_requests_that_hang_leave_the_hooks_alone(start: StartPlugin) -> None:
    plugin = start("stuck.py", env=QUICK | {"MATTERMOST_PLUGIN_HTTP_WORKERS": "1"})
    with closing(plugin.http_front().connect()) as first, closing(plugin.http_front().connect()) as second:
        first.request("GET", "/")
        response = first.getresponse()
        assert response.read(7) == b"started"
        second.request("GET", "/")

        before = log_end(plugin)
        plugin.call("ChannelHasBeenCreated")
        plugin.wait_log("a thread was free", after=before)
        assert plugin.ping().ok

        plugin.call("MessageHasBeenDeleted")
        assert response.read() == b""
        assert second.getresponse().read() == b"started"


def test_the_default_limit_is_below_the_hosts(slow_call: tuple[GoPlugin, Future[CallResult]]) -> None:
    plugin, call = slow_call

    assert (call.result().code, call.result().response) == ("OK", {})
    assert "did not finish within 25 s" in str(plugin.wait_log("timed out", level="error").pairs["error"])
