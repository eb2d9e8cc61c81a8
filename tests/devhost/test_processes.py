"""Plugins as processes: started, ended, crashed and started again, on a host that goes on."""

import asyncio
import json
import os
import signal
import stat
from collections.abc import Awaitable, Callable
from pathlib import Path
from typing import Literal

import pytest

from mattermost_plugin.devhost import ApiError, DevHost, DevHostError, HttpQuestion, StartError
from mattermost_plugin.devhost.events import LogWritten, PluginChanged
from mattermost_plugin.devhost.plugins import PluginState
from mattermost_plugin.devhost.service import ApiService
from mattermost_pluginapi.v1.api_plugin_pb2 import (
    EnablePluginRequest,
    EnablePluginResponse,
    InstallPluginRequest,
    InstallPluginResponse,
)
from tests.devhost.archives import tar_gz

GREETER = Path(__file__).parents[2] / "examples" / "greeter"
GREETER_ID = "com.example.greeter"

SLOW = """
import os
from mattermost_plugin import Plugin, run_plugin

class Slow(Plugin):
    def message_will_be_posted(self, context, post):
        if post.message == "die":
            self.logger.error("about to die")
            os._exit(3)
        post.message += "!"
        return post

run_plugin(Slow)
"""


def folder_with(tmp_path: Path, source: str, **manifest: object) -> Path:
    folder = tmp_path / "plugin"
    folder.mkdir()
    (folder / "plugin.py").write_text(source, encoding="utf-8")
    fields = {"id": "slow", "name": "Slow", "server": {"executable": "plugin.py"}} | manifest
    (folder / "plugin.json").write_text(json.dumps(fields), encoding="utf-8")
    return folder


def run(
    scenario: Callable[[DevHost], Awaitable[None]], path: Path | None = None, network: Literal["unix", "tcp"] = "unix"
) -> None:
    async def inside() -> None:
        async with DevHost(path, network=network) as host:
            await scenario(host)

    asyncio.run(inside())


@pytest.mark.parametrize("network", ["unix", "tcp"])
def test_the_greeter_from_start_to_end(network: Literal["unix", "tcp"]) -> None:
    async def scenario(host: DevHost) -> None:
        plugin = await host.launch(GREETER)
        assert plugin.api_target.startswith("unix:/" if network == "unix" else "127.0.0.1:")
        pid = host.pid(GREETER_ID)
        assert (plugin.state, plugin.plugin_id) == (PluginState.RUNNING, GREETER_ID)
        assert await host.is_healthy(GREETER_ID)
        ada = await host.act.create_user("ada")
        team = await host.act.create_team("core")
        await host.act.join_team(team.id, ada.id)
        channel = await host.act.create_channel(team.id, "lobby", creator_id=ada.id)
        assert (await host.act.post(ada.id, channel.id, "Hello")).message == "Hello :wave:"
        with pytest.raises(ApiError, match="shout"):
            await host.act.post(ada.id, channel.id, "WHO ATE MY LUNCH")
        answer = await host.act.request(GREETER_ID, HttpQuestion(path="/hello", user_id=ada.id))
        assert answer.body.decode() == f"Hello, {ada.id}!\n"
        with pytest.raises(StartError, match="runs already"):
            await host.launch(GREETER)
        await host.restart(GREETER_ID)
        assert host.pid(GREETER_ID) != pid
        await host.disable(GREETER_ID)
        assert host.pid(GREETER_ID) is None
        assert (await host.act.post(ada.id, channel.id, "Hello")).message == "Hello"
        response = await ApiService(host.world, plugin).answer("EnablePlugin", EnablePluginRequest(id=GREETER_ID))
        assert response == EnablePluginResponse()
        assert host.plugin(GREETER_ID).state is PluginState.RUNNING
        logged = [line.message for line in host.events.history(LogWritten) if line.plugin_id == GREETER_ID]
        assert "activated" in logged
        assert "deactivated" in logged

    run(scenario, network=network)


def test_a_plugin_that_dies_in_a_hook(tmp_path: Path) -> None:
    async def scenario(host: DevHost) -> None:
        await host.launch(folder_with(tmp_path, SLOW))
        ada = await host.act.create_user("ada")
        team = await host.act.create_team("core")
        channel = await host.act.create_channel(team.id, "lobby", creator_id=ada.id)
        assert (await host.act.post(ada.id, channel.id, "x")).message == "x!"
        assert (await host.act.post(ada.id, channel.id, "die")).message == "die"
        died = await host.events.wait_for(PluginChanged, lambda event: event.state == "FAILED_TO_STAY_RUNNING")
        assert died.reason.startswith("exit code 3")
        assert "about to die" in died.reason
        assert host.plugin("slow").error == died.reason
        assert (await host.act.post(ada.id, channel.id, "x")).message == "x"
        await host.restart("slow")
        assert (await host.act.post(ada.id, channel.id, "x")).message == "x!"
        pid = host.pid("slow")
        assert pid is not None
        os.kill(pid, signal.SIGKILL)
        killed = await host.events.wait_for(PluginChanged, lambda event: event.reason.startswith("killed"))
        assert "SIGKILL" in killed.reason
        assert host.store.posts.count() == 4

    run(scenario)


@pytest.mark.parametrize(
    ("source", "reason"),
    [
        ("raise SystemExit('no config')", "no config"),
        ("print('hello')", "no handshake"),
        ("print('1|1|tcp|127.0.0.1:1|netrpc')", "protocol"),
        ("print('1|2|unix|/x|grpc')", "app protocol version"),
        ("print('1|1|unix|/nowhere/x|grpc')", "UNAVAILABLE"),
    ],
)
def test_a_plugin_that_does_not_start(tmp_path: Path, source: str, reason: str) -> None:
    async def scenario(host: DevHost) -> None:
        with pytest.raises(StartError, match=reason):
            await host.launch(folder_with(tmp_path, source))
        assert host.plugin("slow").state is PluginState.FAILED_TO_START
        (tmp_path / "plugin" / "plugin.py").write_text(SLOW, encoding="utf-8")
        await host.restart("slow")
        assert host.plugin("slow").state is PluginState.RUNNING

    run(scenario)


@pytest.mark.parametrize(
    ("manifest", "reason"),
    [
        ({"server": {}}, "names no server.executable"),
        ({"server": {"executable": "gone.py"}}, "not in the folder"),
        ({"server": {"executable": "../plugin.py"}}, "not in the folder"),
        ({"id": ""}, "has no id"),
        ({"id": 5}, "cannot be used"),
    ],
)
def test_a_manifest_that_cannot_be_used(tmp_path: Path, manifest: dict[str, object], reason: str) -> None:
    async def scenario(host: DevHost) -> None:
        with pytest.raises(StartError, match=reason):
            await host.launch(folder_with(tmp_path, SLOW, **manifest))

    run(scenario)


def test_what_is_not_there(tmp_path: Path) -> None:
    async def scenario(host: DevHost) -> None:
        with pytest.raises(StartError, match=r"plugin\.json"):
            await host.launch(tmp_path)
        with pytest.raises(DevHostError, match="there is no plugin"):
            await host.restart("nobody")
        folder = folder_with(tmp_path, SLOW)
        await host.launch(folder)
        manifest = json.loads((folder / "plugin.json").read_text()) | {"id": "other"}
        (folder / "plugin.json").write_text(json.dumps(manifest))
        with pytest.raises(StartError, match="now has the id 'other'"):
            await host.restart("slow")

    run(scenario)


def test_a_kept_file_outlives_the_host(tmp_path: Path) -> None:
    path = tmp_path / "state.sqlite"

    async def write(host: DevHost) -> None:
        await host.act.create_user("ada")

    async def read(host: DevHost) -> None:
        assert host.store.users.by_username("ada") is not None

    run(write, path)
    run(read, path)


def test_what_came_from_bundles_goes_with_the_host(tmp_path: Path) -> None:
    path = tmp_path / "state.sqlite"
    left = tmp_path / "state.sqlite.plugins" / "left"

    async def scenario(host: DevHost) -> None:
        assert not left.exists()
        api = ApiService(host.world, host.plugin("a"))
        data = tar_gz({"plugin.json": b'{"id": "one"}'})
        await api.answer("InstallPlugin", InstallPluginRequest(file_data=data))
        assert host.plugin("one").folder.is_dir()

    async def inside() -> None:
        left.mkdir(parents=True)
        async with DevHost(path) as host:
            await host.open_api("a")
            await scenario(host)

    asyncio.run(inside())
    assert not left.parent.exists()
    assert path.exists()


def test_a_plugins_socket_is_its_own(tmp_path: Path) -> None:
    async def scenario(host: DevHost) -> None:
        first, second = Path((await host.open_api("a"))[5:]), Path((await host.open_api("b"))[5:])
        assert first != second
        assert {stat.S_IMODE(path.parent.stat().st_mode) for path in (first, second)} == {0o700}
        assert await host.open_api("a") == f"unix:{first}"
        await host.close()
        assert not first.parent.exists()

    run(scenario)


def test_a_plugin_that_is_installed_again_while_it_runs(tmp_path: Path) -> None:
    async def scenario(host: DevHost) -> None:
        def bundle(name: str, source: str = SLOW) -> bytes:
            fields = {"id": "slow", "name": name, "server": {"executable": "plugin.py"}}
            return tar_gz({"plugin.json": json.dumps(fields).encode(), "plugin.py": source.encode()})

        other = await host.launch(GREETER)
        api = ApiService(host.world, other)

        async def install(data: bytes) -> InstallPluginResponse:
            response = await api.answer("InstallPlugin", InstallPluginRequest(file_data=data, replace=True))
            assert isinstance(response, InstallPluginResponse)
            return response

        await install(bundle("One"))
        assert host.plugin("slow").state is PluginState.NOT_RUNNING
        await host.enable("slow")
        pid, first = host.pid("slow"), host.plugin("slow").folder
        await install(bundle("Two"))
        slow = host.plugin("slow")
        assert (slow.state, slow.manifest.name) == (PluginState.RUNNING, "Two")
        assert host.pid("slow") not in (None, pid)
        assert not first.exists()
        # From itself: it is answered first, and ends then.
        itself = ApiService(host.world, slow)
        request = InstallPluginRequest(file_data=bundle("Three"), replace=True)
        response = await itself.answer("InstallPlugin", request)
        assert isinstance(response, InstallPluginResponse)
        assert response.manifest.name == "Three"
        await host.settle()
        assert (slow.state, slow.manifest.name) == (PluginState.RUNNING, "Three")
        answer = await install(bundle("Four", "raise SystemExit('broken')"))
        assert (answer.error.id, answer.error.status_code) == ("app.plugin.restart.app_error", 500)
        assert "broken" in answer.error.detailed_error
        assert slow.state is PluginState.FAILED_TO_START
        # Enabling says nothing of a plugin that does not start; its status does.
        response = await api.answer("EnablePlugin", EnablePluginRequest(id="slow"))
        assert response == EnablePluginResponse()
        assert slow.state is PluginState.FAILED_TO_START
        assert any("slow does not start" in line.message for line in host.events.history(LogWritten))

    run(scenario)
