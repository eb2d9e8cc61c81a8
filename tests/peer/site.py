"""A plugin's HTTP hook, seen by a client."""

import http.client
from contextlib import closing
from dataclasses import dataclass

from tests.peer.gohost import GoPlugin, HTTPFront
from tests.peer.gohost_plugin import HOOK_TIMEOUT_S


@dataclass(frozen=True)
class Site:
    """A running plugin and a front for one of its HTTP hooks."""

    plugin: GoPlugin
    front: HTTPFront
    timeout: float = HOOK_TIMEOUT_S

    def fetch(
        self, path: str, method: str = "GET", body: bytes | None = None, headers: dict[str, str] | None = None
    ) -> tuple[http.client.HTTPResponse, bytes]:
        """A whole request; gives the response and its body."""
        with closing(self.front.connect(self.timeout)) as connection:
            connection.request(method, path, body, headers or {})
            response = connection.getresponse()
            return response, response.read()
