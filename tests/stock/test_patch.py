"""What a server is sent so that its object becomes what the handler returned."""

from typing import Any

from mattermost_plugin._stock.patch import make_patch
from mattermost_pluginapi.api.values import to_struct
from mattermost_pluginapi.v1.file_pb2 import FileInfo
from mattermost_pluginapi.v1.post_pb2 import Post, PostMetadata


def post(**fields: Any) -> Post:
    whole: dict[str, Any] = {"id": "p1", "message": "hello", "create_at": 5, "is_pinned": True, "file_ids": ["a", "b"]}
    return Post(**{**whole, **fields})


def test_an_unchanged_object_needs_nothing() -> None:
    assert make_patch(post(), post()) == (Post(), [])


def test_only_what_differs_is_sent() -> None:
    assert make_patch(post(), post(message="bye", type="custom_x")) == (Post(message="bye", type="custom_x"), [])


def test_what_is_cleared_cannot_travel() -> None:
    cleared = post(message="", is_pinned=False, create_at=0, file_ids=[])
    assert make_patch(post(), cleared) == (Post(), ["create_at", "is_pinned", "message", "file_ids"])


def test_lists_of_texts_are_sent_whole() -> None:
    assert make_patch(post(), post(file_ids=["b"])) == (Post(file_ids=["b"]), [])


def test_properties_are_added_and_replaced_but_not_removed() -> None:
    before = post(props=to_struct("props", {"keep": 1, "change": {"a": 1}, "drop": True}))
    after = post(props=to_struct("props", {"keep": 1, "change": {"b": 2}, "new": None}))
    patch, lost = make_patch(before, after)
    assert patch == Post(props=to_struct("props", {"change": {"b": 2}, "new": None}))
    assert lost == ["props['drop']"]


def test_a_message_in_a_message() -> None:
    before, after = post(metadata=PostMetadata()), post(metadata=PostMetadata())
    before.metadata.priority.priority = "urgent"
    before.metadata.priority.requested_ack = True
    after.metadata.priority.priority = "important"
    patch, lost = make_patch(before, after)
    expected = Post()
    expected.metadata.priority.priority = "important"
    assert patch == expected
    assert [path.rpartition(".")[2] for path in lost] == ["requested_ack"]
    assert make_patch(before, post()) == (Post(), ["metadata"])


def test_a_list_of_messages_is_sent_whole_and_what_elements_lose_is_told() -> None:
    before, after = Post(), Post()
    before.metadata.files.extend([FileInfo(id="a", name="x"), FileInfo(id="b")])
    after.metadata.files.extend([FileInfo(id="a")])
    patch, lost = make_patch(before, after)
    assert list(patch.metadata.files) == [FileInfo(id="a")]
    assert lost == ["metadata.files[0].name"]
