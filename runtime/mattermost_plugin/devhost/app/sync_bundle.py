"""Bundles of changes of shared channels, as remotes exchange them in JSON."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import TypeVar

from google.protobuf.json_format import ParseDict, ParseError
from google.protobuf.message import Message

from mattermost_plugin.devhost.app.json_texts import json_object
from mattermost_plugin.devhost.errors import bad_request
from mattermost_pluginapi.v1.post_pb2 import Post, PostAcknowledgement, Reaction
from mattermost_pluginapi.v1.user_pb2 import User
from mattermost_pluginapi.v1.user_status_pb2 import Status

__all__ = ["Bundle", "MembershipChange", "read_bundle"]

MessageT = TypeVar("MessageT", bound=Message)


@dataclass(frozen=True, slots=True)
class MembershipChange:
    """Somebody has come or gone."""

    channel_id: str
    user_id: str
    is_add: bool


@dataclass(frozen=True, slots=True)
class Bundle:
    """What has changed in a shared channel."""

    channel_id: str
    """The channel; "" if there are users only, who belong to none."""
    users: tuple[User, ...]
    posts: tuple[Post, ...]
    reactions: tuple[Reaction, ...]
    """Those with a time of deletion are removed ones."""
    statuses: tuple[Status, ...]
    acknowledgements: tuple[PostAcknowledgement, ...]
    """Those without a time are taken back."""
    membership_changes: tuple[MembershipChange, ...]
    mentions: Mapping[str, str]
    """Ids of the users that posts mention, by the name with which they do."""


def read_bundle(text: bytes) -> Bundle:
    """Read a bundle; keys that the host does not know are left out.

    Raises:
        ApiError: it is none.
    """
    try:
        fields = json_object(text)
        return Bundle(
            channel_id=_text(fields, "channel_id"),
            users=_messages(User, _mapping(fields, "users").values()),
            posts=_messages(Post, _list(fields, "posts")),
            reactions=_messages(Reaction, _list(fields, "reactions")),
            statuses=_messages(Status, _list(fields, "statuses")),
            acknowledgements=_messages(PostAcknowledgement, _list(fields, "acknowledgements")),
            membership_changes=tuple(_change(each) for each in _list(fields, "membership_changes")),
            mentions={name: str(user_id) for name, user_id in _mapping(fields, "mention_transforms").items()},
        )
    except (ValueError, ParseError) as error:
        raise bad_request("app.shared_channel.sync_msg.app_error", str(error)) from error


def _messages(kind: type[MessageT], values: Iterable[object]) -> tuple[MessageT, ...]:
    return tuple(ParseDict(_object(value), kind(), ignore_unknown_fields=True) for value in values)


def _change(value: object) -> MembershipChange:
    fields = _object(value)
    return MembershipChange(_text(fields, "channel_id"), _text(fields, "user_id"), fields.get("is_add") is True)


def _value(fields: Mapping[str, object], name: str, default: object) -> object:
    # Go writes null for what is not there.
    value = fields.get(name)
    return default if value is None else value


def _text(fields: Mapping[str, object], name: str) -> str:
    value = _value(fields, name, "")
    if isinstance(value, str):
        return value
    raise ValueError(f"{name} is no text")


def _object(value: object) -> dict[str, object]:
    if isinstance(value, dict):
        return value
    raise ValueError(f"{value!r:.80} is no object")


def _mapping(fields: Mapping[str, object], name: str) -> dict[str, object]:
    return _object(_value(fields, name, {}))


def _list(fields: Mapping[str, object], name: str) -> list[object]:
    value = _value(fields, name, [])
    if isinstance(value, list):
        return value
    raise ValueError(f"{name} is no list")
