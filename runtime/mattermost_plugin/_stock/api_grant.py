"""What the host gives a plugin for calls of its own: two streams for each activation."""

from __future__ import annotations

from mattermost_plugin._stock.broker import MuxBroker
from mattermost_plugin._stock.stream import MuxStream

__all__ = ["ApiGrant"]


class ApiGrant:
    """The streams of the last activation. Nothing is on them before the plugin calls, so nobody needs to listen.

    Attributes:
        api: Stream of the plugin API; None before the first activation and after the end.
        database: Stream of the database; None at the same times.
        broker: Gives numbers for further streams.
    """

    def __init__(self) -> None:
        self.api: MuxStream | None = None
        self.database: MuxStream | None = None
        self.broker: MuxBroker | None = None

    def give(self, api: MuxStream, database: MuxStream, broker: MuxBroker) -> None:
        """Take the streams of an activation, and close those of an earlier one."""
        self.close()
        self.api, self.database, self.broker = api, database, broker

    def close(self) -> None:
        """End the streams."""
        for stream in (self.api, self.database):
            if stream is not None:
                stream.close()
        self.api = self.database = self.broker = None
