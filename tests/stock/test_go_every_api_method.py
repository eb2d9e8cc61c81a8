"""Every method of the plugin API, answered by Go's own gob: each argument and each result arrives.

What errors mean is in tests/conformance, contents that travel in streams are in test_go_api_streams.
"""

import base64
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from mattermost_pluginapi.stock.methods import API_METHODS
from tests.conformance.filled_messages import CONTENT_FIELDS, api_request, api_response
from tests.gob.streams import read
from tests.stock.go_values_json import go_json, without_zeros
from tests.stock.gostock import GoStock
from tests.stock.struct_vectors import write_struct

ROOT = Path(__file__).parents[2]
PLUGIN = ROOT / "tests" / "stock" / "plugins" / "api_plugin.py"
IN_STREAMS = {*CONTENT_FIELDS, "PluginHTTPStream"}
NOT_SENT = {"SaveConfig"}
METHODS = sorted(set(API_METHODS) - IN_STREAMS - NOT_SENT)
NEWER = "linked_field_id"
"""A field that the host's types do not have yet."""

pytestmark = [pytest.mark.go, pytest.mark.timeout(60, func_only=True)]

# Any: structs as JSON by Go's names.


def struct_of(name: str, message: Any) -> Any:
    (struct,) = read(write_struct(name, message))
    return go_json(struct)


def without_newer(message: Any) -> Any:
    for field, value in message.ListFields():
        if field.name == NEWER:
            message.ClearField(field.name)
        elif field.message_type is not None and not field.message_type.GetOptions().map_entry:
            for each in value if field.is_repeated else [value]:
                without_newer(each)
    return message


def in_gob(name: str, message: Any) -> dict[str, str]:
    """An answer that keeps the types of what interfaces hold."""
    return {"$gob": base64.b64encode(write_struct(name, message)).decode()}


@pytest.fixture(scope="module")
def host(program: Path) -> Iterator[GoStock]:
    """A host with a plugin that calls what it is told to."""
    answers = {name: in_gob(API_METHODS[name][1], without_newer(api_response("netrpc", name))) for name in METHODS}
    with GoStock(program) as running:
        running.start([sys.executable, str(PLUGIN)], api=answers, env={"PYTHONPATH": str(ROOT)})
        assert running.activate() == ""
        yield running


@pytest.mark.parametrize("name", METHODS)
def test_every_argument_and_every_result_arrives(host: GoStock, name: str) -> None:
    request, response = without_newer(api_request("netrpc", name)), without_newer(api_response("netrpc", name))
    texts = [base64.b64encode(each.SerializeToString()).decode() for each in (request, response)]
    answered = host.hook("ExecuteCommand", A={}, B={"Command": " ".join([name, *texts])})
    assert answered["B"] is None
    assert answered["A"]["Text"] == "same"
    call = host.api_calls()[-1]
    assert call["method"] == name
    assert without_zeros(call["args"]) == without_zeros(struct_of(API_METHODS[name][0], request))
