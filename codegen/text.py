"""Text laid out for docstrings."""

import textwrap

_DOC_WIDTH = 100


def one_line(text: str) -> str:
    """The text without its line breaks."""
    return " ".join(text.split())


def wrap(text: str, *, indent: int = 0, hanging: int = 0) -> str:
    """The text in lines, the first and the later ones indented."""
    return "\n".join(
        textwrap.wrap(
            text,
            _DOC_WIDTH,
            initial_indent=" " * indent,
            subsequent_indent=" " * hanging,
            break_long_words=False,
            break_on_hyphens=False,
        )
    )
