"""Docstrings of the plugin API's clients, from what the proto comments say."""

import re
from collections.abc import Callable, Iterable
from typing import Final

from codegen.api_model import ApiIterator, ApiMethod, ApiResult
from codegen.text import one_line, wrap

_TIMEOUT_DOC = "timeout: seconds until the call is given up; None stands for the client's setting."
_RAISES: Final = (
    "PluginAPIError: the server refused the call or failed; each kind of it is a subclass.",
    "APITransportError: no answer came.",
)
_PAGE_SIZE_DOC = "page_size: how many items to ask for in one call, at least 1. A server may give fewer."
_ITERATOR_TIMEOUT_DOC = "timeout: seconds until one of the calls is given up; None stands for the client's setting."
_ITERATOR_RAISES: Final = (
    "ValueError: page_size is no number of items; raised at once.",
    "RepeatedPageError: the server gives the same full page again and again.",
    *_RAISES,
)
_PAGES_DOC = (
    "Nothing is called before the first item is asked for, and a page is read when all items of the one before were "
    "taken. Only an empty page ends the list, for servers may give fewer items than they were asked for."
)
_NUMBERED_DOC = "If the list changes meanwhile, items may be left out or come twice."
_LAST_ID_DOC = "Each page goes on after the last item of the one before, so that changes meanwhile move no other item."
_MORE_DOC = "What else a page holds is left out."
_REVERSED_DOC = "The items of each page are turned round, so that all of them stand in one order."

# Comments speak of failures by their kind; its exception has this name.
_ERRORS: Final = {"NotFound": "NotFoundError"}


class ApiDocs:
    """Writes docstrings. Methods that a comment names by their Go name appear under their Python name.

    Args:
        methods: every method of the API.
    """

    def __init__(self, methods: Iterable[ApiMethod]) -> None:
        # A name of one word may be a plain word.
        self._names = {method.name: method.method for method in methods if "_" in method.method} | _ERRORS
        self._pattern = re.compile(rf"\b({'|'.join(map(re.escape, sorted(self._names)))})\b")

    def functions(self) -> dict[str, Callable[..., str]]:
        """What templates call."""
        return {
            "api_doc": self.method,
            "iterator_doc": self.iterator,
            "result_doc": self.result,
            "result_class_doc": self.result_class,
        }

    def method(self, method: ApiMethod) -> str:
        """The docstring of a client's method."""
        parts = [wrap(self._python(method.summary))]
        if method.doc:
            parts.append(self._python(method.doc))
        arguments = [f"{parameter.name}: {self._python(one_line(parameter.doc))}" for parameter in method.parameters]
        parts.append(_section("Args", [*arguments, _TIMEOUT_DOC]))
        if method.result_class:
            results = [f"{result.name}: {self.result(result)}" for result in method.results]
            parts.append(_section("Returns", ["A named tuple of", *results]))
        elif method.results:
            parts.append("Returns:\n" + wrap(self.result(method.results[0]), indent=4, hanging=4))
        parts.append(_section("Raises", _RAISES))
        parts.append(f"Servers have it from {method.minimum_server_version} on.")
        return "\n\n".join(parts)

    def iterator(self, method: ApiMethod, iterator: ApiIterator) -> str:
        """The docstring of the method that goes through all pages of another one."""
        order = _NUMBERED_DOC if iterator.has_numbers else _LAST_ID_DOC
        more = [_REVERSED_DOC] if iterator.is_reversed else [_MORE_DOC] if iterator.has_more else []
        options = dict(iterator.options)
        arguments = [
            f"{parameter.name}: {self._python(one_line(parameter.doc))}"
            + (f" Its {options[parameter.name]} do not count." if parameter.name in options else "")
            for parameter in iterator.parameters
        ]
        parts = [
            f"Goes through everything that `{method.method}` lists, item by item.",
            wrap(" ".join([_PAGES_DOC, order, *more])),
            _section("Args", [*arguments, _PAGE_SIZE_DOC, _ITERATOR_TIMEOUT_DOC]),
            _section("Raises", _ITERATOR_RAISES),
            f"Servers have it from {method.minimum_server_version} on.",
        ]
        return "\n\n".join(parts)

    def result(self, result: ApiResult) -> str:
        """What a result is."""
        text = self._python(one_line(result.doc))
        if not result.type.expression.endswith("| None"):
            return text
        return f"{text} Given as None if it is {'empty' if result.expression.endswith('or None') else 'unset'}."

    def result_class(self, method: ApiMethod) -> str:
        """The docstring of the NamedTuple that a method returns."""
        return f"What {method.method} returns."

    def _python(self, text: str) -> str:
        return self._pattern.sub(lambda match: self._names[match[1]], text)


def _section(title: str, items: Iterable[str]) -> str:
    return "\n".join([f"{title}:", *(wrap(item, indent=4, hanging=8) for item in items)])
