"""The server's id of the request that is being handled, for API calls and log lines that belong to it."""

from contextvars import ContextVar
from typing import Final

REQUEST_ID: Final[ContextVar[str]] = ContextVar("mattermost_plugin_request_id", default="")
"""Set before a handler runs, and with the context it goes into tasks and pool threads. "" outside of requests."""
