"""The fragments: tiny sets of proto files, one for each quirk, and what the generator made of them.

A fragment stands in `fragments/<name>/`, its expected output in `expected/<name>/`. `base/` has what all of them share.
"""

import shutil
from collections.abc import Callable
from pathlib import Path

from codegen.__main__ import generate

Generated = Callable[[str], Path]
"""Gives the folder of a fragment's output."""

_GOLDEN = Path(__file__).parent
_ROOT = _GOLDEN.parents[1]
FRAGMENTS = _GOLDEN / "fragments"
EXPECTED = _GOLDEN / "expected"

# Of the output, what depends on the hooks and on the methods of the plugin API. The suffix keeps linters and type
# checkers away from the copies.
RENDERED = ("hooks/adapters.py", "hooks/decorator.py", "hooks/names.py", "hooks/stubs.py", "models.py")
API_RENDERED = ("api/client.py", "api/methods.py")
SUFFIX = ".golden"

API_FRAGMENT = "plugin_api"
"""The fragment that has a plugin API."""

OPTIONS = "mattermost_pluginapi/options.proto"


def fragment_names() -> list[str]:
    """Every fragment."""
    return sorted(path.name for path in FRAGMENTS.iterdir())


def lay_out(fragment: Path, protos: Path) -> Path:
    """Put a fragment, what all fragments share and the real options together as proto files that can be compiled."""
    package = protos / Path(OPTIONS).parent
    shutil.copytree(_GOLDEN / "base", package)
    shutil.copytree(fragment, package, dirs_exist_ok=True)
    shutil.copy(_ROOT / "protos" / OPTIONS, protos / OPTIONS)
    return protos


def generate_fragment(name: str, scratch: Path) -> Path:
    """Generate the code of a fragment. Returns the folder of the output."""
    protos = lay_out(FRAGMENTS / name, scratch / "protos")
    out = scratch / "generated"
    out.mkdir(parents=True)
    generate(protos, out)
    return out


def rendered_names(name: str) -> tuple[str, ...]:
    """The files that a fragment's expected output has, by their names in the package."""
    return (*RENDERED, *API_RENDERED) if name == API_FRAGMENT else RENDERED


def rendered(name: str, out: Path) -> dict[str, bytes]:
    """The part of an output that the expected output is compared with, by the names that it has there."""
    return {file + SUFFIX: (out / "mattermost_pluginapi" / file).read_bytes() for file in rendered_names(name)}
