"""What ties a plugin to the server's database. Nothing of it is loaded before it is first asked for."""

from __future__ import annotations

import threading
from collections.abc import Callable
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from mattermost_plugin._db_connection import Database
    from mattermost_plugin._db_wire import DatabaseWire


class DatabaseLink:
    """Gives a served plugin its database.

    Args:
        connect_wire: gives the way to it. Called when the database is first asked for.
    """

    def __init__(self, connect_wire: Callable[[], DatabaseWire]) -> None:
        self._connect_wire = connect_wire
        self._lock = threading.Lock()
        self._wire: DatabaseWire | None = None
        self._database: Database | None = None

    @property
    def database(self) -> Database:
        """The database; from any thread.

        Raises:
            NotSupportedError: the host offers none.
        """
        with self._lock:
            if self._database is None:
                from mattermost_plugin._db_connection import Database

                self._wire = self._connect_wire()
                self._database = Database(self._wire)
            return self._database

    async def give_back(self) -> None:
        """Close what connections there are: the plugin was deactivated, and its host may end it at any moment."""
        if self._wire is not None:
            await self._wire.give_back()
