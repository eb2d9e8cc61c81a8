"""The part of the server under test that waits, and does things beside the test."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Iterator
from concurrent.futures import Future
from contextlib import contextmanager
from typing import Final, ParamSpec, TypeVar

from mattermost_plugin.testing._begun import say_begun, tell_begun
from mattermost_plugin.testing._core import OWN_THREADS, ServerCore
from mattermost_plugin.testing.errors import DeadlineError

__all__ = ["ServerWithWaiting"]

__tracebackhide__ = True  # pytest shows the line of the test

P = ParamSpec("P")
T = TypeVar("T")

LOOK_AGAIN_S: Final = 0.02
"""How often a condition is looked at that no event announces."""


class ServerWithWaiting(ServerCore):
    """Waits for what goes on."""

    def settle(self) -> None:
        """Wait until nothing goes on: hooks, those that they cause, API calls, and handlers in threads.

        Everything that a user does settles by itself; a plugin that acts on its own may need it.

        Raises:
            DeadlineError: it does not end.
        """
        self._act("settle()", self._quiet, settles=False)

    @contextmanager
    def unsettled(self) -> Iterator[None]:
        """Let nothing settle by itself in this block: what users do returns as soon as the server has answered."""
        before, self._settles = self._settles, False
        try:
            yield
        finally:
            self._settles = before

    def wait_until(self, condition: Callable[[], T], what: str = "", *, timeout_s: float | None = None) -> T:
        """Wait until a condition is true, and return its value. It is looked at after every event.

        Args:
            condition: the condition. An AssertionError that it raises, as `find_post` does, means that it is not true.
            what: what it is, for the error.
            timeout_s: how long, in seconds; default is the server's own limit.

        Raises:
            DeadlineError: it does not become true.
        """
        what = what or f"wait_until({getattr(condition, '__name__', condition)!s})"
        self._check_usable(what)
        say_begun()
        limit_s = self._timeout_s if timeout_s is None else timeout_s
        deadline = None if limit_s is None else time.monotonic() + limit_s
        changed = threading.Event()
        unsubscribe = self._host.events.subscribe(lambda _: changed.set())
        try:
            while True:
                value, doubt = _looked_at(condition)
                if value:
                    return value
                if deadline is not None and time.monotonic() > deadline:
                    raise DeadlineError(what, limit_s or 0.0, f"{doubt}{self._situation()}")
                changed.wait(LOOK_AGAIN_S)
                changed.clear()
        finally:
            unsubscribe()

    def start(self, action: Callable[P, T], /, *args: P.args, **kwargs: P.kwargs) -> Future[T]:
        """Do something beside the test, in a thread of its own: `server.start(ada.post, channel, "hi")`.

        What the test does next comes after the beginning of what the server or a user does here.

        Returns:
            What it comes to: `result()` waits for it.
        """
        future: Future[T] = Future()
        begun = threading.Event()

        def act() -> None:
            tell_begun(begun)
            try:
                future.set_result(action(*args, **kwargs))
            except BaseException as error:  # noqa: BLE001 - raised where the result is asked for
                future.set_exception(error)
            finally:
                begun.set()

        threading.Thread(target=act, name=f"{OWN_THREADS}{getattr(action, '__name__', '')}", daemon=True).start()
        # Anything else may wait for the test before it begins.
        owner = getattr(action, "__self__", None)
        if isinstance(owner, ServerCore) or isinstance(getattr(owner, "_core", None), ServerCore):
            begun.wait(self._timeout_s)
        return future


def _looked_at(condition: Callable[[], T]) -> tuple[T | None, str]:
    """The value of a condition; or None and the text of its AssertionError."""
    try:
        return condition(), ""
    except AssertionError as error:
        return None, f"It was not true: {error}\n"
