"""The key-value store behind `self.kv` and `self.kv.aio`: a plugin's own values, as JSON or models.

from mattermost_plugin.kv import DELETE

count = self.kv.update("count", lambda count: count + 1, int, initial=0)
"""

from mattermost_plugin._kv_async_store import AsyncKVStore
from mattermost_plugin._kv_errors import KVConflictError, KVError, KVValueError
from mattermost_plugin._kv_store import KVStore
from mattermost_plugin._kv_values import DELETE, Deletion, JsonArray, JsonModel, JsonObject, JsonValue, Storable

__all__ = [
    "DELETE",
    "AsyncKVStore",
    "Deletion",
    "JsonArray",
    "JsonModel",
    "JsonObject",
    "JsonValue",
    "KVConflictError",
    "KVError",
    "KVStore",
    "KVValueError",
    "Storable",
]
