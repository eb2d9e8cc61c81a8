"""What authors get from pytest: the fixture, the marker and the settings, and the texts of tests that fail."""

import importlib.metadata
import json
import subprocess
import sys
import textwrap

import pytest

pytest_plugins = ["pytester"]

MODULE = "mattermost_plugin.testing.pytest_plugin"

PLUGIN = """
import asyncio
import threading

import pytest
from mattermost_plugin import Plugin, Reject
from mattermost_plugin.testing import TestServer

class Greeter(Plugin):
    def on_activate(self):
        self.logger.info("ready")

    def message_will_be_posted(self, context, post):
        if post.message == "boom":
            raise RuntimeError("broken")
        if post.message == "no":
            return Reject("not here")
        post.message += " :wave:"
        return post

    def on_deactivate(self):
        if getattr(self, "is_clumsy", False):
            raise RuntimeError("cannot let go")

def lounge(mattermost):
    ada = mattermost.user("ada")
    return ada, mattermost.channel("lounge", members=[ada])
"""


def write(pytester: pytest.Pytester, tests: str, ini: str = "") -> None:
    pytester.makepyfile(test_sample=PLUGIN + textwrap.dedent(tests))
    pytester.makeini(f"[pytest]\naddopts = --strict-markers -W error\n{ini}")


def test_a_test_passes(pytester: pytest.Pytester) -> None:
    write(
        pytester,
        """
        @pytest.fixture
        def greeter(mattermost):
            return mattermost.load(Greeter)

        def test_greeting(mattermost: TestServer, greeter):
            ada, channel = lounge(mattermost)
            assert ada.post(channel, "hi").message == "hi :wave:"

        class TestGreeting:
            def test_in_a_class(self, mattermost, greeter):
                assert mattermost.plugin.instance is greeter

        @pytest.mark.mattermost(clock="machine", network="tcp", timeout=5)
        def test_options(mattermost):
            mattermost.load(Greeter)
            assert mattermost.clock.next_due is None

        def test_errors(mattermost, greeter):
            ada, channel = lounge(mattermost)
            with mattermost.expect_errors("broken"):
                ada.post(channel, "boom")

        @pytest.mark.mattermost(errors="ignore")
        def test_errors_ignored(mattermost, greeter):
            ada, channel = lounge(mattermost)
            ada.post(channel, "boom")
            greeter.is_clumsy = True

        def test_closed_by_the_test(mattermost, greeter):
            mattermost.close()
            assert mattermost.logs("ready")

        def test_without_a_server():
            pass

        def test_skipped(mattermost):
            pytest.skip("not today")
        """,
    )
    result = pytester.runpytest_subprocess("-q")
    result.assert_outcomes(passed=7, skipped=1)


def test_tests_fail_with_helpful_texts(pytester: pytest.Pytester) -> None:
    write(
        pytester,
        """
        def test_assertion(mattermost):
            mattermost.load(Greeter)
            ada, channel = lounge(mattermost)
            ada.post(channel, "hi")
            assert mattermost.api_calls("CreatePost")

        def test_error(mattermost):
            mattermost.load(Greeter)
            ada, channel = lounge(mattermost)
            ada.post(channel, "boom")

        def test_rejected(mattermost):
            mattermost.load(Greeter)
            ada, channel = lounge(mattermost)
            ada.post(channel, "no")

        def test_assertion_after_an_error(mattermost):
            mattermost.load(Greeter)
            ada, channel = lounge(mattermost)
            ada.post(channel, "boom")
            assert channel.messages == ["other"]

        def test_blocked_loop(mattermost):
            class Blocker(Plugin):
                async def message_has_been_posted(self, context, post):
                    threading.Event().wait(2)

            mattermost.load(Blocker)
            ada, channel = lounge(mattermost)
            mattermost._timeout_s = 0.3
            ada.post(channel, "hi")

        def test_hook_that_hangs(mattermost):
            class Hanger(Plugin):
                async def message_has_been_posted(self, context, post):
                    await asyncio.Event().wait()

            mattermost.load(Hanger)
            ada, channel = lounge(mattermost)
            mattermost._timeout_s = 0.3
            ada.post(channel, "hi")

        def test_late_error(mattermost):
            mattermost.load(Greeter).is_clumsy = True

        def test_fault_not_met(mattermost):
            mattermost.load(Greeter)
            mattermost.fail("GetUser")

        def test_deadline(mattermost):
            mattermost.wait_until(lambda: False, "a miracle", timeout_s=0.1)

        @pytest.mark.mattermost(tiemout=0.1)
        def test_marker(mattermost):
            pass
        """,
    )
    result = pytester.runpytest_subprocess("-q", "-p", "no:logging")
    # One that hangs is told once, and not again as a hook that was cut off.
    result.assert_outcomes(passed=1, failed=8, errors=2)
    result.stdout.fnmatch_lines(
        [
            "*ERROR at teardown of test_late_error*",
            "*2 errors that the test did not expect (see expect_errors):",
            "*test.greeter logged: OnDeactivate handler Greeter.on_deactivate failed",
            "*ERROR at setup of test_marker*",
            "*UsageError: the marker mattermost knows clock, errors, network, timeout, not tiemout",
            "*_ test_assertion _*",
            ">*assert mattermost.api_calls(?CreatePost?)",
            "E*assert <no API calls of CreatePost; there were: none at all>",
            "*Captured mattermost call*",
            "log  info test.greeter: ready",
            'hook MessageWillBePosted(*message: "hi"*',
            "*_ test_error _*",
            "E *UnexpectedErrors: an error that the test did not expect (see expect_errors):",
            "*- test.greeter logged: MessageWillBePosted handler Greeter.message_will_be_posted failed",
            "*error: RuntimeError: broken",
            "*traceback: Traceback (most recent call last):",
            '*  File "*test_sample.py", line *, in message_will_be_posted',
            "*_ test_rejected _*",
            '>*ada.post(channel, "no")',
            "E*RejectedByPlugin: ada.post('no'): not here (MessageWillBePosted of test.greeter)",
            "*_ test_assertion_after_an_error _*",
            "E*AssertionError: assert ?'boom'? == ?'other'?",
            "*Captured mattermost errors call*",
            "*error: RuntimeError: broken",
            "*_ test_blocked_loop _*",
            "E*DeadlineError: ada.post('hi'): not done after 0.3 s",
            "E*The event loop is blocked, so nothing can go on. It stands here:",
            "*_ test_hook_that_hangs _*",
            "E*DeadlineError: ada.post('hi'): not done after 0.3 s",
            "*_ test_fault_not_met _*",
            "*- the test made GetUser fail, and no plugin called it as often as that",
            "*_ test_deadline _*",
            "E*DeadlineError: a miracle: not done after 0.1 s",
        ]
    )
    # What is shown is the test's own code, and nothing of what lies below it.
    result.stdout.no_fnmatch_line("*_core.py:*")
    result.stdout.no_fnmatch_line("*_loop_thread.py:*")
    result.stdout.no_fnmatch_line("*_dispatch.py:*")


def test_settings(pytester: pytest.Pytester) -> None:
    tests = """
        def test_errors_ignored(mattermost):
            mattermost.load(Greeter)
            ada, channel = lounge(mattermost)
            ada.post(channel, "boom")

        @pytest.mark.mattermost(errors="fail")
        def test_errors_after_all(mattermost):
            mattermost.load(Greeter)
            ada, channel = lounge(mattermost)
            ada.post(channel, "boom")

        def test_timeout(mattermost):
            assert mattermost._timeout_s == 25

        @pytest.mark.mattermost(timeout=0)
        def test_no_timeout(mattermost):
            assert mattermost._timeout_s is None
    """
    write(pytester, tests, "mattermost_errors = ignore\nmattermost_timeout = 25\n")
    pytester.runpytest_subprocess("-q").assert_outcomes(passed=3, failed=1)


def test_what_is_left_running_is_a_warning(pytester: pytest.Pytester) -> None:
    tests = """
        class Careless(Plugin):
            async def on_activate(self):
                self.task = asyncio.create_task(asyncio.Event().wait())

        def test_leftover(mattermost):
            mattermost.load(Careless)
    """
    pytester.makepyfile(PLUGIN + textwrap.dedent(tests))
    result = pytester.runpytest_subprocess("-q")
    result.assert_outcomes(passed=1, warnings=1)
    result.stdout.fnmatch_lines(["*LeftoverWarning: a task was still waiting: Event.wait at *"])


def test_the_marker_and_the_settings_are_listed(pytester: pytest.Pytester) -> None:
    pytester.runpytest_subprocess("--help").stdout.fnmatch_lines(["*mattermost_timeout*", "*mattermost_errors*"])
    markers = pytester.runpytest_subprocess("--markers")
    markers.stdout.fnmatch_lines(["@pytest.mark.mattermost(timeout=10, errors=*"])


def test_pytest_finds_it_by_the_entry_point() -> None:
    (entry,) = (each for each in importlib.metadata.entry_points(group="pytest11") if each.value == MODULE)
    assert entry.name == "mattermost"


def test_a_run_without_the_fixture_loads_nothing_of_the_server() -> None:
    script = f"import sys, json, {MODULE}\nprint(json.dumps(list(sys.modules)))"
    done = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, check=True)
    modules: list[str] = json.loads(done.stdout)
    assert MODULE in modules
    heavy = ("grpc", "sqlite3", "mattermost_plugin.devhost", "mattermost_plugin.testing._", "aiohttp")
    assert [name for name in modules if name.startswith(heavy)] == []
