"""A client's websocket connection."""

from __future__ import annotations

from collections.abc import Mapping
from typing import ClassVar

from google.protobuf.json_format import ParseDict
from google.protobuf.struct_pb2 import Struct

from mattermost_plugin.devhost import DevHost
from mattermost_plugin.testing._core import ServerCore
from mattermost_pluginapi.v1.websocket_pb2 import WebSocketRequest

__all__ = ["TestConnection"]

__tracebackhide__ = True  # pytest shows the line of the test


class TestConnection:
    """A websocket connection of a user.

    Attributes:
        id: its id.
    """

    __test__: ClassVar[bool] = False  # for pytest, which collects what is called so

    def __init__(self, core: ServerCore, connection_id: str, user_id: str) -> None:
        self._core = core
        self.id = connection_id
        self._user_id = user_id
        self._sent = 0

    def __repr__(self) -> str:
        return f"<connection {self.id}>"

    def send(self, action: str, data: Mapping[str, object] | None = None) -> None:
        """Send a message to the server, which passes it to the plugins.

        Args:
            action: what it asks for, such as "custom_com.example.greeter_ping".
            data: what it carries, as JSON can hold it.
        """
        self._sent += 1
        request = WebSocketRequest(seq=self._sent, action=action, data=ParseDict(dict(data or {}), Struct()))

        def send(host: DevHost) -> None:
            host.act.send(self.id, self._user_id, request)

        self._core._call(f"connection.send({action})", send)

    def close(self) -> None:
        """Close it."""

        def close(host: DevHost) -> None:
            host.act.disconnect(self.id, self._user_id)

        self._core._call("connection.close()", close)
