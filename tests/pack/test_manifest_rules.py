"""The server's rules for manifests: what it takes, what it refuses, what it leaves out."""

import json
from collections.abc import Mapping
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from mattermost_plugin.cli.bundle.findings import Severity
from mattermost_plugin.cli.bundle.manifest_fields import parse_manifest
from mattermost_plugin.cli.bundle.manifest_rules import check_manifest, is_plugin_id
from mattermost_plugin.cli.bundle.versions import ServerVersion, is_semantic_version, read_server_version
from mattermost_plugin.cli.errors import CommandError
from tests.pack.bundles import MANIFEST

EXAMPLES = Path(__file__).parents[2] / "examples"


def found(changes: Mapping[str, object], severity: Severity = Severity.ERROR) -> list[str]:
    """Where something is wrong with the sample's manifest after changes; None takes a field away."""
    fields = {name: value for name, value in {**MANIFEST, **changes}.items() if value is not None}
    return [each.where.removeprefix("plugin.json: ") for each in check_manifest(fields) if each.severity is severity]


def test_nothing_is_wrong_with_a_sound_manifest() -> None:
    assert list(check_manifest(MANIFEST)) == []


@pytest.mark.parametrize("path", sorted(EXAMPLES.glob("*/plugin.json")), ids=lambda path: path.parent.name)
def test_nothing_is_wrong_with_the_examples(path: Path) -> None:
    assert list(check_manifest(json.loads(path.read_text()))) == []


@pytest.mark.parametrize("plugin_id", ["abc", "com.example.x-1_2", "A" * 190])
def test_ids(plugin_id: str) -> None:
    assert is_plugin_id(plugin_id)
    assert found({"id": plugin_id}) == []


@pytest.mark.parametrize("plugin_id", ["ab", "A" * 191, "com example", "com/example", "käse", "a\nb", "abc\n", ""])
def test_no_ids(plugin_id: str) -> None:
    assert not is_plugin_id(plugin_id)
    assert found({"id": plugin_id}) == ["id"]


def test_an_id_that_the_server_changes() -> None:
    assert found({"id": "com.Example"}, Severity.WARNING) == ["id"]


@pytest.mark.parametrize("text", ["0.1.0", "10.11.0", "1.2.3-rc.1", "1.2.3-rc.1+build.5", "1.0.0-0a", "1.0.0--"])
def test_semantic_versions(text: str) -> None:
    assert is_semantic_version(text)
    assert found({"version": text, "min_server_version": text}) == []


@pytest.mark.parametrize(
    "text", ["1", "1.2", "v1.2.3", "1.2.3.4", "01.2.3", "1.2.3-", "1.2.3-01", "1.2.3+", "1.2.x", " 1.2.3"]
)
def test_no_semantic_versions(text: str) -> None:
    assert not is_semantic_version(text)
    assert found({"version": text, "min_server_version": text}) == ["version", "min_server_version"]


@given(st.tuples(*[st.integers(0, 999_999)] * 3))
def test_versions_of_servers(numbers: tuple[int, int, int]) -> None:
    version = ServerVersion(*numbers)
    assert read_server_version(str(version)) == version
    assert read_server_version(f"{version}-rc1") == version
    assert read_server_version(f"{numbers[0]}.{numbers[1]}") == (numbers[0], numbers[1], 0)


def test_no_versions_of_servers() -> None:
    for text in ("", "10", "ten.1", "10.1.", "10.1x", "1" * 7 + ".0"):
        with pytest.raises(ValueError, match="no version"):
            read_server_version(text)


WRONG: Mapping[str, tuple[Mapping[str, object], list[str]]] = {
    "no name": ({"name": " "}, ["name"]),
    "a number for a name": ({"name": 5}, ["name"]),
    "a number for a version": ({"version": 1}, ["version"]),
    "a list for the server": ({"server": []}, ["server"]),
    "nothing to run": ({"server": None}, ["server"]),
    "no executable": ({"server": {}}, ["server.executable"]),
    "executables that are none": ({"server": {"executables": {"linux-amd64": 1}}}, ["server.executables"]),
    "a web app without a script": ({"webapp": {}}, ["webapp.bundle_path"]),
    "an address without a host": ({"homepage_url": "https://"}, ["homepage_url"]),
    "an address of another kind": ({"support_url": "ftp://example.com"}, ["support_url"]),
}


@pytest.mark.parametrize("case", WRONG)
def test_what_is_wrong(case: str) -> None:
    changes, where = WRONG[case]
    assert found(changes) == where


def test_a_web_app_needs_no_server() -> None:
    assert found({"server": None, "webapp": {"bundle_path": "main.js"}}) == []


def test_misspelt_fields_are_named() -> None:
    assert found({"min_server_verison": "10.0.0"}, Severity.WARNING) == ["min_server_verison"]
    assert found({"server": {"executabel": "x", "executable": "x"}}, Severity.WARNING) == ["server.executabel"]
    # The server and others have fields that this does not know.
    assert found({"maintainer": "me"}, Severity.WARNING) == []


SETTINGS = {
    "no type": ({"key": "a"}, "[0].type"),
    "an unknown type": ({"key": "a", "type": "colour"}, "[0].type"),
    "no key": ({"type": "text"}, "[0].key"),
    "options of a text": ({"key": "a", "type": "text", "options": []}, "[0].options"),
    "half an option": ({"key": "a", "type": "radio", "options": [{"value": "x"}]}, "[0].options"),
    "a placeholder of a switch": ({"key": "a", "type": "bool", "placeholder": "x"}, "[0].placeholder"),
    "a text for making a password": (
        {"key": "a", "type": "text", "regenerate_help_text": "x"},
        "[0].regenerate_help_text",
    ),
    "no object": ("a", "[0]"),
}


@pytest.mark.parametrize("case", SETTINGS)
def test_settings(case: str) -> None:
    setting, where = SETTINGS[case]
    assert found({"settings_schema": {"settings": [setting]}}) == [f"settings_schema.settings{where}"]


def test_settings_that_share_a_value() -> None:
    settings = [{"key": "Colour", "type": "text"}, {"key": "colour", "type": "text"}]
    assert found({"settings_schema": {"settings": settings}}) == []
    assert found({"settings_schema": {"settings": settings}}, Severity.WARNING) == ["settings_schema.settings[1].key"]
    options = [{"display_name": "X", "value": "x"}]
    assert found({"settings_schema": {"settings": [{"key": "a", "type": "radio", "options": options}]}}) == []
    assert found({"settings_schema": {"settings": "all"}}) == ["settings_schema.settings"]


NO_MANIFESTS = {
    b"": "is no JSON",
    b"[]": "is no JSON object",
    b'{"id": NaN}': "NaN is no JSON value",
    b'\xef\xbb\xbf{"id": "abc"}': "byte order mark",
    b'{"id": "\xff"}': "is no JSON",
    b"[" * 100_000: "is no JSON",
    b" " * (1024 * 1024 + 1): "more than 1048576 bytes",
}


@pytest.mark.parametrize("text", NO_MANIFESTS, ids=NO_MANIFESTS.values())
def test_texts_that_are_no_manifests(text: bytes) -> None:
    with pytest.raises(CommandError, match=f"^plugin.json.*{NO_MANIFESTS[text]}"):
        parse_manifest(text, "plugin.json")


@given(
    st.dictionaries(
        st.sampled_from(
            ["id", "name", "version", "min_server_version", "server", "webapp", "settings_schema", "icon_path"]
        ),
        st.recursive(
            st.none() | st.booleans() | st.integers() | st.text(max_size=5),
            lambda inner: (
                st.lists(inner, max_size=3)
                | st.dictionaries(
                    st.sampled_from(
                        ["settings", "type", "key", "options", "executable", "executables", "bundle_path", "x"]
                    ),
                    inner,
                    max_size=4,
                )
            ),
            max_leaves=8,
        ),
    )
)
def test_any_json_is_checked_without_an_exception(fields: dict[str, object]) -> None:
    for finding in check_manifest(fields):
        assert finding.what
        assert finding.advice or finding.severity is Severity.NOTE
