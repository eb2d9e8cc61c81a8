"""Arguments that are JSON to handlers, and configurations."""

import asyncio
import json
from collections.abc import Awaitable, Callable
from typing import Any, cast

from mattermost_plugin import Plugin
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
