"""The Go types that a stock server and a plugin exchange, as `protos/stock/rpc.json` lists them."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass, replace
from pathlib import Path

from codegen.errors import CodegenError

_INTEGERS = frozenset({"int", "int64", "uint", "uint8", "uint32"})


@dataclass(frozen=True, slots=True)
class GoField:
    """A field of a Go struct."""

    name: str
    type: str
    json_tag: str
    is_embedded: bool

    @property
    def json_name(self) -> str:
        """The key in JSON; "" if the field is left out there."""
        name = self.json_tag.partition(",")[0]
        return "" if self.json_tag == "-" else name or self.name

    @property
    def is_omitted_when_empty(self) -> bool:
        """Whether JSON leaves out the zero value."""
        return "omitempty" in self.json_tag.split(",")[1:]


@dataclass(frozen=True, slots=True)
class GoType:
    """A Go type."""

    name: str
    kind: str
    element: str = ""
    key: str = ""
    fields: tuple[GoField, ...] = ()
    codec: str = ""
    """How values encode themselves: "GobEncoder" or "BinaryMarshaler"; "" if gob does it."""

    @property
    def short_name(self) -> str:
        """The name without its package: what gob sends, and what a message of ours is called."""
        return self.name.rpartition(".")[2]

    @property
    def is_bytes(self) -> bool:
        """Whether values are byte strings."""
        return self.kind == "slice" and self.element == "uint8"

    @property
    def is_integer(self) -> bool:
        """Whether values are whole numbers."""
        return self.kind in _INTEGERS


@dataclass(frozen=True, slots=True)
class GoMethod:
    """A hook or an API method on the wire."""

    name: str
    arguments: str
    """Go struct of the arguments; "" for none, or for a plain value that the runtime knows itself."""
    returns: str
    """Go struct of the results; "" likewise."""


@dataclass(frozen=True, slots=True)
class StockRpc:
    """Everything that the file says."""

    types: Mapping[str, GoType]
    registered: Mapping[str, str]
    """Names under which values travel inside interfaces, with their types."""
    hooks: tuple[GoMethod, ...]
    api: tuple[GoMethod, ...]

    def base(self, name: str) -> GoType:
        """The type, with pointers taken off."""
        go_type = self.types[name]
        while go_type.kind == "ptr":
            go_type = self.types[go_type.element]
        return go_type


def load_stock_rpc(path: Path, newer: Mapping[str, Mapping[str, str]]) -> StockRpc:
    """Read the file.

    Args:
        path: the file.
        newer: fields that servers have which are newer than the file: type by name, by struct.

    Raises:
        CodegenError: it is not what it should be.
    """
    try:
        data = json.loads(path.read_text(encoding="utf-8"))
        types = {name: _go_type(name, fields) for name, fields in data["types"].items()}
        for name, fields in newer.items():
            added = tuple(GoField(field, type_, "", False) for field, type_ in fields.items())
            types[name] = replace(types[name], fields=types[name].fields + added)
        hooks, api = (
            tuple(_method(name, method, types) for name, method in data["methods"][group].items())
            for group in ("hooks", "api")
        )
        return StockRpc(types, data["gob_registered"], hooks, api)
    except (OSError, ValueError, KeyError, TypeError) as error:
        raise CodegenError(f"{path} cannot be read: {error!r}") from error


_EMBEDDED = "(embedded) "


def _go_type(name: str, data: Mapping[str, object]) -> GoType:
    fields = data.get("fields", ())
    if not isinstance(fields, list | tuple):
        raise TypeError(f"the fields of {name} are no list")
    return GoType(
        name,
        str(data["kind"]),
        str(data.get("elem", "")),
        str(data.get("key", "")),
        tuple(
            GoField(field.removeprefix(_EMBEDDED), type_, tag, field.startswith(_EMBEDDED))
            for field, type_, tag in fields
        ),
        str(data.get("codec", "")),
    )


def _method(name: str, data: Mapping[str, object], types: Mapping[str, GoType]) -> GoMethod:
    return GoMethod(name, _struct(data.get("args"), types), _struct(data.get("returns"), types))


def _struct(name: object, types: Mapping[str, GoType]) -> str:
    if not name:
        return ""
    full_name = f"plugin.{name}"
    if full_name not in types:
        raise KeyError(full_name)
    return full_name
