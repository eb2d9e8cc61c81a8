"""Go names to Python names. A change here renames what authors write: it is breaking and belongs in the changelog."""

import keyword
import re

# Words that the rule below would cut in the wrong place.
_COMPOUNDS = {"OAuth": "Oauth", "WebSocket": "Websocket"}

# Names that a parameter or method must not take: keywords, what a plugin class has for itself, and types that its
# stubs name. Soft keywords are fine as names, and differ between Python versions.
RESERVED_PARAMETERS = frozenset({*keyword.kwlist, "self", "cls"})
_PLUGIN_ATTRIBUTES = {
    *("api", "clock", "cluster", "config", "create", "db", "has_hook", "hook_handlers", "implemented_hooks", "jobs"),
    *("kv", "logger"),
}
_BUILTIN_TYPES = {"bool", "bytes", "float", "int", "str"}
RESERVED_METHODS = frozenset({*keyword.kwlist, *_PLUGIN_ATTRIBUTES, *_BUILTIN_TYPES})

# The same for the clients of the plugin API. `timeout` is a parameter of every method; the rest are names that the
# methods' bodies use.
RESERVED_API_PARAMETERS = frozenset(
    {*keyword.kwlist, "self", "timeout", "response", "dict", "list", "to_dict", "to_struct"}
)
RESERVED_API_METHODS = frozenset({*keyword.kwlist, "aio", "dict", "list", *_BUILTIN_TYPES})
# Attributes that every tuple has.
RESERVED_RESULTS = frozenset({"count", "index"})

_GO_NAME = re.compile(r"[A-Z][A-Za-z0-9]*")
_WORD = re.compile(r"[A-Z]+(?=[A-Z][a-z])|[A-Z]?[a-z0-9]+|[A-Z]+")


def is_go_name(name: str) -> bool:
    """Whether it is an exported Go name that can name a Python member and begin a class name in Python, too."""
    return _GO_NAME.fullmatch(name) is not None and not keyword.iskeyword(name)


def snake_case(go_name: str) -> str:
    """`OnSAMLLogin` -> `on_saml_login`, `ServeHTTP` -> `serve_http`, `OnWebSocketConnect` -> `on_websocket_connect`."""
    for compound, replacement in _COMPOUNDS.items():
        go_name = go_name.replace(compound, replacement)
    return "_".join(word.lower() for word in _WORD.findall(go_name))
