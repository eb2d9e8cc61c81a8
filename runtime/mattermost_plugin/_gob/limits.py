"""What a peer may make us hold and do."""

from __future__ import annotations

from dataclasses import dataclass, fields

__all__ = ["Limits"]

_MEBI = 1 << 20


@dataclass(frozen=True, slots=True, kw_only=True)
class Limits:
    """Limits of one stream. All are positive.

    Together they bound memory and time: memory by the size of the messages plus about 100 bytes for each element
    that `max_elements` allows, time by a multiple of the bytes received plus `max_reread_bytes`.

    Raises:
        ValueError: a limit is not positive.
    """

    max_message_bytes: int = 256 * _MEBI
    """Bytes of a message, and of all messages of one value together. Go stops at 8 GiB; a file that a server
    takes by default has 100 MiB."""

    max_string_bytes: int = 256 * _MEBI
    """Bytes of one string or byte slice."""

    max_depth: int = 200
    """Values within values. Each level is a Python call, and Python stops at 1,000 by default, the caller's own
    included."""

    max_elements: int = 8 * _MEBI
    """Elements of lists, entries of maps and fields of structs in one value; fields count whether they are sent or
    not. The largest stock type, Config, has 1,000."""

    max_types: int = 4096
    """Type definitions. All types of the stock plugin interface are 1,091."""

    max_fields: int = 1024
    """Fields of a struct. The largest stock one has 126."""

    max_total_fields: int = 32 * 1024
    """Fields of all structs of a stream: each costs a line or two of compiled code. The stock types have 2,803."""

    max_name_bytes: int = 1024
    """Bytes of a name: of a type, a field, or a registered name, for which Go has the same limit."""

    max_reread_bytes: int = _MEBI
    """Bytes of one value that are read again because types were defined in its midst (see `Decoder`), beside 32 times
    those that it has so far. A Go host defines each type once on a stream, some dozen of them within values."""

    max_number_keys: int = 32 * 1024
    """Entries of a map whose keys are numbers. Python's hashes of numbers are no secret, so a peer may choose keys that
    collide; those of texts are. No stock map has such keys."""

    def __post_init__(self) -> None:
        for field in fields(self):
            if getattr(self, field.name) <= 0:
                raise ValueError(f"{field.name} must be positive")
