"""Finds the handlers of a plugin class and checks them when the class is made."""

import inspect
from collections.abc import Callable, Iterator, Mapping
from typing import Any, NamedTuple

from mattermost_plugin.errors import HookRegistrationError
from mattermost_plugin.hooks import MARKS_ATTRIBUTE, HookMark
from mattermost_pluginapi.hooks.adapters import ADAPTERS
from mattermost_pluginapi.hooks.names import HookName
from mattermost_pluginapi.hooks.results import OnError
from mattermost_pluginapi.hooks.stubs import PluginHooks

_HOOK_BY_STUB = {adapter.method: name for name, adapter in ADAPTERS.items()}


class HandlerSpec(NamedTuple):
    """A plugin class's handler of one hook."""

    hook: HookName
    attribute: str
    """Name of the method in the class."""
    label: str
    """Class and method, for messages."""
    function: Callable[..., Any]
    is_async: bool
    on_error: OnError
    timeout_s: float | None
    """The author's own limit; None for the plugin's setting."""


def collect_handlers(plugin_class: type) -> Mapping[HookName, HandlerSpec]:
    """The handlers of a plugin class, inherited ones included, in the order of the hooks.

    A handler in a subclass takes the place of an inherited one, whatever its method is called.

    Raises:
        HookRegistrationError: one class has two handlers for a hook, or a handler cannot take its hook's arguments.
    """
    found: dict[HookName, tuple[int, HandlerSpec]] = {}
    for depth, spec in _candidates(plugin_class):
        rival = found.get(spec.hook)
        if rival is not None and rival[0] == depth:
            raise HookRegistrationError(
                f"{spec.hook} has two handlers in one class: {rival[1].label} and {spec.label}",
                hook=spec.hook,
                handler=spec.label,
            )
        if rival is None or depth < rival[0]:
            found[spec.hook] = (depth, spec)
    return {name: found[name][1] for name in HookName if name in found}


def _candidates(plugin_class: type) -> Iterator[tuple[int, HandlerSpec]]:
    """Every handler that the class has or inherits, with its distance in the method resolution order."""
    mro = [base for base in plugin_class.__mro__ if base is not object and base is not PluginHooks]
    seen: set[str] = set()
    for depth, base in enumerate(mro):
        for attribute, value in vars(base).items():
            if attribute in seen:
                continue
            seen.add(attribute)
            for mark in _marks(attribute, value, mro[depth:]):
                yield depth, _spec(plugin_class, attribute, value, mark)


def _marks(attribute: str, value: object, definitions: list[type]) -> Iterator[HookMark]:
    # A method that overrides a decorated one stays the handler of its hook, decorated again or not.
    for base in definitions:
        definition = vars(base).get(attribute)
        # @staticmethod above @hook hides the mark one level down; it is found here and refused below.
        definition = getattr(definition, "__func__", definition)
        marks: tuple[HookMark, ...] = getattr(definition, MARKS_ATTRIBUTE, ())
        if marks:
            yield from marks
            return
    stub = _HOOK_BY_STUB.get(attribute)
    if stub is not None:
        yield HookMark(stub, None, None)


def _spec(plugin_class: type, attribute: str, value: Any, mark: HookMark) -> HandlerSpec:
    adapter = ADAPTERS[mark.hook]
    label = f"{plugin_class.__name__}.{attribute}"
    if isinstance(value, (staticmethod, classmethod)) or not callable(value) or not hasattr(type(value), "__get__"):
        raise HookRegistrationError(
            f"{label} must be a plain method to handle {mark.hook}, not a {type(value).__name__}",
            hook=mark.hook,
            handler=label,
        )
    if inspect.isasyncgenfunction(value) or inspect.isgeneratorfunction(value):
        raise HookRegistrationError(
            f"{label} is a generator; a handler returns its result", hook=mark.hook, handler=label
        )
    _check_arity(value, label, mark.hook, adapter.parameters)
    return HandlerSpec(
        hook=mark.hook,
        attribute=attribute,
        label=label,
        function=value,
        is_async=inspect.iscoroutinefunction(value),
        on_error=mark.on_error or adapter.on_error,
        timeout_s=mark.timeout_s,
    )


def _check_arity(function: Callable[..., Any], label: str, hook: HookName, parameters: tuple[str, ...]) -> None:
    signature = inspect.signature(function)
    try:
        signature.bind(*("self", *parameters))
    except TypeError as error:
        wanted = ", ".join(("self", *parameters))
        raise HookRegistrationError(
            f"{label} must take ({wanted}) to handle {hook}, but takes {signature}", hook=hook, handler=label
        ) from error
