"""Plugins that several tests load."""

import json

from mattermost_plugin import Plugin, Reject
from mattermost_plugin.config import RuntimeConfig
from mattermost_plugin.models import PluginContext, Post


class Counter(Plugin):
    """Counts posts, and how often it was started."""

    def __init__(self, config: RuntimeConfig | None = None) -> None:
        super().__init__(config=config)
        self.posts: list[str] = []
        self.events: list[str] = []

    def on_configuration_change(self) -> None:
        self.events.append(json.loads(self.api.load_plugin_configuration()).get("greeting", "none"))

    def on_activate(self) -> None:
        starts = int(self.api.kv_get("starts") or b"0") + 1
        self.api.kv_set("starts", str(starts).encode())

    def message_has_been_posted(self, context: PluginContext, post: Post) -> None:
        self.posts.append(post.message)

    def on_deactivate(self) -> None:
        # Called while the plugin ends: the API must still be there.
        self.api.kv_set("ended", b"1")
        self.api.log_info("goodbye")


class Strict(Plugin):
    def message_will_be_posted(self, context: PluginContext, post: Post) -> Reject | None:
        return Reject("no")
