"""Who may talk to the front, and what it says to all others."""

import asyncio
import json
import re
from collections.abc import AsyncIterator, Awaitable, Callable
from pathlib import Path

import aiohttp
import pytest

from mattermost_plugin.devhost import DevHost, DevHostError
from mattermost_plugin.devhost.web import Front
from mattermost_plugin.devhost.web.json_body import LARGEST_BODY
from mattermost_plugin.devhost.web.keys import REMEMBERED_RUNS, Keys
from tests.web.site import GREETER, GREETER_ID, Site, run

PAGE = Path(__file__).parents[2] / "runtime" / "mattermost_plugin" / "devhost" / "web" / "page.html"
ROUTES = [
    ("GET", "/users"),
    ("GET", "/places"),
    ("GET", "/plugins"),
    ("GET", "/posts?ids=x"),
    ("GET", "/events/1"),
    ("GET", "/files/x"),
    ("GET", "/nowhere"),
    ("POST", "/login"),
    ("POST", "/posts"),
    ("POST", "/commands"),
    ("POST", "/dialogs"),
    ("POST", "/plugins/x/restart"),
    ("DELETE", "/posts/x"),
    ("PUT", "/posts/x/reactions/tada"),
]


async def raw(here: Site, *lines: str) -> tuple[int, str]:
    """Send a request as it is written. Returns status and the whole answer."""
    host, _, port = here.address.partition(":")
    reader, writer = await asyncio.open_connection(host, int(port))
    writer.write("\r\n".join([*lines, "Connection: close", "", ""]).encode())
    text = (await reader.read()).decode()
    writer.close()
    await writer.wait_closed()
    return int(text.split(" ", 2)[1]), text


def test_only_its_own_names_are_answered() -> None:
    async def scenario(here: Site) -> None:
        port = here.address.partition(":")[2]
        key = f"X-Devhost-Key: {here.client.key}"
        for name in (f"127.0.0.1:{port}", f"localhost:{port}", f"LocalHost:{port}"):
            for path in ("/", "/api/users", f"/plugins/{GREETER_ID}/hello"):
                assert (await raw(here, f"GET {path} HTTP/1.1", f"Host: {name}", key))[0] == 200
        for name in (
            "evil.example",
            f"evil.example:{port}",
            "127.0.0.1",
            f"127.0.0.1:{int(port) + 1}",
            f"[::1]:{port}",
        ):
            for path in ("/", "/api/users", "/api/feed", f"/plugins/{GREETER_ID}/hello"):
                status, text = await raw(here, f"GET {path} HTTP/1.1", f"Host: {name}", key)
                assert status == 403, (name, path)
                assert "evil" not in text
        assert (await raw(here, "GET /api/users HTTP/1.0", key))[0] == 403

    run(scenario, GREETER)


@pytest.mark.parametrize(("method", "path"), ROUTES)
def test_the_api_wants_the_key_and_no_other_site(method: str, path: str) -> None:
    async def scenario(here: Site) -> None:
        for headers in ({}, {"X-Devhost-Key": ""}, {"X-Devhost-Key": "x" * 43}, {"X-Devhost-Key": "é"}):
            async with here.client.session.request(method, f"{here.client.base}/api{path}", headers=headers) as got:
                assert got.status == 403
                assert "key" in (await got.json())["error"]["message"]
        for origin in ("http://evil.example", "null", f"https://{here.address}", "http://127.0.0.1:1"):
            error = await here.client.error(403, method, path, headers={"Origin": origin})
            assert error["message"] == "another site cannot use this host"

    run(scenario)


def test_no_spelling_of_a_path_leads_around_the_key() -> None:
    async def scenario(here: Site) -> None:
        paths = ["/plugins/../api/users", "/plugins/x/../../api/users", "//api/users", "/API/users", "/%61pi/users"]
        for path in [*paths, f"http://{here.address}/api/users", "/api//users", "/api/./users", "/./api/users"]:
            status, text = await raw(here, f"GET {path} HTTP/1.1", f"Host: {here.address}")
            assert status in (400, 403, 404), path
            assert here.ada.id not in text

    run(scenario)


def test_the_feed_wants_the_key_and_no_other_site() -> None:
    async def scenario(here: Site) -> None:
        url = f"{here.client.base}/api/feed"
        with pytest.raises(aiohttp.WSServerHandshakeError) as refused:
            await here.client.session.ws_connect(url, origin="http://evil.example")
        assert refused.value.status == 403
        for hello, code in (
            ({"key": "wrong", "user_id": here.ada.id}, 4401),
            ({"user_id": here.ada.id}, 4401),
            ([], 4401),
            ({"key": here.client.key, "user_id": here.bob.id}, 4403),
            ({"key": here.client.key, "user_id": "nobody"}, 4403),
        ):
            async with here.client.session.ws_connect(url, origin=here.client.base) as socket:
                await socket.send_json(hello)
                message = await socket.receive()
                assert (message.type, message.data) == (aiohttp.WSMsgType.CLOSE, code), hello
        async with here.client.session.ws_connect(url) as socket:
            await socket.send_str("x" * 5000)
            assert (await socket.receive()).data == aiohttp.WSCloseCode.MESSAGE_TOO_BIG

    run(scenario)


def test_the_page_has_no_key_and_a_strict_policy() -> None:
    async def scenario(here: Site) -> None:
        async with here.client.session.get(here.client.base) as got:
            text = await got.text()
            policy = got.headers["Content-Security-Policy"]
            assert got.headers["X-Frame-Options"] == "DENY"
            assert got.headers["Referrer-Policy"] == "no-referrer"
        assert here.client.key not in text
        assert here.ada.id not in text
        assert "unsafe" not in policy
        assert re.findall(r"default-src [^;]*", policy) == ["default-src 'none'"]
        assert len(re.findall(r"'sha256-[^']+'", policy)) == 3
        assert f"ws://{here.address}" in policy
        async with here.client.session.post(here.client.base) as got:
            assert got.status == 405

    run(scenario)


def test_the_page_makes_no_html_of_text_and_loads_nothing() -> None:
    text = PAGE.read_text(encoding="utf-8")
    for name in ("innerHTML", "outerHTML", "insertAdjacentHTML", "document.write", "eval(", "new Function", "style="):
        assert name not in text
    assert not re.findall(r"""(?:src|href)=["'](?!data:)""", text)
    assert "localStorage" not in text
    assert "sessionStorage" not in text


def test_bodies_are_json_and_bounded() -> None:
    async def scenario(here: Site) -> None:
        url, headers = f"{here.client.base}/api/posts", here.client.headers()
        cases: list[tuple[bytes, str, int]] = [
            (b"{}", "text/plain", 415),
            (b"message=x", "application/x-www-form-urlencoded", 415),
            (b"{", "application/json", 400),
            (b"[]", "application/json", 400),
            (b"\xff", "application/json", 400),
            (b"[" * 100_000, "application/json", 400),
            (json.dumps({"channel_id": 5}).encode(), "application/json", 400),
            (json.dumps({"channel_id": "\ud800"}).encode(), "application/json", 400),
            (json.dumps({"file_ids": "x"}).encode(), "application/json", 404),
            (json.dumps({"channel_id": here.lounge.id, "file_ids": ["x"] * 101}).encode(), "application/json", 400),
            (json.dumps({"message": "x" * LARGEST_BODY}).encode(), "application/json", 413),
        ]
        for body, kind, status in cases:
            async with here.client.session.post(url, data=body, headers={**headers, "Content-Type": kind}) as got:
                assert got.status == status, (body[:40], kind)
                assert got.content_type == "application/json"
                assert "\xff" not in await got.text()

        async def endless() -> AsyncIterator[bytes]:
            for _ in range(1000):
                yield b" " * 65_536

        of_json = headers | {"Content-Type": "application/json"}
        async with here.client.session.post(url, data=endless(), headers=of_json) as got:
            assert got.status == 413

    run(scenario)


def test_a_user_must_be_named_and_logged_in() -> None:
    async def scenario(here: Site) -> None:
        here.client.user_id = ""
        assert (await here.client.error(400, "GET", "/places"))["message"].endswith("is missing")
        assert (await here.client.error(401, "GET", "/places", user_id=here.bob.id))["id"]
        await here.client.log_in(here.bob)
        assert (await here.client.get("/places"))["teams"][0]["title"] == "Crew"
        here.host.store.sessions.end_of_user(here.bob.id)
        await here.client.error(401, "GET", "/places")

    run(scenario)


def run_host(scenario: Callable[[DevHost], Awaitable[None]], path: Path | None = None) -> None:
    async def inside() -> None:
        async with DevHost(path) as host:
            await scenario(host)

    asyncio.run(inside())


def test_start_and_stop() -> None:
    async def scenario(host: DevHost) -> None:
        front = Front(host)
        await front.stop()
        link = await front.start()
        assert re.fullmatch(r"http://127\.0\.0\.1:\d+/#key=[\w-]{43}", link)
        with pytest.raises(DevHostError, match="served already"):
            await front.start()
        port = int(link.split(":")[2].partition("/")[0])
        with pytest.raises(DevHostError, match=f"port {port} of 127.0.0.1 cannot be had"):
            await Front(host, port=port).start()
        await front.stop()
        await front.stop()
        again = await front.start()
        assert again.partition("#")[0] == link.partition("#")[0]
        assert again != link
        await front.stop()

    run_host(scenario)


def test_a_key_outlives_a_few_runs_and_is_kept_nowhere(tmp_path: Path) -> None:
    path = tmp_path / "state.sqlite"
    made: list[str] = []

    async def one_run(host: DevHost) -> None:
        keys = Keys(host.store.settings)
        made.append(keys.current)
        accepted = [key for key in made if keys.accept(key)]
        assert accepted == made[-REMEMBERED_RUNS:]
        assert not keys.accept("")

    for _ in range(REMEMBERED_RUNS + 2):
        run_host(one_run, path)
    assert len(set(made)) == REMEMBERED_RUNS + 2
    content = b"".join(file.read_bytes() for file in tmp_path.iterdir())
    assert all(key.encode() not in content for key in made)

    async def other_state(host: DevHost) -> None:
        assert not Keys(host.store.settings).accept(made[-1])

    run_host(other_state)
