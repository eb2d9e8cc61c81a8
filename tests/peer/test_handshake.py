"""The start of a plugin process: what it tells the host, and how it fails where the reader of a log sees why."""

import os
import shutil
import stat
import subprocess
import sys
from pathlib import Path

import pytest

from mattermost_plugin import HookName
from tests.peer.conftest import PLUGINS, StartPlugin, in_background, start_plugin
from tests.peer.gohost import GoHost, LogRecord, StartError
from tests.peer.traced_plugin import TracedPlugin

BARE = [sys.executable, str(PLUGINS / "bare.py")]


def error_of(failed: pytest.ExceptionInfo[StartError], text: str) -> LogRecord:
    """The plugin's own error record with that text."""
    return failed.value.plugin.wait_log(text, level="error", source="plugin")


def test_the_default_is_a_unix_socket_of_the_user_alone(start: StartPlugin) -> None:
    plugin = start("bare.py")

    assert (plugin.network, plugin.protocol, plugin.app_version) == ("unix", "grpc", 1)
    folder = Path(plugin.address).parent
    assert stat.S_IMODE(folder.stat().st_mode) == 0o700
    assert folder.stat().st_uid == os.getuid()
    assert stat.S_ISSOCK(Path(plugin.address).stat().st_mode)

    plugin.kill()

    assert not folder.exists()


def test_the_socket_is_where_the_host_wants_it(start: StartPlugin, tmp_path: Path) -> None:
    plugin = start("bare.py", env={"PLUGIN_UNIX_SOCKET_DIR": str(tmp_path)})

    assert Path(plugin.address).parent.parent == tmp_path
    plugin.kill()
    assert list(tmp_path.iterdir()) == []


def test_the_socket_is_open_to_the_group_that_the_host_names(start: StartPlugin) -> None:
    plugin = start("bare.py", env={"PLUGIN_UNIX_SOCKET_GROUP": str(os.getgid())})

    socket = Path(plugin.address)
    assert stat.S_IMODE(socket.stat().st_mode) == 0o660
    assert stat.S_IMODE(socket.parent.stat().st_mode) == 0o710
    assert socket.stat().st_gid == os.getgid()


def test_tcp_by_setting(start: StartPlugin) -> None:
    plugin = start("bare.py", env={"MATTERMOST_PLUGIN_LISTEN": "tcp"})

    assert plugin.network == "tcp"
    assert plugin.address.startswith("127.0.0.1:")
    assert plugin.ping().ok


def test_a_temporary_folder_too_deep_for_a_socket_is_not_used(start: StartPlugin, tmp_path: Path) -> None:
    deep = tmp_path / ("d" * 120)
    deep.mkdir()

    plugin = start("bare.py", env={"TMPDIR": str(deep)})

    assert plugin.network == "unix"
    plugin.wait_log("too long a path for a unix socket", level="warn")


def test_a_plugin_is_started_in_its_folder_by_a_relative_path(host: GoHost, tmp_path: Path) -> None:
    (tmp_path / "plugin.json").write_text('{"id": "com.example.relative", "version": "1.0.0"}')
    (tmp_path / "server").mkdir()
    shutil.copy(PLUGINS / "noisy.py", tmp_path / "server" / "plugin.py")

    plugin = host.start([sys.executable, "server/plugin.py"], cwd=tmp_path, env={"PYTHONUNBUFFERED": None})

    assert plugin.call("OnActivate").ok
    plugin.call("ExecuteCommand", {"args": {"command": "levels"}})
    # The logger has the plugin's id, which the host tells nobody: it is in the manifest.
    assert plugin.wait_log("at error").pairs["@module"] == "com.example.relative"
    plugin.kill()


def test_a_plugin_needs_nothing_of_the_hosts_environment(host: GoHost) -> None:
    plugin = host.start(BARE, skip_host_env=True)

    assert plugin.call("OnActivate").ok
    assert plugin.kill().graceful


def test_many_plugins_start_at_the_same_time(host: GoHost) -> None:
    starts = [in_background(host.start, BARE) for _ in range(8)]

    plugins = [start.result() for start in starts]

    assert len({plugin.address for plugin in plugins}) == len(plugins)
    assert all(plugin.call("OnActivate").ok for plugin in plugins)
    for plugin in plugins:
        plugin.kill()


def test_only_the_hooks_of_the_plugin_are_named(start: StartPlugin) -> None:
    assert start("bare.py").implemented() == [HookName.OnActivate, HookName.OnDeactivate]
    assert start("web_async.py").implemented() == [
        HookName.OnActivate,
        HookName.OnDeactivate,
        HookName.ServeHTTP,
        HookName.ServeMetrics,
    ]


def test_a_hook_that_is_not_handled_is_unimplemented(start: StartPlugin) -> None:
    plugin = start("bare.py")

    assert plugin.call("MessageWillBePosted").code == "UNIMPLEMENTED"
    assert plugin.stream([{"init": {}}]).code == "UNIMPLEMENTED"
    assert plugin.call_raw("/no.such.Service/Method").code == "UNIMPLEMENTED"


def test_bytes_that_are_no_request_end_only_their_call(start: StartPlugin) -> None:
    plugin = start("bare.py")

    assert plugin.call_raw("/mattermost.pluginapi.v1.PluginHooks/OnActivate", b"\xff\xff").code != "OK"
    assert plugin.call("OnActivate").ok


def test_the_health_service_knows_its_names(start: StartPlugin) -> None:
    plugin = start("bare.py")

    assert plugin.ping().ok
    assert (plugin.health("plugin").code, plugin.health("plugin").status) == ("OK", "SERVING")
    assert (plugin.health("").code, plugin.health("").status) == ("OK", "SERVING")
    assert plugin.health("unknown").code == "NOT_FOUND"


def test_go_plugin_has_nothing_to_complain_about(start: StartPlugin) -> None:
    plugin = start("bare.py")
    plugin.ping()
    plugin.kill()

    assert [record for record in plugin.logs() if record.level in ("warn", "error")] == []
    output = plugin.output()
    assert (output.stderr, output.sync_stdout, output.sync_stderr) == ("", "", "")


def test_one_common_version_is_enough(host: GoHost) -> None:
    plugin = host.start(BARE, protocol_versions=[9, 1, 2])

    assert plugin.app_version == 1
    plugin.kill()


def test_without_a_common_version_the_host_says_so(host: GoHost) -> None:
    with pytest.raises(StartError, match="incompatible API version with plugin") as failed:
        host.start(BARE, protocol_version=9)

    error_of(failed, "the host offers plugin protocol 9; this plugin speaks 1 only")


def test_a_wrong_cookie_is_explained(host: GoHost) -> None:
    with pytest.raises(StartError, match="not what a Mattermost server puts there") as failed:
        host.start(BARE, cookie="something else")

    assert failed.value.exit.exit_code == 1


def test_by_hand_a_plugin_explains_itself() -> None:
    env = {name: value for name, value in os.environ.items() if name != "MATTERMOST_PLUGIN"}

    done = subprocess.run(BARE, env=env, capture_output=True, text=True, timeout=30)

    assert (done.returncode, done.stdout) == (1, "")
    assert "run by hand it has nothing to do" in done.stderr
    assert "Traceback" not in done.stderr


def test_a_group_that_is_none_stops_the_start(host: GoHost) -> None:
    with pytest.raises(StartError) as failed:
        host.start(BARE, env={"PLUGIN_UNIX_SOCKET_GROUP": "no-such-group"})

    assert failed.value.exit.exit_code == 1
    error_of(failed, "no-such-group")


def test_auto_mtls_is_refused_with_its_reason(host: GoHost) -> None:
    with pytest.raises(StartError) as failed:
        host.start(BARE, auto_mtls=True)

    assert failed.value.exit.exit_code == 1
    error_of(failed, "The host asks for AutoMTLS")


def test_multiplexing_is_refused_by_the_host(host: GoHost) -> None:
    with pytest.raises(StartError, match="multiplexing but plugin does not support"):
        host.start(BARE, multiplex=True)


def test_an_exception_at_import_is_in_the_log(host: GoHost) -> None:
    with pytest.raises(StartError) as failed:
        start_plugin(host, "broken.py", "import")

    assert failed.value.exit.exit_code == 1
    assert "the module is broken" in str(error_of(failed, "uncaught RuntimeError").pairs["traceback"])


def test_an_exception_before_the_sdk_is_imported_is_in_the_log(host: GoHost) -> None:
    with pytest.raises(StartError, match="the module is broken early") as failed:
        start_plugin(host, "broken.py", "early")

    assert failed.value.exit.exit_code == 1


def test_an_exception_in_the_constructor_is_in_the_log(host: GoHost, tmp_path: Path) -> None:
    with pytest.raises(StartError) as failed:
        TracedPlugin(host, tmp_path, "init-fails")

    assert failed.value.exit.exit_code == 1
    assert "no vault was found" in str(error_of(failed, "uncaught RuntimeError").pairs["traceback"])


def test_a_handler_that_does_not_fit_its_hook_is_in_the_log(host: GoHost) -> None:
    with pytest.raises(StartError) as failed:
        start_plugin(host, "broken.py", "handler")

    traceback = str(error_of(failed, "uncaught HookRegistrationError").pairs["traceback"])
    assert "must take (self, context, post) to handle MessageWillBePosted" in traceback


@pytest.mark.parametrize(
    ("variable", "value"),
    [
        ("MATTERMOST_PLUGIN_WORKERS", "many"),
        ("MATTERMOST_PLUGIN_HOOK_TIMEOUT", "-1"),
        ("MATTERMOST_PLUGIN_LISTEN", "udp"),
        ("MATTERMOST_PLUGIN_LOG_LEVEL", "loud"),
    ],
)
def test_a_bad_setting_is_named_and_stops_the_start(host: GoHost, variable: str, value: str) -> None:
    with pytest.raises(StartError) as failed:
        start_plugin(host, "bare.py", env={variable: value})

    assert failed.value.exit.exit_code == 1
    assert variable in error_of(failed, f"{variable}='{value}'").message


def test_every_bad_setting_is_named_at_once(host: GoHost) -> None:
    with pytest.raises(StartError) as failed:
        start_plugin(host, "bare.py", env={"MATTERMOST_PLUGIN_WORKERS": "0", "MATTERMOST_PLUGIN_REFLECTION": "perhaps"})

    message = error_of(failed, "MATTERMOST_PLUGIN_WORKERS='0'").message
    assert "MATTERMOST_PLUGIN_REFLECTION='perhaps'" in message
