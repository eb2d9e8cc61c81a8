"""What a server is sent so that its object becomes what the handler returned, and what it is told that cannot be."""

from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from mattermost_plugin._gob import Encoder, GobEncodeError
from mattermost_plugin._stock.go_types import go_type, message_class
from mattermost_plugin._stock.patch import PatchReply, object_source, patch_source
from mattermost_plugin._stock.struct_sources import registry
from mattermost_pluginapi.api.values import to_struct
from mattermost_pluginapi.stock.structs import STRUCTS
from mattermost_pluginapi.v1.file_pb2 import FileInfo
from mattermost_pluginapi.v1.post_pb2 import Post, PostEmbed, PostImage, PostMetadata
from mattermost_pluginapi.v1.user_pb2 import User
from mattermost_pluginapi.v1.websocket_pb2 import WebsocketBroadcast
from tests.gob.streams import read
from tests.stock.changes import changed, differences
from tests.stock.go_merge import NEWER, merge, with_newer_fields, without_newer_fields
from tests.stock.strategies import messages
from tests.stock.struct_vectors import write_struct

HOOKS = {
    "MessageWillBePosted": "model.Post",
    "FileWillBeUploaded": "model.FileInfo",
    "ChannelMemberWillBeAdded": "model.ChannelMember",
    "TeamMemberWillBeAdded": "model.TeamMember",
}


OTHERS = sorted(name for name in STRUCTS if not name.startswith("plugin.") and name not in HOOKS.values())


def sent(before: Any, after: Any, hook: str = "MessageWillBePosted") -> tuple[Any, list[str]]:
    """What the server reads of the object in a reply, None if there is none, and what is lost."""
    name = f"plugin.Z_{hook}Returns"
    response: Any = message_class(STRUCTS[name][1])()
    getattr(response, STRUCTS[name][2][0][1]).CopyFrom(after)
    response.rejection_reason = "no"
    lost: list[str] = []
    data = Encoder(registry()).encode(PatchReply(response, before, lost), go_type(name), patch_source(name))
    (reply,) = read(data)
    assert isinstance(reply, dict)
    assert reply.pop("B") == "no"
    return reply.get("A"), lost


def sent_alone(before: Any, after: Any, name: str) -> tuple[dict[str, Any], list[str]]:
    """What is sent for an object of any type."""
    lost: list[str] = []
    data = Encoder(registry()).encode((before, after, lost, ""), go_type(STRUCTS[name][0]), object_source(name))
    value: Any
    (value,) = read(data)
    return value, lost


def post(**fields: Any) -> Post:
    whole: dict[str, Any] = {"id": "p1", "message": "hello", "create_at": 5, "is_pinned": True, "file_ids": ["a", "b"]}
    return Post(**{**whole, **fields})


def test_an_unchanged_object_is_left_out() -> None:
    assert sent(post(), post()) == (None, [])


def test_only_what_differs_is_sent() -> None:
    assert sent(post(), post(message="bye", type="custom_x")) == ({"Message": "bye", "Type": "custom_x"}, [])


def test_what_is_cleared_cannot_be_sent() -> None:
    cleared = post(message="", is_pinned=False, create_at=0, file_ids=[])
    assert sent(post(), cleared) == ({}, ["create_at", "is_pinned", "message", "file_ids"])


def test_nothing_and_zero_are_two_values_behind_a_pointer_of_which_zero_cannot_be_sent() -> None:
    assert sent(post(), post(remote_id="")) == ({}, ["remote_id"])
    assert sent(post(remote_id="r"), post()) == ({}, ["remote_id"])
    assert sent(post(is_following=True), post(is_following=False)) == ({}, ["is_following"])
    assert sent(post(), post(is_following=True)) == ({"IsFollowing": True}, [])


def test_lists_of_texts_are_sent_whole() -> None:
    assert sent(post(), post(file_ids=["b"])) == ({"FileIds": ["b"]}, [])


def test_properties_are_added_and_replaced_but_not_removed() -> None:
    before = post(props=to_struct("props", {"keep": 1, "change": {"a": 1, "b": 2}, "drop": True}))
    after = post(props=to_struct("props", {"keep": 1, "change": {"b": 2}, "new": None}))
    patch, lost = sent(before, after)
    # An interface holds its value as a whole.
    assert {key: value and value.value for key, value in patch["Props"].items()} == {
        "change": {"b": ("float64", 2.0)},
        "new": None,
    }
    assert lost == ["props['drop']"]


def test_properties_that_were_none_at_all() -> None:
    assert sent(post(), post(props=to_struct("props", {}))) == ({"Props": {}}, [])
    assert sent(post(props=to_struct("props", {"a": 1})), post()) == ({}, ["props"])


def test_entries_of_a_map_that_is_made_of_something_else_are_not_removed_either() -> None:
    users = ["a", "b"], ["b"], ["b", "c"]
    ab, b, bc = [WebsocketBroadcast(omit_users=each) for each in users]
    assert sent_alone(b, bc, "model.WebsocketBroadcast") == ({"OmitUsers": {"b": True, "c": True}}, [])
    assert sent_alone(ab, bc, "model.WebsocketBroadcast") == ({"OmitUsers": {"b": True, "c": True}}, ["omit_users"])
    assert sent_alone(ab, WebsocketBroadcast(), "model.WebsocketBroadcast")[1] == ["omit_users"]


def test_a_key_in_a_path_is_short_and_on_one_line() -> None:
    _, (path,) = sent(post(props=to_struct("props", {"a\n" * 1000: 1})), post(props=to_struct("props", {})))
    assert path.startswith("props['a\\na\\n")
    assert len(path) < 80


def test_a_message_in_a_message() -> None:
    before, after = post(), post()
    before.metadata.priority.priority = "urgent"
    before.metadata.priority.requested_ack = True
    after.metadata.priority.priority = "important"
    expected = {"Metadata": {"Priority": {"Priority": "important"}}}
    assert sent(before, after) == (expected, ["metadata.priority.requested_ack"])
    assert sent(before, post()) == ({}, ["metadata"])
    assert sent(post(), after) == (expected, [])


def test_an_empty_message_where_there_was_none() -> None:
    after = post()
    after.metadata.SetInParent()
    assert sent(post(), after) == ({"Metadata": {}}, [])


def test_of_a_shorter_list_of_messages_each_is_a_patch() -> None:
    before, after = Post(), Post()
    before.metadata.files.extend([FileInfo(id="a", name="x"), FileInfo(id="b"), FileInfo(id="c")])
    after.metadata.files.extend([FileInfo(id="a"), FileInfo(id="c")])
    assert sent(before, after) == ({"Metadata": {"Files": [{}, {"Id": "c"}]}}, ["metadata.files[0].name"])


def test_a_longer_list_of_messages_is_sent_whole() -> None:
    before, after = Post(), Post()
    before.metadata.files.extend([FileInfo(id="a", name="x")])
    after.metadata.files.extend([FileInfo(id="a"), FileInfo(id="b")])
    assert sent(before, after) == ({"Metadata": {"Files": [{"Id": "a"}, {"Id": "b"}]}}, ["metadata.files[0]"])


def test_what_an_element_of_a_longer_list_loses_deep_inside_is_told_by_the_element() -> None:
    one, other = User(id="u", notify_props={"a": "1"}), User(id="u", notify_props={"b": "1"})
    _, lost = sent(Post(participants=[one, one]), Post(participants=[one, other, one]))
    assert lost == ["participants[1]"]
    before = Post(id="p", metadata=PostMetadata(embeds=[PostEmbed(type="x", data=to_struct("data", {"a": 1}))]))
    after = Post(id="p", metadata=PostMetadata(embeds=[PostEmbed(type="x"), PostEmbed(type="y")]))
    assert sent(before, after)[1] == ["metadata.embeds[0]"]


def test_messages_in_a_map_are_sent_whole() -> None:
    before, after = Post(), Post()
    before.metadata.images["a"].CopyFrom(PostImage(width=1, height=2))
    before.metadata.images["b"].CopyFrom(PostImage(width=3))
    after.metadata.images["a"].CopyFrom(PostImage(width=1, height=5))
    expected = {"Metadata": {"Images": {"a": {"Width": 1, "Height": 5}}}}
    assert sent(before, after) == (expected, ["metadata.images['b']"])


def test_what_an_interface_holds_is_sent_whole() -> None:
    before, after = Post(), Post()
    before.metadata.embeds.add(type="x", data=to_struct("data", {"a": 1, "b": 2}))
    after.metadata.embeds.add(type="x", data=to_struct("data", {"a": 1}))
    patch, lost = sent(before, after)
    (embed,) = patch["Metadata"]["Embeds"]
    assert embed["Data"].value == {"a": ("float64", 1.0)}
    assert lost == []
    assert sent(before, Post(metadata=PostMetadata(embeds=[PostEmbed(type="x")])))[1] == ["metadata.embeds[0].data"]


def test_entries_of_a_map_of_texts() -> None:
    before = post(participants=[User(id="u", notify_props={"a": "1", "b": "2"})])
    after = post(participants=[User(id="u", notify_props={"a": "1", "c": ""})])
    assert sent(before, after) == (
        {"Participants": [{"NotifyProps": {"c": ""}}]},
        ["participants[0].notify_props['b']"],
    )


def test_a_hook_that_keeps_the_object_sends_none() -> None:
    name = "plugin.Z_MessageWillBePostedReturns"
    response: Any = message_class(STRUCTS[name][1])(rejection_reason="spam")
    data = Encoder(registry()).encode(PatchReply(response, post(), []), go_type(name), patch_source(name))
    assert read(data) == [{"B": "spam"}]


def test_results_that_are_no_object_make_no_patch() -> None:
    name = "plugin.Z_GetConfigReturns"
    response: Any = message_class(STRUCTS[name][1])()
    with pytest.raises(GobEncodeError):
        Encoder().encode(PatchReply(response, post(), []), go_type(name), patch_source(name))


@pytest.mark.parametrize("has_room", [True, False])
@pytest.mark.parametrize("hook", HOOKS)
@settings(max_examples=60, deadline=None)
@given(data=st.data())
def test_the_server_has_what_the_handler_returned_but_for_what_it_is_told(
    hook: str, has_room: bool, data: st.DataObject
) -> None:
    name = HOOKS[hook]
    before = data.draw(messages(name, 2))
    after = data.draw(changed(name, before))
    patch, lost = sent(before, after, hook)
    check(name, before, after, patch or {}, lost, has_room=has_room)


@settings(max_examples=250, deadline=None)
@given(name=st.sampled_from(OTHERS), data=st.data(), has_room=st.booleans())
def test_so_it_would_be_with_an_object_of_any_type(name: str, data: st.DataObject, has_room: bool) -> None:
    before = data.draw(messages(name, 1))
    after = data.draw(changed(name, before))
    patch, lost = sent_alone(before, after, name)
    check(name, before, after, patch, lost, has_room=has_room)


def check(name: str, before: Any, after: Any, patch: Any, lost: list[str], *, has_room: bool) -> None:
    """Check what the server has when it has merged a patch."""
    go = STRUCTS[name][0]
    host: Any
    wanted: Any
    ((host,), (wanted,)) = read(write_struct(name, before)), read(write_struct(name, after))
    has = merge(go, with_newer_fields(go, host), patch, has_room=has_room)
    assert_newer_fields_are_kept(with_newer_fields(go, host), has)
    found = set(differences(name, without_newer_fields(has), wanted))
    if has_grown(before, after):
        assert {path for path in found if not any(path.startswith(each) for each in lost)} == set()
    else:
        assert found == set(lost)


def assert_newer_fields_are_kept(host: Any, has: Any) -> None:
    if isinstance(host, dict) and isinstance(has, dict):
        if NEWER in host:
            assert has[NEWER] == host[NEWER]
        for key in host.keys() & has.keys():
            assert_newer_fields_are_kept(host[key], has[key])
    elif isinstance(host, list) and isinstance(has, list) and len(has) <= len(host):
        for before, after in zip(host, has, strict=False):
            assert_newer_fields_are_kept(before, after)


def has_grown(before: Any, after: Any) -> bool:
    """Whether a list of messages has become longer."""
    old = {field.name: value for field, value in before.ListFields()}
    for field, value in after.ListFields():
        if field.message_type is None or field.message_type.GetOptions().map_entry:
            continue
        if not field.is_repeated:
            if field.name in old and has_grown(old[field.name], value):
                return True
        elif len(value) > len(old.get(field.name, ())) > 0 or any(map(has_grown, old.get(field.name, ()), value)):
            return True
    return False
