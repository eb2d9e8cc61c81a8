"""The part of the server under test that tells what happened."""

from __future__ import annotations

import difflib
import re
from typing import Any, Final, TypeVar, overload

from google.protobuf.message import Message

from mattermost_plugin.devhost.events import ApiCalled, HookCalled, LogWritten, MailSent, WebSocketEvent
from mattermost_plugin.testing._faults import method_name
from mattermost_plugin.testing._plugin import PluginRef
from mattermost_plugin.testing._records import ApiCall, HookCall, LogLine, Records, api_call, hook_call, log_line
from mattermost_plugin.testing._server_plugins import ServerWithPlugins
from mattermost_plugin.testing.errors import MisuseError
from mattermost_pluginapi.hooks.adapters import ADAPTERS
from mattermost_pluginapi.hooks.names import HookName

__all__ = ["ServerWithRecords"]

__tracebackhide__ = True  # pytest shows the line of the test

RequestT = TypeVar("RequestT", bound=Message)
ResponseT = TypeVar("ResponseT", bound=Message)

_REQUEST: Final = "Request"

_HOOKS: Final = {str(hook): str(hook) for hook in HookName} | {
    adapter.method: str(hook) for hook, adapter in ADAPTERS.items()
}
"""Go names of the hooks by themselves and by their handlers' names."""


class ServerWithRecords(ServerWithPlugins):
    """Tells what happened: hooks, API calls, log lines, events, mails. It remembers the latest 10,000 events of all."""

    @overload
    def hooks(self, hook: str | None = None, *, plugin: PluginRef = None) -> Records[HookCall[Message, Message]]: ...
    @overload
    def hooks(
        self, hook: type[RequestT], response: None = None, *, plugin: PluginRef = None
    ) -> Records[HookCall[RequestT, Message]]: ...
    @overload
    def hooks(
        self, hook: type[RequestT], response: type[ResponseT], *, plugin: PluginRef = None
    ) -> Records[HookCall[RequestT, ResponseT]]: ...
    def hooks(
        self,
        hook: str | type[Message] | None = None,
        response: type[Message] | None = None,
        *,
        plugin: PluginRef = None,
    ) -> Records[HookCall[Any, Any]]:
        """The hooks that were called, in the order in which they ended.

        Args:
            hook: only these: the hook's Go name, the handler's name, or its request's class (of
                `mattermost_plugin.testing.messages`), which also gives `request` its type.
            response: the response's class, which gives `response` its type.
            plugin: only those of a plugin; None for all.
        """
        name = _checked_hook(hook) if isinstance(hook, str) else _name_of(hook)
        owner = self._id_or_all(plugin)
        events = self._history(HookCalled)
        events = [event for event in events if owner in (event.plugin_id, "")]
        records = (hook_call(event) for event in events if name in (event.hook, ""))
        return Records(records, f"calls of {name or 'hooks'}", (event.hook for event in events))

    @overload
    def api_calls(
        self, method: str | None = None, *, plugin: PluginRef = None
    ) -> Records[ApiCall[Message, Message]]: ...
    @overload
    def api_calls(
        self, method: type[RequestT], response: None = None, *, plugin: PluginRef = None
    ) -> Records[ApiCall[RequestT, Message]]: ...
    @overload
    def api_calls(
        self, method: type[RequestT], response: type[ResponseT], *, plugin: PluginRef = None
    ) -> Records[ApiCall[RequestT, ResponseT]]: ...
    def api_calls(
        self,
        method: str | type[Message] | None = None,
        response: type[Message] | None = None,
        *,
        plugin: PluginRef = None,
    ) -> Records[ApiCall[Any, Any]]:
        """The API calls that plugins made, in the order in which they ended.

        Args:
            method: only these: the method's Go name, the client's name of it, or its request's class (of
                `mattermost_plugin.testing.messages`), which also gives `request` its type.
            response: the response's class, which gives `response` its type.
            plugin: only those of a plugin; None for all.
        """
        name = method_name(method) if isinstance(method, str) else _name_of(method)
        owner = self._id_or_all(plugin)
        events = self._history(ApiCalled)
        events = [event for event in events if owner in (event.plugin_id, "")]
        records = (api_call(event) for event in events if name in (event.method, ""))
        return Records(records, f"API calls{name and ' of '}{name}", (event.method for event in events))

    def logs(self, match: str = "", *, level: str = "", plugin: PluginRef = None) -> Records[LogLine]:
        """Lines of the log: the server's own and the plugins'.

        Args:
            match: only those whose text contains it somewhere, as a regular expression.
            level: only those of this level: "trace", "debug", "info", "warn" or "error".
            plugin: only those of a plugin; None for all.
        """
        owner = self._id_or_all(plugin)
        events = self._history(LogWritten)
        lines = [log_line(event) for event in events if owner in (event.plugin_id, "")]
        found = (line for line in lines if level in (line.level, "") and re.search(match, line.message))
        what = " ".join(filter(None, (level, "log lines", match and f"that match {match!r}")))
        return Records(found, what, (f"{line.level} {line.message!r}" for line in lines[-5:]))

    def websocket_events(self, name: str = "") -> Records[WebSocketEvent]:
        """The events that clients were sent.

        Args:
            name: only these, such as "posted" or "custom_com.example.greeter_greeted".
        """
        events = self._history(WebSocketEvent)
        found = (event for event in events if name in (event.name, ""))
        return Records(found, f"websocket events{name and ' '}{name}", (event.name for event in events))

    def mails(self, to: str = "") -> Records[MailSent]:
        """The mails that the server would have sent.

        Args:
            to: only those to an address.
        """
        mails = self._history(MailSent)
        found = (mail for mail in mails if to in (mail.to, ""))
        return Records(found, f"mails{to and ' to '}{to}", (mail.to for mail in mails))

    def forget(self) -> None:
        """Forget all records, so that a test looks only at what comes. Errors that nobody expected stay noted."""
        self._read("forget()", lambda host: host.events.clear())

    def _id_or_all(self, plugin: PluginRef) -> str:
        return "" if plugin is None else self._id(plugin)


def _name_of(request: type[Message] | None) -> str:
    if request is None:
        return ""
    name = request.DESCRIPTOR.name
    if not name.endswith(_REQUEST):
        raise MisuseError(f"{name} is no request: give a class such as CreatePostRequest")
    return name.removesuffix(_REQUEST)


def _checked_hook(name: str) -> str:
    if name in _HOOKS:
        return _HOOKS[name]
    near = difflib.get_close_matches(name, _HOOKS, 1)
    raise MisuseError(f"there is no hook {name!r}" + (f"; is it {near[0]!r}?" if near else ""))
