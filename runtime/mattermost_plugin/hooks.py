"""The @hook decorator, for handlers with a name of their own."""

from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING, Any, Final, NamedTuple

from mattermost_plugin.errors import HookRegistrationError
from mattermost_pluginapi.hooks.adapters import ADAPTERS
from mattermost_pluginapi.hooks.names import HookName
from mattermost_pluginapi.hooks.results import OnError

if TYPE_CHECKING:
    from mattermost_pluginapi.hooks.decorator import HookDecorator

__all__ = ["HookName", "hook"]

_MARKS_ATTRIBUTE: Final = "__mattermost_hooks__"
_BY_STUB: Final = {adapter.method: name for name, adapter in ADAPTERS.items()}


class HookMark(NamedTuple):
    """What a decorator says of the handler below it."""

    hook: HookName
    on_error: OnError | None
    timeout_s: float | None


_marked_bodies: Final[dict[tuple[str, str], dict[str, tuple[HookMark, ...]]]] = {}
"""What was marked in class bodies whose classes were not looked at yet: by module and class, then by method."""


def own_marks(value: object) -> tuple[HookMark, ...]:
    """What decorators say of a class's attribute; empty if it is no handler by a decorator."""
    # @staticmethod above @hook hides the mark one level down.
    marks: tuple[HookMark, ...] = getattr(getattr(value, "__func__", value), _MARKS_ATTRIBUTE, ())
    return marks


def forget_marked(module: str, class_name: str) -> Mapping[str, tuple[HookMark, ...]]:
    """The marks that were made in that class's body, by method, at the first call; nothing at later ones."""
    return _marked_bodies.pop((module, class_name), {})


def _remember(handler: object, marks: tuple[HookMark, ...]) -> None:
    """Note a mark, so that a class can tell whether a decorator above @hook has dropped it."""
    owner, _, name = str(getattr(handler, "__qualname__", "")).rpartition(".")
    if not owner or owner.endswith("<locals>"):
        return
    body = _marked_bodies.setdefault((str(getattr(handler, "__module__", "")), owner), {})
    if name in body and body[name] != marks[:-1]:
        # The body runs once more: its first run failed, and may have had other methods.
        body.clear()
    body[name] = marks


def find_hook(name: str, handler: str = "") -> HookName:
    """The hook of that name, in Go's spelling or in that of its stub.

    Raises:
        HookRegistrationError: there is none; the text gives the nearest name.
    """
    if name in HookName.__members__:
        return HookName[name]
    if name in _BY_STUB:
        return _BY_STUB[name]
    import difflib

    near = difflib.get_close_matches(name, [*HookName.__members__, *_BY_STUB], n=1, cutoff=0.5)
    hint = f"; did you mean {near[0]}?" if near else "; HookName lists them all"
    raise HookRegistrationError(f"there is no hook {name!r}{hint}", hook=name, handler=handler)


def _hook(
    target: HookName | str | Callable[..., Any] | None = None,
    /,
    *,
    on_error: str | None = None,
    timeout: float | None = None,
) -> Any:
    if target is not None and not isinstance(target, str):
        return _mark(target, None, on_error, timeout)

    def decorate(handler: Callable[..., Any]) -> Any:
        return _mark(handler, target, on_error, timeout)

    return decorate


hook: "HookDecorator" = _hook


def _mark(handler: Any, target: str | None, on_error: str | None, timeout: float | None) -> Any:
    if isinstance(handler, (staticmethod, classmethod)):
        raise HookRegistrationError(
            f"@hook goes on a plain method; {handler.__func__.__qualname__} is a {type(handler).__name__}",
            hook=target or "",
            handler=handler.__func__.__qualname__,
        )
    if not callable(handler):
        raise HookRegistrationError(
            f"@hook goes on a method, or takes a hook's name; it got a {type(handler).__name__}", hook=target or ""
        )
    label = str(getattr(handler, "__qualname__", repr(handler)))
    name = find_hook(target if target is not None else getattr(handler, "__name__", ""), label)
    mark = HookMark(name, _checked_on_error(name, on_error, label), _checked_timeout(name, timeout, label))
    marks = (*own_marks(handler), mark)
    setattr(handler, _MARKS_ATTRIBUTE, marks)
    _remember(handler, marks)
    return handler


def _checked_on_error(name: HookName, on_error: str | None, label: str) -> OnError | None:
    if on_error is None:
        return None
    for choice in ADAPTERS[name].on_error_choices:
        if choice == on_error:
            return choice
    choices = " or ".join(repr(choice) for choice in ADAPTERS[name].on_error_choices)
    raise HookRegistrationError(
        f"{name} cannot answer on_error={on_error!r}; its replies can say {choices}", hook=name, handler=label
    )


def _checked_timeout(name: HookName, timeout: object, label: str) -> float | None:
    if timeout is None:
        return None
    if isinstance(timeout, bool) or not isinstance(timeout, (int, float)) or not 0 < timeout < float("inf"):
        raise HookRegistrationError(
            f"timeout of {label} must be a positive number of seconds, not {timeout!r}", hook=name, handler=label
        )
    return float(timeout)
