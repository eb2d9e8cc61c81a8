"""One claim to a lock, as the server's key-value store sees it.

The value is a token that nobody else has, and every change is made on the condition that the value is that token or
that there is none: a holder that has lost the lock cannot refresh or delete the next one's.
"""

from __future__ import annotations

import secrets
from typing import TYPE_CHECKING

from mattermost_plugin._api_errors import APITransportError, PluginAPIError, ServerError
from mattermost_plugin.models import PluginKVSetOptions

if TYPE_CHECKING:
    from mattermost_plugin.api import AsyncPluginAPI


class LockStore:
    """A claim to the lock under a key.

    Args:
        api: the server.
        key: where the lock is.
        ttl_s: seconds after which the server forgets a lock that is not refreshed.
    """

    def __init__(self, api: AsyncPluginAPI, key: str, ttl_s: int) -> None:
        self.key = key
        self.ttl_s = ttl_s
        self.may_be_ours = False
        """Whether this claim has the lock, as far as is known: a call without an answer may have got it."""
        self._api = api
        self._token = secrets.token_hex(16).encode()

    async def claim(self, limit_s: float) -> bool:
        """Take the lock if nobody has it.

        Args:
            limit_s: seconds that a call may take.

        Raises:
            PluginAPIError: the server refused or failed.
            APITransportError: no answer came.
        """
        was_uncertain = self.may_be_ours
        if was_uncertain and await self.refresh(limit_s):
            return True
        self.may_be_ours = True
        try:
            granted = await self._set(b"", limit_s)
        except APITransportError as error:
            self.may_be_ours = was_uncertain or error.may_have_taken_effect
            raise
        except PluginAPIError as error:
            # A server that fails may have done it first.
            self.may_be_ours = was_uncertain or isinstance(error, ServerError)
            raise
        # A request that is still on its way somewhere stays possible.
        self.may_be_ours = was_uncertain or granted
        return granted

    async def refresh(self, limit_s: float) -> bool:
        """Prolong the lock if it is still this claim's.

        Raises:
            PluginAPIError: the server refused or failed.
            APITransportError: no answer came.
        """
        return await self._set(self._token, limit_s)

    async def delete(self, limit_s: float) -> bool:
        """Free the lock if it is this claim's. Returns whether it was.

        Raises:
            PluginAPIError: the server refused or failed.
            APITransportError: no answer came.
        """
        return await self._api.kv_compare_and_delete(self.key, self._token, timeout=limit_s)

    async def _set(self, expected: bytes, limit_s: float) -> bool:
        options = PluginKVSetOptions(atomic=True, old_value=expected, expire_in_seconds=self.ttl_s)
        return await self._api.kv_set_with_options(self.key, self._token, options, timeout=limit_s)
