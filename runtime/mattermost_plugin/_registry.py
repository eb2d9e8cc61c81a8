"""Finds the handlers of a plugin class and checks them when the class is made."""

import functools
import inspect
from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import Any, Final, NamedTuple, TypeGuard

from mattermost_plugin.errors import HookRegistrationError
from mattermost_plugin.hooks import HookMark, forget_marked, own_marks
from mattermost_pluginapi.hooks.adapters import ADAPTERS
from mattermost_pluginapi.hooks.names import HookName
from mattermost_pluginapi.hooks.results import OnError
from mattermost_pluginapi.hooks.stubs import PluginHooks

_HOOK_BY_STUB: Final = {adapter.method: name for name, adapter in ADAPTERS.items()}
_OTHER_METHODS: Final = (staticmethod, classmethod, functools.partialmethod)


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


class _Definition(NamedTuple):
    """A method that handles a hook where it is defined, seen or hidden from the plugin class."""

    owner: type
    attribute: str
    value: object
    mark: HookMark
    seen_in: type
    """Where the attribute is found in truth: the owner, or a class that hides it."""

    @property
    def is_visible(self) -> bool:
        return self.seen_in is self.owner

    @property
    def label(self) -> str:
        return f"{self.owner.__name__}.{self.attribute}"


def collect_handlers(plugin_class: type) -> Mapping[HookName, HandlerSpec]:
    """The handlers of a plugin class, inherited ones included, in the order of the hooks.

    A handler takes the place of those in the classes that its own derives from, whatever the methods are called. What
    its @hook leaves unset is as they have it.

    Raises:
        HookRegistrationError: see `HookDecorator`.
    """
    for base in plugin_class.__mro__:
        _check_marks_arrived(base)
    _check_spelling(plugin_class)
    by_hook: dict[HookName, list[_Definition]] = {}
    for definition in _definitions(plugin_class):
        by_hook.setdefault(definition.mark.hook, []).append(definition)
    specs = {}
    for name in HookName:
        definitions = by_hook.get(name, [])
        winner = _winner(plugin_class, definitions)
        if winner is not None:
            replaced = [definition for definition in definitions if issubclass(winner.owner, definition.owner)]
            specs[name] = _spec(plugin_class, winner, [definition.mark for definition in replaced])
    return specs


def _definitions(plugin_class: type) -> Iterator[_Definition]:
    """Every handler that the class or a base defines, in the method resolution order."""
    seen_in: dict[str, type] = {}
    for owner in plugin_class.__mro__:
        for attribute, value in vars(owner).items():
            first = seen_in.setdefault(attribute, owner)
            if owner is not PluginHooks:
                for mark in _marks(attribute, owner):
                    yield _Definition(owner, attribute, value, mark, first)


def _winner(plugin_class: type, definitions: Sequence[_Definition]) -> _Definition | None:
    """The one of a hook's handlers that is called; None if all of them were overridden by methods for other hooks."""
    visible = [definition for definition in definitions if definition.is_visible]
    winner = visible[0] if visible else None
    if winner is not None and len(visible) > 1 and visible[1].owner is winner.owner:
        first, second = (f"{plugin_class.__name__}.{definition.attribute}" for definition in visible[:2])
        raise HookRegistrationError(
            f"{winner.mark.hook} has two handlers in one class: {first} and {second}",
            hook=winner.mark.hook,
            handler=second,
        )
    for other in definitions:
        is_replaced = winner is not None and issubclass(winner.owner, other.owner)
        is_overridden = not other.is_visible and issubclass(other.seen_in, other.owner)
        if not is_replaced and not is_overridden:
            raise _would_be_lost(plugin_class, other, winner)
    return winner


def _would_be_lost(plugin_class: type, lost: _Definition, winner: _Definition | None) -> HookRegistrationError:
    plugin, owner = plugin_class.__name__, lost.owner.__name__
    if winner is None and lost.seen_in is PluginHooks:
        reason = f"the stub in Plugin hides it: put {owner} before Plugin in the bases of {plugin}"
    else:
        rival = winner.label if winner is not None else f"{lost.seen_in.__name__}.{lost.attribute}"
        reason = (
            f"{rival} comes first and {rival.partition('.')[0]} does not derive from {owner}: "
            f"define a handler in {plugin} itself; it can call both"
        )
    return HookRegistrationError(
        f"{lost.label} would never handle {lost.mark.hook}, because {reason}", hook=lost.mark.hook, handler=lost.label
    )


def _marks(attribute: str, owner: type) -> Iterator[HookMark]:
    # A method that overrides a decorated one stays the handler of its hook, decorated again or not.
    for base in owner.__mro__:
        marks = own_marks(vars(base).get(attribute))
        if marks:
            yield from marks
            return
    stub = _HOOK_BY_STUB.get(attribute)
    if stub is not None:
        yield HookMark(stub, None, None)


def _check_marks_arrived(owner: type) -> None:
    expected = forget_marked(owner.__module__, owner.__qualname__)
    if not expected:
        return
    arrived = {mark.hook for value in vars(owner).values() for mark in own_marks(value)}
    for name, marks in expected.items():
        for mark in marks:
            if mark.hook not in arrived:
                label = f"{owner.__name__}.{name}"
                raise HookRegistrationError(
                    f"{label} has lost its @hook for {mark.hook}: the decorator above @hook must use functools.wraps, "
                    "or stand below @hook",
                    hook=mark.hook,
                    handler=label,
                )


def _check_spelling(plugin_class: type) -> None:
    for name in HookName:
        owner = next((base for base in plugin_class.__mro__ if name in vars(base)), None)
        if owner is None or next(_marks(name, owner), None) is not None:
            continue
        value = vars(owner)[name]
        if isinstance(value, type) or not (callable(value) or isinstance(value, _OTHER_METHODS)):
            continue
        label = f"{plugin_class.__name__}.{name}"
        raise HookRegistrationError(
            f"{label} is called like a hook but handles none: put @hook above it, or call it {ADAPTERS[name].method}",
            hook=name,
            handler=label,
        )


def _is_method(value: object) -> TypeGuard[Callable[..., Any]]:
    """Whether it gets the plugin object as its first argument when it is called on it."""
    # A partial is bound by Python 3.14 and later only, and has __get__ in 3.13, too.
    return (
        callable(value)
        and hasattr(type(value), "__get__")
        and not isinstance(value, (*_OTHER_METHODS, functools.partial))
    )


def _spec(plugin_class: type, winner: _Definition, marks: Sequence[HookMark]) -> HandlerSpec:
    hook, value = winner.mark.hook, winner.value
    adapter = ADAPTERS[hook]
    label = f"{plugin_class.__name__}.{winner.attribute}"
    if not _is_method(value):
        raise HookRegistrationError(
            f"{label} must be a plain method to handle {hook}, not a {type(value).__name__}", hook=hook, handler=label
        )
    if inspect.isasyncgenfunction(value) or inspect.isgeneratorfunction(value):
        raise HookRegistrationError(f"{label} is a generator; a handler returns its result", hook=hook, handler=label)
    _check_arity(value, label, hook, adapter.parameters)
    on_errors: list[OnError] = [mark.on_error for mark in marks if mark.on_error is not None]
    return HandlerSpec(
        hook=hook,
        attribute=winner.attribute,
        label=label,
        function=value,
        is_async=inspect.iscoroutinefunction(value),
        on_error=on_errors[0] if on_errors else adapter.on_error,
        timeout_s=next((mark.timeout_s for mark in marks if mark.timeout_s is not None), None),
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
