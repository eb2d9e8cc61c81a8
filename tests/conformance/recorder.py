"""A plugin with a handler for every hook, which does what its test says."""

import inspect
from collections.abc import Awaitable, Callable
from functools import cache
from typing import Any, Literal, NamedTuple, TypeAlias

from google.protobuf.message import Message

from mattermost_plugin import HookName, Plugin, hook
from mattermost_plugin.config import RuntimeConfig
from mattermost_plugin.http import HTTPRequest, ReplacementFile, ResponseWriter, UploadedFile
from mattermost_plugin.models import FileInfo, PluginContext
from mattermost_pluginapi.hooks.adapters import ADAPTERS

# Any: handlers take whatever their hooks have.

Style: TypeAlias = Literal["async def", "def"]
STYLES: tuple[Style, ...] = ("async def", "def")

Act: TypeAlias = Callable[..., object]
"""Gets a handler's arguments and gives its result, or raises. For `async def` handlers it may be awaitable."""

HTTP_HOOKS = (HookName.ServeHTTP, HookName.ServeMetrics)

NEUTRAL: dict[HookName, object] = {HookName.RunDataRetention: 0, HookName.OnSharedChannelsPing: False}
"""Results that change nothing, where that is not None."""


class Replaced(NamedTuple):
    """A result of FileWillBeUploaded with a new content."""

    info: FileInfo
    content: bytes


class Recorder(Plugin):
    """Handles nothing itself; see `recorder`.

    Attributes:
        calls: the handlers that were called, with copies of their arguments.
        acts: what handlers do; those without do what changes nothing.
    """

    def __init__(self, config: RuntimeConfig | None = None) -> None:
        super().__init__(config=config)
        self.calls: list[tuple[HookName, list[Any]]] = []
        self.acts: dict[HookName, Act] = {}

    def called(self, name: HookName) -> list[list[Any]]:
        """The arguments of each call of a handler."""
        return [arguments for called, arguments in self.calls if called == name]

    def act(self, name: HookName, *arguments: object) -> Any:
        """Record a call and do what the test says."""
        self.calls.append((name, [_copy(argument) for argument in arguments]))
        act = self.acts.get(name)
        return NEUTRAL.get(name) if act is None else act(*arguments)


def _copy(argument: object) -> object:
    if isinstance(argument, Message):
        copy = type(argument)()
        copy.CopyFrom(argument)
        return copy
    if isinstance(argument, (str, bytes, int, type(None))):
        return argument
    assert isinstance(argument, list | tuple) or hasattr(argument, "__len__")
    return [_copy(each) for each in argument]  # type: ignore[attr-defined]  # a list of messages


@cache
def recorder(style: Style, *, strict: bool = False, timeout_s: float | None = None) -> type[Recorder]:
    """A recorder's class.

    Args:
        style: how its handlers are written.
        strict: whether a failure means the other of two things, in each hook that knows two.
        timeout_s: the time of each handler.
    """
    any_hook: Any = hook  # its overloads take one name each
    methods: dict[str, Any] = {}
    for name, adapter in ADAPTERS.items():
        others = [choice for choice in adapter.on_error_choices if choice != adapter.on_error] if strict else []
        options: dict[str, Any] = {"on_error": others[0]} if others else {}
        if timeout_s is not None and name not in HTTP_HOOKS:
            options["timeout"] = timeout_s
        methods[f"handle_{name}"] = any_hook(name, **options)(_handler(name, style))
    return type("Recording", (Recorder,), methods)


def _handler(name: HookName, style: Style) -> Any:
    if name in HTTP_HOOKS:
        return _serve(name) if style == "async def" else _serve_in_thread(name)
    if name is HookName.FileWillBeUploaded:
        return _upload() if style == "async def" else _upload_in_thread()

    async def handle(self: Recorder, *arguments: object) -> object:
        return await _awaited(self.act(name, *arguments))

    def handle_in_thread(self: Recorder, *arguments: object) -> object:
        return self.act(name, *arguments)

    return handle if style == "async def" else handle_in_thread


async def _awaited(result: object) -> object:
    return await result if inspect.isawaitable(result) else result


def _upload() -> Callable[..., Awaitable[object]]:
    async def handle(
        self: Recorder, context: PluginContext, info: FileInfo, file: UploadedFile, output: ReplacementFile
    ) -> object:
        content = b"".join([piece async for piece in file])
        result = await _awaited(self.act(HookName.FileWillBeUploaded, context, info, content))
        if isinstance(result, Replaced):
            await output.awrite(result.content)
            return result.info
        return result

    return handle


def _upload_in_thread() -> Callable[..., object]:
    def handle(
        self: Recorder, context: PluginContext, info: FileInfo, file: UploadedFile, output: ReplacementFile
    ) -> object:
        result = self.act(HookName.FileWillBeUploaded, context, info, b"".join(file))
        if isinstance(result, Replaced):
            output.write(result.content)
            return result.info
        return result

    return handle


def _serve(name: HookName) -> Callable[..., Awaitable[None]]:
    async def handle(self: Recorder, context: PluginContext, writer: ResponseWriter, request: HTTPRequest) -> None:
        self.calls.append((name, [_copy(context), request]))
        if name in self.acts:
            await _awaited(self.acts[name](writer, request))

    return handle


def _serve_in_thread(name: HookName) -> Callable[..., None]:
    def handle(self: Recorder, context: PluginContext, writer: ResponseWriter, request: HTTPRequest) -> None:
        self.calls.append((name, [_copy(context), request]))
        if name in self.acts:
            self.acts[name](writer, request)

    return handle
