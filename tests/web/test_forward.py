"""Requests to plugins' routes over real sockets: what the plugin sees, how both bodies flow, and how things end."""

from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import aiohttp
import pytest
from hypothesis import given
from hypothesis import strategies as st
from yarl import URL

from mattermost_plugin.devhost import HttpQuestion
from mattermost_plugin.devhost.events import HookCalled, LogWritten
from mattermost_plugin.devhost.web.asker import go_name, take_cookie
from mattermost_plugin.devhost.web.content_type import sniffed_type
from mattermost_plugin.devhost.web.logins import CSRF_COOKIE, TOKEN_COOKIE
from mattermost_pluginapi.v1.hooks_http_pb2 import ServeHTTPRequest, ServeHTTPResponse
from tests.web.site import GREETER, GREETER_ID, WORKSHOP, WORKSHOP_ID, Site, run

BASE = f"/plugins/{WORKSHOP_ID}"
PIECE_BYTES = 65_536


async def fetch(
    here: Site, path: str, method: str = "GET", *, logged_in: bool = True, **options: Any
) -> tuple[int, dict[str, str], bytes]:
    """Status, header fields and body of an answer; with the cookies of the page, or those of nobody."""
    url = URL(f"{here.client.base}{path}", encoded=True)  # as it stands, and not as the library would write it
    if logged_in:
        async with here.client.session.request(method, url, **options) as got:
            return got.status, dict(got.headers), await got.read()
    async with (
        aiohttp.ClientSession() as stranger,
        stranger.request(method, url, **options) as got,
    ):
        return got.status, dict(got.headers), await got.read()


async def who(here: Site, query: str = "", method: str = "GET", **options: Any) -> dict[str, Any]:
    """What the plugin sees of a request."""
    status, _, body = await fetch(here, f"{BASE}/who{query}", method, **options)
    assert status == 200
    return dict(json.loads(body))


def cookies(here: Site) -> dict[str, str]:
    return {cookie.key: cookie.value for cookie in here.client.session.cookie_jar}


def test_a_plugin_sees_the_request_as_from_a_server() -> None:
    async def scenario(here: Site) -> None:
        seen = await who(
            here,
            "?a=1&b=%2F&a=2",
            "PUT",
            data=b"four",
            headers={"x-small": "s", "X-Requested-With": "XMLHttpRequest", "Referer": "http://x/", "Cookie": "own=1"},
        )
        assert (seen["method"], seen["url"], seen["length"]) == ("PUT", "/who?a=1&b=%2F&a=2", 4)
        assert seen["host"] == here.address
        assert seen["headers"]["X-Small"] == ["s"]
        assert seen["headers"]["Content-Length"] == ["4"]
        assert {"Host", "Referer", "Transfer-Encoding"} & set(seen["headers"]) == set()
        status, _, body = await fetch(here, "/plugins/com.example.greeter/hello")
        assert (status, body.decode()) == (200, f"Hello, {here.ada.id}!\n")
        status, _, body = await fetch(here, "/plugins/com.example.greeter/a%2Fb%20c")
        called = here.host.events.history(HookCalled)[-1].request
        assert isinstance(called, ServeHTTPRequest)
        assert (called.init.url, called.init.request_uri) == ("/a%2Fb%20c", "/plugins/com.example.greeter/a%2Fb%20c")
        assert called.init.remote_addr.startswith("127.0.0.1:")

    run(scenario, GREETER, WORKSHOP)


def test_who_asks_is_the_sessions_word_alone() -> None:
    async def scenario(here: Site) -> None:
        forged = {"Mattermost-User-Id": here.bob.id, "mattermost-plugin-id": "com.example.other"}
        nobody = await who(here, logged_in=False, headers=forged)
        assert (nobody["user"], nobody["session"]) == ("", "")
        assert not {name for name in nobody["headers"] if name.startswith("Mattermost")}
        somebody = await who(here, headers=forged)
        assert (somebody["user"], somebody["headers"]["Mattermost-User-Id"]) == (here.ada.id, [here.ada.id])
        assert here.host.store.sessions.get(somebody["session"]) is not None
        await here.client.log_in(here.bob)
        assert (await who(here))["user"] == here.bob.id
        here.host.store.sessions.end_of_user(here.bob.id)
        assert (await who(here))["user"] == ""

    run(scenario, WORKSHOP)


def test_the_session_is_taken_out_of_what_the_plugin_gets() -> None:
    async def scenario(here: Site) -> None:
        token = cookies(here)[TOKEN_COOKIE]
        seen = await who(here, headers={"Cookie": f"{TOKEN_COOKIE}={token}; theme=dark"})
        (others,) = seen["headers"]["Cookie"]
        assert (seen["user"], "theme=dark" in others, TOKEN_COOKIE in others) == (here.ada.id, True, False)
        for header in (f"Bearer {token}", f"token {token}"):
            seen = await who(here, logged_in=False, headers={"Authorization": header})
            assert (seen["user"], "Authorization" in seen["headers"]) == (here.ada.id, False)
        seen = await who(here, f"?x=1&access_token={token}&y", logged_in=False)
        assert (seen["user"], seen["url"]) == (here.ada.id, "/who?x=1&y")
        # What opens nothing here may be the plugin's own.
        seen = await who(here, logged_in=False, headers={"Authorization": "Bearer other"})
        assert (seen["user"], seen["headers"]["Authorization"]) == ("", ["Bearer other"])
        for text in (str(await here.client.get("/plugins")), str(seen)):
            assert token not in text

    run(scenario, WORKSHOP)


def test_what_may_change_something_needs_more_than_a_cookie() -> None:
    async def scenario(here: Site) -> None:
        csrf = cookies(here)[CSRF_COOKIE]
        for headers, known in (
            ({}, False),
            ({"X-CSRF-Token": "x" + csrf}, False),
            ({"X-CSRF-Token": csrf}, True),
            ({"X-Requested-With": "XMLHttpRequest"}, True),
            ({"X-Requested-With": "fetch"}, False),
            ({"Authorization": f"Bearer {cookies(here)[TOKEN_COOKIE]}"}, True),
        ):
            assert ((await who(here, "", "POST", headers=headers))["user"] == here.ada.id) is known, headers
        assert (await who(here))["user"] == here.ada.id

    run(scenario, WORKSHOP)


def test_both_bodies_flow_at_the_same_time() -> None:
    async def scenario(here: Site) -> None:
        to_send: asyncio.Queue[bytes] = asyncio.Queue()

        async def pieces() -> AsyncIterator[bytes]:
            while piece := await to_send.get():
                yield piece

        to_send.put_nowait(b"one")
        async with here.client.session.post(f"{here.client.base}{BASE}/echo", data=pieces()) as got:
            # Each is answered before the next one is sent: nothing waits for the end of a body.
            assert await got.content.readexactly(3) == b"one"
            to_send.put_nowait(b"two")
            assert await got.content.readexactly(3) == b"two"
            to_send.put_nowait(b"x" * 200_000)
            assert await got.content.readexactly(200_000) == b"x" * 200_000
            to_send.put_nowait(b"")
            assert await got.content.read() == b""

    run(scenario, WORKSHOP)


def test_a_client_that_reads_nothing_makes_the_plugin_wait() -> None:
    async def scenario(here: Site) -> None:
        host, _, port = here.address.partition(":")
        reader, writer = await asyncio.open_connection(host, int(port), limit=1024)
        writer.write(f"GET {BASE}/flood HTTP/1.1\r\nHost: {here.address}\r\n\r\n".encode())
        await reader.readexactly(10)
        before = -1
        while (now := await written(here)) != before:  # it stops by itself, and nothing else ever ends this
            before = now
        assert before < 100 * 1024 * 1024
        writer.transport.abort()
        # The client has gone: the plugin's handler is ended.
        await here.host.events.wait_for(LogWritten, lambda line: line.message == "flood ended")

    async def written(here: Site) -> int:
        counted: int | None = None
        for _ in range(50):  # as many round trips as a stream that flows would use to get on
            counted = int((await fetch(here, f"{BASE}/written"))[2])
        assert counted is not None
        return counted

    run(scenario, WORKSHOP)


def test_a_plugin_that_reads_nothing_makes_the_client_wait() -> None:
    total = 400

    async def scenario(here: Site) -> None:
        sent: list[int] = []

        async def pieces() -> AsyncIterator[bytes]:
            for number in range(total):
                sent.append(number)
                yield b"x" * PIECE_BYTES

        async def upload() -> bytes:
            return (await fetch(here, f"{BASE}/gate", "POST", data=pieces()))[2]

        task = asyncio.create_task(upload())
        before = -1
        while len(sent) != before:
            before = len(sent)
            for _ in range(50):
                await fetch(here, f"{BASE}/written")
        assert before < total
        await fetch(here, f"{BASE}/open")
        assert int(await task) == total * PIECE_BYTES

    run(scenario, WORKSHOP)


def test_a_body_that_breaks_off_is_no_whole_one() -> None:
    async def scenario(here: Site) -> None:
        host, _, port = here.address.partition(":")
        _, writer = await asyncio.open_connection(host, int(port))
        head = f"POST {BASE}/echo HTTP/1.1\r\nHost: {here.address}\r\nContent-Length: 100\r\n\r\n"
        writer.write(f"{head}only this".encode())
        await writer.drain()
        writer.close()
        await writer.wait_closed()
        called = await here.host.events.wait_for(HookCalled, lambda event: event.hook == "ServeHTTP")
        assert isinstance(called.request, ServeHTTPRequest)
        assert not called.request.body_complete

    run(scenario, WORKSHOP)


def test_status_and_header_fields_of_an_answer() -> None:
    async def scenario(here: Site) -> None:
        async with here.client.session.get(f"{here.client.base}{BASE}/page") as got:
            assert got.headers["Content-Type"] == "text/html; charset=utf-8"
            assert got.headers["X-Made-By"] == "workshop"
            assert got.headers.getall("Set-Cookie") == ["a=1", "b=2"]
            assert {"Service-Worker-Allowed", "Content-Security-Policy"} & set(got.headers) == set()
            assert (await got.read()).endswith(b"<h1>Open</h1>")
        status, headers, body = await fetch(here, f"{BASE}/page", "HEAD")
        assert (status, headers["X-Made-By"], body) == (200, "workshop", b"")
        status, _, body = await fetch(here, f"{BASE}/nothing")
        assert (status, body) == (204, b"")
        assert (await fetch(here, f"{BASE}/missing"))[0] == 404

    run(scenario, WORKSHOP)


def test_an_answer_that_is_not_whole_does_not_look_whole() -> None:
    async def scenario(here: Site) -> None:
        for path in ("/short", "/half"):
            with pytest.raises((aiohttp.ClientPayloadError, aiohttp.ServerDisconnectedError)):
                await fetch(here, f"{BASE}{path}")
        failed = [event for event in here.host.events.history(HookCalled) if event.failure]
        assert len(failed) == 1
        assert isinstance(failed[0].response, ServeHTTPResponse)
        assert (failed[0].response.body_chunk, failed[0].response.body_complete) == (b"half", False)

    run(scenario, WORKSHOP)


def test_plugins_that_do_not_answer() -> None:
    async def scenario(here: Site) -> None:
        assert (await fetch(here, "/plugins/nobody/x"))[0] == 404
        assert (await fetch(here, "/plugins/"))[0] == 404
        status, _, body = await fetch(here, f"{BASE}/die")
        assert (status, body) == (502, b"Bad Gateway\n")
        await here.host.events.wait_for(LogWritten, lambda line: "has ended by itself" in line.message)
        status, _, body = await fetch(here, f"{BASE}/page")
        assert (status, body) == (503, b"com.example.workshop does not run\n")
        await here.host.restart(WORKSHOP_ID)
        assert (await fetch(here, f"{BASE}/page"))[0] == 200

    run(scenario, WORKSHOP)


def test_a_plugin_without_routes(tmp_path: Path) -> None:
    (tmp_path / "plugin.json").write_text('{"id": "plain", "server": {"executable": "plugin.py"}}')
    (tmp_path / "plugin.py").write_text("from mattermost_plugin import Plugin, run_plugin\nrun_plugin(Plugin)\n")

    async def scenario(here: Site) -> None:
        assert (await fetch(here, "/plugins/plain/x"))[0] == 404

    run(scenario, tmp_path)


def test_public_files(tmp_path: Path) -> None:
    (tmp_path / "plugin.json").write_text('{"id": "plain", "server": {"executable": "plugin.py"}}')
    (tmp_path / "plugin.py").write_text("from mattermost_plugin import Plugin, run_plugin\nrun_plugin(Plugin)\n")
    (tmp_path / "public" / "sub").mkdir(parents=True)
    (tmp_path / "public" / "sub" / "a.css").write_text("a{}")
    (tmp_path / "public" / "out").symlink_to(tmp_path / "plugin.py")

    async def scenario(here: Site) -> None:
        status, headers, body = await fetch(here, "/plugins/plain/public/sub/a.css")
        assert (status, headers["Content-Type"], body) == (200, "text/css", b"a{}")
        for path in ("", "sub", "sub/", "nothing", "out", "%2e%2e/plugin.py", "..%2Fplugin.py", "x" * 5000, "%00"):
            assert (await fetch(here, f"/plugins/plain/public/{path}"))[0] == 404, path
        assert (await fetch(here, "/plugins/nobody/public/a.css"))[0] == 404

    run(scenario, tmp_path)


def test_a_whole_request_goes_the_same_way() -> None:
    async def scenario(here: Site) -> None:
        question = HttpQuestion(method="POST", path="/echo", body=b"x" * 150_000)
        answer = await here.host.act.request(WORKSHOP_ID, question)
        assert (answer.status, answer.body) == (200, question.body)
        called = here.host.events.history(HookCalled)[-1]
        assert isinstance(called.request, ServeHTTPRequest)
        assert (len(called.request.body_chunk), called.request.body_complete) == (65_536, True)
        assert called.request.init.content_length == 150_000

    run(scenario, WORKSHOP)


def test_odd_bytes_reach_the_plugin_as_text() -> None:
    async def scenario(here: Site) -> None:
        host, _, port = here.address.partition(":")
        reader, writer = await asyncio.open_connection(host, int(port))
        head = f"GET {BASE}/who?q=%FF HTTP/1.1\r\nHost: {here.address}\r\nConnection: close\r\n"
        writer.write(head.encode() + b"X-Odd: a\xffb\r\nUser-Agent: \xfe\r\nCookie: a/b=1; \xff; c\r\n\r\n")
        answer = await reader.read()
        writer.close()
        await writer.wait_closed()
        assert answer.startswith(b"HTTP/1.1 200")
        (line,) = [line for line in answer.splitlines() if line.startswith(b"{")]
        fields = json.loads(line)["headers"]
        assert fields["X-Odd"] == ["a\ufffdb"]
        assert fields["Cookie"] == ["a/b=1; \ufffd; c"]

    run(scenario, WORKSHOP)


@given(st.lists(st.text(alphabet='ab=; "\\:/,', max_size=30)), st.integers(0, 3))
def test_one_cookie_is_taken_out_of_any_others(fields: list[str], place: int) -> None:
    fields.insert(place, "x=1;session=SECRET ; y=2")
    value, others = take_cookie(fields, "session")
    assert value == "SECRET"
    assert "SECRET" not in others
    assert {"x=1", "y=2"} <= set(others.split("; "))
    assert take_cookie([others], "session") == ("", others)


@pytest.mark.parametrize(
    ("name", "expected"),
    [("content-TYPE", "Content-Type"), ("X-CSRF-Token", "X-Csrf-Token"), ("dnt", "Dnt"), ("a_b-c", "A_b-C")],
)
def test_header_names_are_spelt_as_go_does(name: str, expected: str) -> None:
    assert go_name(name) == expected


@pytest.mark.parametrize(
    ("data", "expected"),
    [
        (b"", "text/plain; charset=utf-8"),
        (b"hello\n", "text/plain; charset=utf-8"),
        (b"  <!DOCTYPE HTML><p>", "text/html; charset=utf-8"),
        (b"<html>", "text/html; charset=utf-8"),
        (b"<htmlx>", "text/plain; charset=utf-8"),
        (b"\x89PNG\r\n\x1a\n...", "image/png"),
        (b"\x00\x01", "application/octet-stream"),
    ],
)
def test_an_answer_without_a_type_gets_one(data: bytes, expected: str) -> None:
    assert sniffed_type(data) == expected


def test_the_greeter_answers_by_name() -> None:
    async def scenario(here: Site) -> None:
        _, _, body = await fetch(here, f"/plugins/{GREETER_ID}/hello", logged_in=False)
        assert body == b"Hello, stranger!\n"

    run(scenario, GREETER)
