"""What type checkers say of authors' handlers, compared with the marks both ways."""

from pathlib import Path

import pytest

from tests.typing.checkers import CHECKERS, TypingError, disagreements, marks

GOOD = Path(__file__).parent / "handlers_good.py"
BAD = Path(__file__).parent / "handlers_bad.py"

pytestmark = pytest.mark.slow


@pytest.mark.parametrize("checker", CHECKERS)
def test_good_handlers_pass(checker: str, tmp_path: Path) -> None:
    assert CHECKERS[checker](GOOD, tmp_path) == []


@pytest.mark.parametrize("checker", CHECKERS)
def test_bad_handlers_are_refused_where_they_are_marked_and_nowhere_else(checker: str, tmp_path: Path) -> None:
    assert disagreements(BAD.read_text(encoding="utf-8"), checker, CHECKERS[checker](BAD, tmp_path)) == []


@pytest.mark.parametrize("checker", CHECKERS)
def test_the_error_for_a_wrong_handler_names_its_hook(checker: str) -> None:
    source = BAD.read_text(encoding="utf-8")
    patterns = [pattern for _, pattern in marks(source.partition("class WrongOptions")[0], checker)]
    assert len(patterns) == 9
    assert all("Handler" in pattern for pattern in patterns)


def test_good_handlers_run() -> None:
    """The file is imported, too: what type checkers accept, registration must accept."""
    namespace: dict[str, object] = {"__name__": "handlers_good"}
    exec(compile(GOOD.read_text(encoding="utf-8"), str(GOOD), "exec"), namespace)
    assert namespace["NAMES"] == ["ServeHTTP"]
    assert namespace["HAS"]


SOURCE = """\
# mypy says: wrong .*Post
# pyright says: Post
@hook
def f(): ...

# mypy says: second
x = 1
"""


@pytest.mark.parametrize(
    ("errors", "expected"),
    [
        ([TypingError(3, "wrong type Post"), TypingError(7, "second")], []),
        ([TypingError(7, "second")], ["line 3: mypy reports nothing that matches 'wrong .*Post'"]),
        (
            [TypingError(3, "wrong type User"), TypingError(7, "second")],
            ["line 3: mypy reports nothing that matches 'wrong .*Post'", "unmarked: line 3: wrong type User"],
        ),
        (
            [TypingError(3, "wrong type Post"), TypingError(3, "wrong type Post"), TypingError(7, "second")],
            ["unmarked: line 3: wrong type Post"],
        ),
        (
            [TypingError(4, "wrong type Post"), TypingError(7, "second")],
            ["line 3: mypy reports nothing that matches 'wrong .*Post'", "unmarked: line 4: wrong type Post"],
        ),
    ],
)
def test_marks_and_errors_are_compared_both_ways(errors: list[TypingError], expected: list[str]) -> None:
    assert disagreements(SOURCE, "mypy", errors) == expected
