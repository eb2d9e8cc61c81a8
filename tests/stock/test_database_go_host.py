"""`self.db` under Go's net/rpc and gob, with a host that dies of an unknown id as a server does."""

import json
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from tests.stock.gostock import GoStock
from tests.stock.test_go_host import CONTEXT, ROOT

PLUGIN = Path(__file__).parent / "plugins" / "database_plugin.py"
WRITE = {"read_only": False}
NOTHING = {"conns": 0, "txs": 0, "stmts": 0, "rows": 0}

pytestmark = [pytest.mark.go, pytest.mark.timeout(60, func_only=True)]


@pytest.fixture
def host(program: Path) -> Iterator[GoStock]:
    """A host with the active plugin."""
    with GoStock(program) as running:
        running.start([sys.executable, str(PLUGIN)], env={"PYTHONPATH": str(ROOT)})
        assert running.activate() == ""
        yield running


def ask(host: GoStock, statement: str, *parameters: object, **connect: bool) -> Any:
    command = json.dumps({"statement": statement, "parameters": parameters, "connect": connect})
    return json.loads(host.hook("ExecuteCommand", A=CONTEXT, B={"Command": command})["A"]["Text"])


def test_statements(host: GoStock) -> None:
    values = [-(1 << 63), (1 << 63) - 1, "text \N{SNOWMAN}", 2.5, -0.0, True, False, 0, "", None]
    statement = "SELECT $1, ..."
    assert ask(host, statement, *values) == {"rows": [values], "count": -1}
    for number in range(300):
        if number % 100 == 0:
            assert ask(host, "INSERT INTO things VALUES ($1, $2)", number, f"n{number}", **WRITE)["count"] == 1
    rows = [[0, "n0"], [100, "n100"], [200, "n200"]]
    assert ask(host, "SELECT id, name FROM things") == {"rows": rows, "count": -1}
    assert ask(host, "SELECT id, name FROM things -- prepared; because of this")["rows"] == rows
    assert host.driver() == NOTHING


def test_errors(host: GoStock) -> None:
    refused = ask(host, "INSERT INTO things VALUES ($1, $2)", 1, "a")
    assert refused["error"] == "ProgrammingError"
    assert "25006" in refused["text"]
    ask(host, "INSERT INTO things VALUES ($1, $2)", 1, "a", **WRITE)
    twice = ask(host, "INSERT INTO things VALUES ($1, $2)", 1, "a", **WRITE)
    assert twice["error"] == "IntegrityError"
    assert "constraint things_pkey" in twice["text"]
    assert ask(host, "SELEC")["error"] == "ProgrammingError"
    assert ask(host, "SELECT id, name FROM things")["rows"] == [[1, "a"]]
    assert host.driver() == NOTHING


def test_times(host: GoStock) -> None:
    assert ask(host, "SELECT now()")["error"] == "NotSupportedError"
    assert ask(host, "SELECT $1", "on")["rows"] == [["on"]]
    assert host.driver() == NOTHING


def test_the_host_ends_the_stream_of_a_time(host: GoStock) -> None:
    lost = ask(host, "SELECT a time that the database calls a text")
    assert lost["error"] == "ConnectionLostError"
    assert ask(host, "SELECT $1", "on")["error"] == "ConnectionLostError"
    host.ping()
    # No id of the stream that is gone was used, or the host would not answer.
    assert host.driver() == {"conns": 1, "txs": 1, "stmts": 0, "rows": 1}


def test_the_end_of_the_plugin_leaves_nothing(host: GoStock) -> None:
    ask(host, "INSERT INTO things VALUES ($1, $2)", 1, "a", **WRITE)
    host.hook("MessageHasBeenPosted", A=CONTEXT, B={"Id": "p1"})
    assert host.driver()["conns"] == 1
    # The host has closed the socket before the plugin's end can say anything.
    host.hook("OnDeactivate")
    assert host.driver() == NOTHING
    assert host.kill() < 1900
