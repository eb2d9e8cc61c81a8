"""What ties a plugin to the server's plugin API. Nothing of the API is loaded before it is first asked for."""

from __future__ import annotations

import threading
from collections.abc import Callable
from typing import TYPE_CHECKING

from mattermost_plugin._loop_place import LoopPlace
from mattermost_plugin.config import RuntimeConfig

if TYPE_CHECKING:
    from mattermost_plugin._api_client import ThreadClient
    from mattermost_plugin._api_wire import CoroutineWire, ThreadWire


class ApiLink:
    """Gives a served plugin its client. Made on the thread of the plugin's event loop.

    Args:
        config: the runtime's settings.
        connect_wire: gives the two ways to the server. Called when the API is first asked for.
    """

    def __init__(self, config: RuntimeConfig, connect_wire: Callable[[], tuple[CoroutineWire, ThreadWire]]) -> None:
        self._config = config
        self._connect_wire = connect_wire
        self._place = LoopPlace.here()
        self._lock = threading.Lock()
        self._client: ThreadClient | None = None
        self._is_closed = False

    @property
    def client(self) -> ThreadClient:
        """The client; from any thread.

        Raises:
            ConfigError: the host gave no address of its plugin API.
            APIUnavailable: the plugin has stopped, and had no client before.
        """
        client = self._client
        if client is not None:
            return client
        with self._lock:
            if self._client is None:
                self._client = self._connect()
            return self._client

    async def close(self) -> None:
        """Close the connection, if there is one; there will be no other."""
        with self._lock:
            self._is_closed = True
        if self._client is not None:
            await self._client.close()

    def _connect(self) -> ThreadClient:
        if self._is_closed:
            from mattermost_plugin._api_errors import APIUnavailable

            raise APIUnavailable("api", "the plugin has stopped", may_have_taken_effect=False)
        coroutines, threads = self._connect_wire()
        from mattermost_plugin._api_call import CallSettings, RetryPolicy
        from mattermost_plugin._api_client import AsyncClient, ThreadClient

        settings = CallSettings(self._config.api_timeout_s, RetryPolicy())
        return ThreadClient(threads, settings, self._place, AsyncClient(coroutines, settings, self._place))
