"""What ties a plugin to the server's plugin API. Nothing of the API is loaded before it is first asked for."""

from __future__ import annotations

import asyncio
import threading
from typing import TYPE_CHECKING

from mattermost_plugin.config import ENVIRONMENT_VARIABLES, RuntimeConfig
from mattermost_plugin.errors import ConfigError

if TYPE_CHECKING:
    from mattermost_plugin._api_client import ThreadClient


class ApiLink:
    """Gives a served plugin its client. Made on the thread of the plugin's event loop.

    Args:
        config: the runtime's settings.
    """

    def __init__(self, config: RuntimeConfig) -> None:
        self._config = config
        self._loop = asyncio.get_running_loop()
        self._loop_thread = threading.get_ident()
        self._lock = threading.Lock()
        self._client: ThreadClient | None = None

    @property
    def client(self) -> ThreadClient:
        """The client; from any thread.

        Raises:
            ConfigError: the host gave no address of its plugin API.
        """
        client = self._client
        if client is not None:
            return client
        with self._lock:
            if self._client is None:
                self._client = self._connect()
            return self._client

    async def close(self) -> None:
        """Close the connection, if there is one."""
        if self._client is not None:
            await self._client.close()

    def _connect(self) -> ThreadClient:
        if not self._config.api_target:
            variable = ENVIRONMENT_VARIABLES["api_target"]
            raise ConfigError(variable, "", "the host gave no address of its plugin API")
        from mattermost_plugin._api_call import ApiCaller, RetryPolicy
        from mattermost_plugin._api_client import ThreadClient

        caller = ApiCaller(
            self._config.api_target,
            timeout_s=self._config.api_timeout_s,
            max_message_bytes=self._config.max_message_bytes,
            retry=RetryPolicy(),
        )
        return ThreadClient(caller, self._loop, self._loop_thread)
