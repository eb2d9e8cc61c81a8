"""What events show of messages: neither secrets nor endless content, and otherwise what there was."""

from typing import Any

import pytest
from google.protobuf.descriptor import FieldDescriptor
from google.protobuf.message import Message
from google.protobuf.message_factory import GetMessageClass

from mattermost_plugin.devhost.disclosure import LONGEST_CONTENT, MASK, shown
from mattermost_plugin.devhost.service import API_METHODS
from mattermost_pluginapi import options_pb2
from mattermost_pluginapi.hooks.adapters import ADAPTERS
from mattermost_pluginapi.v1.api_config_pb2 import SavePluginConfigRequest
from mattermost_pluginapi.v1.api_file_pb2 import UploadFileRequest
from mattermost_pluginapi.v1.api_user_pb2 import CreateUserRequest
from mattermost_pluginapi.v1.command_pb2 import CommandResponse
from mattermost_pluginapi.v1.hooks_http_pb2 import HTTPHeader, ServeHTTPRequest, ServeHTTPRequestInit
from mattermost_pluginapi.v1.user_pb2 import User

SECRET = "wertvolles"


def fill(message: Message, depth: int = 0) -> int:
    """Put the secret into every secret field. Returns how many there are."""
    count = 0
    for field in message.DESCRIPTOR.fields:
        target: Any = message
        secret = field.GetOptions().Extensions[options_pb2.field].secret
        inner = field.message_type
        if inner is not None and inner.GetOptions().map_entry:
            if secret and inner.fields_by_name["value"].message_type is None:
                getattr(target, field.name)["k"] = SECRET
                count += 1
        elif inner is not None:
            if inner.full_name == "google.protobuf.Struct" and secret:
                getattr(target, field.name)["k"] = SECRET
                count += 1
            elif depth < 4 and inner.file.package != "google.protobuf":
                made = getattr(target, field.name).add() if field.is_repeated else getattr(target, field.name)
                count += fill(made, depth + 1)
        elif secret:
            value: Any = SECRET.encode() if field.type == FieldDescriptor.TYPE_BYTES else SECRET
            if field.is_repeated:
                getattr(target, field.name).append(value)
            else:
                setattr(target, field.name, value)
            count += 1
    return count


def test_no_message_of_the_contract_shows_a_secret() -> None:
    kinds = [GetMessageClass(kind) for each in API_METHODS.values() for kind in (each.input_type, each.output_type)]
    kinds += [kind for adapter in ADAPTERS.values() for kind in (adapter.request_type, adapter.response_type)]
    secrets = 0
    for kind in kinds:
        message = kind()
        secrets += fill(message)
        assert SECRET.encode() not in shown(message).SerializeToString(), kind
    assert secrets > 100


def test_what_is_no_secret_is_shown_and_the_message_stays_as_it_is() -> None:
    request = CreateUserRequest(user=User(username="ada", password=SECRET))
    seen = shown(request)
    assert (seen.user.username, seen.user.password) == ("ada", MASK)
    assert request.user.password == SECRET
    plain = CreateUserRequest(user=User(username="ada"))
    assert shown(plain) is plain


def test_long_content_is_cut() -> None:
    data = bytes(LONGEST_CONTENT + 1)
    seen = shown(UploadFileRequest(data=data, filename="x" * (LONGEST_CONTENT + 1)))
    assert (len(seen.data), len(seen.filename)) == (LONGEST_CONTENT, LONGEST_CONTENT)
    fits = UploadFileRequest(data=data[1:])
    assert shown(fits) is fits


def test_settings_and_messages_within_themselves() -> None:
    request = SavePluginConfigRequest()
    request.config["token"] = SECRET
    assert not shown(request).config.fields
    response = CommandResponse(extra_responses=[CommandResponse(text="hi", trigger_id=SECRET)])
    assert shown(response).extra_responses[0] == CommandResponse(text="hi", trigger_id=MASK)


@pytest.mark.parametrize(
    ("url", "expected"),
    [("/a/b", "/a/b"), (f"/a?token={SECRET}", f"/a?{MASK}"), (f"https://x/{SECRET}", MASK)],
)
def test_a_requests_path_is_shown_without_its_query(url: str, expected: str) -> None:
    headers = [HTTPHeader(key="Content-Type", values=["text/x"]), HTTPHeader(key="Cookie", values=[SECRET])]
    request = ServeHTTPRequest(init=ServeHTTPRequestInit(method="PUT", url=url, headers=headers))
    init = shown(request).init
    assert (init.method, init.url) == ("PUT", expected)
    assert [list(header.values) for header in init.headers] == [["text/x"], [MASK]]
