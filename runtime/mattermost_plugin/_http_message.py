"""Header fields and targets of HTTP messages, for every wire."""

import re
from collections.abc import Iterable, Iterator
from typing import Final, NamedTuple

from mattermost_plugin.errors import HeadersSentError
from mattermost_pluginapi.hooks.streams import HTTPHeaders, MutableHTTPHeaders

# RFC 9110 5.6.2 (token) and 5.5: a field's value has no CR, LF or NUL. Surrogates cannot be sent as UTF-8.
_NAME: Final = re.compile(r"[!#$%&'*+.^_`|~0-9A-Za-z-]+")
_FORBIDDEN_IN_VALUE: Final = re.compile("[\r\n\0\ud800-\udfff]")
_ABSOLUTE_URL: Final = re.compile(r"[A-Za-z][A-Za-z0-9+.-]*://[^/?#]*")


class HeaderField(NamedTuple):
    """One field name with all its values, as the wires send them."""

    name: str
    values: list[str]


class RequestHeaders(HTTPHeaders):
    """Header fields that were received. Their order and the spelling of their names are kept."""

    def __init__(self, fields: Iterable[tuple[str, Iterable[str]]] = ()) -> None:
        self._fields: dict[str, HeaderField] = {}
        for name, values in fields:
            self._append(name, values)

    def __getitem__(self, name: str) -> str:
        return self._fields[name.lower()].values[0]

    def __iter__(self) -> Iterator[str]:
        return (field.name for field in self._fields.values())

    def __len__(self) -> int:
        return len(self._fields)

    def __contains__(self, name: object) -> bool:
        return isinstance(name, str) and name.lower() in self._fields

    def __repr__(self) -> str:
        # Names only: values carry session tokens, and a repr ends up in logs.
        return f"<{type(self).__name__}: {', '.join(self)}>"

    def get_all(self, name: str, /) -> list[str]:
        """Every value of the field, in the order of arrival; empty if the field is absent."""
        field = self._fields.get(name.lower())
        return [] if field is None else list(field.values)

    def items_all(self) -> Iterator[tuple[str, str]]:
        """Every field as (name, value), once for each value."""
        for field in self._fields.values():
            for value in field.values:
                yield field.name, value

    def _append(self, name: str, values: Iterable[str]) -> None:
        key = name.lower()
        field = self._fields.get(key)
        if field is not None:
            field.values.extend(values)
            return
        field = HeaderField(name, list(values))
        # A field without any value cannot be told from an absent one.
        if field.values:
            self._fields[key] = field


class ResponseHeaders(RequestHeaders, MutableHTTPHeaders):
    """Header fields that are to be sent; `lock` ends the time in which they can be changed."""

    def __init__(self) -> None:
        super().__init__()
        self.locked = False

    def __setitem__(self, name: str, value: str) -> None:
        self._check_unlocked()
        _check_field(name, value)
        self._fields[name.lower()] = HeaderField(name, [value])

    def __delitem__(self, name: str) -> None:
        self._check_unlocked()
        del self._fields[name.lower()]

    def add(self, name: str, value: str, /) -> None:
        """Append a value to the field, keeping those it has."""
        self._check_unlocked()
        _check_field(name, value)
        self._append(name, (value,))

    def extend(self, fields: Iterable[tuple[str, str]], /) -> None:
        """Append every (name, value) pair, or none of them if one is not allowed."""
        self._check_unlocked()
        pairs = list(fields)
        for name, value in pairs:
            _check_field(name, value)
        for name, value in pairs:
            self._append(name, (value,))

    def lock(self) -> None:
        """Refuse every further change."""
        self.locked = True

    def fields(self) -> list[HeaderField]:
        """The fields as they are sent."""
        return list(self._fields.values())

    def _check_unlocked(self) -> None:
        if self.locked:
            raise HeadersSentError(
                "the header fields cannot be changed any more: the response's header is fixed by write_header "
                "and by the first write or flush"
            )


def _check_field(name: str, value: str) -> None:
    if not all(isinstance(part, str) for part in (name, value)):
        raise TypeError(f"a header field is a pair of str, not of {type(name).__name__} and {type(value).__name__}")
    if _NAME.fullmatch(name) is None:
        raise ValueError(f"{name!r} is not a header name: HTTP allows letters, digits and !#$%&'*+-.^_`|~")
    if _FORBIDDEN_IN_VALUE.search(value) is not None:
        # The value itself may be a secret, and this text ends up in a log.
        raise ValueError(f"the value of header {name} has a line break, a NUL or a lone surrogate")


class RequestTarget(NamedTuple):
    """The parts of a request's URL that handlers look at."""

    raw_path: str
    """The path as it was sent, percent-encoded."""

    path: str
    """The decoded path, starting with "/"."""

    query_string: str
    """What follows the first "?", still encoded."""


def parse_target(url: str) -> RequestTarget:
    """Take a request's URL apart. Go sends path and query; scheme and host of an absolute URL are skipped.

    Bytes of the path that are not UTF-8 are replaced by U+FFFD: `url` still has them.
    """
    if not url.startswith("/"):
        absolute = _ABSOLUTE_URL.match(url)
        if absolute is not None:
            url = url[absolute.end() :]
    raw_path, _, query_string = url.partition("?")
    if not raw_path.startswith("/"):
        raw_path = f"/{raw_path}"
    return RequestTarget(raw_path, decode_percent(raw_path), query_string)


def decode_percent(text: str) -> str:
    """Decode percent-encoded UTF-8; bytes that are none become U+FFFD."""
    if "%" not in text:
        return text
    # Late: most requests have nothing to decode, and a plugin without HTTP never needs it.
    from urllib.parse import unquote

    return unquote(text, errors="replace")
