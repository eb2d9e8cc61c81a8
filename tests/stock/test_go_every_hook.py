"""Every hook, called by Go's own net/rpc on a real plugin process: each argument arrives.

What results and failures mean is in tests/conformance.
"""

import base64
import json
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from google.protobuf.json_format import ParseDict
from google.protobuf.message import Message

from mattermost_plugin import HookName
from mattermost_pluginapi.stock.methods import HOOKS
from tests.conformance.hook_cases import CASES, Case
from tests.conformance.stock_filled import stock_filled
from tests.gob.streams import read
from tests.stock.go_values_json import go_json
from tests.stock.gostock import GoStock
from tests.stock.slow_messages import shown
from tests.stock.struct_vectors import write_struct

ROOT = Path(__file__).parents[2]
PLUGIN = ROOT / "tests" / "peer" / "plugins" / "conformance.py"
CONTENT = b"do=allow" + bytes(range(256)) * 1000

pytestmark = [pytest.mark.go, pytest.mark.timeout(60, func_only=True)]

# Any: structs as JSON by Go's names, and arguments of any hook.


class Conformance:
    """The conformance plugin under a host, and what its handlers were given."""

    def __init__(self, host: GoStock, folder: Path) -> None:
        self.host = host
        self._folder = folder

    def prepare(self, hook: HookName) -> None:
        (self._folder / f"{hook}.do").write_text("allow")

    def arguments(self, hook: HookName) -> list[Any]:
        recorded: list[Any] = json.loads((self._folder / f"{hook}.json").read_text())
        return recorded


@pytest.fixture(scope="module")
def conformance(program: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Conformance]:
    folder = tmp_path_factory.mktemp("stock")
    with GoStock(program) as host:
        plugin = Conformance(host, folder)
        for hook in HookName:
            plugin.prepare(hook)
        env = {"PYTHONPATH": str(ROOT), "CONFORMANCE_FOLDER": str(folder)}
        started = host.start([sys.executable, str(PLUGIN)], env=env)
        assert sorted(started["implemented"]) == sorted(HookName)
        assert host.activate() == ""
        yield plugin


def as_recorded(value: Any, recorded: Any) -> tuple[Any, Any]:
    """What was sent and what the plugin has written down, in one form."""
    if isinstance(value, Message):
        return shown(value), shown(ParseDict(recorded, type(value)()))
    if isinstance(value, bytes):
        return value, base64.b64decode(recorded)
    if isinstance(value, (str, int)):
        return str(value), recorded
    pairs = [as_recorded(sent, found) for sent, found in zip(value, recorded, strict=True)]
    return [sent for sent, _ in pairs], [found for _, found in pairs]


def check_arguments(conformance: Conformance, case: Case, request: Any) -> None:
    recorded = conformance.arguments(case.hook)
    assert len(recorded) == len(case.parameters)
    for name, found in zip(case.parameters, recorded, strict=True):
        sent, got = as_recorded(getattr(request, name), found)
        assert got == sent, name


# OnDeactivate is the last: no hook runs after it.
ORDERED = sorted(CASES, key=lambda case: case.hook is HookName.OnDeactivate)


@pytest.mark.parametrize("case", ORDERED, ids=lambda case: case.hook)
def test_every_argument_arrives(conformance: Conformance, case: Case) -> None:
    request = stock_filled(HOOKS[case.hook][0], "do=allow")
    if "plugin_context" in request.DESCRIPTOR.fields_by_name:
        # Newer than the host's types.
        request.plugin_context.ClearField("connection_id")
    struct: Any
    (struct,) = read(write_struct(HOOKS[case.hook][0], request))
    if case.hook is HookName.OnActivate:
        # It was called by the fixture.
        check_arguments(conformance, case, request)
    elif case.hook is HookName.FileWillBeUploaded:
        request.file_content = CONTENT
        # The host sends a context of its own.
        request.ClearField("plugin_context")
        reply, replacement = conformance.host.upload(go_json(struct["B"]), CONTENT)
        check_arguments(conformance, case, request)
        assert (reply["A"]["Name"], reply["B"], replacement) == (request.file_info.name, "", b"")
    else:
        conformance.host.hook(case.hook, **go_json(struct))
        check_arguments(conformance, case, request)
    conformance.host.ping()
