"""Keeps the host's stdout and stderr pipes for the plugin's own lines, and turns everything else into log records.

The host takes the first line of stdout for the handshake, stops reading at a line of 64 KiB, dies on a JSON log line
with a wrong type, and waits for the end of every process that holds one of the pipes. So the pipes move to private
descriptors that no child inherits, and descriptors 1 and 2 become pipes that a thread reads: print(), C libraries
and child processes end up in the log, line by line.

What still sits in these two pipes when the process dies without Python's shutdown (abort in a C library) is lost;
faulthandler writes to the host directly.
"""

from __future__ import annotations

import atexit
import contextlib
import faulthandler
import fcntl
import io
import logging
import os
import select
import sys
import threading
from collections.abc import Iterator
from types import TracebackType
from typing import TextIO

from mattermost_plugin._hclog import captured_line, format_record, sanitize_foreign_line
from mattermost_plugin.errors import HandshakeError

__all__ = ["LineSplitter", "StdioGuard"]

_MAX_PIECE_BYTES = 16 * 1024
"""Longest piece of output that becomes one record: it still fits a log line with every quote escaped."""

_MAX_JSON_BYTES = 64 * 1024
"""Longest line that may be a child's hclog line; the host would not parse a longer one either."""

_PIPE_BYTES = 1024 * 1024
"""Wanted size of the capture pipes. A C library that prints while it holds the interpreter's lock blocks for good when
the pipe is full, since the reading thread cannot run; 1 MiB is what Linux allows without privileges."""

_READ_BYTES = 64 * 1024

_DRAIN_MAX_BYTES = 2 * _PIPE_BYTES
"""How much is still read from each pipe at the end: all that fits into it, but not what a child goes on writing."""

_JOIN_S = 1.0
"""How long the end of the process waits for the reading thread, which waits for a host that may not read."""

_WAYS_OUT = (KeyboardInterrupt, SystemExit)
"""Exceptions that are no failures: Python's own hooks know what to do."""


class LineSplitter:
    """Cuts a stream of bytes into lines, and lines that are too long into pieces."""

    def __init__(self) -> None:
        self._rest = b""

    def feed(self, data: bytes) -> Iterator[bytes]:
        """Take the next bytes of the stream; gives the lines that are complete, without their newlines."""
        *lines, self._rest = (self._rest + data).split(b"\n")
        for line in lines:
            yield from _pieces(line)
        limit = _limit(self._rest)
        if len(self._rest) > limit:
            *pieces, self._rest = _pieces(self._rest)
            yield from pieces

    def flush(self) -> Iterator[bytes]:
        """The stream is over, or its writer is gone: give what has no newline."""
        rest, self._rest = self._rest, b""
        if rest:
            yield from _pieces(rest)


class StdioGuard:
    """Owns the host's stdout and stderr pipes. One per process: see `install`."""

    def __init__(self) -> None:
        self.host_stdout_fd = os.dup(1)
        """The host's stdout pipe; open until the process ends, so that the loss of its reader can be seen."""
        self.host_stderr_fd = os.dup(2)
        """The host's stderr pipe; 2 in a forked child, which must not hold the host's pipes."""
        self.dropped_lines = 0
        """Log lines that could not be written because the host's stderr pipe is gone."""
        self._process = os.getpid()
        self._write_lock = threading.RLock()  # a signal handler may log while its own thread writes
        self._handshake_written = False
        self._closed = False
        self._faulthandler_was_on = faulthandler.is_enabled()
        self._hooks = (sys.excepthook, threading.excepthook, sys.unraisablehook)
        self._wake_read, self._wake_write = os.pipe()
        self._captures = {_capture(1): ("stdout", logging.INFO), _capture(2): ("stderr", logging.WARNING)}
        self._thread = threading.Thread(target=self._run, name="mattermost-plugin-stdio", daemon=True)

    @classmethod
    def install(cls) -> StdioGuard:
        """Take over descriptors 1 and 2, unless that was done before. Gives the process's guard."""
        global _current  # noqa: PLW0603 - descriptors 1 and 2 belong to the process, and so does their guard
        if _current is None:
            _current = cls()
            _current._start()
        return _current

    def write_line(self, line: bytes) -> None:
        """Write one line to the host's stderr, whole and never mixed with another. Never raises."""
        if not line.endswith(b"\n"):
            line += b"\n"
        with self._write_lock:
            try:
                _write_all(self.host_stderr_fd, line)
            except OSError:
                self.dropped_lines += 1

    def write_handshake(self, line: str) -> None:
        """Write the handshake line to the host's stdout.

        Raises:
            HandshakeError: A line was written before, or the host is gone.
        """
        if self._handshake_written or os.getpid() != self._process:
            raise HandshakeError("The handshake line can be written once, by the process that the host started.")
        self._handshake_written = True
        try:
            _write_all(self.host_stdout_fd, line.encode() + b"\n")
        except OSError as error:
            raise HandshakeError(f"The host does not read the handshake line: {error}") from error

    def close(self) -> None:
        """Give descriptors 1 and 2 back to the host and log what is left in the pipes. Runs by itself at exit.

        The private descriptors stay open: threads that still run may log.
        """
        if self._closed or os.getpid() != self._process:
            return
        self._closed = True
        _flush_python_streams()
        os.dup2(self.host_stdout_fd, 1)
        os.dup2(self.host_stderr_fd, 2)
        os.write(self._wake_write, b"x")
        self._thread.join(_JOIN_S)

    def restore(self) -> None:
        """Undo `install`, so that it can be called again. For tests."""
        global _current  # noqa: PLW0603 - as in install
        self.close()
        atexit.unregister(self.close)
        sys.excepthook, threading.excepthook, sys.unraisablehook = self._hooks
        faulthandler.disable()
        if self._faulthandler_was_on:
            faulthandler.enable()
        os.close(self.host_stdout_fd)
        os.close(self.host_stderr_fd)
        if _current is self:
            _current = None

    def _start(self) -> None:
        self._thread.start()
        atexit.register(self.close)
        # Only now is what sits in the streams' buffers flushed: into the log, not into the handshake.
        _flush_python_streams()
        sys.stdout, sys.stderr = _plain_stream(sys.stdout, 1), _plain_stream(sys.stderr, 2)
        faulthandler.enable(file=self.host_stderr_fd)
        sys.excepthook = self._uncaught
        threading.excepthook = self._uncaught_in_thread
        sys.unraisablehook = self._unraisable

    def _run(self) -> None:
        """Log what comes out of the capture pipes, until `close`."""
        splitters = {fd: LineSplitter() for fd in self._captures}
        poller = select.poll()
        for fd in (*self._captures, self._wake_read):
            poller.register(fd, select.POLLIN)
        while True:
            ready = [fd for fd, _ in poller.poll()]
            if self._wake_read in ready:
                break
            for fd in ready:
                data = os.read(fd, _READ_BYTES)
                if not data:
                    poller.unregister(fd)  # the author's code has closed descriptor 1 or 2
                self._log(fd, splitters[fd].feed(data) if data else splitters[fd].flush())
        for fd, splitter in splitters.items():
            self._drain(fd, splitter)
            self._log(fd, splitter.flush())
            os.close(fd)
        os.close(self._wake_read)
        os.close(self._wake_write)

    def _drain(self, fd: int, splitter: LineSplitter) -> None:
        """Read what is there; the end of the stream may never come, as children may hold the pipe."""
        count = 0
        os.set_blocking(fd, False)
        with contextlib.suppress(BlockingIOError):
            while count < _DRAIN_MAX_BYTES and (data := os.read(fd, _READ_BYTES)):
                count += len(data)
                self._log(fd, splitter.feed(data))

    def _log(self, fd: int, lines: Iterator[bytes]) -> None:
        name, level = self._captures[fd]
        for line in lines:
            text = line.rstrip(b"\r")
            if not text:
                continue
            record = sanitize_foreign_line(text) or captured_line(name, level, text.decode("utf-8", "backslashreplace"))
            if record is not None:
                self.write_line(record)

    def _log_exception(
        self,
        text: str,
        argument: object,
        kind: type[BaseException],
        value: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        # Not through the logging tree: this line must arrive even if the author's logging set-up has failed.
        info = (kind, BaseException() if value is None else value, traceback)
        record = logging.LogRecord("mattermost_plugin", logging.ERROR, __file__, 0, text, (argument,), info)
        self.write_line(format_record(record))

    def _uncaught(self, kind: type[BaseException], value: BaseException, traceback: TracebackType | None) -> None:
        previous = self._hooks[0]
        if not issubclass(kind, _WAYS_OUT):
            self._log_exception("The plugin ends: uncaught %s.", kind.__name__, kind, value, traceback)
            if previous is sys.__excepthook__:
                return
        previous(kind, value, traceback)

    def _uncaught_in_thread(self, args: threading.ExceptHookArgs) -> None:
        previous = self._hooks[1]
        if not issubclass(args.exc_type, _WAYS_OUT):
            name = args.thread.name if args.thread is not None else "?"
            text = "The thread %s ends: uncaught exception."
            self._log_exception(text, name, args.exc_type, args.exc_value, args.exc_traceback)
            if previous is threading.__excepthook__:
                return
        previous(args)

    def _unraisable(self, args: sys.UnraisableHookArgs) -> None:
        previous = self._hooks[2]
        text = (args.err_msg or "Exception ignored in").replace("%", "%%") + ": %r"
        self._log_exception(text, args.object, args.exc_type, args.exc_value, args.exc_traceback)
        if previous is not sys.__unraisablehook__:
            previous(args)

    def _leave_host_in_child(self) -> None:
        """In a forked child: let go of the host's pipes; log lines go to descriptor 2, which the parent reads."""
        if self._closed:
            return
        for fd in (self.host_stdout_fd, self.host_stderr_fd, self._wake_read, self._wake_write, *self._captures):
            os.close(fd)
        self.host_stdout_fd = -1
        self.host_stderr_fd = 2
        self._write_lock = threading.RLock()
        faulthandler.enable(file=2)


_current: StdioGuard | None = None


def _capture(fd: int) -> int:
    """Make `fd` the write end of a new pipe; gives the read end."""
    read_end, write_end = os.pipe()
    if hasattr(fcntl, "F_SETPIPE_SZ"):
        with contextlib.suppress(OSError):
            fcntl.fcntl(write_end, fcntl.F_SETPIPE_SZ, _PIPE_BYTES)
    os.dup2(write_end, fd)
    os.close(write_end)
    return read_end


def _write_all(fd: int, data: bytes) -> None:
    while data:
        try:
            data = data[os.write(fd, data) :]
        except BlockingIOError:
            # The host's end decides whether the pipe blocks.
            poller = select.poll()
            poller.register(fd, select.POLLOUT)
            poller.poll()


def _limit(line: bytes) -> int:
    return _MAX_JSON_BYTES if line.startswith(b"{") else _MAX_PIECE_BYTES


def _pieces(line: bytes) -> Iterator[bytes]:
    """Cut a line into pieces, between characters of UTF-8."""
    if len(line) <= _limit(line):
        yield line
        return
    start = 0
    while start < len(line):
        end = start + _MAX_PIECE_BYTES
        for _ in range(3):  # a character's first byte is at most three back
            if end < len(line) and line[end] & 0xC0 == 0x80:
                end -= 1
        yield line[start:end]
        start = end


def _plain_stream(stream: TextIO, fd: int) -> TextIO:
    """The stream, made to write UTF-8 line by line. The capture reads UTF-8, and no text may make print() fail."""
    if not isinstance(stream, io.TextIOWrapper):
        return stream
    try:
        stream.reconfigure(encoding="utf-8", errors="backslashreplace", line_buffering=True)
    except OSError:
        # A stream that began as a file keeps to seek in it, which a pipe cannot.
        return open(fd, "w", buffering=1, encoding="utf-8", errors="backslashreplace", closefd=False)
    return stream


def _flush_python_streams() -> None:
    for stream in (sys.stdout, sys.stderr):
        with contextlib.suppress(AttributeError, ValueError, OSError):
            stream.flush()


def _after_fork_in_child() -> None:
    if _current is not None:
        _current._leave_host_in_child()


os.register_at_fork(after_in_child=_after_fork_in_child)
