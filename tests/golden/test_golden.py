"""The generator's output for every fragment against the expected one, byte by byte."""

from pathlib import Path

import pytest

from codegen.tree import differences, read_tree
from tests.golden import fragment, update
from tests.golden.fragment import EXPECTED, Generated, fragment_names, generate_fragment, rendered

FRAGMENT_COUNT = 20

UPDATE = "run `python -m tests.golden.update` and read the difference before you commit it"


def test_every_fragment_has_an_expected_output_and_the_other_way_round() -> None:
    assert len(fragment_names()) == FRAGMENT_COUNT
    files = {f"{name}/{file}{fragment.SUFFIX}" for name in fragment_names() for file in fragment.rendered_names(name)}
    assert set(read_tree(EXPECTED)) == files, UPDATE


@pytest.mark.parametrize("name", fragment_names())
def test_fragment(name: str, generated: Generated) -> None:
    expected = read_tree(EXPECTED / name)
    for file, text in rendered(name, generated(name)).items():
        # As text, for a readable difference; then as bytes, for what decoding hides.
        assert text.decode() == expected[file].decode(), UPDATE
        assert text == expected[file], UPDATE


def test_output_has_these_files(generated: Generated) -> None:
    modules = ["__init__", "adapter", "adapters", "decorator", "names", "results", "servicer", "streams", "stubs"]
    messages = ["options_pb2", "v1/common_pb2", "v1/hooks_pb2", "v1/tea_spoons_pb2"]
    files = {
        "__init__.py",
        "models.py",
        "py.typed",
        "v1/__init__.py",
        *(f"hooks/{module}.py" for module in modules),
        *(f"{message}{suffix}" for message in messages for suffix in (".py", ".pyi")),
    }
    assert set(read_tree(generated("file_name"))) == {f"mattermost_pluginapi/{file}" for file in files}


def test_without_a_plugin_api_there_is_no_package_for_it(generated: Generated) -> None:
    assert not (generated("notify") / "mattermost_pluginapi/api").exists()
    modules = ["__init__", "client", "method", "methods", "pages", "values"]
    package = generated(fragment.API_FRAGMENT) / "mattermost_pluginapi/api"
    assert set(read_tree(package)) == {f"{module}.py" for module in modules}


def test_two_runs_give_the_same_bytes(generated: Generated, tmp_path: Path) -> None:
    first, second = generated(fragment.API_FRAGMENT), generate_fragment(fragment.API_FRAGMENT, tmp_path)
    assert read_tree(first)
    assert differences(first, second) == []


def test_update_writes_what_is_compared(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(update, "fragment_names", lambda: ["notify"])
    monkeypatch.setattr(update, "EXPECTED", tmp_path)
    (tmp_path / "orphan").mkdir()
    (tmp_path / "orphan" / f"models.py{fragment.SUFFIX}").touch()
    update.main()
    assert read_tree(tmp_path) == {f"notify/{file}": text for file, text in read_tree(EXPECTED / "notify").items()}
