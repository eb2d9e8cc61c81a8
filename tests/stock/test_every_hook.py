"""Every hook of the stock wire's table, and arguments that are JSON to handlers."""

import asyncio
import json
from collections.abc import Awaitable, Callable
from typing import Any, cast

import pytest

from mattermost_plugin import Plugin
from mattermost_plugin._gob.go_types import GoStruct
from mattermost_plugin._stock.go_types import go_type
from mattermost_pluginapi.hooks.adapters import ADAPTERS
from mattermost_pluginapi.hooks.names import HookName
from mattermost_pluginapi.stock.methods import HOOKS
from tests.stock.stand_in import served


def run(scenario: Callable[[], Awaitable[None]]) -> None:
    asyncio.run(cast("Any", scenario()))


def test_a_changed_configuration_is_refused_and_an_unchanged_one_saved() -> None:
    class Config(Plugin):
        changes = False

        def configuration_will_be_saved(self, new_config: Any) -> Any:
            config = json.loads(new_config.config_json)
            if self.changes:
                config["ServiceSettings"]["SiteURL"] = "http://other"
            new_config.config_json = json.dumps(config, indent=1).encode()
            return new_config

    async def scenario() -> None:
        async with served(Config) as (host, server):
            config = {"ServiceSettings": {"SiteURL": "http://here"}}
            assert await host.hook("ConfigurationWillBeSaved", {"A": config}) == {}
            cast("Config", server.plugin).changes = True
            results = await host.hook("ConfigurationWillBeSaved", {"A": config})
            assert "A" not in results
            assert "cannot take" in results["B"]["Err"]

    run(scenario)


@pytest.mark.parametrize("name", sorted(set(HOOKS) - {"OnActivate", "OnDeactivate", "FileWillBeUploaded"}))
def test_every_hook_of_the_table_can_be_called(name: str) -> None:
    adapter = ADAPTERS[HookName(name)]
    called: list[tuple[object, ...]] = []

    async def handler(self: Plugin, *arguments: object) -> None:
        called.append(arguments)

    names = ", ".join(adapter.parameters)
    scope: dict[str, Any] = {"handler": handler}
    exec(f"async def {adapter.method}(self, {names}): await handler(self, {names})", scope)
    plugin = type("Sole", (Plugin,), {adapter.method: scope[adapter.method]})

    async def scenario() -> None:
        async with served(plugin) as (host, _):
            assert name in cast("list[str]", await host.implemented())
            struct = go_type(HOOKS[name][0])
            assert isinstance(struct, GoStruct)
            arguments: dict[str, object] = {field.name: {} for field in struct.fields if _is_struct(field.type)}
            await host.hook(name, arguments)

    run(scenario)
    # The first one comes before OnActivate.
    (arguments,) = called[:-1] if name == "OnConfigurationChange" else called
    assert len(arguments) == len(adapter.parameters)


def _is_struct(field_type: Any) -> bool:
    return hasattr(getattr(field_type, "elem", field_type), "fields")


def test_json_arguments_come_as_the_server_has_them() -> None:
    class Notified(Plugin):
        seen: Any = None

        def email_notification_will_be_sent(self, email_notification: Any) -> None:
            type(self).seen = email_notification

    async def scenario() -> None:
        async with served(Notified) as (host, _):
            await host.hook("EmailNotificationWillBeSent", {"A": {"PostId": "p1", "SenderId": "u1"}})

    run(scenario)
    assert json.loads(Notified.seen.notification_json)["post_id"] == "p1"
