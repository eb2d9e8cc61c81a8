"""HTTP requests to plugins, as a test makes them."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Final
from urllib.parse import urlencode

from mattermost_plugin.devhost import HttpAnswer, HttpQuestion
from mattermost_plugin.testing.errors import MisuseError

__all__ = ["Answer", "Form", "Headers", "answer_of", "question"]

__tracebackhide__ = True  # pytest shows the line of the test

Headers = Mapping[str, str] | Sequence[tuple[str, str]]
Form = Mapping[str, str] | Sequence[tuple[str, str]]

_PREFIX: Final = "/plugins/"
_SHOWN: Final = 200


@dataclass(frozen=True, slots=True, kw_only=True, repr=False)
class Answer:
    """What a plugin answered over HTTP."""

    status: int
    """Its status."""
    headers: Sequence[tuple[str, str]]
    """Names and values; a name may come more than once."""
    body: bytes
    """Its body, whole."""

    @property
    def text(self) -> str:
        """The body as UTF-8; what is none is replaced."""
        return self.body.decode(errors="replace")

    def json(self) -> object:
        """The body as JSON.

        Raises:
            AssertionError: it is none.
        """
        try:
            value: object = json.loads(self.body)
        except ValueError as error:
            raise AssertionError(f"no JSON: {self!r}") from error
        return value

    def header(self, name: str) -> str:
        """The first value of a header field, "" if there is none."""
        return next((value for key, value in self.headers if key.lower() == name.lower()), "")

    def __repr__(self) -> str:
        more = f"... ({len(self.body)} bytes)" if len(self.body) > _SHOWN else ""
        return f"<{self.status} {self.header('Content-Type')} {self.text[:_SHOWN]!r}{more}>"


def question(
    method: str,
    path: str,
    *,
    user_id: str,
    headers: Headers,
    body: bytes | str,
    json_body: object,
    form: Form | None,
    default_plugin: str,
) -> tuple[str, HttpQuestion]:
    """A request, and the id of the plugin that it is for.

    Raises:
        MisuseError: the path names no plugin, or there is more than one body.
    """
    fields = list(headers.items() if isinstance(headers, Mapping) else headers)
    content, kind = _content(body, json_body, form)
    if kind and not any(name.lower() == "content-type" for name, _ in fields):
        fields.append(("Content-Type", kind))
    plugin_id, path = _place(path, default_plugin)
    return plugin_id, HttpQuestion(method=method.upper(), path=path, headers=fields, body=content, user_id=user_id)


def _content(body: bytes | str, json_body: object, form: Form | None) -> tuple[bytes, str]:
    if sum((bool(body), json_body is not None, form is not None)) > 1:
        raise MisuseError("a request has one of body, json and form")
    if json_body is not None:
        return json.dumps(json_body).encode(), "application/json"
    if form is not None:
        return urlencode(form).encode(), "application/x-www-form-urlencoded"
    return (body.encode(), "text/plain; charset=utf-8") if isinstance(body, str) and body else (bytes(body or b""), "")


def _place(path: str, default_plugin: str) -> tuple[str, str]:
    if not path.startswith("/"):
        raise MisuseError(f"a path begins with a slash: {path!r}")
    if path.startswith(_PREFIX):
        plugin_id, _, rest = path.removeprefix(_PREFIX).partition("/")
        return plugin_id, f"/{rest}"
    return default_plugin, path


def answer_of(answer: HttpAnswer) -> Answer:
    """A plugin's answer."""
    return Answer(status=answer.status, headers=tuple(answer.headers), body=answer.body)
