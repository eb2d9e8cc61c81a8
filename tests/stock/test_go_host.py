"""A plugin's process under Go's own go-plugin, driven as a stock server drives it."""

import http.client
import os
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from tests.stock.gostock import GoStock, GoStockError, build_or_skip

ROOT = Path(__file__).parents[2]
PLUGIN = Path(__file__).parent / "plugins" / "session_plugin.py"
CONTEXT = {"RequestId": "r1"}
NOBODY = {"A": None, "B": {"Id": "app.user.missing", "Message": "no such user", "StatusCode": 404, "Where": "GetUser"}}
API = {
    "GetUser": NOBODY,
    "KVGet": {"A": "dmFsdWU="},
    "KVSet": {},
    "LoadPluginConfiguration": {"A": "eyJHcmVldGluZyI6ImhlbGxvIn0="},
    "LogInfo": {},
}

pytestmark = [pytest.mark.go, pytest.mark.timeout(60, func_only=True)]


@pytest.fixture(scope="session")
def program() -> Path:
    """The host's executable."""
    return build_or_skip()


@pytest.fixture
def host(program: Path) -> Iterator[GoStock]:
    """A host with the plugin."""
    with GoStock(program) as running:
        running.start([sys.executable, str(PLUGIN)], api=API, env={"PYTHONPATH": str(ROOT)})
        yield running


@pytest.fixture
def active(host: GoStock) -> GoStock:
    """A host with the active plugin."""
    assert host.activate() == ""
    return host


def set_fields(struct: Any) -> dict[str, Any]:
    return {name: value for name, value in struct.items() if value}


def post(host: GoStock, message: str) -> Any:
    return host.hook("MessageWillBePosted", A=CONTEXT, B={"Id": "p1", "Message": message, "Props": {"k": "v"}})


def test_the_activation_calls_the_server(active: GoStock) -> None:
    active.ping()
    calls = active.api_calls()
    assert [call["method"] for call in calls] == ["LoadPluginConfiguration", "LogInfo", "KVSet", "KVGet", "GetUser"]
    assert calls[1]["args"] == {"A": "activated", "B": ["answer", "42"]}
    assert calls[4]["args"] == {"A": "missing"}


def test_posts(active: GoStock) -> None:
    assert set_fields(post(active, "hello")["A"]) == {"Message": "hello!", "Props": {"seen": True}}
    assert post(active, "reject") == {"A": None, "B": "rejected for a reason"}
    assert post(active, "keep") == {"A": None, "B": ""}
    active.hook("MessageHasBeenPosted", A=CONTEXT, B={"Id": "p1", "UserId": "u7"})
    assert active.api_calls()[-1] == {"method": "GetUser", "args": {"A": "u7"}}


def test_commands(active: GoStock) -> None:
    answered = active.hook("ExecuteCommand", A=CONTEXT, B={"Command": "/hello a b"})
    props = {"n": 1.5, "l": ["a", False]}
    assert set_fields(answered["A"]) == {"ResponseType": "ephemeral", "Text": "ran /hello a b", "Props": props}
    assert answered["B"] is None
    failed = active.hook("ExecuteCommand", A=CONTEXT, B={"Command": "/fail"})["B"]
    assert (failed["Id"], failed["Message"], failed["StatusCode"]) == ("app.fail", "app.fail", 418)


def test_uploads(active: GoStock) -> None:
    content = os.urandom(2 * 1024 * 1024)
    reply, replacement = active.upload({"Id": "f1", "Name": "a.txt", "Size": len(content)}, content)
    # Decoded into the object that was sent, as the server does.
    assert (reply["A"]["Id"], reply["A"]["Name"], reply["A"]["Size"]) == ("f1", "renamed-a.txt", len(content))
    assert replacement == b"replaced:" + content


def test_http(active: GoStock) -> None:
    connection = http.client.HTTPConnection(active.front(), timeout=30)
    connection.request("POST", "/x", body=b"request body")
    response = connection.getresponse()
    assert response.status == 201
    assert (response.headers["X-Test"], response.headers["X-Preset"]) == ("yes", "server")
    assert response.read() == b"got:request body"
    connection.close()


def test_a_large_echo(active: GoStock) -> None:
    # The host compares what comes back with what it sent, at the same time.
    assert active.bench_http("/echo", mib=64)["mib_per_s"] > 0


def test_a_response_that_breaks_off_is_no_whole_one(active: GoStock) -> None:
    connection = http.client.HTTPConnection(active.front(), timeout=30)
    connection.request("GET", "/break")
    response = connection.getresponse()
    with pytest.raises(http.client.IncompleteRead) as error:
        response.read()
    assert error.value.partial == b"half of"
    response.close()
    connection.close()


def test_what_the_plugin_lacks(active: GoStock) -> None:
    with pytest.raises(GoStockError, match="Hook UserHasLoggedIn called but not implemented"):
        active.hook("UserHasLoggedIn")
    active.ping()


def test_the_end(active: GoStock) -> None:
    assert active.hook("OnDeactivate")["A"]["Err"] == "deactivate failed on purpose"
    # The host kills a plugin that has not ended 2 s after Control.Quit.
    assert active.kill() < 1900


def test_a_plugin_that_was_not_activated_ends_too(host: GoStock) -> None:
    assert host.kill() < 1900
