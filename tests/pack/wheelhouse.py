"""The packages that are installed here as wheels, so that pip needs no index."""

import importlib.metadata
import os
import zipfile
from collections.abc import Iterable
from pathlib import Path

NEEDED = ("grpcio", "grpcio-health-checking", "protobuf", "typing_extensions")
"""What the SDK itself depends on, and what that depends on."""

_PIP_S_OWN = ("INSTALLER", "REQUESTED")


def make_wheelhouse(folder: Path, distributions: Iterable[str]) -> Path:
    folder.mkdir(parents=True)
    for name in distributions:
        make_wheel(folder, importlib.metadata.distribution(name))
    return folder


def pip_settings(folder: Path) -> dict[str, str]:
    """Variables that let pip take everything from a folder of wheels."""
    return {"PIP_NO_INDEX": "1", "PIP_FIND_LINKS": str(folder), "PIP_CONFIG_FILE": os.devnull}


def make_wheel(
    folder: Path, distribution: importlib.metadata.Distribution, tag: str = "", without: str = ".pyc"
) -> None:
    """The wheel of an installed package: for the machines of `tag`, if it is given, and without files that end so."""
    tag = tag or (distribution.read_text("WHEEL") or "").rpartition("Tag: ")[2].strip()
    name = distribution.metadata["Name"].replace("-", "_")
    with zipfile.ZipFile(folder / f"{name}-{distribution.version}-{tag}.whl", "w") as wheel:
        for file in distribution.files or ():
            if ".." not in file.parts and file.suffix not in (".pyc", without) and file.name not in _PIP_S_OWN:
                wheel.write(str(distribution.locate_file(file)), file.as_posix())


def make_plain_wheel(folder: Path, name: str, source: str, version: str = "1.0") -> None:
    """A wheel of one module."""
    info = f"{name}-{version}.dist-info"
    with zipfile.ZipFile(folder / f"{name}-{version}-py3-none-any.whl", "w") as wheel:
        wheel.writestr(f"{name}.py", source)
        wheel.writestr(f"{info}/METADATA", f"Metadata-Version: 2.1\nName: {name}\nVersion: {version}\n")
        wheel.writestr(
            f"{info}/WHEEL", "Wheel-Version: 1.0\nGenerator: tests\nRoot-Is-Purelib: true\nTag: py3-none-any\n"
        )
        wheel.writestr(f"{info}/RECORD", f"{name}.py,,\n{info}/METADATA,,\n{info}/WHEEL,,\n{info}/RECORD,,\n")
