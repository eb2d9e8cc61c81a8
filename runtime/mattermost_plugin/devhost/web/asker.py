"""What of a browser's request a plugin gets to see, and as whose request: the server's rules for /plugins/."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final
from urllib.parse import parse_qs, unquote_plus

from aiohttp import web

from mattermost_plugin.devhost.web.logins import TOKEN_COOKIE, Logins, passes_csrf_check

__all__ = ["Asker", "asker_of", "go_name", "take_cookie", "utf8"]

_NEVER_PASSED: Final = frozenset({"host", "transfer-encoding", "trailer", "referer", "cookie"})
"""The first three are no header fields in Go; the server drops the referer, and rebuilds the cookies."""

_TOKEN_QUERY: Final = "access_token"  # noqa: S105 - a name


@dataclass(frozen=True, slots=True)
class Asker:
    """A request as a plugin sees it."""

    user_id: str
    """Who asks; "" for nobody who is logged in."""
    session_id: str
    """In which session; "" for none."""
    headers: Sequence[tuple[str, str]]
    """Header fields, by the names that Go gives them."""
    query: str
    """The query without a token, with the "?"; "" if nothing is left."""


def asker_of(request: web.Request, logins: Logins) -> Asker:
    """Find out who asks.

    The token is looked for where the server does: in the Authorization header, a cookie, the query. With a cookie,
    what may change something needs the session's CSRF token too, or the old header X-Requested-With. A request with a
    token that opens nothing is one of a stranger, and the plugin gets the Authorization header, which may be its own.
    """
    raw_query = request.raw_path.partition("?")[2]
    of_cookie, other_cookies = take_cookie(request.headers.getall("Cookie", ()), TOKEN_COOKIE)
    token = _bearer(request) or of_cookie
    with_cookie = not _bearer(request) and bool(token)
    token = token or "".join(parse_qs(raw_query).get(_TOKEN_QUERY, [""])[:1])
    session = logins.by_token(token)
    known = session is not None and (not with_cookie or passes_csrf_check(request, session))
    dropped = _NEVER_PASSED if session is None else _NEVER_PASSED | {"authorization"}
    headers = [(go_name(name), utf8(value)) for name, value in request.headers.items() if name.lower() not in dropped]
    if other_cookies:
        headers.append(("Cookie", utf8(other_cookies)))
    parts = [part for part in raw_query.split("&") if unquote_plus(part.partition("=")[0]) != _TOKEN_QUERY]
    return Asker(
        user_id=session.user_id if session is not None and known else "",
        session_id=session.id if session is not None and known else "",
        headers=headers,
        query=utf8(f"?{'&'.join(parts)}") if any(parts) else "",
    )


def go_name(name: str) -> str:
    """A header's name in Go's spelling, in which plugins get it: "content-TYPE" is "Content-Type"."""
    return "-".join(part.capitalize() for part in name.split("-"))


def utf8(text: str) -> str:
    """A text out of a request, where bytes that are no UTF-8 are replaced: messages have no place for them."""
    return text.encode("utf-8", "surrogateescape").decode("utf-8", "replace")


def take_cookie(fields: Sequence[str], name: str) -> tuple[str, str]:
    """Take one cookie out of the Cookie header fields of a request.

    Args:
        fields: values of the header fields.
        name: name of the cookie.

    Returns:
        The cookie's value, "" if there is none, and all other cookies as they came.
    """
    pairs = [pair.strip() for field in fields for pair in field.split(";")]
    values = [value.strip() for key, _, value in (pair.partition("=") for pair in pairs) if key.strip() == name]
    others = [pair for pair in pairs if pair and pair.partition("=")[0].strip() != name]
    return values[0] if values else "", "; ".join(others)


def _bearer(request: web.Request) -> str:
    scheme, _, token = request.headers.get("Authorization", "").partition(" ")
    return token if scheme.lower() in ("bearer", "token") else ""
