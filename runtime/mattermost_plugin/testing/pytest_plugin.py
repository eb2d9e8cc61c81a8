"""What pytest gets from this package: the fixture `mattermost`. Nothing of the server is loaded before it is used."""

from __future__ import annotations

from collections.abc import Generator, Iterator
from typing import TYPE_CHECKING, Any, Final

import pytest

if TYPE_CHECKING:
    from mattermost_plugin.testing import TestServer

__tracebackhide__ = True  # pytest shows the line of the test

_MARK: Final = "mattermost"
_TIMEOUT: Final = "mattermost_timeout"
_ERRORS: Final = "mattermost_errors"
_IGNORE: Final = "ignore"
_OPTIONS: Final = {"timeout", "errors", "clock", "network"}
_SERVER: Final[pytest.StashKey[TestServer]] = pytest.StashKey()


def pytest_addoption(parser: pytest.Parser) -> None:
    """Add the settings."""
    parser.addini(_TIMEOUT, "seconds that anything on the server under test may take; 0 for no limit", default="10")
    parser.addini(_ERRORS, 'whether errors that a plugin logs "fail" a test or not ("ignore")', default="fail")


def pytest_configure(config: pytest.Config) -> None:
    """Register the marker."""
    config.addinivalue_line(
        "markers",
        f'{_MARK}(timeout=10, errors="fail", clock="manual", network="unix"): the server under test for this test: '
        'its limit in seconds; "ignore" for errors that plugins may log; the "machine"\'s clock; "tcp"',
    )


@pytest.fixture
def mattermost(request: pytest.FixtureRequest) -> Iterator[TestServer]:
    """A Mattermost server for this test; see `mattermost_plugin.testing.TestServer`.

    Its plugins are unloaded at the end of the test. Errors that they logged fail it, unless it expects them.
    """
    from mattermost_plugin.testing import SystemClock, TestServer

    options = _options(request.node)
    timeout_s = float(options.get("timeout", request.config.getini(_TIMEOUT)))
    server = TestServer(
        timeout_s=timeout_s or None,
        clock=SystemClock() if options.get("clock") == "machine" else None,
        network=options.get("network", "unix"),
    )
    request.node.stash[_SERVER] = server
    try:
        yield server
    finally:
        server.close()
    # Of what was there before, the test has failed already: each error is told once. After something was late, errors
    # of the end say no more than that it was cut off.
    if _fails(request.node) and not server._is_late:
        server.check()


@pytest.hookimpl(wrapper=True)
def pytest_runtest_call(item: pytest.Item) -> Generator[None, Any, Any]:
    """Let a test fail by itself, and not its end, over errors that it did not expect; show what went on if it fails."""
    try:
        result = yield
        server = item.stash.get(_SERVER, None)
        if server is not None and not server.is_closed and _fails(item):
            server.settle()
            server.check()
    except (Exception, pytest.fail.Exception):
        server = item.stash.get(_SERVER, None)
        if server is not None:
            _report(item, server)
        raise
    return result


def _report(item: pytest.Item, server: TestServer) -> None:
    """Show what went on when a test failed. Errors of its plugins are told here, and not a second time at the end."""
    from mattermost_plugin.testing import ServerUnderTestError, UnexpectedErrors

    try:
        try:
            server.check()
        except UnexpectedErrors as errors:
            item.add_report_section("call", f"{_MARK} errors", str(errors))
        item.add_report_section("call", _MARK, server.transcript())
    except ServerUnderTestError as error:
        # A server that is stuck cannot tell; the test's own failure is what counts.
        item.add_report_section("call", _MARK, str(error))


def _fails(node: pytest.Item) -> bool:
    return bool(_options(node).get("errors", node.config.getini(_ERRORS)) != _IGNORE)


# Any: what a marker holds is anybody's, and is checked where it is used.
def _options(node: pytest.Item) -> dict[str, Any]:
    options: dict[str, Any] = {}
    for mark in reversed(list(node.iter_markers(_MARK))):
        options |= mark.kwargs
    if unknown := set(options) - _OPTIONS:
        raise pytest.UsageError(f"the marker {_MARK} knows {', '.join(sorted(_OPTIONS))}, not {', '.join(unknown)}")
    return options
