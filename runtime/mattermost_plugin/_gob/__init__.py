"""gob, the encoding of Go's encoding/gob: streams of typed values that describe themselves.

Without input, output, threads or a loop: bytes in, values out, and the reverse. `Decoder` reads any stream, `Encoder`
writes values of declared Go types. Both compile a Python function for each type, the decoder from the definitions that
the peer sends, and both leave to their user what values become or come from:

    decoder.next_value(target)               `targets`, `puts`: dicts, protobuf messages, or nothing
    encoder.encode(value, type, source)      `sources`: the same in the other direction

How the parts lie on each other, lowest first:

    errors, limits, primitives, messages     numbers and texts; a stream of bytes cut into messages
    shapes, definitions, type_table          what a peer's type definitions mean
    targets, puts                            what values become
    code_writer, readers, held, decoder      reading
    go_types, type_ids                       declared types, and their definitions
    sources, encode_writer, writers, encoder writing

Not loaded with it: `go_table`, which makes declared types of a table, and `json_form`, which shows values to people.
"""

from mattermost_plugin._gob.decoder import NEED_DATA, Decoder, NeedData
from mattermost_plugin._gob.encoder import BASIC_NAMES, Encoder, Item, Registered
from mattermost_plugin._gob.errors import GobDataError, GobEncodeError, GobError, GobLimitError, GobMismatchError
from mattermost_plugin._gob.limits import Limits
from mattermost_plugin._gob.shapes import Kind, Shape
from mattermost_plugin._gob.sources import DICTS, RecordSource, Source
from mattermost_plugin._gob.targets import GENERIC, PLAIN, SKIP, RecordTarget, Target
from mattermost_plugin._gob.values import GoTime, Interface, Marshaled, Pairs

__all__ = [
    "BASIC_NAMES",
    "DICTS",
    "GENERIC",
    "NEED_DATA",
    "PLAIN",
    "SKIP",
    "Decoder",
    "Encoder",
    "GoTime",
    "GobDataError",
    "GobEncodeError",
    "GobError",
    "GobLimitError",
    "GobMismatchError",
    "Interface",
    "Item",
    "Kind",
    "Limits",
    "Marshaled",
    "NeedData",
    "Pairs",
    "RecordSource",
    "RecordTarget",
    "Registered",
    "Shape",
    "Source",
    "Target",
]
