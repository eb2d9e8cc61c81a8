"""Compiled functions that call each other, made when they are first needed and kept.

The source of a function calls others by names of its own globals. A name stands for a function, or for one that is
made at the first call and takes the name's place: types that occur in no value cost nothing, and types may contain
themselves.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Callable, Hashable
from itertools import count
from typing import Any, Final, Generic, TypeAlias, TypeVar

__all__ = ["COMPILED", "PLACES", "Function", "Library", "Links", "load"]

K = TypeVar("K", bound=Hashable)

Function: TypeAlias = Callable[..., Any]
"""A compiled function; its form follows from its key."""

PLACES: Final = "__gob_places__"
"""Global of compiled functions: the name of the type, and lines with the names of the fields that begin there."""

COMPILED: Final = "gob-compiled-"
"""How the names of the modules of compiled functions begin."""

_numbers: Final = count(1)


class Library(ABC, Generic[K]):
    """Functions by key.

    All are forgotten and begun anew when there are too many, so that no peer can fill the memory. Those in use stay
    good.

    Args:
        size: Number of functions at which that happens.
        max_source: Characters of their sources at which it happens, each of which stands for some ten bytes of memory.
            All types of the stock plugin interface have a million.
    """

    def __init__(self, size: int = 4 * 1024, max_source: int = 16 << 20) -> None:
        self._size = size
        self._max_source = max_source
        self._source = 0
        self._functions: dict[K, Function] = {}

    @abstractmethod
    def compile(self, key: K) -> Function:
        """Make a function."""

    def known(self, key: K) -> Function | None:
        """A function, if there is one already."""
        return self._functions.get(key)

    def function(self, key: K) -> Function:
        """A function, compiled now if there is none."""
        function = self._functions.get(key)
        if function is None:
            function = self.compile(key)
            self._source += _source_size(function)
            if len(self._functions) >= self._size or self._source > self._max_source:
                self.forget()
                self._source = _source_size(function)
            self._functions[key] = function
        return function

    def forget(self) -> None:
        """Begin anew."""
        self._functions.clear()


class Links(Generic[K]):
    """The names that the globals of one function have for other functions of a library."""

    def __init__(self, library: Library[K], namespace: dict[str, object]) -> None:
        self._library = library
        self._namespace = namespace
        self._names: dict[K, str] = {}

    def name(self, key: K) -> str:
        """The name of a function."""
        name = self._names.get(key)
        if name is None:
            name = self._names[key] = f"call_{len(self._names)}"
            self._namespace[name] = self._library.known(key) or _Later(self._library, self._namespace, name, key)
        return name


class _Later(Generic[K]):
    """Stands for a function until it is called."""

    __slots__ = ("_key", "_library", "_name", "_namespace")

    def __init__(self, library: Library[K], namespace: dict[str, object], name: str, key: K) -> None:
        self._library = library
        self._namespace = namespace
        self._name = name
        self._key = key

    def __call__(self, *arguments: object) -> object:
        function = self._namespace[self._name] = self._library.function(self._key)
        return function(*arguments)


class _Loader:
    """What `linecache` asks, through a function's globals, for its source, so that tracebacks can show it.

    So the source lives and ends with the function, and no table of ours holds it.
    """

    def __init__(self, source: str) -> None:
        self._source = source

    def get_source(self, name: str) -> str:
        """The source; part of Python's protocol for loaders."""
        return self._source


def _source_size(function: Function) -> int:
    loader = getattr(function, "__globals__", {}).get("__loader__")
    return len(loader.get_source("")) if isinstance(loader, _Loader) else 0


def load(source: str, namespace: dict[str, object], name: str) -> Function:
    """Compile a function.

    Args:
        source: Text that defines it. What comes from a peer or a file may be in it as the repr() of a str or an int.
        namespace: Its globals.
        name: Its name in the source.
    """
    module = f"{COMPILED}{next(_numbers)}"
    namespace["__name__"] = module
    namespace["__loader__"] = _Loader(source)
    exec(compile(source, module, "exec"), namespace)  # noqa: S102 - see what may be in the source
    function: Function = namespace[name]  # type: ignore[assignment]  # It is what the source defines.
    return function
