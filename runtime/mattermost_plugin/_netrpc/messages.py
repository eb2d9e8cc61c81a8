"""The headers, and the body that stands for nothing."""

from __future__ import annotations

from typing import Final, NamedTuple

from mattermost_plugin._gob import RecordSource, RecordTarget
from mattermost_plugin._gob.go_types import STRING, UINT, GoField, GoStruct
from mattermost_plugin._gob.puts import SetAttr
from mattermost_plugin._gob.sources import Attr

__all__ = [
    "EMPTY",
    "EMPTY_TYPE",
    "REQUEST_HEADER",
    "REQUEST_SOURCE",
    "REQUEST_TYPE",
    "RESPONSE_HEADER",
    "RESPONSE_SOURCE",
    "RESPONSE_TYPE",
    "Call",
    "Header",
    "Response",
]


class Header:
    """A header as it comes. gob leaves zeros out, so these are what it starts from; nothing vouches for the types."""

    method: object = ""
    seq: object = 0
    error: object = ""


class Call(NamedTuple):
    """What a request is answered by."""

    method: str
    """Service and method, such as "Plugin.OnActivate"."""
    seq: int


class Response(NamedTuple):
    """The header of a reply."""

    method: str
    seq: int
    error: str


REQUEST_TYPE: Final = GoStruct("Request", (GoField("ServiceMethod", STRING), GoField("Seq", UINT)))
RESPONSE_TYPE: Final = GoStruct(
    "Response", (GoField("ServiceMethod", STRING), GoField("Seq", UINT), GoField("Error", STRING))
)
EMPTY_TYPE: Final = GoStruct("")
"""struct{}, the body of a reply that carries an error or nothing. Receivers take any value for it."""

EMPTY: Final[dict[str, object]] = {}
"""Its value."""

REQUEST_HEADER: Final = RecordTarget(Header, {"ServiceMethod": SetAttr("method"), "Seq": SetAttr("seq")})
RESPONSE_HEADER: Final = RecordTarget(
    Header, {"ServiceMethod": SetAttr("method"), "Seq": SetAttr("seq"), "Error": SetAttr("error")}
)
REQUEST_SOURCE: Final = RecordSource({"ServiceMethod": Attr("method"), "Seq": Attr("seq")})
RESPONSE_SOURCE: Final = RecordSource({"ServiceMethod": Attr("method"), "Seq": Attr("seq"), "Error": Attr("error")})
