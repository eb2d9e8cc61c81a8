"""The server's side of the plugin API as far as calls are measured: keys and values in a dict, on grpc.aio.

A process of its own, so that it takes no time from the side that is measured. Takes one argument: its address.
"""

# The stubs make grpc's handler types generic; the classes themselves are not.
from __future__ import annotations

import asyncio
import sys
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import grpc
import grpc.aio

from mattermost_pluginapi.v1.api_kv_pb2 import (
    KVDeleteRequest,
    KVDeleteResponse,
    KVGetRequest,
    KVGetResponse,
    KVListRequest,
    KVListResponse,
    KVSetRequest,
    KVSetResponse,
)
from mattermost_pluginapi.v1.common_pb2 import AppError

SERVICE = "mattermost.pluginapi.v1.PluginAPI"
_ROOT = Path(__file__).parents[1]
_MAX_KEY = 150
_STOP_TIMEOUT_S = 5.0


class KeyValueStore:
    """Answers as a server does, down to the error for a key that is too long."""

    def __init__(self) -> None:
        self._values: dict[str, bytes] = {}

    async def get(self, request: KVGetRequest, context: object) -> KVGetResponse:
        return KVGetResponse(value=self._values.get(request.key, b""))

    async def set(self, request: KVSetRequest, context: object) -> KVSetResponse:
        if len(request.key) > _MAX_KEY:
            error = AppError(id="plugin_api.kv.key.too_long", message="The key is too long.", status_code=400)
            return KVSetResponse(error=error)
        self._values[request.key] = request.value
        return KVSetResponse()

    async def delete(self, request: KVDeleteRequest, context: object) -> KVDeleteResponse:
        self._values.pop(request.key, None)
        return KVDeleteResponse()

    async def list(self, request: KVListRequest, context: object) -> KVListResponse:
        first = request.page * request.per_page
        return KVListResponse(keys=sorted(self._values)[first : first + request.per_page])


def _service(store: KeyValueStore) -> grpc.GenericRpcHandler:
    # Any: each method has messages of its own.
    methods: dict[str, tuple[Any, Any, Any]] = {
        "KVGet": (store.get, KVGetRequest, KVGetResponse),
        "KVSet": (store.set, KVSetRequest, KVSetResponse),
        "KVDelete": (store.delete, KVDeleteRequest, KVDeleteResponse),
        "KVList": (store.list, KVListRequest, KVListResponse),
    }
    handlers: dict[str, grpc.RpcMethodHandler[Any, Any]] = {
        name: grpc.unary_unary_rpc_method_handler(handle, request.FromString, response.SerializeToString)
        for name, (handle, request, response) in methods.items()
    }
    return grpc.method_handlers_generic_handler(SERVICE, handlers)


async def _serve(address: str) -> None:
    server = grpc.aio.server()
    server.add_generic_rpc_handlers((_service(KeyValueStore()),))
    server.add_insecure_port(address)
    await server.start()
    print("ready", flush=True)
    await server.wait_for_termination()


@asynccontextmanager
async def kv_server(folder: Path) -> AsyncIterator[str]:
    """Run the server in a process; gives its address."""
    address = f"unix:{folder / 'kv.sock'}"
    process = await asyncio.create_subprocess_exec(
        sys.executable, "-m", __spec__.name, address, stdout=asyncio.subprocess.PIPE, cwd=_ROOT
    )
    try:
        if process.stdout is None or not await process.stdout.readline():
            raise RuntimeError("the server of the plugin API did not start")
        yield address
    finally:
        process.terminate()
        await asyncio.wait_for(process.wait(), _STOP_TIMEOUT_S)


if __name__ == "__main__":
    asyncio.run(_serve(sys.argv[1]))
