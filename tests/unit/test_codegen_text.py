"""Names and docstrings that the generator makes of Go names and proto comments."""

import ast
import inspect
import keyword

import pytest
from hypothesis import given
from hypothesis import strategies as st

from codegen.naming import RESERVED_METHODS, RESERVED_PARAMETERS, is_hook_name, snake_case
from codegen.render import docstring
from mattermost_plugin import Plugin
from mattermost_pluginapi.hooks.adapters import ADAPTERS
from mattermost_pluginapi.hooks.stubs import PluginHooks


@pytest.mark.parametrize(
    ("go_name", "python_name"),
    [
        ("OnActivate", "on_activate"),
        ("OnSAMLLogin", "on_saml_login"),
        ("ServeHTTP", "serve_http"),
        ("OnWebSocketConnect", "on_websocket_connect"),
        ("WebSocketMessageHasBeenPosted", "websocket_message_has_been_posted"),
        ("OnHTTP2Push", "on_http_2_push"),
        ("X", "x"),
    ],
)
def test_snake_case(go_name: str, python_name: str) -> None:
    assert snake_case(go_name) == python_name


def test_stubs_have_the_names_that_the_rule_gives() -> None:
    assert {name: adapter.method for name, adapter in ADAPTERS.items()} == {name: snake_case(name) for name in ADAPTERS}


def test_what_a_plugin_has_for_itself_is_reserved() -> None:
    own = {name for name in dir(Plugin) if not name.startswith("_") and name not in vars(PluginHooks)}
    assert own
    assert own <= RESERVED_METHODS


def test_keywords_are_reserved() -> None:
    assert set(keyword.kwlist) <= RESERVED_METHODS & RESERVED_PARAMETERS


@pytest.mark.parametrize("name", ["OnActivate", "X", "OnHTTP2Push"])
def test_go_names_can_name_hooks(name: str) -> None:
    assert is_hook_name(name)


@pytest.mark.parametrize("name", ["", "onActivate", "On_Activate", "On Activate", "2D", "None", "True", "Ärger", "A\n"])
def test_other_names_cannot(name: str) -> None:
    assert not is_hook_name(name)


TEXT = st.text(st.sampled_from("\"\\\n'{}#aé→ ") | st.characters(exclude_categories=["Cc", "Cs", "Zl", "Zp"]))


@given(TEXT.filter(lambda text: bool(text.strip("\n"))))
def test_a_docstring_says_what_the_comment_says(text: str) -> None:
    text = "\n".join(line.strip() for line in text.splitlines()).strip("\n") or "x"
    source = f"class C:\n    {docstring(text)}\n"
    assert inspect.cleandoc(ast.literal_eval(first_string(source))) == inspect.cleandoc(text)


def first_string(source: str) -> str:
    body = ast.parse(source).body[0]
    assert isinstance(body, ast.ClassDef)
    statement = body.body[0]
    assert isinstance(statement, ast.Expr)
    return ast.get_source_segment(source, statement.value) or ""
