"""The page that says which API methods the development host answers is up to date."""

import re
import subprocess
import sys
from pathlib import Path

import pytest

from mattermost_plugin.devhost import implemented_methods, methods
from mattermost_plugin.devhost.service import API_METHODS
from mattermost_pluginapi.api.client import PluginAPI

PAGE = Path(__file__).parents[2] / "docs" / "devhost-methods.md"


def test_the_page_is_what_the_command_prints() -> None:
    command = [sys.executable, "-m", "mattermost_plugin.devhost.methods"]
    done = subprocess.run(command, capture_output=True, text=True, check=True)
    assert done.stdout == PAGE.read_text(encoding="utf-8"), "run `make codegen`"


def test_every_method_is_on_the_page_once() -> None:
    named = re.findall(r"^- `(\w+)`$", methods.methods_page(), re.MULTILINE)
    assert len(named) == len(set(named)) == len(API_METHODS)
    assert all(hasattr(PluginAPI, name) for name in named)


def test_a_method_that_is_not_answered_stands_apart(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(
        methods, "implemented_methods", lambda: [name for name in implemented_methods() if name != "GetUser"]
    )
    before, _, _ = methods.methods_page().partition("## ")
    assert f"{len(implemented_methods()) - 1} of the {len(API_METHODS)} methods" in before
    assert "- `get_user`\n" in before
