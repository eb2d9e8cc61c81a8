"""The few calls of the server's REST API that a deployment takes."""

from __future__ import annotations

import http.client
import json
import secrets
import urllib.error
import urllib.parse
import urllib.request
from collections.abc import Iterable, Iterator, Mapping
from pathlib import Path
from typing import IO, Final

from mattermost_plugin.cli.errors import CommandError
from mattermost_plugin.cli.terminal import visible

__all__ = ["ServerClient", "ServerRefusalError"]

TIMEOUT_S: Final = 120.0
"""For each wait for the server: an upload is unpacked and started before it is answered."""

LARGEST_ANSWER: Final = 32 * 1024 * 1024
"""Bytes; the largest answers here are those with log lines and with the server's configuration."""

_PIECE: Final = 64 * 1024
_LOCAL: Final = frozenset({"localhost", "127.0.0.1", "::1"})


class ServerRefusalError(CommandError):
    """The server has answered a request with an error.

    Attributes:
        status: the HTTP status.
        error_id: what the server calls the error; "" if the answer is not the server's own.
    """

    def __init__(self, text: str, status: int, error_id: str) -> None:
        super().__init__(text)
        self.status = status
        self.error_id = error_id


class _NoRedirects(urllib.request.HTTPRedirectHandler):
    """Follows no redirect: the token would go along, to wherever it leads."""

    def redirect_request(
        self,
        req: urllib.request.Request,
        fp: IO[bytes],
        code: int,
        msg: str,
        headers: http.client.HTTPMessage,
        newurl: str,
    ) -> None:
        """Answer that there is no other request."""


class ServerClient:
    """Calls one server, with certificates verified. Proxies are those of the environment.

    Args:
        url: where the server is, with its path if it has one.
        token: an access token. It is in no text that this makes.

    Raises:
        CommandError: this is no address of a server.
    """

    def __init__(self, url: str, token: str) -> None:
        try:
            parts = urllib.parse.urlsplit(url)
            host, _ = parts.hostname, parts.port
        except ValueError as error:
            raise CommandError(f"{url!r} is no address: {error}") from error
        if parts.scheme not in ("http", "https") or not host or parts.query or parts.fragment:
            raise CommandError(f"{url!r} is no address of a server, such as https://chat.example.com")
        if parts.username or parts.password:
            raise CommandError("the server's address must not hold a name or password")
        self.url = url.rstrip("/")
        self.is_open = parts.scheme == "http" and host not in _LOCAL
        """Whether others on the network can read the token."""
        self._token = token
        self._opener = urllib.request.build_opener(_NoRedirects)

    def get(self, path: str) -> object:
        """Read something. Returns what the server's JSON says.

        Raises:
            CommandError: the server cannot be reached.
            ServerRefusalError: it answers with an error.
        """
        return self._call("GET", path, None, {})

    def post(self, path: str) -> object:
        """Do something that needs no more than its path. Returns and raises as `get` does."""
        return self._call("POST", path, b"", {})

    def upload(self, path: str, field: str, file: Path, values: Mapping[str, str]) -> object:
        """Send a file as a form. Returns and raises as `get` does.

        Args:
            path: the path.
            field: the form's field for the file.
            file: the file.
            values: the form's other fields.
        """
        boundary = secrets.token_hex(16)
        name = "".join(each if each.isascii() and (each.isalnum() or each in "-_.") else "_" for each in file.name)
        head = b"".join(
            f'--{boundary}\r\nContent-Disposition: form-data; name="{key}"\r\n\r\n{value}\r\n'.encode()
            for key, value in values.items()
        )
        head += (
            f'--{boundary}\r\nContent-Disposition: form-data; name="{field}"; filename="{name}"\r\n'
            "Content-Type: application/gzip\r\n\r\n"
        ).encode()
        tail = f"\r\n--{boundary}--\r\n".encode()
        headers = {
            "Content-Type": f"multipart/form-data; boundary={boundary}",
            "Content-Length": str(len(head) + file.stat().st_size + len(tail)),
        }
        with file.open("rb") as content:
            return self._call("POST", path, _pieces(head, content, tail), headers)

    def _call(self, method: str, path: str, body: bytes | Iterable[bytes] | None, headers: Mapping[str, str]) -> object:
        request = urllib.request.Request(  # noqa: S310 - the scheme is checked above
            f"{self.url}/api/v4{path}",
            data=body,
            headers={"Authorization": f"Bearer {self._token}", "Accept": "application/json", **headers},
            method=method,
        )
        try:
            with self._opener.open(request, timeout=TIMEOUT_S) as response:
                return _decoded(response.read(LARGEST_ANSWER + 1), self.url)
        except urllib.error.HTTPError as refusal:
            with refusal:
                raise self._refusal(refusal, refusal.read(LARGEST_ANSWER)) from None
        except (OSError, http.client.HTTPException) as error:
            reason = getattr(error, "reason", None) or error
            text = f"{self.url} cannot be reached: {reason}"
            if isinstance(reason, (BrokenPipeError, ConnectionResetError)) and method == "POST":
                text += "; if the bundle is large, a proxy before the server may refuse its size"
            elif "CERTIFICATE_VERIFY_FAILED" in str(reason):
                text += "; if the authority is your own, set SSL_CERT_FILE to its certificate"
            raise CommandError(text) from None

    def _refusal(self, refusal: urllib.error.HTTPError, text: bytes) -> ServerRefusalError:
        if 300 <= refusal.code < 400:
            where = visible(refusal.headers.get("Location", "nowhere"))
            what = f"{self.url} sends its callers to {where}: give the server's own address"
            return ServerRefusalError(what, refusal.code, "")
        try:
            answer = json.loads(text)
        except (ValueError, RecursionError):
            answer = None
        if not isinstance(answer, dict) or not isinstance(answer.get("id"), str):
            return ServerRefusalError(f"{self.url} answers {refusal.code} {visible(refusal.reason)}", refusal.code, "")
        words = [str(answer[key]) for key in ("message", "detailed_error") if answer.get(key)]
        what = f"the server answers {refusal.code}: {visible(' - '.join(words) or answer['id'])}"
        return ServerRefusalError(what, refusal.code, answer["id"])


def _pieces(head: bytes, content: IO[bytes], tail: bytes) -> Iterator[bytes]:
    yield head
    while piece := content.read(_PIECE):
        yield piece
    yield tail


def _decoded(text: bytes, url: str) -> object:
    if len(text) > LARGEST_ANSWER:
        raise CommandError(f"{url} answers with more than {LARGEST_ANSWER} bytes")
    try:
        answer: object = json.loads(text)
    except (ValueError, RecursionError) as error:
        raise CommandError(f"{url} does not answer as a Mattermost server does: this is no JSON") from error
    return answer
