"""Turns rendered text into committed source: imports merged and pruned, laid out, checked."""

import subprocess
import sys
from collections.abc import Mapping
from pathlib import Path

import libcst as cst
from libcst import matchers as m
from libcst.helpers import get_full_name_for_node

from codegen.check import check_modules
from codegen.errors import CodegenError

_LINE_LENGTH = 120


def format_sources(sources: Mapping[str, str], out: Path) -> None:
    """Write the rendered files below `out`, Python modules normalised, formatted and checked.

    Raises:
        CodegenError: a template rendered something that is not sound Python; the file is left in place to look at.
    """
    modules = []
    for name, text in sources.items():
        path = out / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text, encoding="utf-8")
        if path.suffix == ".py":
            path.write_text(_merge_imports(name, text), encoding="utf-8")
            modules.append(path)
    # Sorting belongs to the formatter, so that the result is what `ruff format` and its import rule leave alone.
    _ruff("check", "--select", "I", "--fix", *map(str, modules))
    _ruff("format", *map(str, modules))
    check_modules({path.relative_to(out).as_posix(): path.read_text(encoding="utf-8") for path in modules})


def _ruff(command: str, *arguments: str) -> None:
    done = subprocess.run(
        [
            sys.executable,
            "-m",
            "ruff",
            command,
            "--quiet",
            "--isolated",
            "--target-version=py311",
            f"--line-length={_LINE_LENGTH}",
            *arguments,
        ],
        capture_output=True,
        text=True,
        check=False,
    )
    if done.returncode != 0:
        raise CodegenError(f"ruff {command} refused generated code:\n{done.stdout}{done.stderr}")


def _merge_imports(name: str, text: str) -> str:
    try:
        module = cst.parse_module(text)
    except cst.ParserSyntaxError as error:
        raise CodegenError(f"The template of {name} renders no valid Python: {error}") from error
    return module.visit(_ImportMerger(_names_used(module))).code


def _names_used(module: cst.Module) -> frozenset[str]:
    """The names that the code uses somewhere other than in an import, those in __all__ included."""
    collector = _NameCollector()
    module.visit(collector)
    return frozenset(collector.names)


class _NameCollector(cst.CSTVisitor):
    def __init__(self) -> None:
        self.names: set[str] = set()

    def visit_ImportFrom(self, node: cst.ImportFrom) -> bool:
        return False

    def visit_Name(self, node: cst.Name) -> None:
        self.names.add(node.value)

    def visit_SimpleString(self, node: cst.SimpleString) -> None:
        self.names.add(str(node.evaluated_value))


class _ImportMerger(cst.CSTTransformer):
    """Keeps one `from module import ...` for each module, with the names that the code uses."""

    def __init__(self, used: frozenset[str]) -> None:
        self._used = used

    def leave_Module(self, original_node: cst.Module, updated_node: cst.Module) -> cst.Module:
        wanted: dict[str, set[str]] = {}
        body: list[cst.BaseStatement | cst.SimpleStatementLine] = []
        first: int | None = None
        for statement in updated_node.body:
            if m.matches(statement, m.SimpleStatementLine(body=[m.ImportFrom()])):
                first = len(body) if first is None else first
                self._collect(statement, wanted)
            else:
                body.append(statement)
        if first is None:
            return updated_node
        lines = [f"from {module} import {', '.join(sorted(names))}" for module, names in sorted(wanted.items())]
        body[first:first] = [cst.parse_statement(line) for line in lines]
        return updated_node.with_changes(body=body)

    def _collect(self, statement: cst.BaseStatement, wanted: dict[str, set[str]]) -> None:
        assert isinstance(statement, cst.SimpleStatementLine)
        imported = statement.body[0]
        assert isinstance(imported, cst.ImportFrom) and imported.module is not None
        assert not isinstance(imported.names, cst.ImportStar)
        module = get_full_name_for_node(imported.module)
        assert module is not None
        names = {str(get_full_name_for_node(alias.name)) for alias in imported.names} & self._used
        if names:
            wanted.setdefault(module, set()).update(names)
