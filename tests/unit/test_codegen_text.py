"""Names and docstrings that the generator makes of Go names and proto comments."""

import ast
import inspect
import keyword

import pytest
from hypothesis import given
from hypothesis import strategies as st

from codegen.naming import (
    RESERVED_API_METHODS,
    RESERVED_API_PARAMETERS,
    RESERVED_METHODS,
    RESERVED_PARAMETERS,
    is_go_name,
    snake_case,
)
from codegen.render import docstring
from mattermost_plugin import Plugin
from mattermost_pluginapi.api.client import PluginAPI
from mattermost_pluginapi.api.methods import METHODS
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
        ("CreateOAuthApp", "create_oauth_app"),
        ("GetLDAPUserAttributes", "get_ldap_user_attributes"),
        ("KVSetWithExpiry", "kv_set_with_expiry"),
        ("PluginHTTP", "plugin_http"),
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
    assert set(keyword.kwlist) <= RESERVED_API_METHODS & RESERVED_API_PARAMETERS


def test_what_the_clients_have_for_themselves_is_reserved() -> None:
    names = {name for name in dir(PluginAPI) if not name.startswith(("_", "iter_"))}
    own = names - {row.method for row in METHODS.values()}
    assert own == {"aio"}
    assert own <= RESERVED_API_METHODS


@pytest.mark.parametrize("name", ["OnActivate", "X", "OnHTTP2Push"])
def test_go_names_can_name_hooks(name: str) -> None:
    assert is_go_name(name)


@pytest.mark.parametrize("name", ["", "onActivate", "On_Activate", "On Activate", "2D", "None", "True", "Ärger", "A\n"])
def test_other_names_cannot(name: str) -> None:
    assert not is_go_name(name)


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
