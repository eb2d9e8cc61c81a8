"""Random messages of every mapped type are the same after they have been structs."""

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from mattermost_pluginapi.stock.structs import STRUCTS
from tests.stock.strategies import messages
from tests.stock.struct_vectors import read_message, write_struct

METHODS = sorted(name for name in STRUCTS if name.startswith("plugin.Z_"))
STRUCT_MAPS = sorted(STRUCTS.keys() - METHODS)


@pytest.mark.parametrize("name", STRUCT_MAPS)
@settings(max_examples=6, deadline=None)
@given(data=st.data())
def test_a_message_is_the_same_after_it_has_been_a_struct(name: str, data: st.DataObject) -> None:
    message = data.draw(messages(name, 2))
    assert read_message(name, write_struct(name, message)) == message


@settings(max_examples=200, deadline=None)
@given(data=st.data())
def test_so_are_arguments_and_results_of_methods(data: st.DataObject) -> None:
    name = data.draw(st.sampled_from(METHODS))
    message = data.draw(messages(name, 2))
    assert read_message(name, write_struct(name, message)) == message
