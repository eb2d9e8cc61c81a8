"""The receive and send of one ASGI request, over the plugin's own request and writer."""

import asyncio
from collections.abc import Awaitable, Callable, Iterable, MutableMapping
from typing import Final, TypeAlias

from mattermost_plugin._http_response import StreamedResponse
from mattermost_plugin._http_stream import StreamedBody
from mattermost_plugin.errors import ClientDisconnected, RequestAborted
from mattermost_pluginapi.hooks.streams import HTTPRequest, ResponseWriter

Message: TypeAlias = MutableMapping[str, object]
Receive: TypeAlias = Callable[[], Awaitable[Message]]
Send: TypeAlias = Callable[[Message], Awaitable[None]]

# Bodies arrive in pieces of this size; a larger one would be held in memory twice.
_RECEIVE_SIZE: Final = 64 * 1024


class ClientGoneError(ClientDisconnected, OSError):
    """What `send` raises when the client has gone. An OSError, as frameworks expect it of a server."""


class ASGIConnection:
    """Carries the messages of one HTTP request between an application and the plugin's stream."""

    def __init__(self, request: HTTPRequest, writer: ResponseWriter) -> None:
        self._request = request
        self._writer = writer
        self._receiving = asyncio.Lock()
        self._body_received = False
        self._head: tuple[int, list[tuple[str, str]]] | None = None
        self._is_streaming = False
        self._is_complete = False
        # Set when `receive` has only http.disconnect to tell.
        self._over = asyncio.Event()
        self._watch: asyncio.Task[None] | None = None

    @property
    def is_complete(self) -> bool:
        """Whether the application has sent all of its response."""
        return self._is_complete

    async def receive(self) -> Message:
        """The next piece of the request's body; after the last, wait for the end and tell of that.

        A piece is read from the client only when the application asks for it.
        """
        async with self._receiving:
            if not self._over.is_set() and not self._body_received:
                message = await self._receive_body()
                if message is not None:
                    return message
        await self._wait_over()
        return {"type": "http.disconnect"}

    async def send(self, message: Message) -> None:
        """Take a piece of the application's response. Each piece but the last goes to the client at once.

        Without that, events that an application pushes would wait in the server's buffer for more to come.

        Raises:
            ClientGoneError: the client has gone.
            RuntimeError: the message does not fit what was sent before.
        """
        kind = message["type"]
        if kind == "http.response.start":
            self._start(message)
        elif kind == "http.response.body":
            try:
                await self._send_body(message)
            except ClientDisconnected as error:
                self._over.set()
                raise ClientGoneError(str(error)) from error
        else:
            raise RuntimeError(f"an ASGI application answers HTTP with http.response messages, not with {kind!r}")

    def check_complete(self) -> None:
        """Raise RuntimeError if the application ended without a whole response."""
        if self._head is None:
            raise RuntimeError("the ASGI application returned without a response")
        if not self._is_complete:
            raise RuntimeError("the ASGI application returned before its response was complete")

    def close(self) -> None:
        """Tell whoever still receives that it is over."""
        self._over.set()
        if self._watch is not None:
            self._watch.cancel()

    async def _receive_body(self) -> Message | None:
        body = self._request.body
        try:
            chunk = await body.aread(_RECEIVE_SIZE)
        except RequestAborted:
            self._over.set()
            return None
        # Known in advance only where the body can tell; else an empty last message says it.
        self._body_received = not chunk or (isinstance(body, StreamedBody) and body.is_exhausted)
        return {"type": "http.request", "body": chunk, "more_body": not self._body_received}

    async def _wait_over(self) -> None:
        if self._watch is None and not self._over.is_set():
            self._watch = asyncio.create_task(self._watch_client())
        await self._over.wait()

    async def _watch_client(self) -> None:
        await self._request.wait_disconnected()
        self._over.set()

    def _start(self, message: Message) -> None:
        if self._head is not None:
            raise RuntimeError("the ASGI application sent http.response.start for a second time")
        status, headers = message["status"], message.get("headers", ())
        if not isinstance(status, int) or not isinstance(headers, Iterable):
            raise TypeError("http.response.start needs an int as status and pairs of bytes as headers")
        # Kept until the first piece of the body: an application that fails before it can still be answered for.
        self._head = int(status), [(_text(name), _text(value)) for name, value in headers]

    async def _send_body(self, message: Message) -> None:
        if self._head is None:
            raise RuntimeError("the ASGI application sent http.response.body before http.response.start")
        if self._is_complete:
            raise RuntimeError("the ASGI application sent http.response.body after the last one")
        chunk, more = message.get("body", b""), bool(message.get("more_body", False))
        if not isinstance(chunk, (bytes, bytearray, memoryview)):
            raise TypeError(f"http.response.body takes bytes as body, not {type(chunk).__name__}")
        writer = self._writer
        if not self._is_streaming:
            status, fields = self._head
            writer.headers.extend(fields)
            writer.write_header(status)
            self._is_streaming = True
        if isinstance(writer, StreamedResponse):
            await writer.asend(chunk, flush=more, complete=not more)
        else:
            await writer.awrite(bytes(chunk))
            if more:
                await writer.aflush()
        if not more:
            self._is_complete = True
            self._over.set()


def _text(part: bytes) -> str:
    """Header bytes as text. The server sends text as UTF-8, so only bytes that are none change on the way."""
    raw = bytes(part)
    try:
        return raw.decode()
    except UnicodeDecodeError:
        return raw.decode("latin-1")
