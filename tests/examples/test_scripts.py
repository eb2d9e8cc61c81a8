"""What all examples have in common: a manifest that fits, and a script that a host can start."""

import json
from pathlib import Path

import pytest

EXAMPLES = Path(__file__).parents[2] / "examples"
NAMES = sorted(path.parent.name for path in EXAMPLES.glob("*/plugin.json"))


def test_there_are_examples_and_each_has_tests() -> None:
    assert NAMES == ["fastapi_app", "flask_app", "greeter", "moderation", "slash_command"]
    tested = {path.stem for path in Path(__file__).parent.glob("test_*.py")}
    assert {f"test_{name}" for name in NAMES} <= tested


@pytest.mark.parametrize("name", NAMES)
def test_manifest(name: str) -> None:
    manifest = json.loads((EXAMPLES / name / "plugin.json").read_text())
    assert manifest["id"].startswith("com.example.")
    assert manifest["name"]
    assert manifest["description"]
    assert manifest["version"]
    assert manifest["server"]["runtime"] == "python"
    assert (EXAMPLES / name / manifest["server"]["executable"]).is_file()


def test_ids_are_unique() -> None:
    ids = [json.loads((EXAMPLES / name / "plugin.json").read_text())["id"] for name in NAMES]
    assert len(set(ids)) == len(ids)


@pytest.mark.parametrize("name", NAMES)
def test_script_has_a_docstring_and_a_main(name: str) -> None:
    script = (EXAMPLES / name / "plugin.py").read_text()
    assert script.startswith('"""')
    assert 'if __name__ == "__main__":\n    run_plugin(' in script
