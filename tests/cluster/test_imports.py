"""What mutexes and jobs cost a plugin that uses none of them."""

from tests.unit.test_layers import loaded

OURS = {
    "_async_jobs",
    "_clock",
    "_held_lock",
    "_job_records",
    "_job_run",
    "_job_site",
    "_lock_store",
    "_locks",
    "_mutex",
    "_one_shots",
    "_recurring",
    "_schedule",
    "cluster",
    "jobs",
}


def ours(statement: str) -> set[str]:
    return {name.removeprefix("mattermost_plugin.") for name in loaded(statement)} & OURS


def test_who_uses_none_loads_none() -> None:
    assert ours("import mattermost_plugin") == set()
    assert ours("import mattermost_plugin._process, mattermost_plugin._plugin_server") == set()


def test_who_uses_them_loads_neither_grpc_nor_the_api() -> None:
    modules = loaded(
        "from mattermost_plugin import Plugin; plugin = Plugin(); plugin.cluster; plugin.jobs; plugin.clock"
    )
    assert {f"mattermost_plugin.{name}" for name in OURS} <= modules
    assert "grpc" not in modules
    assert "mattermost_pluginapi.api.client" not in modules
