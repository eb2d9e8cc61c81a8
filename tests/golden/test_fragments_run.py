"""The code generated from fragments, imported, called and type-checked."""

import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from tests.golden.fragment import Generated, fragment_names

IMPORT_ALL = """
import mattermost_pluginapi.hooks.decorator
import mattermost_pluginapi.hooks.servicer as servicer
import mattermost_pluginapi.hooks.stubs
from mattermost_pluginapi.hooks.adapters import ADAPTERS
from mattermost_pluginapi.hooks.names import HookName

assert list(ADAPTERS) == list(HookName)
assert len(servicer.RPCS) == len(HookName)
"""

# How each quirk behaves, for what the text of the output does not show.
BEHAVIOUR = {
    "value_scalar": """
from mattermost_pluginapi.hooks.results import HookResultError

def refuses(hook, value):
    try:
        ADAPTERS[HookName[hook]].response(value)
    except HookResultError:
        return True
    return False

for hook, good, bad in (
    ("CountCups", [0, 7], [True, 1.5, "7", None]),
    ("WeighCups", [0.5, 2], [True, "2", None]),
    ("CheckCups", [True, False], [1, None]),
    ("NameCups", ["", "Ada"], [b"Ada", None]),
    ("DrawCups", [b""], ["", None]),
):
    assert [ADAPTERS[HookName[hook]].response(value).answer for value in good] == good, hook
    assert all(refuses(hook, value) for value in bad), hook
""",
    "value_list": """
from mattermost_pluginapi.hooks.results import HookResultError
from mattermost_pluginapi.models import Cup

adapter = ADAPTERS[HookName.SortCups]
assert len(adapter.response([Cup(), Cup()]).cups) == 2
assert len(adapter.response((Cup(),)).cups) == 1
assert not adapter.response(None).cups
for wrong in (Cup(), [Cup(), None], "cups", iter([Cup()])):
    try:
        adapter.response(wrong)
    except HookResultError as error:
        assert str(error).startswith("SortCups handler must return a sequence of Cup or None, not "), error
    else:
        raise AssertionError(wrong)
""",
    "upload": """
from mattermost_pluginapi.hooks.results import Reject
from mattermost_pluginapi.models import Cup
from mattermost_pluginapi.v1.hooks_pb2 import TeaWillBePouredRequest

adapter = ADAPTERS[HookName.TeaWillBePoured]
request = TeaWillBePouredRequest(tea=b"Earl Grey")
assert adapter.content(request) == b"Earl Grey"
assert adapter.arguments(request, "reader", "writer") == ("reader", Cup(), "writer")
assert adapter.response(None, b"Assam").modified_tea == b"Assam"
assert adapter.response(Cup(), b"").HasField("modified_cup")
refused = adapter.response(Reject("No cup."), b"Assam")
assert (refused.rejection_reason, refused.modified_tea) == ("No cup.", b"")
""",
    "filter_with_error": """
from mattermost_pluginapi.hooks.results import Reject

error = ADAPTERS[HookName.RecipeWillBeSaved].response(Reject("Too sweet.")).error
assert (error.message, error.detailed_error, error.where) == ("Too sweet.", "Too sweet.", "RecipeWillBeSaved")
assert error.skip_translation
""",
    "optional_parameter": """
from mattermost_pluginapi.models import Cup
from mattermost_pluginapi.v1.hooks_pb2 import CupHasBeenFoundRequest as Request

arguments = ADAPTERS[HookName.CupHasBeenFound].arguments
assert arguments(Request()) == (None, Cup(), None)
assert arguments(Request(finder=Cup(), place="")) == (Cup(), Cup(), "")
""",
    "enum_parameter": """
from mattermost_pluginapi.v1.hooks_pb2 import CupHasBeenSortedRequest as Request

size, old_size, sizes = ADAPTERS[HookName.CupHasBeenSorted].arguments(Request(sizes=[0, 5]))
assert (size, old_size, list(sizes)) == (0, None, [0, 5])
""",
    "docstrings": r'''
from mattermost_pluginapi.hooks.stubs import PluginHooks

def summary(method):
    return getattr(PluginHooks, method).__doc__.partition("\n\n")[0].strip(" \n")

assert summary("backslash") == "Called for C:\\new\\table and ends with a \\"
assert summary("quotes") == 'Called for """all""" who say "no"'
assert summary("openings") == '"Called" for a quote at the start.'
assert summary("template") == "Called for {{ braces }}, {% tags %} and a # comment."
assert summary("paragraphs") == "Called for a summary of two lines."
assert summary("spaces") == "Called for a comment that starts with empty lines."
assert summary("umlauts") == "Called for K\u00e4se \u2192 Brot."
''',
    "go_name": """
adapter = ADAPTERS[HookName.OnTeaTime]
assert adapter.method == "on_tea_time"
assert adapter.path == "/mattermost.pluginapi.v1.PluginHooks/BrewTea"
assert servicer.RPCS["BrewTea"] is adapter
""",
}


def run(out: Path, script: str) -> None:
    done = subprocess.run(
        [sys.executable, "-W", "error", "-c", script],
        env={**os.environ, "PYTHONPATH": str(out)},
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stderr


@pytest.mark.parametrize("name", fragment_names())
def test_generated_code_runs(name: str, generated: Generated) -> None:
    run(generated(name), IMPORT_ALL + BEHAVIOUR.get(name, ""))


def test_behaviour_is_that_of_a_fragment() -> None:
    assert set(BEHAVIOUR) <= set(fragment_names())


@pytest.fixture(scope="module")
def mypy_cache(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Shared, for the fragments differ in little of what they import."""
    return tmp_path_factory.mktemp("mypy_cache")


@pytest.mark.parametrize("name", fragment_names())
def test_generated_code_has_sound_types(name: str, generated: Generated, mypy_cache: Path) -> None:
    errors = check_types(generated(name), mypy_cache)
    assert errors == ""


def test_unsound_types_are_seen(generated: Generated, mypy_cache: Path, tmp_path: Path) -> None:
    out = shutil.copytree(generated("value_scalar"), tmp_path / "generated")
    adapters = out / "mattermost_pluginapi/hooks/adapters.py"
    adapters.write_text(adapters.read_text().replace("isinstance(result, str)", "isinstance(result, bytes)"))
    assert "hooks/adapters.py" in check_types(out, mypy_cache)


def check_types(out: Path, cache: Path) -> str:
    command = [sys.executable, "-m", "mypy", "--strict", "--config-file=", f"--cache-dir={cache}"]
    done = subprocess.run(
        [*command, "-p", "mattermost_pluginapi"],
        env={**os.environ, "MYPYPATH": str(out)},
        cwd=out,
        capture_output=True,
        text=True,
        check=False,
    )
    return "" if done.returncode == 0 else done.stdout + done.stderr
