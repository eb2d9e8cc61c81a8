"""Checks of generated modules that no formatter makes."""

from collections.abc import Iterator, Mapping

import libcst as cst
from libcst import matchers as m
from libcst.helpers import get_full_name_for_node

from codegen.errors import CodegenError

_ALLOWED_ROOTS = frozenset(
    {
        "abc",
        "collections",
        "dataclasses",
        "enum",
        "google",
        "importlib",
        "mattermost_pluginapi",
        "math",
        "types",
        "typing",
    }
)


def check_modules(sources: Mapping[str, str]) -> None:
    """Check generated modules: a docstring, an honest __all__, no name bound twice, imports only downwards.

    Args:
        sources: the text of every rendered module by its path.

    Raises:
        CodegenError: with everything that is wrong in the modules.
    """
    modules = {name: cst.parse_module(source) for name, source in sources.items()}
    bound = {_dotted(name): _bound(module) for name, module in modules.items()}
    wrong: list[str] = []
    for name, module in modules.items():
        checks = (_docstrings(module), _bindings(module), _exports(module), _imports(module, bound))
        wrong.extend(f"{name}: {fault}" for check in checks for fault in check)
    if wrong:
        raise CodegenError("The templates render modules with faults:\n  " + "\n  ".join(wrong))


def _dotted(path: str) -> str:
    return path.removesuffix(".py").removesuffix("/__init__").replace("/", ".")


def _docstrings(module: cst.Module) -> Iterator[str]:
    if module.get_docstring() is None:
        yield "the module has no docstring"
    for definition in _top_level(module):
        if not definition.name.value.startswith("_") and definition.get_docstring() is None:
            yield f"{definition.name.value} has no docstring"


def _bindings(module: cst.Module) -> Iterator[str]:
    imported = [name for names in _imported(module).values() for name in names]
    names = [*imported, *(definition.name.value for definition in _top_level(module))]
    for name in sorted({name for name in names if names.count(name) > 1}):
        yield f"{name} is imported or defined twice"
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


def _imports(module: cst.Module, bound: Mapping[str, set[str]]) -> Iterator[str]:
    for origin, names in _imported(module).items():
        for name in sorted(set(names) - bound.get(origin, set(names))):
            yield f"imports {name} from {origin}, which does not define it"
    for node in m.findall(module, m.Import() | m.ImportFrom()):
        if isinstance(node, cst.ImportFrom):
            sources = [get_full_name_for_node(node.module) if node.module else None]
        else:
            assert isinstance(node, cst.Import)
            sources = [get_full_name_for_node(alias.name) for alias in node.names]
        for source in sources:
            if source is None or source.partition(".")[0] not in _ALLOWED_ROOTS:
                yield f"imports {source}; generated code may import protobuf, itself and little of the standard library"


def _imported(module: cst.Module) -> dict[str, list[str]]:
    """The names that the module imports, by the module that it takes them from."""
    names: dict[str, list[str]] = {}
    for node in m.findall(module, m.ImportFrom()):
        assert isinstance(node, cst.ImportFrom) and not isinstance(node.names, cst.ImportStar)
        origin = str(get_full_name_for_node(node.module)) if node.module else ""
        names.setdefault(origin, []).extend(str(get_full_name_for_node(alias.name)) for alias in node.names)
    return names


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
    names.update(name for imported in _imported(module).values() for name in imported)
    for node in m.findall(module, m.AssignTarget() | m.AnnAssign()):
        if isinstance(node, (cst.AssignTarget, cst.AnnAssign)) and isinstance(node.target, cst.Name):
            names.add(node.target.value)
    return names
