"""What type checkers say of uses of mutexes and jobs, compared with the marks both ways."""

from pathlib import Path

import pytest

from tests.typing.checkers import CHECKERS, disagreements

GOOD = Path(__file__).parent / "cluster_good.py"
BAD = Path(__file__).parent / "cluster_bad.py"

pytestmark = pytest.mark.slow


@pytest.mark.parametrize("checker", CHECKERS)
def test_good_uses_pass(checker: str, tmp_path: Path) -> None:
    assert CHECKERS[checker](GOOD, tmp_path) == []


@pytest.mark.parametrize("checker", CHECKERS)
def test_bad_uses_are_refused_where_they_are_marked_and_nowhere_else(checker: str, tmp_path: Path) -> None:
    assert disagreements(BAD.read_text(encoding="utf-8"), checker, CHECKERS[checker](BAD, tmp_path)) == []
