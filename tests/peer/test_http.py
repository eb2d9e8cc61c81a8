"""HTTP through a real net/http server and a real go-plugin host, to handlers of both kinds."""

import hashlib
import json
import re
import socket
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path

import pytest

from tests.peer.conftest import StartPlugin, log_end, start_plugin
from tests.peer.gohost import GoHost, GoPlugin
from tests.peer.plugins.web_async import PIECE, SECRET, piece_of
from tests.peer.site import Site

UPLOAD_MIB = 24
BODY_MIB = 128  # more than a plugin process has of its own


def site_of(plugin: GoPlugin) -> Site:
    return Site(plugin, plugin.http_front(user_id="user1", session_id="session1", plugin_id="com.example.web"))


@pytest.fixture(scope="module", params=["web_async.py", "web_sync.py"])
def site(host: GoHost, request: pytest.FixtureRequest) -> Iterator[Site]:
    plugin = start_plugin(host, request.param)
    yield site_of(plugin)
    plugin.kill()


@pytest.mark.parametrize("method", ["GET", "POST", "PUT", "PATCH", "DELETE", "OPTIONS", "PROPFIND"])
def test_a_handler_sees_the_request(site: Site, method: str) -> None:
    path = "/plugins/com.example.web/inspect/caf%C3%A9?q=a%20b&q=c"
    with closing(site.front.connect()) as connection:
        connection.putrequest(method, path, skip_accept_encoding=True)
        for value in ("one", "two"):
            connection.putheader("X-Many", value)
        connection.putheader("Mattermost-User-Id", "an impostor")
        connection.putheader("User-Agent", "tests")
        connection.putheader("Content-Length", "5")
        connection.endheaders(b"hello")
        response = connection.getresponse()
        seen = json.loads(response.read())

    assert response.status == 200
    assert response.getheader("Content-Type") == "application/json"
    assert seen["method"] == method
    assert seen["url"] == "/inspect/caf%C3%A9?q=a%20b&q=c"
    assert (seen["path"], seen["query"]) == ("/inspect/café", "q=a%20b&q=c")
    assert seen["request_uri"] == path
    assert seen["user"] == "user1"
    assert seen["host"] == f"{site.front.host}:{site.front.port}"
    assert (seen["proto"], seen["length"], seen["body"]) == ("HTTP/1.1", 5, "hello")
    assert seen["many"] == ["one", "two"]
    assert ["X-Many", "two"] in seen["fields"]
    assert (seen["session"], seen["agent"], seen["address"]) == ("session1", "tests", "127.0.0.1")


def test_a_request_without_user_has_none(site: Site) -> None:
    anonymous = Site(site.plugin, site.plugin.http_front())

    _, body = anonymous.fetch("/inspect", headers={"Mattermost-User-Id": "an impostor"})

    seen = json.loads(body)
    assert (seen["user"], seen["length"], seen["body"]) == ("", 0, "")


def test_a_head_request_has_no_body(site: Site) -> None:
    response, body = site.fetch("/status/202", "HEAD")

    assert (response.status, body) == (202, b"")


@pytest.mark.parametrize("status", [200, 201, 204, 301, 304, 400, 404, 418, 500, 599, 999])
def test_every_status_arrives(site: Site, status: int) -> None:
    response, body = site.fetch(f"/status/{status}")

    assert response.status == status
    assert body == (b"" if status in (204, 304) else b"a body")


@pytest.mark.parametrize("status", [0, 42, 1000, -1])
def test_a_status_that_is_none_is_the_handlers_error(site: Site, status: int) -> None:
    before = log_end(site.plugin)

    response, body = site.fetch(f"/status/{status}")

    assert response.status == 500
    assert b"ValueError" not in body
    record = site.plugin.wait_log("handler failed", level="error", source="plugin", after=before)
    assert "a number from 100 to 999" in str(record.pairs["error"])


def test_an_unknown_path_is_the_plugins_404(site: Site) -> None:
    response, body = site.fetch("/nowhere")

    assert (response.status, body) == (404, b"no /nowhere here")


def test_values_of_a_header_stay_apart(site: Site) -> None:
    response, body = site.fetch("/cookies")

    assert response.msg.get_all("Set-Cookie") == ["a=1", "b=2; Path=/"]
    assert str(response.getheader("X-Text")).encode("latin-1").decode() == "é"
    assert (response.status, body) == (200, b"")


def test_a_handler_that_does_nothing_answers_200(site: Site) -> None:
    response, body = site.fetch("/nothing")

    assert (response.status, response.getheader("X-Nothing"), body) == (200, "1", b"")


def test_a_large_upload_is_streamed(site: Site) -> None:
    content = b"".join(piece_of(number) for number in range(UPLOAD_MIB))

    _, body = site.fetch("/digest", "POST", content)

    assert body.decode() == f"{len(content)} {hashlib.sha256(content).hexdigest()}"


def test_an_upload_of_unknown_length_arrives(site: Site) -> None:
    with closing(site.front.connect()) as connection:
        connection.request("POST", "/inspect", iter([b"one ", b"two"]), encode_chunked=True)
        seen = json.loads(connection.getresponse().read())

    assert (seen["length"], seen["body"]) == (None, "one two")


def test_a_large_download_is_streamed(site: Site) -> None:
    with closing(site.front.connect()) as connection:
        connection.request("GET", f"/download/{UPLOAD_MIB}")
        response = connection.getresponse()
        for number in range(UPLOAD_MIB):
            assert response.read(PIECE) == piece_of(number)
        assert response.read() == b""


def test_no_body_is_held_in_memory(site: Site) -> None:
    before = peak_memory_mib(site.plugin)
    block = bytes(PIECE)

    with closing(site.front.connect()) as connection:
        connection.request("POST", "/digest", (block for _ in range(BODY_MIB)), encode_chunked=True)
        assert connection.getresponse().read().startswith(str(BODY_MIB * PIECE).encode())
        connection.request("GET", f"/download/{BODY_MIB}")
        response = connection.getresponse()
        while response.read(PIECE):
            pass

    assert peak_memory_mib(site.plugin) - before < BODY_MIB / 2


def peak_memory_mib(plugin: GoPlugin) -> float:
    """The most memory that the process has had so far."""
    status = Path(f"/proc/{plugin.pid}/status").read_text()
    found = re.search(r"VmHWM:\s+(\d+) kB", status)
    assert found is not None
    return int(found[1]) / 1024


def test_both_directions_flow_at_once(site: Site) -> None:
    with closing(site.front.connect()) as connection:
        connection.putrequest("POST", "/echo")
        connection.putheader("Transfer-Encoding", "chunked")
        connection.endheaders()
        connection.send(b"3\r\none\r\n")
        response = connection.getresponse()
        assert response.read(3) == b"one"
        connection.send(b"3\r\ntwo\r\n")
        assert response.read(3) == b"two"
        connection.send(b"0\r\n\r\n")
        assert response.read() == b""


def test_what_is_flushed_arrives_while_the_handler_waits(site: Site) -> None:
    with closing(site.front.connect()) as connection:
        connection.request("GET", "/hold")
        response = connection.getresponse()
        assert response.read(5) == b"first"
        site.fetch("/release")
        assert response.read() == b"second"


def test_many_requests_at_once_do_not_mix(site: Site) -> None:
    connections = [site.front.connect() for _ in range(16)]
    for number, connection in enumerate(connections):
        connection.request("POST", "/inspect", str(number).encode())
    for number, connection in enumerate(connections):
        assert json.loads(connection.getresponse().read())["body"] == str(number)
        connection.close()


def test_an_early_answer_does_not_wait_for_the_body(site: Site) -> None:
    with closing(site.front.connect()) as connection:
        connection.putrequest("POST", "/early")
        connection.putheader("Content-Length", str(PIECE))
        connection.endheaders()
        connection.send(b"a little")
        response = connection.getresponse()
        assert response.status == 413
        assert response.read(8) == b"too much"


@pytest.mark.parametrize(("path", "text"), [("/push", "the client has left"), ("/watch", "the watcher has ended")])
def test_a_handler_learns_that_its_client_has_gone(site: Site, path: str, text: str) -> None:
    connection = site.front.connect()
    connection.request("GET", path)
    response = connection.getresponse()
    assert response.read(7) == b"started"
    response.close()
    connection.close()

    assert site.plugin.wait_log(text, source="plugin").pairs["disconnected"] is True


def test_a_body_that_breaks_off_is_not_taken_for_a_whole_one(site: Site) -> None:
    connection = site.front.connect()
    connection.putrequest("POST", "/upload")
    connection.putheader("Content-Length", "10")
    connection.endheaders()
    connection.send(b"abc")
    response = connection.getresponse()
    assert response.read(7) == b"started"
    connection.sock.shutdown(socket.SHUT_RDWR)
    response.close()
    connection.close()

    record = site.plugin.wait_log("the upload broke off", source="plugin")
    assert record.pairs["kind"] in ("RequestAborted", "ClientDisconnected", "CancelledError")


def test_a_late_header_is_an_error_in_the_handler(site: Site) -> None:
    response, body = site.fetch("/late-header")

    assert (response.status, body, response.getheader("X-Late")) == (200, b"sent too late 200", None)


def test_a_header_cannot_smuggle_another(site: Site) -> None:
    response, body = site.fetch("/bad-header")

    assert (response.status, body) == (200, b"refused")
    assert response.getheader("X-Smuggled") is None


@pytest.mark.parametrize("path", ["/fail", "/exit"])
def test_a_handler_that_fails_answers_a_fixed_500(site: Site, path: str) -> None:
    before = log_end(site.plugin)

    response, body = site.fetch(path)

    assert (response.status, body) == (500, b"Internal Server Error\n")
    assert response.getheader("X-Mine") is None
    record = site.plugin.wait_log("handler failed", level="error", source="plugin", after=before)
    assert record.pairs["traceback"]


def test_a_handler_that_fails_half_way_cuts_the_response(site: Site) -> None:
    before = log_end(site.plugin)

    response, body = site.fetch("/fail-late")

    assert (response.status, response.getheader("X-Mine"), body) == (200, "1", b"so far so good")
    host_says = site.plugin.wait_log("request finished", source="http", after=before)
    assert "response cut short" in str(host_says.pairs["error"])
    assert SECRET not in str(host_says.pairs)


def test_the_plugin_goes_on_after_all_that(site: Site) -> None:
    assert site.plugin.ping().ok
    assert site.fetch("/nothing")[0].status == 200


def test_blocking_calls_on_the_loop_are_refused(start: StartPlugin) -> None:
    _, body = site_of(start("web_async.py")).fetch("/wrong-call")

    assert b"use aread() in async handlers" in body


def test_metrics_work_as_http_does(site: Site) -> None:
    metrics = Site(site.plugin, site.plugin.http_front(method="ServeMetrics"))

    response, body = metrics.fetch("/inspect", "POST", b"x")

    assert response.getheader("X-Hook") == "ServeMetrics"
    assert json.loads(body)["body"] == "x"


def test_a_plugin_without_the_hook_answers_404(start: StartPlugin) -> None:
    response, _ = site_of(start("bare.py")).fetch("/")

    assert response.status == 404
