"""Arguments of every kind: a request is built, or TypeError or ValueError says which one is at fault, and no more."""

import inspect
import math
import warnings
from typing import Any

from hypothesis import given
from hypothesis import strategies as st

from mattermost_plugin.models import Post, User
from mattermost_pluginapi.api.client import PluginAPI
from mattermost_pluginapi.api.method import ApiMethod
from mattermost_pluginapi.api.methods import METHODS
from mattermost_pluginapi.api.values import to_dict, to_struct

SECRET = "hunter2"


class Recorder(PluginAPI):
    """Builds requests and sends none."""

    @property
    def aio(self) -> Any:
        raise NotImplementedError

    def _call(self, method: ApiMethod[Any, Any], request: Any, timeout: float | None) -> Any:
        # What cannot be encoded must not get this far.
        assert type(request).FromString(request.SerializeToString()) == request
        return method.response_type()


texts = st.text() | st.text(st.characters()).map(lambda text: f"{SECRET} {text} \ud800")
scalars = st.none() | st.booleans() | st.integers() | st.floats() | st.binary() | texts
structures = st.recursive(
    scalars, lambda inner: st.lists(inner, max_size=3) | st.dictionaries(texts | st.integers(), inner, max_size=3)
)
junk = structures | st.sampled_from([object(), User(password=SECRET), Post(), {1, 2}, int, iter("ab"), range(3), 1j])


@given(st.sampled_from(sorted(METHODS)), st.data())
def test_whatever_is_given_is_sent_or_refused(name: str, data: st.DataObject) -> None:
    method = METHODS[name]
    call = getattr(Recorder(), method.method)
    parameters = [parameter for parameter in inspect.signature(call).parameters if parameter != "timeout"]
    arguments = {parameter: data.draw(junk) for parameter in parameters}
    try:
        with warnings.catch_warnings():
            # protobuf is about to refuse a bool where a number belongs.
            warnings.simplefilter("ignore", DeprecationWarning)
            call(**arguments)
    except (TypeError, ValueError) as error:
        fault: Exception = error
    else:
        return
    assert fault.__cause__ is None
    assert SECRET not in str(fault)
    assert any(parameter in str(fault) for parameter in parameters)


numbers = st.integers(-(2**53), 2**53) | st.floats(allow_nan=False, allow_infinity=False)
plain_texts = st.text(st.characters(exclude_categories=["Cs"]))
json_values = st.recursive(
    st.none() | st.booleans() | numbers | plain_texts,
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(plain_texts, inner, max_size=4),
    max_leaves=20,
)


@given(st.dictionaries(plain_texts, json_values, max_size=5))
def test_json_comes_back_as_it_was(value: dict[str, object]) -> None:
    found = to_dict(to_struct("value", value))
    assert found == value
    assert kinds(found) == kinds(value)


def kinds(value: object) -> object:
    """The types in it; a whole float comes back as int."""
    match value:
        case bool() | None | str():
            return type(value)
        case int() | float():
            return "number"
        case list():
            return [kinds(item) for item in value]
        case dict():
            return {key: kinds(item) for key, item in value.items()}
    raise AssertionError(f"no JSON: {value!r}")


@given(st.floats() | st.integers())
def test_numbers_travel_as_floats_or_not_at_all(number: float) -> None:
    try:
        found = to_dict(to_struct("value", {"n": number}))["n"]
    except ValueError:
        assert not abs(number) <= float(2**1023) * (2 - 2**-52)
        return
    assert isinstance(found, (int, float))
    assert math.isclose(found, number, rel_tol=1e-15)
