"""Go names to Python names. A change here renames what authors write: it is breaking and belongs in the changelog."""

import keyword
import re

# Words that the rule below would cut in the wrong place.
_COMPOUNDS = {"WebSocket": "Websocket"}

# Names that a parameter or method must not take: keywords, and what a plugin class has for itself.
RESERVED_PARAMETERS = frozenset({*keyword.kwlist, *keyword.softkwlist, "self", "cls"})
RESERVED_METHODS = frozenset({*keyword.kwlist, "api", "config", "db", "logger", "implemented_hooks", "has_hook"})

_WORD = re.compile(r"[A-Z]+(?=[A-Z][a-z])|[A-Z]?[a-z0-9]+|[A-Z]+")


def snake_case(go_name: str) -> str:
    """`OnSAMLLogin` -> `on_saml_login`, `ServeHTTP` -> `serve_http`, `OnWebSocketConnect` -> `on_websocket_connect`."""
    for compound, replacement in _COMPOUNDS.items():
        go_name = go_name.replace(compound, replacement)
    return "_".join(word.lower() for word in _WORD.findall(go_name))
