"""Small stock wires: Go types, proto files and the list of what has no counterpart, around a hook and an API method."""

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from codegen.descriptors import Descriptors
from codegen.errors import CodegenError, Fault
from codegen.protoc import descriptor_set
from codegen.stock_build import build_stock_wire
from codegen.stock_model import StockWire
from tests.golden.faulty import HEAD, hooks_file
from tests.golden.fragment import lay_out

BASIC: dict[str, Any] = {
    name: {"kind": name} for name in ("bool", "string", "int", "int64", "uint", "uint8", "uint32", "float64")
} | {
    "interface {}": {"kind": "interface"},
    "error": {"kind": "interface"},
    "[]uint8": {"kind": "slice", "elem": "uint8"},
    "[]string": {"kind": "slice", "elem": "string"},
    "[]int": {"kind": "slice", "elem": "int"},
    "map[string]interface {}": {"kind": "map", "key": "string", "elem": "interface {}"},
    "map[string]string": {"kind": "map", "key": "string", "elem": "string"},
    "map[string][]string": {"kind": "map", "key": "string", "elem": "[]string"},
    "map[string]bool": {"kind": "map", "key": "string", "elem": "bool"},
    "map[int]string": {"kind": "map", "key": "int", "elem": "string"},
    "[]map[string]interface {}": {"kind": "slice", "elem": "map[string]interface {}"},
    "time.Time": {"kind": "struct", "codec": "GobEncoder"},
}

Fields = Sequence[tuple[str, str] | tuple[str, str, str]]


def struct(*fields: tuple[str, str] | tuple[str, str, str]) -> dict[str, Any]:
    """A struct: name, type and perhaps tag of each field."""
    return {"kind": "struct", "fields": [[*each, *[""] * (3 - len(each))] for each in fields]}


def pointer(name: str) -> dict[str, Any]:
    return {"kind": "ptr", "elem": name}


@dataclass
class Wire:
    """A stock wire with the hook `Boil` and the API method `BrewTea`."""

    arguments: Fields = ()
    """Of the hook, in Go."""
    request: str = ""
    """Fields of BoilRequest."""
    returns: Fields = ()
    response: str = ""
    more: str = ""
    """Further declarations and imports of the proto file."""
    types: Mapping[str, Any] = field(default_factory=dict)
    """Go types beside the basic ones."""
    unmapped: str = ""
    registered: Mapping[str, str] = field(default_factory=dict)
    hooks: Sequence[str] = ("Boil",)
    """Names of hooks that have the structs of `Boil`."""

    def build(self, scratch: Path) -> StockWire:
        """Build the map."""
        hooks = hooks_file(request=self.request, response=self.response, more=self.more)
        api = (
            f"{HEAD}\nservice PluginAPI {{ rpc BrewTea(BrewTeaRequest) returns (BrewTeaResponse); }}\n"
            "message BrewTeaRequest {}\nmessage BrewTeaResponse { AppError error = 1; }\n"
        )
        for name, text in {"v1/hooks.proto": hooks, "v1/api.proto": api}.items():
            path = scratch / "fragment" / name
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_text(text, encoding="utf-8")
        protos = lay_out(scratch / "fragment", scratch / "protos")
        (protos / "stock").mkdir()
        (protos / "stock" / "rpc.json").write_text(json.dumps(self._rpc()), encoding="utf-8")
        (protos / "stock" / "unmapped.toml").write_text(self.unmapped, encoding="utf-8")
        found = build_stock_wire(Descriptors(descriptor_set(protos, scratch)), protos)
        assert found is not None
        return found

    def faults(self, scratch: Path) -> list[Fault]:
        """What the generator says against it."""
        try:
            self.build(scratch)
        except CodegenError as error:
            if not error.faults:
                raise
            return list(error.faults)
        return []

    def _rpc(self) -> dict[str, Any]:
        structs = {"args": "Z_BoilArgs", "returns": "Z_BoilReturns"}
        return {
            "gob_registered": dict(self.registered),
            "methods": {
                "hooks": dict.fromkeys(self.hooks, structs),
                "api": {"BrewTea": {"args": None, "returns": None}},
            },
            "types": {
                **BASIC,
                **self.types,
                "plugin.Z_BoilArgs": struct(*self.arguments),
                "plugin.Z_BoilReturns": struct(*self.returns),
            },
        }
