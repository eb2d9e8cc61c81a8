"""The functions that write values, by declared type and source, for all streams of the process."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Final, TypeAlias

from mattermost_plugin._gob.encode_writer import EncodeWriter
from mattermost_plugin._gob.go_types import GoStruct, GoType
from mattermost_plugin._gob.linking import PLACES, Function, Library, Links, load
from mattermost_plugin._gob.sources import DICTS, Get, Source

__all__ = ["WRITERS", "Add", "Writers"]

Add: TypeAlias = Callable[[bytes], object]
"""Takes the next piece of an encoding."""

_Key: TypeAlias = tuple[GoType, Source]


class Writers(Library[_Key]):
    """Functions that write values: `write(add, value, state)`."""

    def compile(self, key: _Key) -> Function:
        go_type, source = key
        code = EncodeWriter(lambda namespace: _Linker(self, namespace), source)
        gets: Sequence[Get] = source.plan(go_type) if isinstance(go_type, GoStruct) else ()
        code.function(go_type, gets)
        label = getattr(go_type, "name", "") or type(go_type).__name__.removeprefix("Go").lower()
        code.namespace[PLACES] = (label, tuple(code.places))
        return load(code.text, code.namespace, "write")


class _Linker:
    """Gives the functions for other types their names in the globals of one function."""

    def __init__(self, writers: Writers, namespace: dict[str, object]) -> None:
        self._links = Links(writers, namespace)

    def link(self, go_type: GoType, source: Source) -> str:
        return self._links.name((go_type, source))

    def link_zero(self, go_type: GoType) -> str:
        return self._links.name((go_type, DICTS))


WRITERS: Final = Writers()
"""Those of all streams of this process."""
