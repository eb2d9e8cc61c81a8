"""ASGI and WSGI applications behind a real host."""

import json
from collections.abc import Iterator
from contextlib import closing

import pytest

from tests.peer.conftest import StartPlugin, log_end, start_plugin
from tests.peer.gohost import GoHost, GoPlugin
from tests.peer.plugins.web_apps import SECRET
from tests.peer.site import Site

PREFIX = "/plugins/com.example.apps"


@pytest.fixture(scope="module")
def apps(host: GoHost) -> Iterator[GoPlugin]:
    plugin = start_plugin(host, "web_apps.py")
    yield plugin
    plugin.kill()


@pytest.fixture(scope="module")
def fastapi_site(apps: GoPlugin) -> Site:
    return Site(apps, apps.http_front(user_id="user1", plugin_id="com.example.apps"))


@pytest.fixture(scope="module")
def flask_site(apps: GoPlugin) -> Site:
    return Site(apps, apps.http_front(method="ServeMetrics", user_id="user1", plugin_id="com.example.apps"))


def test_fastapi_sees_the_request(fastapi_site: Site) -> None:
    response, body = fastapi_site.fetch(f"{PREFIX}/items/7?q=%C3%A9")

    assert response.status == 200
    front = fastapi_site.front
    assert json.loads(body) == {
        "number": 7,
        "q": "é",
        "user": "user1",
        "root": PREFIX,
        "plugin": "Apps",
        "url": f"http://{front.host}:{front.port}{PREFIX}/items/7?q=%C3%A9",
    }


@pytest.mark.parametrize(("path", "status"), [("/items/x", 422), ("/nowhere", 404), ("/release", 405)])
def test_fastapi_answers_its_own_errors(fastapi_site: Site, path: str, status: int) -> None:
    assert fastapi_site.fetch(f"{PREFIX}{path}")[0].status == status


def test_fastapi_reads_an_upload_in_pieces(fastapi_site: Site) -> None:
    _, body = fastapi_site.fetch(f"{PREFIX}/upload", "POST", bytes(5_000_000))

    assert json.loads(body) == {"size": 5_000_000}


def test_fastapi_streams_events_as_they_happen(fastapi_site: Site) -> None:
    with closing(fastapi_site.front.connect()) as connection:
        connection.request("GET", f"{PREFIX}/events")
        response = connection.getresponse()
        assert str(response.getheader("Content-Type")).startswith("text/event-stream")
        assert response.read(13) == b"data: first\n\n"
        fastapi_site.fetch(f"{PREFIX}/release", "POST")
        assert response.read() == b"data: second\n\n"


def test_fastapi_stops_streaming_when_the_client_goes(start: StartPlugin) -> None:
    plugin = start("web_apps.py")
    connection = plugin.http_front().connect()
    connection.request("GET", "/events")
    response = connection.getresponse()
    assert response.read(13) == b"data: first\n\n"
    response.close()
    connection.close()

    plugin.wait_log("the events have ended", source="plugin")


def test_flask_sees_the_request(flask_site: Site) -> None:
    response, body = flask_site.fetch(f"{PREFIX}/items/7?q=%C3%A9", "POST", "bödy".encode())

    assert response.status == 200
    assert json.loads(body) == {"number": 7, "q": "é", "body": "bödy", "user": "user1"}
    assert [cookie.partition(";")[0] for cookie in response.msg.get_all("Set-Cookie", [])] == ["a=1", "b=2"]


def test_flask_answers_its_own_errors(flask_site: Site) -> None:
    assert flask_site.fetch(f"{PREFIX}/nowhere")[0].status == 404


def test_flask_streams_a_download(flask_site: Site) -> None:
    _, body = flask_site.fetch(f"{PREFIX}/pieces")

    assert body == b"".join(bytes([number]) * 65536 for number in range(64))


@pytest.mark.parametrize("which", ["fastapi_site", "flask_site"])
def test_an_app_that_fails_answers_500_without_its_text(which: str, request: pytest.FixtureRequest) -> None:
    site: Site = request.getfixturevalue(which)
    before = log_end(site.plugin)

    response, body = site.fetch(f"{PREFIX}/fail")

    assert response.status == 500
    assert SECRET.encode() not in body
    site.plugin.wait_log("", level="error", source="plugin", after=before)


def test_an_app_starts_and_stops_with_its_plugin(start: StartPlugin) -> None:
    plugin = start("web_apps.py", activate=False)
    before = log_end(plugin)
    plugin.activate()
    started = plugin.wait_log("the app starts", after=before)

    plugin.kill()

    plugin.wait_log("the app stops", after=started.index)


def test_an_app_that_cannot_start_keeps_the_plugin_from_being_active(start: StartPlugin) -> None:
    plugin = start("web_apps.py", "startup-fails", activate=False)

    activated = plugin.call("OnActivate")

    assert "the database is away" in str(activated.response["error"])
