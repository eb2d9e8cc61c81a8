"""Reads a stream of gob values that describes itself.

    decoder = Decoder()
    decoder.feed(data)
    while (value := decoder.next_value(GENERIC)) is not NEED_DATA:
        ...

A stream is a row of messages. Each is one type definition, or the type id of a value and the value: a struct, or a
zero and a value of another type. A value may go on in further messages, where it holds a value of a type that is new
to the stream (`held`). Then what has come so far is read again once the next message is there, so that nothing needs
to be kept of a value that is half read; senders that put all definitions first never cause it.
"""

from __future__ import annotations

from bisect import bisect_right
from enum import Enum
from typing import Final, NoReturn, TypeVar

from mattermost_plugin._gob.definitions import DefinitionPool
from mattermost_plugin._gob.errors import Fault, GobDataError, GobLimitError, GobMismatchError
from mattermost_plugin._gob.held import Held, hold
from mattermost_plugin._gob.limits import Limits
from mattermost_plugin._gob.messages import MessageBuffer
from mattermost_plugin._gob.primitives import cut_short, read_uint
from mattermost_plugin._gob.readers import READERS
from mattermost_plugin._gob.shapes import Shape
from mattermost_plugin._gob.state import NextMessageNeeded, ReadState, too_deep, too_many
from mattermost_plugin._gob.targets import SKIP, AnyTarget, Target
from mattermost_plugin._gob.trouble import place_of

__all__ = ["NEED_DATA", "Decoder", "NeedData"]

T = TypeVar("T")

_DEFINITIONS: Final = DefinitionPool()

_LIMITS: Final = Limits()

_MAX_PATH: Final = 200
"""Characters of a path in an error."""

_MAX_REREADS: Final = 32
"""How often a whole value may be read, beside `max_reread_bytes`."""


class NeedData(Enum):
    """Type of `NEED_DATA`."""

    NEED_DATA = "need data"


NEED_DATA: Final = NeedData.NEED_DATA
"""What the decoder gives while the next value is not complete."""


class _Trouble:
    """A value that cannot be read straight away: its messages are not all there, or it is only skipped."""

    __slots__ = ("bodies", "ends", "is_cut", "offsets", "refusal", "reread")

    def __init__(self, buf: bytes, offset: int) -> None:
        self.bodies = [buf]
        """Messages that make up the value's buffer once they are joined."""
        self.ends = [len(buf)]
        """Where each message ends in the buffer."""
        self.offsets = [offset]
        """Where each message begins in the stream."""
        self.is_cut = False
        """True while a message is missing."""
        self.reread = 0
        """Bytes that were read again."""
        self.refusal: GobMismatchError | None = None
        """Why it is only skipped."""


class Decoder:
    """One stream, without any input or output of its own. Not for several threads at once.

    Args:
        limits: What the peer may make us hold and do.
    """

    def __init__(self, limits: Limits | None = None) -> None:
        self._limits = limits or _LIMITS
        self._messages = MessageBuffer(self._limits.max_message_bytes)
        self._state = ReadState(self._limits)
        self._known: dict[tuple[int, AnyTarget], Held] = {}
        self._error: GobDataError | None = None
        # The value that is next, if its first message is there.
        self._buf: bytes | None = None
        self._pos = 0
        self._type_id = 0
        self._trouble: _Trouble | None = None

    @property
    def buffered_bytes(self) -> int:
        """Bytes that were fed and belong to values that were not given yet."""
        waiting = self._trouble.ends[-1] if self._trouble else len(self._buf or b"")
        return self._messages.buffered + waiting

    @property
    def is_inside_message(self) -> bool:
        """True if the last message that was fed is not there as a whole."""
        return self._messages.is_inside_message

    def feed(self, data: bytes | bytearray | memoryview) -> None:
        """Take what has arrived, however it is cut. A dead stream keeps nothing."""
        if self._error is None:
            self._messages.feed(data)

    def next_value(self, target: Target[T]) -> T | NeedData:
        """Take the next value.

        Args:
            target: What it becomes.

        Returns:
            The value, or `NEED_DATA` until it is complete.

        Raises:
            GobMismatchError: it does not fit the target. It is skipped; the stream goes on.
            GobDataError: what came is no gob. The stream is dead; every further call raises this again.
            GobLimitError: it exceeds a limit; dead likewise.
        """
        buf = (self._buf if self._trouble is None else None) or self._next()
        while buf is not None:
            trouble = self._trouble
            try:
                result = self._read(buf, target if trouble is None or trouble.refusal is None else SKIP)
            except NextMessageNeeded:
                trouble = self._trouble = trouble or _Trouble(buf, self._messages.offset)
                trouble.is_cut = True
                buf = self._next()
            except (GobMismatchError, ValueError, TypeError, OverflowError) as error:
                self._trouble = trouble = trouble or _Trouble(buf, self._messages.offset)
                trouble.refusal = self._refusal(error)
            else:
                self._buf = self._trouble = None
                if trouble is not None and trouble.refusal is not None:
                    raise trouble.refusal
                return result  # type: ignore[return-value]  # it is what the target makes
        return NEED_DATA

    def next_shape(self) -> Shape | NeedData:
        """The type of the next value, which stays where it is.

        Raises:
            GobDataError: as `next_value`.
        """
        if self._next() is None:
            return NEED_DATA
        try:
            return self._state.types.shape(self._type_id, 0)
        except Fault as fault:
            self._die(fault, self._offset(0))

    def next_message(self) -> bytes | None:
        """The message of the next value, which stays where it is; None until it is there, or if there are several.

        Raises:
            GobDataError: as `next_value`.
        """
        message = self._next()
        return message if self._trouble is None else None

    def drop_message(self) -> None:
        """Take the value whose message `next_message` gave, unread."""
        self._buf = None

    def next_type(self) -> int | None:
        """The id of the next value's type; None until its message is there.

        Raises:
            GobDataError: as `next_value`.
        """
        return None if self._next() is None else self._type_id

    def close(self) -> None:
        """The stream has ended.

        Raises:
            GobDataError: it ended within a value, or it was dead already.
        """
        if self._error is not None:
            # Without the frames of the first time, or they would add up.
            raise self._error.with_traceback(None)
        if self._messages.is_inside_message or self._buf is not None:
            self._die(Fault(0, "the stream ends inside a value"), self._messages.end + self._messages.buffered)

    def _next(self) -> bytes | None:
        """The buffer of the next value, with the definitions before it taken; None if more must come."""
        if self._error is not None:
            # Without the frames of the first time, or they would add up.
            raise self._error.with_traceback(None)
        if self._buf is not None:
            trouble = self._trouble
            return self._buf if trouble is None or not trouble.is_cut or self._extend(trouble) else None
        while True:
            try:
                body = self._messages.next()
            except Fault as fault:
                self._die(fault, fault.position)
            if body is None:
                return None
            # A signed number: even for the id of a value's type, odd for a definition. Most have two bytes.
            if body[0] == 255 and len(body) > 1:
                number, pos = body[1], 2
            else:
                number, pos = self._number(body)
            if not number & 1:
                self._buf, self._pos, self._type_id = body, pos, number >> 1
                return body
            try:
                definition = _DEFINITIONS.read(body, pos, self._limits)
                self._state.types.define((number >> 1) + 1, definition, 0)
            except Fault as fault:
                self._die(fault, self._messages.offset + fault.position)
            except IndexError:
                self._die(cut_short(body), self._messages.offset + len(body))

    def _next_message(self) -> bytes | None:
        try:
            return self._messages.next()
        except Fault as fault:
            self._die(fault, fault.position)

    def _number(self, body: bytes) -> tuple[int, int]:
        try:
            return read_uint(body, 0)
        except Fault as fault:
            self._die(fault, self._messages.offset + fault.position)

    def _extend(self, trouble: _Trouble) -> bool:
        """Add messages to a value that is cut, up to one that goes on with it; False if it is not there yet."""
        while (body := self._next_message()) is not None:
            trouble.bodies.append(body)
            trouble.offsets.append(self._messages.offset)
            trouble.ends.append(trouble.ends[-1] + len(body))
            size = trouble.ends[-1]
            if size > self._limits.max_message_bytes:
                self._die(Fault(0, f"a value of {size} bytes", "max_message_bytes"), self._messages.offset)
            if _begins_with_definition(body):
                continue
            trouble.reread += size - len(body)
            if trouble.reread > self._limits.max_reread_bytes + _MAX_REREADS * size:
                self._die(Fault(0, "a value cut too often", "max_reread_bytes"), self._messages.offset)
            self._buf = b"".join(trouble.bodies)
            trouble.bodies = [self._buf]
            trouble.is_cut = False
            return True
        return False

    def _read(self, buf: bytes, target: AnyTarget) -> object:
        st = self._state
        st.begin(self._trouble.ends if self._trouble else (len(buf),))
        pos = self._pos
        try:
            key = (self._type_id, target)
            _, make, read, _, depth, room = self._known.get(key) or self._bind(key)
            st.depth -= depth
            if st.depth < 0:
                raise too_deep(pos)
            st.room -= room
            if st.room < 0:
                raise too_many(pos)
            if make is None:
                if buf[pos]:
                    raise Fault(pos, "no zero in front of a value that is no struct")
                result, pos = read(buf, pos + 1, st)
            else:
                result = make()
                pos = read(buf, pos, result, st)
            if pos != len(buf) or pos != st.end:
                raise cut_short(buf) if pos > len(buf) else Fault(pos, "bytes behind a value")
        except Fault as fault:
            self._die(fault, self._offset(fault.position), place_of(fault).path)
        except IndexError as error:
            place = place_of(error)
            if not place.is_reading:
                raise
            self._die(cut_short(buf), self._offset(len(buf)), place.path)
        except RecursionError as error:
            place = place_of(error)
            self._die(too_deep(0), self._offset(place.position or 0), place.path)
        if st.defined:
            st.commit()
        return result

    def _bind(self, key: tuple[int, AnyTarget]) -> Held:
        type_id, target = key
        shape = self._state.types.shape(type_id, 0)
        held = self._known[key] = hold(type_id, shape, target, None, READERS)
        return held

    def _refusal(self, error: Exception) -> GobMismatchError:
        place = place_of(error)
        path = place.path
        if isinstance(error, GobMismatchError):
            reason = error.reason
            # Of the field for which code was to be made.
            path = ".".join(filter(None, (path, error.path)))
        else:
            # Of a function that the target has brought along; compiled code raises none such.
            reason = f"a value was refused with {type(error).__name__}"
        refusal = GobMismatchError(reason, path=path, offset=self._offset(place.position or 0))
        refusal.__cause__ = error
        return refusal

    def _offset(self, position: int) -> int:
        """Where in the stream a position of the value's buffer is."""
        trouble = self._trouble
        if trouble is None:
            return self._messages.offset + position
        starts = [0, *trouble.ends[:-1]]
        number = bisect_right(starts, min(position, trouble.ends[-1])) - 1
        return trouble.offsets[number] + position - starts[number]

    def _die(self, fault: Fault, offset: int, path: str = "") -> NoReturn:
        """End the stream with what was found."""
        if len(path) > _MAX_PATH:
            path = f"{path[:_MAX_PATH]}..."
        if fault.limit:
            self._error = GobLimitError(fault.reason, fault.limit, path=path, offset=offset)
        else:
            self._error = GobDataError(fault.reason, path=path, offset=offset)
        self._messages = MessageBuffer(self._limits.max_message_bytes)
        self._buf = self._trouble = None
        raise self._error from None


def _begins_with_definition(body: bytes) -> bool:
    first = body[0]
    last = 0 if first < 128 else 256 - first
    # The last bit of a signed number is its sign. Where the number is not all there, reading tells.
    return last < len(body) and body[last] & 1 == 1
