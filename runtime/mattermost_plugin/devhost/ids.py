"""Ids of 26 characters, as the server makes them."""

import base64
import re
import uuid
from typing import Final

__all__ = ["is_id", "new_id"]

_ID: Final = re.compile(r"[a-z0-9]{26}")

# The server's alphabet: base32 without the characters that look alike.
_TO_SERVERS_ALPHABET: Final = str.maketrans("ABCDEFGHIJKLMNOPQRSTUVWXYZ234567", "ybndrfg8ejkmcpqxot1uwisza345h769")


def new_id() -> str:
    """A new random id."""
    return base64.b32encode(uuid.uuid4().bytes).decode().rstrip("=").translate(_TO_SERVERS_ALPHABET)


def is_id(text: str) -> bool:
    """Whether a text has the shape of an id."""
    return _ID.fullmatch(text) is not None
