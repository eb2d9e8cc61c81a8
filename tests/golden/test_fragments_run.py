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
    "plugin_api": """
import inspect
import sys

assert not [module for module in sys.modules if module.startswith("mattermost_pluginapi.api")]

from mattermost_pluginapi.api.client import PluginAPI
from mattermost_pluginapi.api.methods import LIST_OAUTH_POTS, METHODS
from mattermost_pluginapi.models import Pot, Tea
from mattermost_pluginapi.v1.api_pb2 import *
from mattermost_pluginapi.v1.kitchen_pb2 import *

class Fake(PluginAPI):
    aio = None

    def _call(self, method, request, timeout):
        self.sent = request
        return self.answers.get(method.name, method.response_type())

    answers = {}

fake = Fake()
assert METHODS["ListOAuthPots"] is LIST_OAUTH_POTS
assert LIST_OAUTH_POTS.path == "/mattermost.pluginapi.v1.PluginAPI/ListPots"
assert LIST_OAUTH_POTS.repeatable
assert fake.list_oauth_pots() == []
assert fake.sent == ListPotsRequest(sort="name", clean=True, weight=0.5)
assert not fake.sent.HasField("like") and not fake.sent.HasField("full") and not fake.sent.HasField("more")
fake.list_oauth_pots(1, "kind", b"b", False, ["i"], {"a": "b"}, Pot(), 0.0, {}, 2.0)
assert fake.sent.HasField("like") and fake.sent.HasField("full") and fake.sent.HasField("more")
assert fake.clean() is None
assert fake.find_pot(["a"]) is None
assert fake.get_labels() == (None, None)
assert fake.brew_tea(Tea(), {"big": 1}, {"sugar": [1]}, None) == (Pot(), None, {})
fake.answers = {
    "FindPot": FindPotResponse(pot=Pot()),
    "GetLabels": GetLabelsResponse(labels={}, picture=b"p"),
    "BrewTea": BrewTeaResponse(temperature=0, notes={"a": "b"}),
}
assert fake.find_pot(["a"]) == Pot()
assert fake.get_labels() == ({}, b"p")
assert fake.brew_tea(Tea(), {}, {}, 0.0) == (Pot(), 0.0, {"a": "b"})

assert {name for name in dir(PluginAPI) if name.startswith("iter_")} == {
    "iter_clean_spoons", "iter_names_list", "iter_search_spoons", "iter_served", "iter_teas"
}
parameters = inspect.signature(PluginAPI.iter_teas).parameters
assert list(map(str, parameters.values())) == [
    "self", "kind: str", "clean: bool = True", "page_size: int = 200", "timeout: float | None = None"
]

class Pages(PluginAPI):
    aio = None

    def __init__(self, *answers):
        self.answers, self.sent = list(answers), []

    def _call(self, method, request, timeout):
        self.sent.append(request)
        return self.answers.pop(0)

teas = [GetTeasResponse(teas=[Tea(kind="a"), Tea(kind="b")]), GetTeasResponse(teas=[Tea(kind="c")]), GetTeasResponse()]
pages = Pages(*teas)
assert [tea.kind for tea in pages.iter_teas("k", page_size=2)] == ["a", "b", "c"]
assert pages.sent == [GetTeasRequest(kind="k", page=page, per_page=2, clean=True) for page in range(3)]

pages = Pages(NamesListResponse(names=["a"]), NamesListResponse())
assert list(pages.iter_names_list()) == ["a"]

teas = {"1": Tea(kind="a"), "2": Tea(kind="b"), "3": Tea(kind="c"), "0": Tea()}
lists = [TeaList(order=["2", "1"], teas=teas), TeaList(order=["9", "3"], teas=teas), TeaList(teas=teas)]
pages = Pages(*[GetServedResponse(list=each) for each in lists])
assert [tea.kind for tea in pages.iter_served()] == ["a", "b", "c"]

spoons = [SearchSpoonsResponse(spoons=[Spoon(id="a", create_at=1), Spoon(id="b", create_at=2)]), SearchSpoonsResponse()]
assert [spoon.id for spoon in Pages(*spoons).iter_search_spoons()] == ["a", "b"]
opts = SpoonOpts(kind="k", page=7, per_page=7, cursor=SpoonCursor(spoon_id="z"))
pages = Pages(*spoons)
for spoon in pages.iter_search_spoons(opts, page_size=2):
    spoon.Clear()
assert [request.opts for request in pages.sent] == [
    SpoonOpts(kind="k", per_page=2),
    SpoonOpts(kind="k", per_page=2, cursor=SpoonCursor(spoon_id="b", create_at=2)),
]
assert opts.page == 7

page = SpoonPage(spoons=[Spoon(id="a"), Spoon(id="b")])
pages = Pages(GetCleanSpoonsResponse(page=page), GetCleanSpoonsResponse())
assert len(list(pages.iter_clean_spoons())) == 2
assert pages.sent == [GetCleanSpoonsRequest(limit=200), GetCleanSpoonsRequest(after="b", limit=200)]
""",
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
