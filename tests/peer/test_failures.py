"""Whatever a handler raises, the host gets the reply that the failure means, and the plugin goes on."""

from collections.abc import Iterator

import pytest

from tests.peer.conftest import log_end, start_plugin
from tests.peer.gohost import GoHost, GoPlugin
from tests.peer.plugins.failing import FAILURES
from tests.peer.site import Site

TIMEOUT_S = 3.0

every_failure = pytest.mark.parametrize("name", FAILURES)


@pytest.fixture(scope="module")
def shared(host: GoHost) -> Iterator[list[GoPlugin]]:
    plugins = [start_plugin(host, "failing.py")]
    yield plugins
    for plugin in plugins:
        plugin.kill()


@pytest.fixture
def failing(host: GoHost, shared: list[GoPlugin]) -> Iterator[GoPlugin]:
    """The plugin; a new one only if a test has ended it."""
    plugin = shared[-1]
    yield plugin
    alive = plugin.ping(TIMEOUT_S).ok
    if not alive:
        shared.append(start_plugin(host, "failing.py"))
    assert alive


@every_failure
def test_a_hook_that_lets_pass_replies(failing: GoPlugin, name: str) -> None:
    before = log_end(failing)

    result = failing.call("UserWillLogIn", {"user": {"username": name}}, timeout=TIMEOUT_S)

    assert result.code == "OK", result.message
    if not name.startswith("refused"):
        assert result.response == {}
        failing.wait_log("UserWillLogIn handler", level="error", after=before, timeout=TIMEOUT_S)


@every_failure
@pytest.mark.parametrize(
    ("hook", "field"), [("MessageWillBePosted", "post"), ("MessageWillBeUpdated", "new_post")], ids=["def", "async def"]
)
def test_a_hook_that_refuses_refuses(failing: GoPlugin, name: str, hook: str, field: str) -> None:
    result = failing.call(hook, {field: {"message": name}}, timeout=TIMEOUT_S)

    assert result.code == "OK", result.message
    assert result.response["rejection_reason"]


@every_failure
def test_a_hook_that_reports_errors_reports_one(failing: GoPlugin, name: str) -> None:
    result = failing.call("ExecuteCommand", {"args": {"command": name}}, timeout=TIMEOUT_S)

    assert result.code == "OK", result.message
    error = result.response["error"]
    assert isinstance(error, dict)
    assert error["message"]
    assert error["detailed_error"]
    assert error["status_code"]


def test_a_reason_that_cannot_be_sent_refuses_all_the_same(failing: GoPlugin) -> None:
    request = {"new_post": {"message": "reject-surrogate"}}

    result = failing.call("MessageWillBeUpdated", request, timeout=TIMEOUT_S)

    assert result.response["rejection_reason"]


@every_failure
@pytest.mark.parametrize("method", ["ServeHTTP", "ServeMetrics"], ids=["async def", "def"])
def test_an_http_handler_answers_500(failing: GoPlugin, name: str, method: str) -> None:
    site = Site(failing, failing.http_front(method=method), TIMEOUT_S)

    response, body = site.fetch(f"/{name}")

    assert (response.status, body) == (500, b"Internal Server Error\n")
