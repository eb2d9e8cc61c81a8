"""The public names of the package. A change here is a change for authors and belongs in the changelog."""

import importlib
import re
from pathlib import Path

import pytest

import mattermost_plugin.testing
from mattermost_plugin.testing import messages

ROOT = Path(__file__).parents[2]


def _listed(text: str) -> list[str]:
    return text.split()


PUBLIC = _listed(
    """
    Answer ApiCall DeadlineError DevHost ExpectedErrors Fault HeldCalls HookCall KeyValues LeftoverWarning LoadError
    LogLine ManualClock MisuseError PostDismissed Records RejectedByPlugin RequestRefused ServerUnderTestError
    SystemClock TestChannel TestClock TestConnection TestPlugin TestServer TestTeam TestUser UnexpectedErrors advance
    quiet serving
"""
)

SERVER = _listed(
    """
    api_calls call call_hook channel check clock close configure direct disable disconnect enable expect_errors fail
    find_channel find_plugin find_post find_user forget get group hold hooks is_closed kv launch load logs mails plugin
    plugins register_command request restart run set_plugin_config settle slow start team transcript unload unsettled
    user wait_until websocket_events
"""
)

USER = _listed(
    """
    activate command connect deactivate delete dialogs direct download edit ephemeral_messages ephemeral_posts get
    log_in mails model post pushes react read reply request unreact upload
"""
)


def test_the_package() -> None:
    assert sorted(mattermost_plugin.testing.__all__) == PUBLIC
    assert set(PUBLIC) <= set(dir(mattermost_plugin.testing))
    for name in PUBLIC:
        assert getattr(mattermost_plugin.testing, name).__doc__, name
    with pytest.raises(AttributeError, match="has no attribute 'Servers'"):
        getattr(mattermost_plugin.testing, "Servers")  # noqa: B009 - type checkers know that it is not there


@pytest.mark.parametrize(("kind", "names"), [("TestServer", SERVER), ("TestUser", USER)])
def test_the_main_classes(kind: str, names: list[str]) -> None:
    public = [name for name in dir(getattr(mattermost_plugin.testing, kind)) if not name.startswith("_")]
    assert sorted(public) == names


def test_pytest_collects_none_of_them() -> None:
    for name in PUBLIC:
        if name.startswith("Test"):
            assert getattr(mattermost_plugin.testing, name).__test__ is False, name


def test_all_requests_and_responses_have_their_modules() -> None:
    generated = ROOT / "generated" / "mattermost_pluginapi" / "v1"
    services = {"api_pb2", "hooks_pb2"}  # they have no messages of their own
    modules = {path.stem for pattern in ("api_*_pb2.py", "hooks_*_pb2.py") for path in generated.glob(pattern)}
    source = Path(str(messages.__file__)).read_text(encoding="utf-8")
    typed = set(re.findall(r"from mattermost_pluginapi\.v1\.(\w+) import \*", source))
    assert typed == set(vars(messages)["_MODULES"]) == modules - services
    for module in typed:
        for name in vars(importlib.import_module(f"mattermost_pluginapi.v1.{module}")):
            if name.endswith(("Request", "Response")):
                assert getattr(messages, name).DESCRIPTOR.name == name
