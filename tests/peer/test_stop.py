"""The end of a plugin process under go-plugin, and of its host.

What handlers and signals do then is in tests/conformance, over both wires.
"""

import sys
from pathlib import Path

import pytest

from tests.peer.conftest import PLUGINS, ROOT, StartPlugin, in_background
from tests.peer.gohost import GoHost, GoPlugin, KillResult, ProcessWatch
from tests.peer.traced_plugin import (
    BLOCK_THE_LOOP,
    HANG_IN_A_THREAD,
    START_A_CHILD,
    WAIT_ON_THE_LOOP,
    TracedPlugin,
)

# go-plugin waits 2 s and then sends SIGKILL: what is graceful is done before that.
GONE_WITHIN_S = 2.0
QUICK_MS = 1000

TASK_EXIT_CODE = 7


def check_tidy(traced: TracedPlugin) -> None:
    """What must have happened to a plugin that ended in good order."""
    assert traced.trace()[-3:] == ["deactivating", "deactivated", "atexit"]
    assert not Path(traced.plugin.address).parent.exists()


def check_quick(killed: KillResult) -> None:
    assert killed.graceful
    assert killed.exit.exit_code == 0
    assert killed.elapsed_ms < QUICK_MS


def test_kill_lets_the_plugin_do_its_last_work(host: GoHost, tmp_path: Path) -> None:
    traced = TracedPlugin(host, tmp_path)

    check_quick(traced.plugin.kill())

    check_tidy(traced)


def test_kill_after_a_deactivation_does_not_repeat_it(host: GoHost, tmp_path: Path) -> None:
    traced = TracedPlugin(host, tmp_path)
    traced.plugin.call("OnDeactivate")

    check_quick(traced.plugin.kill())

    assert traced.trace().count("deactivating") == 1


def test_the_end_of_the_host_is_the_end_of_the_plugin(mortal_host: GoHost, tmp_path: Path) -> None:
    traced = TracedPlugin(mortal_host, tmp_path)

    mortal_host.kill_host()

    assert traced.plugin.process.wait(GONE_WITHIN_S)
    check_tidy(traced)


def test_the_end_of_a_host_is_noticed_before_the_activation(mortal_host: GoHost, tmp_path: Path) -> None:
    traced = TracedPlugin(mortal_host, tmp_path, activate=False)

    mortal_host.kill_host()

    assert traced.plugin.process.wait(GONE_WITHIN_S)
    assert not Path(traced.plugin.address).parent.exists()


@pytest.mark.parametrize(
    ("hook", "event"), [(HANG_IN_A_THREAD, "hanging"), (WAIT_ON_THE_LOOP, "waiting"), (BLOCK_THE_LOOP, "blocking")]
)
def test_a_handler_does_not_let_the_plugin_outlive_its_host(
    mortal_host: GoHost, tmp_path: Path, hook: str, event: str
) -> None:
    traced = TracedPlugin(mortal_host, tmp_path)
    in_background(traced.plugin.call, hook)
    traced.wait(event)

    mortal_host.kill_host()

    assert traced.plugin.process.wait(GONE_WITHIN_S)


@pytest.fixture
def wrapped(mortal_host: GoHost, tmp_path: Path) -> tuple[GoPlugin, int]:
    """A plugin behind a shell script, and the pid of the plugin itself."""
    script = tmp_path / "wrapper.sh"
    # Not the last command, which a shell may exec.
    script.write_text(f'"{sys.executable}" "{PLUGINS / "traced.py"}"\nexit $?\n')
    plugin = mortal_host.start(
        ["/bin/sh", str(script)], env={"TRACE_FILE": str(tmp_path / "trace"), "PYTHONPATH": str(ROOT)}
    )
    plugin.activate()
    pid = plugin.wait_log("trace: active").pairs["pid"]
    assert isinstance(pid, int)
    assert pid != plugin.pid
    return plugin, pid


def test_a_plugin_behind_a_wrapper_does_not_outlive_its_host(
    mortal_host: GoHost, wrapped: tuple[GoPlugin, int], tmp_path: Path
) -> None:
    watch = ProcessWatch(wrapped[1])

    mortal_host.kill_host()

    assert watch.wait(GONE_WITHIN_S)
    assert (tmp_path / "trace").read_text().splitlines()[-2:] == ["deactivated", "atexit"]
    watch.close()


def test_a_plugin_behind_a_wrapper_is_stopped_as_any_other(wrapped: tuple[GoPlugin, int], tmp_path: Path) -> None:
    check_quick(wrapped[0].kill())

    assert (tmp_path / "trace").read_text().splitlines()[-2:] == ["deactivated", "atexit"]


@pytest.mark.parametrize("faults", [(), ("all-fds",)], ids=["by default", "all descriptors inherited"])
def test_a_child_does_not_hold_the_hosts_pipes(host: GoHost, tmp_path: Path, faults: tuple[str, ...]) -> None:
    traced = TracedPlugin(host, tmp_path, *faults)
    traced.plugin.call(START_A_CHILD)
    pid = traced.plugin.wait_log("the child runs").pairs["child"]
    assert isinstance(pid, int)
    child = ProcessWatch(pid)
    # What a child prints is in the log, and it does not take itself for a plugin.
    traced.plugin.wait_log("child has None", source="plugin")
    assert not child.wait(0)

    check_quick(traced.plugin.kill())

    child.kill()
    child.close()


def test_a_crash_leaves_its_stack_in_the_log(host: GoHost, tmp_path: Path) -> None:
    traced = TracedPlugin(host, tmp_path)
    in_background(traced.plugin.call, HANG_IN_A_THREAD)
    traced.wait("hanging")

    traced.plugin.signal("SIGABRT")

    assert traced.plugin.wait_exit().signal == "SIGABRT"
    stderr = traced.plugin.output().stderr
    assert "Fatal Python error: Aborted" in stderr
    assert "in user_has_logged_in" in stderr


def test_a_thread_left_behind_does_not_keep_the_plugin(start: StartPlugin) -> None:
    plugin = start("set_up.py", "none")
    plugin.call("UserHasLoggedIn")

    check_quick(plugin.kill())

    plugin.wait_log("Still running: MainThread, endless", level="error")
    plugin.wait_log("atexit", source="plugin")


def test_a_thread_left_behind_does_not_keep_the_plugin_after_sigterm(start: StartPlugin) -> None:
    plugin = start("set_up.py", "none")
    plugin.call("UserHasLoggedIn")

    plugin.signal("SIGTERM")

    assert plugin.wait_exit().exit_code == 0
    plugin.wait_log("atexit", source="plugin")


def test_a_task_that_calls_exit_ends_the_plugin_in_good_order(start: StartPlugin) -> None:
    plugin = start("set_up.py", "none")

    plugin.call("UserHasBeenCreated")

    assert plugin.wait_exit().exit_code == TASK_EXIT_CODE
    plugin.wait_log("deactivated", source="plugin")
    record = plugin.wait_log("a task of its own raised SystemExit", level="error")
    assert "in leave" in str(record.pairs["traceback"])
    assert not Path(plugin.address).parent.exists()
