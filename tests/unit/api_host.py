"""A server of the plugin API that records its calls and answers what a test tells it to, and clients that call it."""

import asyncio
import tempfile
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator, Mapping
from contextlib import asynccontextmanager, contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from queue import SimpleQueue
from threading import Thread
from typing import Any, ParamSpec, TypeVar

import grpc
import grpc.aio
from google.protobuf.message import Message

from mattermost_plugin._api_call import CallSettings, RetryPolicy
from mattermost_plugin._api_client import AsyncClient, ThreadClient
from mattermost_plugin._grpc_api import GrpcCoroutineWire, GrpcThreadWire
from mattermost_plugin._loop_place import LoopPlace
from mattermost_pluginapi.api.methods import METHODS, SERVICE

P = ParamSpec("P")
T = TypeVar("T")

Answer = Message | Callable[[Any, Any], Awaitable[Message]]
"""A reply, or what makes one of the request and the call's context."""

AT_ONCE = RetryPolicy(attempts=3, first_pause_s=0, reconnect_s=0)
LIMIT_S = 30.0
"""Far more than any call here needs."""


@dataclass
class Call:
    """What arrived."""

    name: str
    request: Any
    metadata: Mapping[str, str | bytes]


@dataclass
class ApiHost:
    """The server. Answers nothing but success, unless told otherwise."""

    target: str
    options: tuple[tuple[str, int], ...] = ()
    answers: dict[str, Answer] = field(default_factory=dict)
    calls: list[Call] = field(default_factory=list)
    port: int = 0
    _server: Any = None

    async def start(self) -> None:
        self._server = grpc.aio.server(options=[("grpc.so_reuseport", 0), *self.options])
        handlers = {
            name: grpc.unary_unary_rpc_method_handler(
                self._handler(name), method.request_type.FromString, method.response_type.SerializeToString
            )
            for name, method in METHODS.items()
        }
        self._server.add_generic_rpc_handlers([grpc.method_handlers_generic_handler(SERVICE, handlers)])
        self.port = self._server.add_insecure_port(self.target)
        await self._server.start()

    async def stop(self) -> None:
        """End the server and cut its calls off."""
        await self._server.stop(None)

    def _handler(self, name: str) -> Callable[[Any, Any], Awaitable[Message]]:
        async def handle(request: Any, context: Any) -> Message:
            metadata = dict(context.invocation_metadata() or ())
            self.calls.append(Call(name, request, metadata))
            answer = self.answers.get(name)
            if answer is None:
                succeeded: Message = METHODS[name].response_type()
                return succeeded
            return answer if isinstance(answer, Message) else await answer(request, context)

        return handle


@asynccontextmanager
async def api_host(**options: int) -> AsyncIterator[ApiHost]:
    """A running server on a socket of its own."""
    with tempfile.TemporaryDirectory(prefix="mmapi") as folder:
        named = tuple((f"grpc.{name}", value) for name, value in options.items())
        host = ApiHost(f"unix:{Path(folder) / 'api.sock'}", named)
        await host.start()
        try:
            yield host
        finally:
            await host.stop()


@contextmanager
def host_in_thread() -> Iterator[ApiHost]:
    """A running server on an event loop of its own: it answers whatever the test's thread does."""
    found: SimpleQueue[tuple[ApiHost, asyncio.AbstractEventLoop, asyncio.Event]] = SimpleQueue()

    async def run() -> None:
        async with api_host() as host:
            over = asyncio.Event()
            found.put((host, asyncio.get_running_loop(), over))
            await over.wait()

    thread = Thread(target=asyncio.run, args=(run(),))
    thread.start()
    host, loop, over = found.get()
    try:
        yield host
    finally:
        loop.call_soon_threadsafe(over.set)
        thread.join()


@asynccontextmanager
async def client(
    target: str, *, timeout_s: float = LIMIT_S, max_message_bytes: int = 2**20, retry: RetryPolicy = AT_ONCE
) -> AsyncIterator[ThreadClient]:
    """A client, closed at the end."""
    settings, place = CallSettings(timeout_s, retry), LoopPlace.here()
    aio = AsyncClient(GrpcCoroutineWire(target, max_message_bytes), settings, place)
    made = ThreadClient(GrpcThreadWire(target, max_message_bytes), settings, place, aio)
    try:
        yield made
    finally:
        await made.close()


@asynccontextmanager
async def connected(**options: Any) -> AsyncIterator[tuple[ApiHost, ThreadClient]]:
    """A server and its client."""
    async with api_host() as host, client(host.target, **options) as made:
        yield host, made


async def call_both(api: ThreadClient, method: str, /, *arguments: Any, **named: Any) -> list[Any]:
    """The outcome of a call from a thread and of the same call from a coroutine: results, or what they raised."""

    async def from_thread() -> Any:
        return await asyncio.to_thread(getattr(api, method), *arguments, **named)

    async def from_coroutine() -> Any:
        return await getattr(api.aio, method)(*arguments, **named)

    return [(await asyncio.gather(call(), return_exceptions=True))[0] for call in (from_thread, from_coroutine)]


class Hanging:
    """An answer that never comes, and tells what became of its calls."""

    def __init__(self) -> None:
        self.started = asyncio.Event()
        self.cancelled = asyncio.Event()

    async def __call__(self, request: Any, context: Any) -> Message:
        self.started.set()
        try:
            return await asyncio.Future[Message]()
        except asyncio.CancelledError:
            self.cancelled.set()
            raise


def refuse(code: grpc.StatusCode, details: str) -> Callable[[Any, Any], Awaitable[Message]]:
    """An answer that is a gRPC status."""

    async def answer(request: Any, context: Any) -> Message:
        await context.abort(code, details)
        raise AssertionError("abort raises")

    return answer


# Any: requests and responses have no common type with fields.


def argument(message: Any, field: Any) -> Any:
    """A field of a request as a caller gives it."""
    value = getattr(message, field.name)
    kind = field.message_type
    if kind is not None and kind.GetOptions().map_entry:
        return dict(value)
    if field.is_repeated:
        return list(value)
    if kind is not None and kind.full_name == "google.protobuf.Struct":
        return plain(value)
    return value


def plain(struct: Any) -> dict[str, Any]:
    """What `filled` puts into a Struct, as Python values."""
    text, nested = struct["text"], struct["map"]
    return {"text": text, "list": [1.5, True, None], "map": {"né": nested["né"]}}
