"""`python -m codegen`: regenerate the output folder, or check that it is what the proto files give."""

import argparse
import sys
import tempfile
from collections.abc import Sequence
from pathlib import Path

from codegen.api_build import build_api
from codegen.api_model import ApiService
from codegen.build import build_service
from codegen.descriptors import Descriptors
from codegen.errors import CodegenError, Fault
from codegen.format import format_sources
from codegen.model import Service
from codegen.protoc import check_tool_versions, compile_messages, descriptor_set
from codegen.render import render
from codegen.stock_build import build_stock_wire
from codegen.tree import differences, replace_tree

_ROOT = Path(__file__).parent.parent


def generate(protos: Path, out: Path) -> str:
    """Generate everything into `out`, an empty folder.

    Returns:
        What was found, in a few words.

    Raises:
        CodegenError: see its faults.
    """
    check_tool_versions()
    with tempfile.TemporaryDirectory() as scratch:
        descriptors = Descriptors(descriptor_set(protos, Path(scratch)))
    service, api = build_models(descriptors)
    stock = build_stock_wire(descriptors, protos)
    compile_messages(protos, out)
    format_sources(render(service, api, stock), out)
    for folder in {path.parent for path in out.rglob("*_pb2.py")}:
        (folder / "__init__.py").touch()
    found = f"{len(service.hooks)} hooks"
    if stock is None:
        return found
    fields = sum(len(struct.fields) for struct in stock.structs)
    return f"{found}, {len(stock.structs)} stock structs with {fields} fields"


def build_models(descriptors: Descriptors) -> tuple[Service, ApiService | None]:
    """Build the models of hooks and plugin API.

    Raises:
        CodegenError: with the faults of both.
    """
    try:
        service = build_service(descriptors)
    except CodegenError as error:
        if not error.faults:
            raise
        raise CodegenError("The proto files have faults:", [*error.faults, *_api_faults(descriptors)]) from None
    return service, build_api(descriptors)


def _api_faults(descriptors: Descriptors) -> Sequence[Fault]:
    try:
        build_api(descriptors)
    except CodegenError as error:
        return error.faults
    return ()


def main() -> int:
    """Run the command line. Returns the exit code."""
    parser = argparse.ArgumentParser(prog="python -m codegen", description=__doc__)
    parser.add_argument("--protos", type=Path, default=_ROOT / "protos", help="folder of the proto files")
    parser.add_argument("--out", type=Path, default=_ROOT / "generated", help="folder that is generated")
    parser.add_argument("--check", action="store_true", help="write nothing; fail if the folder is not up to date")
    options = parser.parse_args()
    try:
        with tempfile.TemporaryDirectory() as scratch:
            fresh = Path(scratch) / "generated"
            fresh.mkdir()
            found = generate(options.protos.resolve(), fresh)
            changed = (differences if options.check else replace_tree)(fresh, options.out)
    except CodegenError as error:
        print(f"codegen: {error}", file=sys.stderr)
        return 1
    for line in changed:
        print(line)
    if options.check and changed:
        print(
            f"{options.out.name}/ is not what the proto files and templates give: run `make codegen`", file=sys.stderr
        )
        return 1
    print(f"{found}, {len(changed)} files {'differ' if options.check else 'changed'}")
    return 0


if __name__ == "__main__":
    sys.exit(main())
