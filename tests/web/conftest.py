"""The browser and the host of the tests that look at the page."""

import os
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.web.browser import Browser, Stage, Tab, missing_programs, open_browser
from tests.web.site import GREETER, WORKSHOP


@pytest.fixture(scope="session")
def chromium(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Browser]:
    """The browser. Skips where there is none; in CI there must be one."""
    missing = missing_programs()
    if missing:
        if os.environ.get("CI"):
            pytest.fail(missing)
        pytest.skip(missing)
    with open_browser(tmp_path_factory.mktemp("browser")) as browser:
        yield browser


class Console:
    """What the browser's console may say in a test: nothing, but for what is named."""

    def __init__(self) -> None:
        self.allowed: list[str] = []

    def allow(self, *texts: str) -> None:
        """Expect complaints that contain a text."""
        self.allowed += texts


@pytest.fixture
def console() -> Console:
    return Console()


@pytest.fixture
def browser(chromium: Browser, console: Console) -> Iterator[Browser]:
    """The browser with empty tabs and an empty console."""
    chromium.complaints()
    yield chromium
    chromium.close_tabs()
    complaints = chromium.complaints()
    assert [text for text in complaints if not any(allowed in text for allowed in console.allowed)] == []


@pytest.fixture
def stage(tmp_path: Path, browser: Browser) -> Iterator[Stage]:
    """A host with the greeter and the workshop, and with Ada and Bob in a channel."""
    made = Stage(tmp_path, GREETER, WORKSHOP)
    yield made
    browser.close_tabs()  # before the host goes away, of which they would complain
    made.close()


@pytest.fixture
def page(browser: Browser, stage: Stage) -> Tab:
    """A tab in which Ada looks at the lounge."""
    tab = browser.open(f"{stage.link}&user={stage.ada.id}&channel={stage.lounge.id}")
    tab.see("#live", "Live")
    tab.labelled("Write to lounge")
    return tab
