"""What every peer test needs: the Go host, the compiled protos, and a way to start a plugin."""

import os
import shutil
import sys
import threading
from collections.abc import Callable, Iterator, Mapping
from concurrent.futures import Future
from pathlib import Path
from typing import ParamSpec, TypeVar

import pytest

from tests.contract.compiled import compile_protos
from tests.peer.gohost import GoHost, GoPlugin

PLUGINS = Path(__file__).parent / "plugins"
ROOT = Path(__file__).parents[2]

# For the body of a test alone: the first fixture may have to build the host.
TEST_TIMEOUT_S = 60

P = ParamSpec("P")
T = TypeVar("T")

StartPlugin = Callable[..., GoPlugin]


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    for item in items:
        if item.path.is_relative_to(Path(__file__).parent):
            item.add_marker(pytest.mark.go)
            item.add_marker(pytest.mark.timeout(TEST_TIMEOUT_S, func_only=True))


@pytest.fixture(scope="session")
def go_toolchain() -> None:
    """Skips where Go is missing; in CI it must not be."""
    if shutil.which("go") is None:
        text = "no Go toolchain on the PATH: the host that these tests run against is built from Go"
        if os.environ.get("CI"):
            pytest.fail(text)
        pytest.skip(text)


@pytest.fixture(scope="session")
def descriptors(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The protos, compiled from their sources and not taken from the generated code."""
    output = tmp_path_factory.mktemp("protos") / "descriptors.pb"
    compile_protos(output)
    return output


@pytest.fixture(scope="session")
def host(go_toolchain: None, descriptors: Path) -> Iterator[GoHost]:
    """The host for every test that does not kill it."""
    with GoHost(descriptors) as running:
        yield running


@pytest.fixture
def mortal_host(go_toolchain: None, descriptors: Path) -> Iterator[GoHost]:
    """A host of the test's own, which it may kill."""
    with GoHost(descriptors) as running:
        yield running


def start_plugin(
    host: GoHost, script: str, *arguments: str, env: Mapping[str, str | None] | None = None, activate: bool = True
) -> GoPlugin:
    """Starts a script of plugins/ and activates it."""
    command = [sys.executable, str(PLUGINS / script), *arguments]
    plugin = host.start(command, env={"PYTHONPATH": str(ROOT), **(env or {})})
    if activate:
        activated = plugin.activate()
        assert activated is None or (activated.ok and activated.response == {}), activated
    return plugin


@pytest.fixture
def start(host: GoHost) -> Iterator[StartPlugin]:
    """`start_plugin` for one test: its end kills the plugin."""
    started: list[GoPlugin] = []

    def start_one(
        script: str, *arguments: str, env: Mapping[str, str | None] | None = None, activate: bool = True
    ) -> GoPlugin:
        plugin = start_plugin(host, script, *arguments, env=env, activate=activate)
        started.append(plugin)
        return plugin

    yield start_one
    for plugin in started:
        plugin.kill()


def in_background(function: Callable[P, T], *arguments: P.args, **named: P.kwargs) -> Future[T]:
    """Runs a call that may never return in a thread that keeps nobody waiting."""
    future: Future[T] = Future()

    def run() -> None:
        try:
            future.set_result(function(*arguments, **named))
        except BaseException as error:  # noqa: BLE001 - raised where the result is asked for
            future.set_exception(error)

    threading.Thread(target=run, daemon=True).start()
    return future


def log_end(plugin: GoPlugin) -> int:
    """The index that the next log record of the plugin will have."""
    records = plugin.logs()
    return records[-1].index + 1 if records else 0
