"""Header fields and request targets."""

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from mattermost_plugin._http_message import RequestHeaders, ResponseHeaders, parse_target
from mattermost_plugin.errors import HeadersSentError

TOKENS = st.text("abcXYZ019!#$%&'*+-.^_`|~", min_size=1)
VALUES = st.text(st.characters(codec="utf-8", exclude_characters="\r\n\0"))


def test_names_are_compared_without_regard_to_case() -> None:
    headers = RequestHeaders([("X-Token", ["a"]), ("Accept", ["b", "c"])])
    assert headers["x-tOKEN"] == "a"
    assert "ACCEPT" in headers
    assert "other" not in headers
    other: object = 5
    assert other not in headers
    assert headers.get("Other", "none") == "none"


def test_spelling_and_order_are_kept() -> None:
    headers = RequestHeaders([("X-B", ["1"]), ("x-a", ["2", "3"]), ("X-b", ["4"])])
    assert list(headers) == ["X-B", "x-a"]
    assert len(headers) == 2
    assert list(headers.items_all()) == [("X-B", "1"), ("X-B", "4"), ("x-a", "2"), ("x-a", "3")]
    assert dict(headers) == {"X-B": "1", "x-a": "2"}


def test_every_value_of_a_field_is_given_in_order() -> None:
    headers = RequestHeaders([("Cookie", ["a", "b"])])
    values = headers.get_all("cookie")
    assert values == ["a", "b"]
    values.clear()
    assert headers.get_all("cookie") == ["a", "b"]
    assert headers.get_all("absent") == []


def test_a_field_without_values_is_absent() -> None:
    headers = RequestHeaders([("X-Empty", [])])
    assert "X-Empty" not in headers
    with pytest.raises(KeyError):
        headers["X-Empty"]


def test_repr_tells_no_values() -> None:
    headers = RequestHeaders([("Authorization", ["secret"])])
    assert repr(headers) == "<RequestHeaders: Authorization>"


def test_setting_replaces_and_adding_appends() -> None:
    headers = ResponseHeaders()
    headers["Set-Cookie"] = "a=1"
    headers.add("set-cookie", "b=2")
    assert headers.get_all("Set-Cookie") == ["a=1", "b=2"]
    headers["SET-COOKIE"] = "c=3"
    assert list(headers.items_all()) == [("SET-COOKIE", "c=3")]
    del headers["set-cookie"]
    assert len(headers) == 0
    with pytest.raises(KeyError):
        del headers["set-cookie"]


def test_extend_takes_all_pairs_or_none() -> None:
    headers = ResponseHeaders()
    with pytest.raises(ValueError, match="header X-B"):
        headers.extend([("X-A", "1"), ("X-B", "bad\r\nX-C: 1")])
    assert len(headers) == 0
    headers.extend([("X-A", "1"), ("x-a", "2")])
    assert headers.get_all("X-A") == ["1", "2"]


@pytest.mark.parametrize("name", ["", "a b", "a:b", "ä", "a\n", "a\r\nb", "\0"])
def test_a_name_that_is_no_token_is_refused(name: str) -> None:
    headers = ResponseHeaders()
    with pytest.raises(ValueError, match="not a header name"):
        headers[name] = "x"
    with pytest.raises(ValueError, match="not a header name"):
        headers.add(name, "x")
    assert len(headers) == 0


@pytest.mark.parametrize("value", ["secret\nx", "secret\rx", "secret\0", "secret\ud800"])
def test_a_value_that_would_break_the_message_is_refused_without_telling_it(value: str) -> None:
    headers = ResponseHeaders()
    with pytest.raises(ValueError, match="header X-A") as caught:
        headers.add("X-A", value)
    assert "secret" not in str(caught.value)


def test_other_types_than_str_are_refused() -> None:
    headers = ResponseHeaders()
    with pytest.raises(TypeError, match="str and int"):
        headers["Content-Length"] = 5  # type: ignore[assignment]  # the wrong type is the point
    with pytest.raises(TypeError, match="bytes and str"):
        headers.add(b"X-A", "a")  # type: ignore[arg-type]  # the wrong type is the point


def test_locked_fields_can_be_read_and_not_changed() -> None:
    headers = ResponseHeaders()
    headers["X-A"] = "1"
    headers.lock()
    assert headers["x-a"] == "1"
    with pytest.raises(HeadersSentError):
        headers["X-A"] = "2"
    with pytest.raises(HeadersSentError):
        del headers["X-A"]
    with pytest.raises(HeadersSentError):
        headers.add("X-A", "2")
    with pytest.raises(HeadersSentError):
        headers.extend([("X-A", "2")])
    assert headers.get_all("X-A") == ["1"]


@settings(deadline=None)
@given(st.lists(st.tuples(TOKENS, VALUES)))
def test_values_come_out_as_they_went_in(pairs: list[tuple[str, str]]) -> None:
    headers = ResponseHeaders()
    headers.extend(pairs)
    for name, _ in pairs:
        assert headers.get_all(name) == [value for other, value in pairs if other.lower() == name.lower()]
    assert sorted(value for _, value in headers.items_all()) == sorted(value for _, value in pairs)
    copy = RequestHeaders(headers.fields())
    assert list(copy.items_all()) == list(headers.items_all())


@pytest.mark.parametrize(
    ("url", "raw_path", "path", "query"),
    [
        ("/a/b?x=1&y=%20", "/a/b", "/a/b", "x=1&y=%20"),
        ("/", "/", "/", ""),
        ("", "/", "/", ""),
        ("?x=1", "/", "/", "x=1"),
        ("/a?b?c", "/a", "/a", "b?c"),
        ("/caf%C3%A9%2Fx", "/caf%C3%A9%2Fx", "/café/x", ""),
        ("/bad%FFbyte", "/bad%FFbyte", "/bad\N{REPLACEMENT CHARACTER}byte", ""),
        ("/100%", "/100%", "/100%", ""),
        ("https://chat.example.com/a?x=1", "/a", "/a", "x=1"),
        ("http://chat.example.com", "/", "/", ""),
        ("http://chat.example.com?x=1", "/", "/", "x=1"),
        ("//host/a", "//host/a", "//host/a", ""),
        ("a/b", "/a/b", "/a/b", ""),
    ],
)
def test_urls_are_taken_apart(url: str, raw_path: str, path: str, query: str) -> None:
    assert parse_target(url) == (raw_path, path, query)


@settings(deadline=None)
@given(st.text())
def test_any_url_gives_a_path(url: str) -> None:
    target = parse_target(url)
    assert target.path.startswith("/")
    assert "?" not in target.raw_path
