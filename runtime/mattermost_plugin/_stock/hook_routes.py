"""How each hook of one request and one reply is read and answered."""

from __future__ import annotations

import json
import logging
from collections.abc import Callable
from dataclasses import dataclass, field
from functools import cache
from typing import TYPE_CHECKING, Any, Final

from google.protobuf.message import Message

from mattermost_plugin._dispatch import UnaryHook
from mattermost_plugin._gob import RecordTarget, Source, Target
from mattermost_plugin._gob.go_types import GoType
from mattermost_plugin._gob.puts import Fill, SetAttr
from mattermost_plugin._stock.go_types import go_type
from mattermost_plugin._stock.patch import PatchReply, patch_source
from mattermost_plugin._stock.struct_sources import struct_source
from mattermost_plugin._stock.struct_targets import struct_target
from mattermost_pluginapi.hooks.names import HookName
from mattermost_pluginapi.stock.methods import HOOKS
from mattermost_pluginapi.v1.hooks_file_pb2 import FileWillBeUploadedRequest

if TYPE_CHECKING:
    from mattermost_plugin._netrpc import Call
    from mattermost_plugin._stock.rpc_streams import RpcServer

__all__ = ["HookRoute", "UploadArguments", "hook_route", "upload_target"]

_log = logging.getLogger(__name__)

_MAX_NAMED: Final = 10
"""Fields in a log line."""

_MAX_TOLD: Final = 1000
"""Fields that were told of, after which no more are remembered."""

Keep = Callable[[Any], Message | None]
Finish = Callable[[Any, Any], object]


@dataclass(frozen=True, slots=True)
class HookRoute:
    """One hook of a plugin."""

    hook: UnaryHook[Any, Any]
    target: Target[Message]
    """What its arguments become."""
    type: GoType
    """Type of its result."""
    source: Source
    """Where the result comes from."""
    keep: Keep
    """What must be remembered of the request: a handler may change what it is given."""
    finish: Finish
    """Fits the response to what the host does with it, given what was kept. Returns what `source` takes."""
    told: set[str] = field(default_factory=set)
    """What was lost before of responses, and told of."""

    def answer(self, server: RpcServer, call: Call, kept: Message | None, response: Any) -> None:
        """Send a response."""
        value = self.finish(kept, response)
        server.reply(call, value, self.type, self.source)
        if isinstance(value, PatchReply) and value.lost:
            self._tell(call, value.lost)

    def answer_failure(self, server: RpcServer, call: Call, response: Any) -> None:
        """Send the response to a call that was given up: nothing is kept of its request."""
        nothing = self.keep(self.hook.adapter.request_type())
        server.reply_failure(call, self.finish(nothing, response), self.type, self.source)

    def _tell(self, call: Call, lost: list[str]) -> None:
        """Log what the host does not take from a response, once for each field."""
        news = [path for path in lost if path not in self.told]
        if not news:
            return
        if len(self.told) < _MAX_TOLD:
            self.told.update(news)
        _log.warning(
            "%s: stock servers cannot empty or remove what a hook returns, so this stays as it was: %s",
            call.method.rpartition(".")[2],
            ", ".join(news[:_MAX_NAMED]),
        )


def hook_route(name: HookName, hook: UnaryHook[Any, Any]) -> HookRoute:
    """The route of a hook that stock servers have.

    Raises:
        KeyError: they have no such hook.
    """
    arguments, results = HOOKS[name]
    keep, finish = _FITTINGS.get(name, (_keep_nothing, _finish_nothing))
    source = patch_source(results) if finish is _patch else struct_source(results)
    return HookRoute(hook, struct_target(arguments), go_type(results), source, keep, finish)


def _keep_nothing(request: Any) -> None:
    return None


def _finish_nothing(kept: object, response: Any) -> object:
    return response


def _keep_copy(field: str) -> Keep:
    def keep(request: Any) -> Message:
        value = getattr(request, field)
        copy: Message = type(value)()
        copy.CopyFrom(value)
        return copy

    return keep


def _patch(before: Message, response: Any) -> object:
    """The host decodes the reply into the object that it has sent."""
    return PatchReply(response, before, [])


def _give_back(before: Any, response: Any) -> object:
    """To the host, a reply without a post refuses the edit."""
    if not response.HasField("modified_post") and not response.rejection_reason:
        response.modified_post.CopyFrom(before)
    return response


def _refuse_config(before: Any, response: Any) -> object:
    """A configuration loses every false, 0 and "" on its way, and the server puts defaults in their places."""
    if not response.HasField("modified_config"):
        return response
    changed = _parsed(response.modified_config.config_json) != _parsed(before.config_json)
    response.ClearField("modified_config")
    if changed and not response.HasField("error"):
        text = (
            "the plugin changes the configuration, which this server cannot take from a plugin without resetting "
            "every setting that is off, 0 or empty to its default; refuse the configuration instead of changing it"
        )
        _log.error("ConfigurationWillBeSaved: %s", text)
        response.error.message = text
    return response


def _parsed(text: bytes) -> object:
    try:
        return json.loads(text)
    except ValueError:
        return text


_FITTINGS: Final[dict[HookName, tuple[Keep, Finish]]] = {
    HookName.MessageWillBePosted: (_keep_copy("post"), _patch),
    HookName.FileWillBeUploaded: (_keep_copy("file_info"), _patch),
    HookName.ChannelMemberWillBeAdded: (_keep_copy("channel_member"), _patch),
    HookName.TeamMemberWillBeAdded: (_keep_copy("team_member"), _patch),
    HookName.MessageWillBeUpdated: (_keep_copy("new_post"), _give_back),
    HookName.ConfigurationWillBeSaved: (_keep_copy("new_config"), _refuse_config),
}


class UploadArguments:
    """The arguments of FileWillBeUploaded: its request, and the numbers of its streams."""

    file_stream: object = 0
    replacement_stream: object = 0

    def __init__(self) -> None:
        self.request = FileWillBeUploadedRequest()
        self.plugin_context = self.request.plugin_context
        self.file_info = self.request.file_info

    @staticmethod
    def number(value: object) -> int:
        """The number of a stream; nothing vouches for the type."""
        return value if type(value) is int else 0


@cache
def upload_target() -> RecordTarget[UploadArguments]:
    """What the arguments of FileWillBeUploaded become."""
    return RecordTarget(
        UploadArguments,
        {
            "A": Fill("plugin_context", struct_target("plugin.Context as PluginContext")),
            "B": Fill("file_info", struct_target("model.FileInfo")),
            "UploadedFileStream": SetAttr("file_stream"),
            "ReplacementFileStream": SetAttr("replacement_stream"),
        },
    )
