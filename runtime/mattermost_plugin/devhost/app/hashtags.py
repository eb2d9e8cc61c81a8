"""The hashtags in a post's text."""

import re
from typing import Final

__all__ = ["hashtags_in", "is_hashtag"]

LONGEST_HASHTAGS: Final = 1000
"""How long the hashtags of a post may be together."""

# "[^\W\d_]" is a letter of any script.
_HASHTAG: Final = re.compile(r"#[^\W\d_][\w\-.]*[^\W_]")
_BEFORE: Final = re.compile(r"^(?:[^\w\s#]|_)+")
_AFTER: Final = re.compile(r"(?:[^\w\s]|_)+$")


def is_hashtag(word: str) -> bool:
    """Whether a word is a hashtag: a # and at least two characters, the first a letter, the last no punctuation."""
    return _HASHTAG.fullmatch(word) is not None


def hashtags_in(text: str) -> str:
    """The hashtags of a text, parted by spaces, without the punctuation around them."""
    found: list[str] = []
    for word in text.split():
        bare = re.sub(r"^#{2,}", "#", _AFTER.sub("", _BEFORE.sub("", word)))
        if is_hashtag(bare) and len(" ".join([*found, bare])) <= LONGEST_HASHTAGS:
            found.append(bare)
    return " ".join(found)
