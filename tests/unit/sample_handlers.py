"""Handlers and plugin classes for the tests of the registry."""

import functools
from collections.abc import Callable
from typing import Any

from mattermost_plugin import Plugin, hook

# Most of what these tests write is wrong by purpose, and type checkers would say so.
mark: Any = hook


def plugin(*bases: type, **attributes: object) -> type[Plugin]:
    """A plugin class called Sample."""
    made = type("Sample", bases or (Plugin,), attributes)
    assert issubclass(made, Plugin)
    return made


def alone(self: object) -> None:
    """A handler of a hook without arguments."""


def other(self: object) -> None:
    """Another one."""


def with_post(self: object, context: object, post: object) -> None:
    """A handler of a hook about posts."""


def copy_of(function: Callable[..., Any], name: str = "") -> Callable[..., Any]:
    """A function of its own, for @hook leaves its mark on what it is given."""

    def handler(*arguments: object) -> object:
        return function(*arguments)

    functools.update_wrapper(handler, function)
    handler.__name__ = name or function.__name__
    return handler
