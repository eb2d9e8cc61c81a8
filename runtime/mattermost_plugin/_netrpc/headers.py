"""The headers of requests and responses."""

from __future__ import annotations

from typing import Final

from mattermost_plugin._gob import RecordSource, RecordTarget
from mattermost_plugin._gob.go_types import STRING, UINT, GoField, GoStruct
from mattermost_plugin._gob.puts import SetAttr
from mattermost_plugin._gob.sources import Attr

__all__ = [
    "REQUEST",
    "REQUEST_SOURCE",
    "REQUEST_TARGET",
    "RESPONSE",
    "RESPONSE_SOURCE",
    "RESPONSE_TARGET",
    "RequestHeader",
    "ResponseHeader",
]


class RequestHeader:
    """Which method is called, and the number that its response will have."""

    __slots__ = ("method", "seq")

    def __init__(self, method: str = "", seq: int = 0) -> None:
        self.method = method
        self.seq = seq


class ResponseHeader:
    """Which request is answered. With an error, the body after it is a placeholder."""

    __slots__ = ("error", "method", "seq")

    def __init__(self, method: str = "", seq: int = 0, error: str = "") -> None:
        self.method = method
        self.seq = seq
        self.error = error


REQUEST: Final = GoStruct("Request", (GoField("ServiceMethod", STRING), GoField("Seq", UINT)))
RESPONSE: Final = GoStruct(
    "Response", (GoField("ServiceMethod", STRING), GoField("Seq", UINT), GoField("Error", STRING))
)

REQUEST_TARGET: Final = RecordTarget(RequestHeader, {"ServiceMethod": SetAttr("method"), "Seq": SetAttr("seq")})
RESPONSE_TARGET: Final = RecordTarget(
    ResponseHeader, {"ServiceMethod": SetAttr("method"), "Seq": SetAttr("seq"), "Error": SetAttr("error")}
)

REQUEST_SOURCE: Final = RecordSource({"ServiceMethod": Attr("method"), "Seq": Attr("seq")})
RESPONSE_SOURCE: Final = RecordSource({"ServiceMethod": Attr("method"), "Seq": Attr("seq"), "Error": Attr("error")})
