"""What the page is shown of messages: everything but secrets, and never too much."""

import json
import math

import pytest
from google.protobuf.message import Message
from google.protobuf.struct_pb2 import Struct
from hypothesis import given
from hypothesis import strategies as st

from mattermost_plugin.devhost.web.message_json import HIDDEN, LONGEST_TEXT, MOST_ITEMS, plain, shown, struct_fields
from mattermost_pluginapi import options_pb2
from mattermost_pluginapi.v1.api_config_pb2 import GetUnsanitizedConfigResponse
from mattermost_pluginapi.v1.api_kv_pb2 import KVSetRequest
from mattermost_pluginapi.v1.channel_pb2 import Channel, ChannelType
from mattermost_pluginapi.v1.hooks_http_pb2 import HTTPHeader, ServeHTTPRequest, ServeHTTPRequestInit
from mattermost_pluginapi.v1.post_pb2 import Post
from mattermost_pluginapi.v1.session_pb2 import Session
from mattermost_pluginapi.v1.user_pb2 import User

SECRET = "correct horse"


@pytest.mark.parametrize(
    "message",
    [
        User(id="u", password=SECRET, auth_data=SECRET, mfa_secret=SECRET),
        Session(id="s", token=SECRET),
        GetUnsanitizedConfigResponse(config_json=SECRET.encode()),
        ServeHTTPRequestInit(
            url=f"/x?code={SECRET}", headers=[HTTPHeader(key="Cookie", values=[SECRET])], request_uri=SECRET
        ),
        ServeHTTPRequest(body_chunk=json.dumps({"trigger_id": SECRET, "a": [{"Token": SECRET}]}).encode()),
        ServeHTTPRequest(body_chunk=f"user=ada&password={SECRET}".encode()),
        ServeHTTPRequest(body_chunk=f'{{"password": "{SECRET}"'.encode()),
        KVSetRequest(key="k", value=json.dumps({"access_token": SECRET}).encode()),
    ],
    ids=lambda message: type(message).__name__,
)
def test_secrets_are_left_out(message: Message) -> None:
    text = json.dumps(shown(message))
    assert SECRET not in text
    assert HIDDEN in text or "bytes>" in text


def test_fields_of_the_contract_are_hidden_by_its_own_word() -> None:
    secret = [field.name for field in User.DESCRIPTOR.fields if field.GetOptions().Extensions[options_pb2.field].secret]
    assert set(secret) == {"password", "auth_data", "mfa_secret"}


def test_a_message_is_shown_by_its_fields() -> None:
    post = Post(id="p", message="hi", create_at=5, file_ids=["a", "b"])
    post.props.update({"list": [1, 2.5, None, True], "inner": {"x": "y"}})
    post.metadata.files.add(id="f")
    assert shown(post) == {
        "id": "p",
        "create_at": 5,
        "message": "hi",
        "props": {"list": [1, 2.5, None, True], "inner": {"x": "y"}},
        "file_ids": ["a", "b"],
        "metadata": {"files": [{"id": "f"}]},
    }
    assert shown(Channel(type=ChannelType.CHANNEL_TYPE_OPEN)) == {"type": "CHANNEL_TYPE_OPEN"}
    assert shown(KVSetRequest(value=b"\xff\x00")) == {"value": "<2 bytes>"}
    assert shown(KVSetRequest(value=b"five\n")) == {"value": "five\n"}


def test_what_is_large_is_cut() -> None:
    text = shown(Post(message="x" * (LONGEST_TEXT + 7)))
    assert text == {"message": f"{'x' * LONGEST_TEXT}... 7 more"}
    many = plain(list(range(MOST_ITEMS + 3)))
    assert isinstance(many, list)
    assert (len(many), many[-1]) == (MOST_ITEMS + 1, "... 3 more")
    fields = plain({str(number): number for number in range(MOST_ITEMS + 3)})
    assert isinstance(fields, dict)
    assert fields["..."] == "3 more"
    nested: object = "end"
    for _ in range(500):
        nested = [nested]
    assert "end" not in json.dumps(plain(nested))


values = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text() | st.binary(),
    lambda inner: st.lists(inner) | st.dictionaries(st.text(), inner),
    max_leaves=20,
)


@given(values)
def test_every_value_becomes_strict_json(value: object) -> None:
    json.dumps(plain(value), allow_nan=False)


@given(st.floats())
def test_numbers_of_a_struct_are_json(number: float) -> None:
    struct = Struct()
    struct["x"] = number
    value = json.loads(json.dumps(struct_fields(struct), allow_nan=False))["x"]
    assert value == (number if math.isfinite(number) else str(number))
