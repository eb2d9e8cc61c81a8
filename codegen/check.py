"""Checks of generated modules that no formatter makes."""

from collections.abc import Iterator

import libcst as cst
from libcst import matchers as m
from libcst.helpers import get_full_name_for_node

from codegen.errors import CodegenError

_ALLOWED_ROOTS = frozenset(
    {"abc", "collections", "dataclasses", "enum", "google", "mattermost_pluginapi", "types", "typing"}
)


def check_module(name: str, source: str) -> None:
    """Check a generated module: a docstring, an honest __all__, nothing defined twice, imports only downwards.

    Raises:
        CodegenError: with everything that is wrong in the module.
    """
    module = cst.parse_module(source)
    wrong = [*_docstrings(module), *_definitions(module), *_exports(module), *_imports(module)]
    if wrong:
        raise CodegenError(f"The template of {name} renders a module with faults:\n  " + "\n  ".join(wrong))


def _docstrings(module: cst.Module) -> Iterator[str]:
    if module.get_docstring() is None:
        yield "the module has no docstring"
    for definition in _top_level(module):
        if not definition.name.value.startswith("_") and definition.get_docstring() is None:
            yield f"{definition.name.value} has no docstring"


def _definitions(module: cst.Module) -> Iterator[str]:
    names = [definition.name.value for definition in _top_level(module)]
    for name in sorted({name for name in names if names.count(name) > 1}):
        yield f"{name} is defined twice"
    for definition in _top_level(module):
        if not isinstance(definition, cst.ClassDef):
            continue
        methods = [
            part.name.value
            for part in definition.body.body
            if isinstance(part, cst.FunctionDef) and not m.findall(part, m.Decorator(m.Name("overload")))
        ]
        for method in sorted({method for method in methods if methods.count(method) > 1}):
            yield f"{definition.name.value}.{method} is defined twice"


def _exports(module: cst.Module) -> Iterator[str]:
    exported = _exported(module)
    if exported is None:
        return
    for name in sorted({name for name in exported if exported.count(name) > 1}):
        yield f"__all__ names {name} twice"
    for name in sorted(set(exported) - _bound(module)):
        yield f"__all__ names {name}, which the module does not define"


def _imports(module: cst.Module) -> Iterator[str]:
    for node in m.findall(module, m.Import() | m.ImportFrom()):
        if isinstance(node, cst.ImportFrom):
            sources = [get_full_name_for_node(node.module) if node.module else None]
        else:
            assert isinstance(node, cst.Import)
            sources = [get_full_name_for_node(alias.name) for alias in node.names]
        for source in sources:
            if source is None or source.partition(".")[0] not in _ALLOWED_ROOTS:
                yield f"imports {source}; generated code may import protobuf, itself and little of the standard library"


def _top_level(module: cst.Module) -> Iterator[cst.ClassDef | cst.FunctionDef]:
    for statement in module.body:
        if isinstance(statement, (cst.ClassDef, cst.FunctionDef)):
            yield statement


def _exported(module: cst.Module) -> list[str] | None:
    for node in m.findall(module, m.Assign(targets=[m.AssignTarget(m.Name("__all__"))])):
        strings = m.findall(node, m.SimpleString())
        return [str(string.evaluated_value) for string in strings if isinstance(string, cst.SimpleString)]
    return None


def _bound(module: cst.Module) -> set[str]:
    names = {definition.name.value for definition in _top_level(module)}
    for node in m.findall(module, m.ImportFrom() | m.AssignTarget() | m.AnnAssign()):
        if isinstance(node, cst.ImportFrom):
            assert not isinstance(node.names, cst.ImportStar)
            names |= {str(get_full_name_for_node(alias.name)) for alias in node.names}
        elif isinstance(node, (cst.AssignTarget, cst.AnnAssign)) and isinstance(node.target, cst.Name):
            names.add(node.target.value)
    return names
