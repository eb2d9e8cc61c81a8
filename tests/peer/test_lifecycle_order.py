"""The order of a plugin's life, as the host sees it."""

from pathlib import Path

import pytest

from tests.peer.conftest import in_background
from tests.peer.gohost import GoHost
from tests.peer.traced_plugin import TracedPlugin

SHORT_S = 1.0


def test_the_configuration_comes_once_before_the_activation(host: GoHost, tmp_path: Path) -> None:
    traced = TracedPlugin(host, tmp_path)
    assert traced.trace() == ["configuration", "activating", "active"]

    traced.plugin.call("OnConfigurationChange")

    assert traced.trace() == ["configuration", "activating", "active", "configuration"]
    traced.plugin.kill()


def test_a_failed_configuration_stops_nothing(host: GoHost, tmp_path: Path) -> None:
    traced = TracedPlugin(host, tmp_path, "configuration-fails")

    record = traced.plugin.wait_log("OnConfigurationChange handler", level="error")
    assert "the configuration is empty" in str(record.pairs["traceback"])
    assert traced.trace()[-1] == "active"
    again = traced.plugin.call("OnConfigurationChange")
    assert "the configuration is empty" in str(again.response["error"])
    traced.plugin.kill()


def test_a_hook_that_comes_early_waits_for_the_activation(host: GoHost, tmp_path: Path) -> None:
    traced = TracedPlugin(host, tmp_path, "activation-waits", activate=False)
    early = in_background(traced.plugin.call, "MessageHasBeenPosted")
    activation = in_background(traced.plugin.call, "OnActivate")
    traced.wait("activating")
    later = in_background(traced.plugin.call, "MessageHasBeenPosted")
    assert traced.plugin.ping().ok

    traced.release()

    for call in (activation, early, later):
        assert call.result().ok
    assert traced.trace() == ["configuration", "activating", "active", "posted", "posted"]
    traced.plugin.kill()


def test_a_hook_that_comes_before_the_activation_is_not_run(host: GoHost, tmp_path: Path) -> None:
    traced = TracedPlugin(host, tmp_path, activate=False)

    result = traced.plugin.call("MessageHasBeenPosted", timeout=SHORT_S)

    assert (result.code, result.response) == ("OK", {})
    traced.plugin.wait_log("MessageHasBeenPosted handler", level="error")
    traced.plugin.activate()
    assert traced.trace() == ["configuration", "activating", "active"]
    traced.plugin.kill()


def test_a_failed_activation_is_visible_and_may_be_repeated(host: GoHost, tmp_path: Path) -> None:
    traced = TracedPlugin(host, tmp_path, "activation-fails", activate=False)

    error = traced.plugin.call("OnActivate").response["error"]

    assert isinstance(error, dict)
    assert "the vault is sealed" in str(error["message"])
    assert "the vault is sealed" in str(error["detailed_error"])
    record = traced.plugin.wait_log("OnActivate handler", level="error")
    assert "traced.py" in str(record.pairs["traceback"])
    assert traced.plugin.call("MessageHasBeenPosted").response == {}

    traced.release()
    assert traced.plugin.call("OnActivate").response == {}

    assert traced.plugin.call("MessageHasBeenPosted").ok
    # The configuration is not read a second time; the post of the inactive plugin is not there.
    assert traced.trace() == ["configuration", "activating", "activating", "active", "posted"]
    traced.plugin.kill()


def test_no_hook_runs_after_the_deactivation(host: GoHost, tmp_path: Path) -> None:
    traced = TracedPlugin(host, tmp_path)

    assert traced.plugin.call("OnDeactivate").response == {}

    assert traced.plugin.call("MessageHasBeenPosted").response == {}
    assert traced.plugin.call("OnDeactivate").response == {}
    assert traced.trace()[3:] == ["deactivating", "deactivated"]
    traced.plugin.kill()
    assert traced.trace()[3:] == ["deactivating", "deactivated", "atexit"]


def test_a_plugin_that_never_was_active_is_not_deactivated(host: GoHost, tmp_path: Path) -> None:
    traced = TracedPlugin(host, tmp_path, activate=False)
    assert traced.plugin.call("OnDeactivate").response == {}

    assert traced.plugin.kill().graceful

    assert traced.trace() == ["atexit"]


@pytest.mark.parametrize("called_by_host", [True, False])
def test_a_failed_deactivation_ends_the_plugin_all_the_same(host: GoHost, tmp_path: Path, called_by_host: bool) -> None:
    traced = TracedPlugin(host, tmp_path, "deactivation-fails")
    if called_by_host:
        error = traced.plugin.call("OnDeactivate").response["error"]
        assert "the vault cannot be closed" in str(error)

    killed = traced.plugin.kill()

    assert killed.graceful
    assert killed.exit.exit_code == 0
    assert traced.trace().count("deactivating") == 1
    failures = [record for record in traced.plugin.logs() if "the vault cannot be closed" in str(record.pairs)]
    assert [record.level for record in failures] == ["error"]
