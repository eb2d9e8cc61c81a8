"""Proto files with a fault, built around the hook `Boil`, which has none unless told so."""

from collections.abc import Mapping
from pathlib import Path

from codegen.build import build_service
from codegen.descriptors import Descriptors
from codegen.errors import CodegenError, Fault
from codegen.model import Service
from codegen.protoc import descriptor_set
from tests.golden.fragment import lay_out

HOOKS_FILE = "mattermost_pluginapi/v1/hooks.proto"

HEAD = """\
syntax = "proto3";
package mattermost.pluginapi.v1;
import "mattermost_pluginapi/options.proto";
import "mattermost_pluginapi/v1/common.proto";
"""
IMPLEMENTED = "rpc Implemented(ImplementedRequest) returns (ImplementedResponse);"


def hook_options(on_error: str = "ALLOW", version: str = "5.2", go_name: str = "") -> str:
    return (
        "option (mattermost.pluginapi.options.hook) = {"
        f' minimum_server_version: "{version}" on_error: ON_ERROR_{on_error} go_name: "{go_name}" }};'
    )


def rpc(
    name: str = "Boil",
    types: str = "(BoilRequest) returns (BoilResponse)",
    *,
    comment: str = "// Called to boil.",
    options: str | None = None,
) -> str:
    return f"{comment}\nrpc {name}{types} {{\n{hook_options() if options is None else options}\n}}\n"


def hooks_file(rpcs: str = "", request: str = "", response: str = "", more: str = "") -> str:
    """The file of the service.

    Args:
        rpcs: the service's rpcs beside Implemented; default is `rpc()`.
        request: the fields of BoilRequest, each with its comment.
        response: the fields of BoilResponse.
        more: further declarations and imports.
    """
    return (
        f"{HEAD}\nservice PluginHooks {{\n{IMPLEMENTED}\n{rpcs or rpc()}}}\n\n"
        f"message BoilRequest {{\n{request}\n}}\n\nmessage BoilResponse {{\n{response}\n}}\n\n{more}\n"
    )


def build(files: Mapping[str, str], scratch: Path) -> Service:
    """Build the model from files below mattermost_pluginapi/, beside those that all fragments share."""
    for name, text in files.items():
        path = scratch / "fragment" / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text, encoding="utf-8")
    protos = lay_out(scratch / "fragment", scratch / "protos")
    return build_service(Descriptors(descriptor_set(protos, scratch)))


def faults(files: Mapping[str, str], scratch: Path) -> list[Fault]:
    """What the generator says against the files; empty if it takes them."""
    try:
        build(files, scratch)
    except CodegenError as error:
        if not error.faults:
            raise
        return list(error.faults)
    return []


def line_of(text: str, place: str) -> int:
    """The number of the one line of a file that has `place` in it."""
    lines = [number for number, line in enumerate(text.splitlines(), start=1) if place in line]
    if len(lines) != 1:
        raise ValueError(f"{place!r} is on {len(lines)} lines")
    return lines[0]
