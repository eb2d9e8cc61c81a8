"""The answering end of a net/rpc stream."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import NamedTuple

from mattermost_plugin._gob import (
    NEED_DATA,
    SKIP,
    Decoder,
    Encoder,
    GobDataError,
    GobEncodeError,
    GobMismatchError,
    Item,
    Limits,
    Registered,
    Shape,
)
from mattermost_plugin._netrpc.errors import RpcStreamError
from mattermost_plugin._netrpc.headers import REQUEST_TARGET, RESPONSE, RESPONSE_SOURCE, RequestHeader, ResponseHeader
from mattermost_plugin._netrpc.method import NOTHING, RpcMethod

__all__ = ["Called", "RpcServer"]


class Called(NamedTuple):
    """The peer calls a method. Answer with `RpcServer.reply` or `fail`, in any order."""

    seq: int
    method: RpcMethod
    argument: object


class RpcServer:
    """One stream. Not for several threads at once.

    What cannot be served is answered here, with the texts of Go's net/rpc: unknown methods, arguments that do not fit.

    Args:
        find: gives the method of a name such as "Plugin.Implemented"; None if there is none.
        services: the names before the dot that are known.
        registry: what interfaces may hold, by registered name.
        limits: what the peer may make this end hold.
    """

    def __init__(
        self,
        find: Callable[[str], RpcMethod | None],
        services: frozenset[str],
        *,
        registry: Mapping[str, Registered] | None = None,
        limits: Limits | None = None,
    ) -> None:
        self._find = find
        self._services = services
        self._decoder = Decoder(limits)
        self._encoder = Encoder(registry)
        self._header: RequestHeader | None = None
        self._header_shape: Shape | None = None
        self._out: list[bytes] = []

    def receive(self, data: bytes) -> list[Called]:
        """Take bytes of the peer, cut anywhere.

        Returns:
            The calls that they complete.

        Raises:
            RpcStreamError: they are no net/rpc. Calls that came before are lost: the stream is to be closed.
        """
        self._decoder.feed(data)
        calls: list[Called] = []
        try:
            while self._read_header() and self._read_body(calls):
                pass
        except GobDataError as error:
            raise RpcStreamError(str(error)) from error
        return calls

    def data_to_send(self) -> bytes:
        """What has to go to the peer now. It is handed out once."""
        out = self._out
        if not out:
            return b""
        data = out[0] if len(out) == 1 else b"".join(out)
        out.clear()
        return data

    def reply(self, seq: int, method: RpcMethod, result: object) -> None:
        """Answer a call.

        Raises:
            GobEncodeError: the result cannot be sent. The call is answered with an error that says so.
        """
        header = ResponseHeader(method.name, seq)
        value = method.result
        try:
            self._send(header, Item(result, value.type, value.source))
        except GobEncodeError:
            # Its text stays here: it may name what the author has.
            self.fail(seq, method.name, "rpc: the result cannot be encoded")
            raise

    def fail(self, seq: int, method: str, error: str) -> None:
        """Answer a call with an error.

        Args:
            seq: the call's number.
            method: its name.
            error: the text; not empty.
        """
        self._send(ResponseHeader(method, seq, error), Item({}, NOTHING.type))

    def _send(self, header: ResponseHeader, body: Item) -> None:
        self._out.append(self._encoder.encode_all([Item(header, RESPONSE, RESPONSE_SOURCE), body]))

    def _read_header(self) -> bool:
        """Whether there is a header whose body comes next."""
        if self._header is not None:
            return True
        shape = self._decoder.next_shape()
        if shape is NEED_DATA:
            return False
        try:
            header = self._decoder.next_value(REQUEST_TARGET)
        except GobMismatchError as error:
            raise RpcStreamError(str(error)) from error
        if header is NEED_DATA:
            return False
        self._header, self._header_shape = header, shape
        return True

    def _read_body(self, calls: list[Called]) -> bool:
        """Read the body that belongs to the header. Returns False until it is there."""
        header = self._header
        assert header is not None  # noqa: S101 - `_read_header` said so
        shape = self._decoder.next_shape()
        if shape is NEED_DATA:
            return False
        if shape is self._header_shape:
            # A Go client that cannot encode an argument has sent the header already; the next call's comes now.
            self._header = None
            self.fail(header.seq, header.method, "rpc: the request has no body")
            return True
        method = self._find(header.method)
        try:
            argument = self._decoder.next_value(SKIP if method is None else method.argument.target)
        except GobMismatchError as error:
            self._header = None
            self.fail(header.seq, header.method, str(error))
            return True
        if argument is NEED_DATA:
            return False
        self._header = None
        if method is None:
            self.fail(header.seq, header.method, self._unknown(header.method))
        else:
            calls.append(Called(header.seq, method, argument))
        return True

    def _unknown(self, name: str) -> str:
        service, dot, _ = name.rpartition(".")
        if not dot:
            return f"rpc: service/method request ill-formed: {name}"
        return f"rpc: can't find {'method' if service in self._services else 'service'} {name}"
