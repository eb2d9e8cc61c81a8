"""Notices that the host is gone, however it went, and makes sure that the plugin does not outlive it.

The host tells nobody that it dies, and a blocked event loop would not hear it, so a thread waits for two signs: the
end of the parent process, and the loss of the last reader of the host's stdout pipe. The second one also covers a
wrapper (a shell script) between host and plugin, and a host that died before the thread looked.
"""

from __future__ import annotations

import logging
import os
import select
import stat
import threading
from collections.abc import Callable

__all__ = ["HostWatch"]

_PARENT_POLL_MS = 500
"""How often the parent's id is looked up where the kernel cannot report the parent's end."""

_LAST_WORDS_S = 0.2
"""How long the last log line may take. Whoever reads the log may be gone, or stuck with the pipe full."""

_logger = logging.getLogger("mattermost_plugin.host_watch")


class HostWatch:
    """Watches the host from a daemon thread.

    When the host is gone it calls `on_death`, and ends the process with `os._exit(1)` if `stop` is not called within
    the grace: an orphan would hold sockets and locks that the next start of the plugin needs. So it begins with the
    process, when there is nothing yet that could be stopped, and `take_over` says later what is to be done.

    Args:
        on_death: Called once, in a thread of its own, with a sentence that says how the death was noticed. None if
            there is nothing to do.
        host_stdout_fd: The pipe that the host reads the plugin's stdout from; None or anything but a pipe is not
            watched. It must stay open until `stop`.
        grace_s: Seconds from the call until the process is ended.
    """

    def __init__(
        self, on_death: Callable[[str], object] | None, *, host_stdout_fd: int | None = None, grace_s: float = 1.5
    ) -> None:
        self._on_death = on_death
        self._grace_ms = int(grace_s * 1000)
        self._parent = os.getppid()
        self._parent_fd = _open_parent(self._parent)
        self._stdout_fd = host_stdout_fd if host_stdout_fd is not None and _is_pipe(host_stdout_fd) else None
        self._wake_read, self._wake_write = os.pipe()
        self._process = os.getpid()
        self._lock = threading.Lock()
        self._stopped = False
        self._closed = False
        self._noticed = False
        self._thread = threading.Thread(target=self._run, name="mattermost-plugin-host-watch", daemon=True)

    def start(self) -> None:
        """Start watching. Does nothing after `stop`."""
        with self._lock:
            if not self._stopped:
                self._thread.start()

    def take_over(self, on_death: Callable[[str], object], *, grace_s: float) -> bool:
        """From now on, call `on_death` and give `grace_s`. False if it is too late: the host is known to be gone."""
        with self._lock:
            if self._noticed:
                return False
            self._grace_ms = int(grace_s * 1000)
            self._on_death = on_death
            return True

    def stop(self) -> None:
        """Stop watching, also during the grace. May be called from any thread and more than once."""
        if os.getpid() != self._process:
            return  # a forked child shares the wake pipe, and would stop its parent's watch
        with self._lock:
            if self._stopped:
                return
            self._stopped = True
            os.write(self._wake_write, b"x")
        if not self._thread.is_alive():
            self._close()
        elif self._thread is not threading.current_thread():
            self._thread.join()

    def _run(self) -> None:
        try:
            reason = self._wait_for_death()
            if reason is None:
                return
            with self._lock:
                self._noticed = True
            # Author code and logging may hang on what the death left behind (a lock, a full pipe), so this
            # thread does neither.
            _in_thread(self._announce, reason)
            if _is_readable(self._wake_read, self._grace_ms):
                return
            last_words = _in_thread(_logger.error, "The plugin did not stop after its host: ending the process.")
            if last_words is not None:
                last_words.join(_LAST_WORDS_S)
            os._exit(1)
        finally:
            self._close()

    def _wait_for_death(self) -> str | None:
        """Wait until the host is gone (the reason) or the watch is stopped (None)."""
        poller = select.poll()
        poller.register(self._wake_read, select.POLLIN)
        if self._stdout_fd is not None:
            # No event is asked for: a pipe that can be written to would report that all the time.
            poller.register(self._stdout_fd, 0)
        if self._parent_fd is not None:
            poller.register(self._parent_fd, select.POLLIN)
        while True:
            events = dict(poller.poll(None if self._parent_fd is not None else _PARENT_POLL_MS))
            if self._wake_read in events:
                return None
            if self._parent_fd in events or os.getppid() != self._parent:
                return "the process that started this plugin has ended"
            if self._stdout_fd is not None and self._stdout_fd in events:
                if not events[self._stdout_fd] & select.POLLNVAL:
                    return "nobody reads this plugin's output any more"
                poller.unregister(self._stdout_fd)

    def _announce(self, reason: str) -> None:
        try:
            if self._on_death is not None:
                self._on_death(reason)
        except Exception:
            _logger.exception("The handler for the host's death failed.")
        _logger.warning("The host is gone: %s.", reason)

    def _close(self) -> None:
        with self._lock:
            self._stopped = True
            if self._closed:
                return
            self._closed = True
            for fd in (self._wake_read, self._wake_write, self._parent_fd):
                if fd is not None:
                    os.close(fd)


def _open_parent(pid: int) -> int | None:
    """A descriptor that becomes readable when the parent ends; None where there is no such thing."""
    if not hasattr(os, "pidfd_open"):
        return None
    try:
        return os.pidfd_open(pid)
    except OSError:
        # Old kernels lack the call, and containers may forbid it.
        return None


def _is_pipe(fd: int) -> bool:
    try:
        return stat.S_ISFIFO(os.fstat(fd).st_mode)
    except OSError:
        return False


def _is_readable(fd: int, timeout_ms: int) -> bool:
    poller = select.poll()
    poller.register(fd, select.POLLIN)
    return bool(poller.poll(timeout_ms))


def _in_thread(target: Callable[[str], object], text: str) -> threading.Thread | None:
    """Run `target` in a daemon thread; None if the process can have no more threads."""
    thread = threading.Thread(target=target, args=(text,), name="mattermost-plugin-host-death", daemon=True)
    try:
        thread.start()
    except RuntimeError:
        return None
    return thread
