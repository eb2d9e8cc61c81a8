"""The content type of an answer that names none. Go's server looks at the first bytes, and so browsers show a page."""

from typing import Final

__all__ = ["sniffed_type"]

LOOKED_AT: Final = 512
"""How many bytes Go looks at."""

HTML: Final = "text/html; charset=utf-8"
TEXT: Final = "text/plain; charset=utf-8"
BINARY: Final = "application/octet-stream"

_HTML_TAGS: Final = (
    "html",
    "head",
    "script",
    "iframe",
    "h1",
    "div",
    "font",
    "table",
    "a",
    "style",
    "title",
    "b",
    "body",
)
_HTML_STARTS: Final = tuple(f"<{tag}".encode() for tag in ("!doctype html", *_HTML_TAGS, "br", "p", "!--"))
_SIGNATURES: Final = (
    (b"%PDF-", "application/pdf"),
    (b"\x89PNG\r\n\x1a\n", "image/png"),
    (b"\xff\xd8\xff", "image/jpeg"),
    (b"GIF87a", "image/gif"),
    (b"GIF89a", "image/gif"),
    (b"PK\x03\x04", "application/zip"),
    (b"\x1f\x8b\x08", "application/x-gzip"),
)
_NO_TEXT: Final = bytes({*range(0x20)} - {*b"\t\n\f\r\x1b"})


def sniffed_type(data: bytes) -> str:
    """The type of some content, as Go guesses it in the cases that plugins meet.

    Args:
        data: its beginning; only the first 512 bytes count.
    """
    start = data[:LOOKED_AT]
    text = start.lstrip(b"\t\n\x0c\r ").lower()
    if any(text.startswith(tag) and text[len(tag) : len(tag) + 1] in (b" ", b">") for tag in _HTML_STARTS):
        return HTML
    for signature, name in _SIGNATURES:
        if start.startswith(signature):
            return name
    return BINARY if any(byte in _NO_TEXT for byte in start) else TEXT
