"""Checks of rendered modules, and of the output folder as a whole."""

import re
import shutil
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest

from codegen import __main__ as command_line
from codegen.check import check_modules
from codegen.errors import CodegenError
from codegen.format import format_sources
from codegen.model import Import
from codegen.render import import_lines
from codegen.tree import differences, read_tree, replace_tree

ROOT = Path(__file__).parents[2]
GENERATED = ROOT / "generated"
NAMES = "mattermost_pluginapi/hooks/names.py"

DOC = '"""A module."""\n'


@pytest.mark.parametrize(
    ("source", "fault"),
    [
        ("x = 1\n", "the module has no docstring"),
        (f"{DOC}class Public: ...\n", "Public has no docstring"),
        (f"{DOC}def f():\n    'D.'\ndef f():\n    'D.'\n", "f is imported or defined twice"),
        (f"{DOC}from typing import f\ndef f():\n    'D.'\n", "f is imported or defined twice"),
        (f"{DOC}from typing import A\nfrom types import A\n", "A is imported or defined twice"),
        (f"{DOC}class C:\n    'D.'\n    def f(self): ...\n    def f(self): ...\n", "C.f is defined twice"),
        (f"{DOC}x = 1\n__all__ = ['x', 'x']\n", "__all__ names x twice"),
        (f"{DOC}__all__ = ['x']\n", "__all__ names x, which the module does not define"),
        (f"{DOC}import grpc\n", "imports grpc; generated code may import protobuf"),
        (f"{DOC}from mattermost_plugin import Plugin\n", "imports mattermost_plugin; generated code may import"),
        (f"{DOC}from . import names\n", "imports None; generated code may import"),
        (f"{DOC}from package.other import y\n", "imports y from package.other, which does not define it"),
    ],
)
def test_a_faulty_module_is_refused(source: str, fault: str) -> None:
    with pytest.raises(CodegenError) as caught:
        check_modules({"package/module.py": source, "package/other.py": f"{DOC}x = 1\n"})
    assert f"package/module.py: {fault}" in str(caught.value)


def test_a_sound_module_passes() -> None:
    overloads = "@overload\ndef f(): ...\n@overload\ndef f(): ...\n".replace("\n", "\n    ").rstrip()
    source = f"{DOC}from google.protobuf.message import Message\nclass C:\n    'D.'\n    {overloads}\n__all__ = ['C']\n"
    check_modules({"package/__init__.py": source, "package/x.py": f"{DOC}from mattermost_pluginapi import y\n"})


def test_every_fault_of_every_module_is_reported() -> None:
    with pytest.raises(CodegenError) as caught:
        check_modules({"a.py": "import os\n", "b.py": "__all__ = ['x']\n"})
    assert len(caught.value.args[0].splitlines()) == 1 + 4


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("def f(:\n", r"^The template of module\.py renders no valid Python: "),
        (f"{DOC}type Text = str\n", r"(?s)^ruff check refused generated code:.*Python 3\.11"),
    ],
    ids=["no Python", "newer Python"],
)
def test_a_template_that_renders_no_sound_python_is_refused(text: str, message: str, tmp_path: Path) -> None:
    with pytest.raises(CodegenError, match=message):
        format_sources({"module.py": text}, tmp_path)
    assert (tmp_path / "module.py").exists()


def test_one_name_from_two_modules_is_refused() -> None:
    assert (
        import_lines([Import("b", "Y"), Import("a", "X"), Import("b", "X2")]) == "from a import X\nfrom b import X2, Y"
    )
    with pytest.raises(CodegenError, match="Cup is declared in a and in b"):
        import_lines([Import("a", "Cup"), Import("b", "Cup")])


def remove(tree: Path) -> None:
    (tree / NAMES).unlink()


def add(tree: Path) -> None:
    (tree / "mattermost_pluginapi/v1/old_pb2.py").touch()


def change(tree: Path) -> None:
    path = tree / NAMES
    path.write_bytes(path.read_bytes() + b"\n")


DOCTORS = {
    "missing": (remove, f"missing: {NAMES}"),
    "orphan": (add, "orphan: mattermost_pluginapi/v1/old_pb2.py"),
    "differing": (change, f"differs: {NAMES}"),
}


STALE = "generated/ is not what the proto files and templates give: run `make codegen`\n"


def check(*options: str) -> "subprocess.CompletedProcess[str]":
    command = [sys.executable, "-m", "codegen", "--check", *options]
    return subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=False)


@pytest.fixture
def copy(tmp_path: Path) -> Path:
    return shutil.copytree(GENERATED, tmp_path / "generated", ignore=shutil.ignore_patterns("__pycache__"))


def test_generated_is_up_to_date() -> None:
    done = check()
    assert (done.returncode, done.stderr) == (0, "")
    assert re.fullmatch(r"51 hooks, \d{3} stock structs with \d{4} fields, 0 files differ\n", done.stdout)


def test_check_sees_a_doctored_copy(copy: Path) -> None:
    change(copy)
    done = check("--out", str(copy))
    assert (done.returncode, done.stdout, done.stderr) == (1, f"differs: {NAMES}\n", STALE)


@pytest.mark.parametrize(("doctor", "line"), DOCTORS.values(), ids=DOCTORS)
def test_check_sees_each_difference_and_writes_nothing(
    doctor: Callable[[Path], None],
    line: str,
    copy: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    def generate(protos: Path, out: Path) -> str:
        shutil.copytree(GENERATED, out, dirs_exist_ok=True)
        return "51 hooks"

    monkeypatch.setattr(command_line, "generate", generate)
    monkeypatch.setattr(sys, "argv", ["codegen", "--check", "--out", str(copy)])
    assert command_line.main() == 0
    doctor(copy)
    doctored = read_tree(copy)
    assert capsys.readouterr().out == "51 hooks, 0 files differ\n"
    assert command_line.main() == 1
    assert tuple(capsys.readouterr()) == (f"{line}\n", STALE)
    assert read_tree(copy) == doctored


def test_every_file_of_a_missing_folder_differs(tmp_path: Path) -> None:
    assert differences(GENERATED, tmp_path / "nothing") == [f"missing: {path}" for path in read_tree(GENERATED)]


def test_faults_end_the_command_with_their_text(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], tmp_path: Path
) -> None:
    out = tmp_path / "out"
    monkeypatch.setattr(sys, "argv", ["codegen", "--protos", str(tmp_path), "--out", str(out)])
    assert command_line.main() == 1
    assert capsys.readouterr().err == f"codegen: No proto file below {tmp_path}\n"
    assert not out.exists()


def test_the_output_folder_is_replaced_whole(tmp_path: Path) -> None:
    fresh, old = tmp_path / "fresh", tmp_path / "old"
    for path, text in (
        (fresh / "a/new.py", "1"),
        (fresh / "same.py", "2"),
        (old / "same.py", "2"),
        (old / "b/x.py", "3"),
    ):
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text, encoding="utf-8")
    assert replace_tree(fresh, old) == ["missing: a/new.py", "orphan: b/x.py"]
    assert read_tree(old) == {"a/new.py": b"1", "same.py": b"2"}
    assert differences(fresh, old) == []


def test_compiled_python_does_not_count(tmp_path: Path) -> None:
    (tmp_path / "__pycache__").mkdir()
    (tmp_path / "__pycache__/names.cpython-311.pyc").touch()
    assert read_tree(tmp_path) == {}
