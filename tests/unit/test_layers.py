"""Which part imports which: runtime -> generated -> protobuf, and the generator apart from both.

The first half reads the sources, late imports and those for type checkers included; the second half looks at what a
plugin's process has really loaded.
"""

import ast
import importlib
import json
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]

STANDARD = frozenset(sys.stdlib_module_names)
GENERATED, RUNTIME, GENERATOR = "mattermost_pluginapi", "mattermost_plugin", "codegen"

# Few modules may import these, so that a plugin pays for them only when it uses them: by the start of their names.
GRPC = {"grpc", "grpc_health", "grpc_reflection"}
USERS = {
    "_grpc": GRPC,
    "db_sqlalchemy": {"sqlalchemy"},
    "file_watch": {"watchfiles"},
    "pytest_plugin": {"pytest"},
    "wsgi": {"a2wsgi"},
}

# What each part may import beside the standard library.
ALLOWED = {
    "generated": {"google.protobuf", GENERATED},
    "runtime": {
        "google.protobuf",
        GENERATED,
        RUNTIME,
        *GRPC,
        "a2wsgi",
        "aiohttp",
        "pytest",
        "sqlalchemy",
        "watchfiles",
    },
    "codegen": {"google.protobuf", GENERATOR, "jinja2", "libcst"},
}

NEVER_LOADED = {
    "a2wsgi",
    "aiohttp",
    "codegen",
    "email",
    "grpc",
    "grpc_health",
    "grpc_reflection",
    "http.client",
    "http.server",
    "jinja2",
    "libcst",
    "mattermost_plugin.cli",
    "mattermost_plugin.devhost",
    "multiprocessing",
    "pydoc",
    "sqlite3",
    "tests",
    "unittest",
    "urllib.request",
    "watchfiles",
    "xml",
}


USE_API = """
import asyncio
from mattermost_plugin import Plugin
from mattermost_plugin._api_link import ApiLink
from mattermost_plugin._bound_plugin import BoundPlugin
from mattermost_plugin._grpc_server import GrpcServer
from mattermost_plugin.config import RuntimeConfig

async def use():
    config = RuntimeConfig(api_target="unix:/x")
    ApiLink(config, GrpcServer(BoundPlugin(Plugin(), config), config, print).connect_api).client

asyncio.run(use())
"""


def imports(source: str) -> Iterator[str]:
    """The full names of everything that a module imports; a relative import as it is written."""
    for node in ast.walk(ast.parse(source)):
        if isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            module = "." * node.level + (node.module or "")
            yield from (f"{module}.{alias.name}" for alias in node.names)


def is_within(name: str, modules: frozenset[str] | set[str]) -> bool:
    return any(name == module or name.startswith(f"{module}.") for module in modules)


def sources(part: str) -> dict[str, str]:
    paths = sorted((ROOT / part).rglob("*.py"))
    return {path.relative_to(ROOT).as_posix(): path.read_text(encoding="utf-8") for path in paths}


def strays(files: dict[str, str], allowed: set[str]) -> list[str]:
    return [
        f"{file} imports {name}"
        for file, source in files.items()
        for name in imports(source)
        if not is_within(name, STANDARD | allowed)
    ]


@pytest.mark.parametrize("part", ALLOWED)
def test_a_part_imports_only_what_lies_below_it(part: str) -> None:
    files = sources(part)
    assert len(files) > 10
    assert strays(files, ALLOWED[part]) == []


@pytest.mark.parametrize(
    "line",
    [
        "import grpc",
        "from grpc import aio",
        "from google.rpc import status_pb2",
        "import mattermost_plugin.config",
        "from . import names",
        "from .. import models",
        "def f():\n    import mattermost_plugin",
        "if TYPE_CHECKING:\n    from mattermost_plugin import Plugin",
        "import jinja2",
    ],
)
def test_a_stray_import_is_seen(line: str) -> None:
    assert len(strays({"generated/x.py": f"import os\n{line}\n"}, ALLOWED["generated"])) == 1


def test_the_message_stubs_import_no_grpc() -> None:
    stubs = {path.name: path.read_text(encoding="utf-8") for path in (ROOT / "generated").rglob("*.pyi")}
    assert stubs
    assert strays(stubs, {"google.protobuf", GENERATED, "typing_extensions"}) == []


@pytest.mark.parametrize(("start", "libraries"), USERS.items(), ids=USERS)
def test_libraries_are_imported_where_they_are_used(start: str, libraries: set[str]) -> None:
    users = [Path(file).name for file, text in sources("runtime").items() if any_within(text, libraries)]
    assert users
    assert [name for name in users if not name.startswith(start)] == []


def any_within(source: str, modules: set[str]) -> bool:
    return any(is_within(name, modules) for name in imports(source))


# A plugin's process does without these parts of the package.
FOR_AUTHORS = ("cli", "devhost", "testing")


def test_what_runs_a_plugin_imports_nothing_of_what_plays_the_server() -> None:
    folders = {f"runtime/mattermost_plugin/{part}/" for part in FOR_AUTHORS}
    files = {file: text for file, text in sources("runtime").items() if not file.startswith(tuple(folders))}
    assert len(files) > 10
    parts = {f"{RUNTIME}.{part}" for part in FOR_AUTHORS}
    assert [file for file, text in files.items() if any_within(text, parts)] == []


def test_the_development_host_imports_nothing_of_the_command_line() -> None:
    files = sources("runtime/mattermost_plugin/devhost")
    assert [file for file, text in files.items() if any_within(text, {f"{RUNTIME}.cli"})] == []


def test_examples_import_public_names_only() -> None:
    private = [
        f"{file} imports {name}"
        for file, source in sources("examples").items()
        for name in imports(source)
        if is_within(name, {GENERATED}) or (is_within(name, {RUNTIME}) and "._" in name)
    ]
    assert private == []


def loaded(statement: str) -> set[str]:
    """The modules that a fresh interpreter has after a statement and did not have before."""
    script = (
        f"import sys, json\nbefore = set(sys.modules)\n{statement}\nprint(json.dumps([*set(sys.modules) - before]))"
    )
    done = subprocess.run([sys.executable, "-c", script], cwd=ROOT, capture_output=True, text=True, check=True)
    names: list[str] = json.loads(done.stdout)
    return set(names)


@pytest.mark.parametrize(
    "statement",
    [
        "import mattermost_plugin",
        "import mattermost_plugin.models, mattermost_plugin.http, mattermost_plugin.errors, mattermost_plugin.hooks",
        "import mattermost_plugin.asgi, mattermost_plugin.wsgi",
        "import mattermost_plugin._process",
        "import mattermost_plugin._stock.server",
    ],
)
def test_a_plugin_loads_only_what_it_needs(statement: str) -> None:
    modules = loaded(statement)
    assert "mattermost_plugin.plugin" in modules
    assert [name for name in sorted(modules) if is_within(name, NEVER_LOADED)] == []


def test_the_import_of_the_package_leaves_the_server_out() -> None:
    modules = loaded("import mattermost_plugin")
    assert not modules & {"mattermost_plugin._process", "mattermost_plugin._plugin_server"}


@pytest.mark.parametrize(
    "statement",
    [
        "import mattermost_plugin, mattermost_plugin.models",
        "import mattermost_plugin._process, mattermost_plugin._plugin_server",
        "from mattermost_plugin.api import NotFoundError",
        "from mattermost_plugin.models import Post, User",
        "import mattermost_plugin._grpc_server",
        "import mattermost_plugin._stock.server",
    ],
)
def test_nothing_of_the_plugin_api_is_loaded_before_it_is_used(statement: str) -> None:
    modules = loaded(statement)
    of_the_api = {
        name for name in modules if name.startswith(("mattermost_pluginapi.api", "mattermost_pluginapi.v1.api"))
    }
    assert of_the_api == set()
    assert not modules & {
        "mattermost_plugin._api_client",
        "mattermost_plugin._grpc_api",
        "mattermost_pluginapi.v1.bot_pb2",
    }


def test_the_use_of_the_plugin_api_loads_it() -> None:
    modules = loaded(USE_API)
    assert {"mattermost_pluginapi.api.client", "mattermost_plugin._api_client"} <= modules


def test_hooks_import_nothing_of_the_plugin_api() -> None:
    for file, source in sources("generated/mattermost_pluginapi/hooks").items():
        assert not any_within(source, {f"{GENERATED}.api"}), file
        assert not [name for name in imports(source) if name.startswith(f"{GENERATED}.v1.api")], file


def test_a_model_is_loaded_when_it_is_asked_for() -> None:
    modules = loaded("from mattermost_plugin.models import Bot")
    assert f"{GENERATED}.v1.bot_pb2" in modules
    assert f"{GENERATED}.v1.oauth_pb2" not in modules


def test_the_models_module_knows_its_names() -> None:
    models = importlib.import_module("mattermost_plugin.models")
    assert set(models.__all__) <= set(dir(models))
    generated = importlib.import_module("mattermost_pluginapi.models")
    assert set(generated.__all__) <= set(dir(generated))
    for module in (models, generated):
        with pytest.raises(AttributeError, match="has no attribute 'Bots'"):
            _ = module.Bots


def test_the_server_loads_grpc_when_it_starts() -> None:
    assert "grpc.aio" in loaded("import mattermost_plugin._grpc_server")


def test_the_generator_loads_neither_generated_code_nor_runtime() -> None:
    modules = loaded("import codegen.__main__")
    assert "codegen.build" in modules
    assert [name for name in modules if is_within(name, {GENERATED, RUNTIME, *GRPC})] == []
