"""What is known of a statement before it is sent."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from mattermost_plugin._db_errors import Error, ProgrammingError
from mattermost_plugin._db_statements import Manner, manner_of

PREFIXES = st.lists(
    st.sampled_from(
        [" ", "\n", "\t", "(", ";", "-- a comment\n", "--\r", "/* one */", "/* one /* within */ another */"]
    ),
    max_size=5,
).map("".join)


@given(PREFIXES)
def test_comments_in_front_hide_nothing(prefix: str) -> None:
    for statement in ("COMMIT", "Rollback", "end", "SET x = 1", "BEGIN", "discard all"):
        with pytest.raises(ProgrammingError):
            manner_of(prefix + statement)
    assert manner_of(f"{prefix}DELETE FROM t").is_counted
    assert not manner_of(f"{prefix}SELECT 1").is_counted


@given(st.text(max_size=40))
def test_any_text_has_its_manner_or_is_refused(statement: str) -> None:
    try:
        manner = manner_of(statement)
    except Error:
        return
    assert manner.may_be_several is (";" in statement.rstrip().removesuffix(";"))


@pytest.mark.parametrize(
    ("statement", "manner"),
    [
        ("INSERT INTO t VALUES (1)", Manner(True, False)),
        ("insert into t values (1) returning id", Manner(False, False)),
        ("MERGE INTO t USING s ON true WHEN MATCHED THEN DELETE;", Manner(True, False)),
        ("SELECT 1;", Manner(False, False)),
        ("SELECT 1; SELECT 2", Manner(False, True)),
        ("WITH x AS (DELETE FROM t) SELECT 1", Manner(False, False)),
        ("SAVEPOINT a", Manner(False, False)),
        ("ROLLBACK /* x */ TO a", Manner(False, False)),
        ("set local x = 1", Manner(False, False)),
        ("SET TRANSACTION ISOLATION LEVEL SERIALIZABLE", Manner(False, False)),
        ("COMMITTED", Manner(False, False)),
    ],
)
def test_manners(statement: str, manner: Manner) -> None:
    assert manner_of(statement) == manner
