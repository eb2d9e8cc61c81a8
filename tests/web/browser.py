"""A real browser for tests, and the host that it looks at, on an event loop in a thread of its own."""

from __future__ import annotations

import asyncio
import shutil
import threading
from collections.abc import Callable, Coroutine, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any, Final, TypeVar

from selenium import webdriver
from selenium.common.exceptions import (
    ElementClickInterceptedException,
    ElementNotInteractableException,
    NoSuchElementException,
    StaleElementReferenceException,
)
from selenium.webdriver.chrome.service import Service
from selenium.webdriver.common.action_chains import ActionChains
from selenium.webdriver.common.keys import Keys
from selenium.webdriver.remote.webelement import WebElement
from selenium.webdriver.support.ui import Select, WebDriverWait

from mattermost_plugin.devhost import DevHost
from mattermost_plugin.devhost.web import Front
from mattermost_pluginapi.v1.channel_pb2 import Channel
from mattermost_pluginapi.v1.team_pb2 import Team
from mattermost_pluginapi.v1.user_pb2 import User
from tests.web.site import populate

PATIENCE_S: Final = 30
"""How long something may take that is waited for: never reached unless it does not happen at all."""

POLL_S: Final = 0.05

_FLAGS: Final = (
    "--headless --no-sandbox --disable-gpu --no-first-run --disable-background-networking "
    "--disable-component-update --disable-sync"
)

T = TypeVar("T")


def missing_programs() -> str:
    """What of a browser is not installed, as a text; "" if all is there."""
    programs = [name for name in ("chromium", "chromedriver") if shutil.which(name) is None]
    return f"there is no {' and no '.join(programs)} on the PATH" if programs else ""


@contextmanager
def open_browser(folder: Path, *, width: int = 1440, height: int = 900, dark: bool = False) -> Iterator[Browser]:
    """A browser with a profile of its own.

    Args:
        folder: for its profile and for downloads.
        width: of the window, in pixels.
        height: of the window, in pixels.
        dark: what the system asks of pages.
    """
    options = webdriver.ChromeOptions()
    options.binary_location = shutil.which("chromium") or "chromium"
    for flag in [*_FLAGS.split(), f"--user-data-dir={folder / 'profile'}", f"--window-size={width},{height}"]:
        options.add_argument(flag)
    if dark:
        options.add_argument("--blink-settings=preferredColorScheme=0")
    options.add_experimental_option("prefs", {"download.default_directory": str(folder / "downloads")})
    options.set_capability("goog:loggingPrefs", {"browser": "ALL"})
    service = Service(shutil.which("chromedriver") or "chromedriver")
    driver = webdriver.Chrome(options=options, service=service)
    try:
        yield Browser(driver, folder / "downloads")
    finally:
        driver.quit()


class Browser:
    """The browser."""

    def __init__(self, driver: webdriver.Chrome, downloads: Path) -> None:
        self.driver = driver
        self.downloads = downloads
        self._complaints: list[str] = []

    def open(self, link: str) -> Tab:
        """Open a tab of its own."""
        self.driver.switch_to.new_window("tab")
        self.driver.get(link)
        return Tab(self.driver, self.driver.current_window_handle)

    def close_tabs(self) -> None:
        """Close all tabs but one empty one. What the console has said until now is kept."""
        self._listen()
        first, *others = self.driver.window_handles
        for handle in others:
            self.driver.switch_to.window(handle)
            self.driver.close()
        self.driver.switch_to.window(first)
        self.driver.get("about:blank")

    def complaints(self) -> list[str]:
        """What the console has said since the last time."""
        self._listen()
        complaints, self._complaints = self._complaints, []
        return complaints

    def _listen(self) -> None:
        driver: Any = self.driver  # selenium leaves this method without types
        lines = driver.get_log("browser")
        self._complaints += [f"{line['source']}: {line['message']}" for line in lines]


class Tab:
    """A tab with the page, or with anything else."""

    def __init__(self, driver: webdriver.Chrome, handle: str) -> None:
        self._driver = driver
        self._handle = handle

    @property
    def driver(self) -> webdriver.Chrome:
        """The browser, with this tab in front."""
        if self._driver.current_window_handle != self._handle:
            self._driver.switch_to.window(self._handle)
        return self._driver

    def wait(self, condition: Callable[[], T], what: str) -> T:
        """Wait until something is true, and return it."""
        ignored = (NoSuchElementException, StaleElementReferenceException, IndexError)
        waiting = WebDriverWait(self.driver, PATIENCE_S, POLL_S, ignored_exceptions=ignored)
        return waiting.until(lambda _: condition(), what)

    def find(self, selector: str, index: int = 0) -> WebElement:
        """Wait for a visible element."""

        def look() -> WebElement:
            return [each for each in self.driver.find_elements("css selector", selector) if each.is_displayed()][index]

        return self.wait(look, f"{selector} does not appear")

    def labelled(self, label: str, index: int = 0) -> WebElement:
        """Wait for a visible element with a label."""
        return self.find(f'[aria-label="{label}"]', index)

    def click(self, selector: str, index: int = 0) -> None:
        """Click on an element as soon as that can be done."""

        def press() -> bool:
            try:
                self.find(selector, index).click()
            except (ElementClickInterceptedException, ElementNotInteractableException):
                return False
            return True

        self.wait(press, f"{selector} cannot be clicked")

    def click_tool(self, label: str, post: str = "#channel [data-testid=post]") -> None:
        """Click on one of the buttons that a post has while the pointer is over it."""

        def press() -> bool:
            ActionChains(self.driver).move_to_element(self.find(post)).perform()
            self.driver.find_element("css selector", f'{post} [aria-label="{label}"]').click()
            return True

        self.wait(press, f"{label} cannot be clicked")

    def texts(self, selector: str) -> list[str]:
        """The visible texts of all elements."""
        return [each.text for each in self.driver.find_elements("css selector", selector)]

    def see(self, selector: str, text: str) -> None:
        """Wait until an element has a text."""
        self.wait(lambda: any(text in each for each in self.texts(selector)), f"{text!r} is not in {selector}")

    def miss(self, selector: str, text: str = "") -> None:
        """Wait until no visible element has a text."""

        def gone() -> bool:
            found = self.driver.find_elements("css selector", selector)
            return not any(each.is_displayed() and text in each.text for each in found)

        self.wait(gone, f"{text!r} stays in {selector}")

    def write(self, text: str, label: str = "Write to lounge", *, send: bool = True) -> WebElement:
        """Type into a box, and send it."""
        box = self.labelled(label)
        self.wait(lambda: box.get_property("readOnly") is False, "the box takes no text")
        box.send_keys(text + (Keys.ENTER if send else ""))
        return box

    def choose(self, label: str, text: str) -> None:
        """Choose from a list by its text."""

        def pick() -> bool:
            Select(self.labelled(label) if label != "Act as" else self.find("#user")).select_by_visible_text(text)
            return True

        self.wait(pick, f"{text!r} cannot be chosen")

    def run(self, script: str) -> Any:
        """Run a script in the page; what it returns."""
        return self.driver.execute_script(script)


class Stage:
    """A host behind its front, on an event loop in a thread."""

    ada: User
    bob: User
    team: Team
    lounge: Channel

    def __init__(self, folder: Path, *plugins: Path, people: bool = True) -> None:
        self._path = folder / "state.sqlite"
        self._plugins = plugins
        self._people = people
        self._loop = asyncio.new_event_loop()
        self._thread = threading.Thread(target=self._loop.run_forever, name="stage", daemon=True)
        self._thread.start()
        self.link = self.call(self._start(0))

    def call(self, work: Coroutine[Any, Any, T]) -> T:
        """Do something on the host's loop."""
        return asyncio.run_coroutine_threadsafe(work, self._loop).result(PATIENCE_S)

    async def _start(self, port: int) -> str:
        self.host = DevHost(self._path)
        if self._people and not self.host.store.users.count():
            self.ada, self.bob, self.team, self.lounge = await populate(self.host)
        for folder in self._plugins:
            await self.host.launch(folder)
        self.front = Front(self.host, port=port)
        return await self.front.start()

    async def _stop(self) -> None:
        await self.front.stop()
        await self.host.close()

    def stop(self) -> None:
        """End the host; its state stays."""
        self.call(self._stop())

    def start_again(self) -> str:
        """A new host on the same state and port. Returns its link."""
        port = int(self.link.split(":")[2].partition("/")[0])
        self.link = self.call(self._start(port))
        return self.link

    def close(self) -> None:
        """End everything."""
        self.stop()
        self._loop.call_soon_threadsafe(self._loop.stop)
        self._thread.join()
        self._loop.close()
