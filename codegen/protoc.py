"""Runs protoc: proto files to descriptors, and to the Python message modules with their stubs."""

import subprocess
import sys
from importlib import metadata
from importlib.resources import files
from pathlib import Path

from google.protobuf.descriptor_pb2 import FileDescriptorSet

from codegen.errors import CodegenError

# The committed output depends on these tools to the byte; the versions are those of the `codegen` dependency group.
TOOL_VERSIONS = {
    "grpcio-tools": "1.80.0",
    "jinja2": "3.1.6",
    "libcst": "1.9.0",
    "mypy-protobuf": "5.1.0",
    "ruff": "0.17.6",
}


def check_tool_versions() -> None:
    """Raise CodegenError unless every tool has the version that the committed output was made with."""
    wrong = []
    for tool, wanted in TOOL_VERSIONS.items():
        try:
            found = metadata.version(tool)
        except metadata.PackageNotFoundError:
            found = "missing"
        if found != wanted:
            wrong.append(f"{tool} is {found}, not {wanted}")
    if wrong:
        raise CodegenError(
            "The generator's tools differ from those that the committed output was made with "
            f"(pip install --group codegen): {'; '.join(wrong)}"
        )


def proto_files(protos: Path) -> list[str]:
    """Every proto file below the folder, as protoc names them, sorted."""
    found = sorted(path.relative_to(protos).as_posix() for path in protos.rglob("*.proto"))
    if not found:
        raise CodegenError(f"No proto file below {protos}")
    return found


def descriptor_set(protos: Path, scratch: Path) -> FileDescriptorSet:
    """Compile the proto files to descriptors with comments and positions."""
    output = scratch / "protos.binpb"
    _protoc(
        protos, f"--descriptor_set_out={output}", "--include_imports", "--include_source_info", *proto_files(protos)
    )
    return FileDescriptorSet.FromString(output.read_bytes())


def compile_messages(protos: Path, out: Path) -> None:
    """Write the *_pb2.py modules and their .pyi stubs below `out`."""
    plugin = Path(sys.executable).parent / "protoc-gen-mypy"
    _protoc(
        protos,
        f"--plugin=protoc-gen-mypy={plugin}",
        f"--python_out={out}",
        f"--mypy_out=quiet:{out}",
        *proto_files(protos),
    )


def _protoc(protos: Path, *arguments: str) -> None:
    # protoc brings the google/protobuf/*.proto files that ours import along as package data.
    well_known = files("grpc_tools") / "_proto"
    command = [sys.executable, "-m", "grpc_tools.protoc", f"-I{protos}", f"-I{well_known}", *arguments]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    if done.returncode != 0:
        raise CodegenError(f"protoc refused the proto files:\n{done.stderr.strip()}")
