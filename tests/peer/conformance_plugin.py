"""The conformance plugin under a host, and what its handlers were given."""

import json
from pathlib import Path
from typing import Any

from google.protobuf.json_format import MessageToDict

from mattermost_plugin import HookName
from mattermost_pluginapi.hooks.adapters import ADAPTERS
from tests.conformance.hook_cases import Fields
from tests.peer.conftest import start_plugin
from tests.peer.filled import filled
from tests.peer.gohost import CallResult, GoHost, GoPlugin, LogRecord

_LOG_TIMEOUT_S = 5.0
"""From a reply to its log line, which is written before it."""

_CHANGE_STATE = (HookName.OnActivate, HookName.OnDeactivate)


class ConformancePlugin:
    """A running conformance plugin.

    Args:
        folder: Where its handlers leave their arguments.
    """

    def __init__(self, host: GoHost, folder: Path) -> None:
        self._folder = folder
        self._active = False
        self._errors_seen = 0
        self.plugin: GoPlugin = start_plugin(
            host, "conformance.py", env={"CONFORMANCE_FOLDER": str(folder)}, activate=False
        )

    def call(self, hook: HookName, word: str, request: Fields | None = None) -> CallResult:
        """Calls a hook of the active plugin, by default with every field filled."""
        self.activate()
        self._active = hook not in _CHANGE_STATE
        self.prepare(hook, word)
        return self.plugin.call(hook, self.request(hook, word) if request is None else request)

    def prepare(self, hook: HookName, word: str) -> None:
        """Says what the handler is to do if its request has no text, and forgets its last call."""
        (self._folder / f"{hook}.json").unlink(missing_ok=True)
        (self._folder / f"{hook}.do").write_text(word)

    def activate(self) -> None:
        """Brings the plugin back from what a call has made of it."""
        if self._active:
            return
        for hook in (HookName.OnConfigurationChange, HookName.OnActivate):
            self.prepare(hook, "allow")
        result = self.plugin.call(HookName.OnActivate)
        assert result.ok
        assert result.response == {}
        self._active = True

    def request(self, hook: HookName, word: str) -> dict[str, Any]:
        """The request with every field filled, as protojson."""
        message = filled(ADAPTERS[hook].request_type, f"do={word}")
        return MessageToDict(message, preserving_proto_field_name=True)

    def arguments(self, hook: HookName) -> list[Any]:
        """What the hook's handler was called with, as protojson."""
        recorded = json.loads((self._folder / f"{hook}.json").read_text())
        assert isinstance(recorded, list)
        return recorded

    def was_called(self, hook: HookName) -> bool:
        return (self._folder / f"{hook}.json").exists()

    def failure(self, hook: HookName) -> LogRecord:
        """The next record of a failure of the hook's handler."""
        record = self.plugin.wait_log(
            f"{hook} handler", level="error", source="plugin", after=self._errors_seen, timeout=_LOG_TIMEOUT_S
        )
        self._errors_seen = record.index + 1
        return record
