"""What gob costs: records decoded and encoded, beside protobuf doing the same with the same records.

`python -m bench.measure_gob` measures this alone. Bare is protobuf's C library (for the configuration, which the
contract carries as JSON, json), ours the codec in pure Python: the ratio says what a call on the net/rpc wire pays.
"""

import asyncio
import json
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from functools import cache, partial
from pathlib import Path

from google.protobuf.message import Message

from bench.compare import Result
from bench.effort import FULL, Effort
from bench.in_process import rounds_in_process
from bench.plugin_process import Workplace
from bench.report import print_header, print_load_warning, print_results
from bench.workload import post_request
from mattermost_plugin._gob import DICTS, GENERIC, SKIP, Decoder, Encoder, RecordTarget, Registered, Source, Target
from mattermost_plugin._gob.go_table import GoTable
from mattermost_plugin._gob.go_types import BasicKind, GoBasic, GoStruct, GoType, pointed_to
from mattermost_plugin._gob.json_form import json_form
from mattermost_plugin._gob.puts import AddEach
from mattermost_plugin._gob.sources import Attr, RecordSource
from mattermost_pluginapi.v1.api_user_pb2 import GetUsersResponse
from mattermost_pluginapi.v1.hooks_message_pb2 import MessageWillBePostedRequest
from mattermost_pluginapi.v1.post_pb2 import Post
from mattermost_pluginapi.v1.user_pb2 import User
from tests.gob.post_records import POST, POST_SOURCE, USER, USER_SOURCE

_STOCK = Path(__file__).parents[1] / "protos" / "stock" / "rpc.json"
_PAGE = 60
_CREATED_MS = 1_750_000_000_000

USERS = RecordTarget(GetUsersResponse, {"A": AddEach("users", USER)})
USERS_SOURCE = RecordSource({"A": Attr("users", USER_SOURCE)})


@dataclass(frozen=True)
class Record:
    """The same thing in all forms."""

    name: str
    type: GoStruct
    message: Message | None
    """None: protobuf has no message for it, and JSON is what it is compared with."""
    values: object
    target: Target[object] | None
    source: Source | None


async def measure_gob(place: Workplace | None, effort: Effort) -> list[Result]:
    """Compare both directions, by dicts and by messages. `place` is not needed: all is done in this process."""
    results: list[Result] = []
    for record in _records():
        for name, bare, ours in _measurements(record):
            results.append(Result(name, "us", rounds_in_process(effort.hook_rounds, bare, ours)))
    return results


def _measurements(record: Record) -> Iterator[tuple[str, Callable[[], object], Callable[[], object]]]:
    bare_decode, bare_encode = _bare(record)
    decoder, encoder = Decoder(), _encoder()
    first = encoder.encode(record.values, record.type)
    data = encoder.encode(record.values, record.type)
    decoder.feed(first)
    decoder.next_value(GENERIC)

    def decode(target: Target[object]) -> object:
        decoder.feed(data)
        return decoder.next_value(target)

    size = f"{record.name}, {len(data):,} bytes"
    yield f"gob: decode {size}: dicts", bare_decode, partial(decode, GENERIC)
    yield f"gob: decode {size}: skipped", bare_decode, partial(decode, SKIP)
    if record.target is not None:
        yield f"gob: decode {size}: messages", bare_decode, partial(decode, record.target)
    yield f"gob: encode {size}: dicts", bare_encode, partial(encoder.encode, record.values, record.type, DICTS)
    if record.source is not None:
        ours = partial(encoder.encode, record.message, record.type, record.source)
        yield f"gob: encode {size}: messages", bare_encode, ours


def _bare(record: Record) -> tuple[Callable[[], object], Callable[[], object]]:
    if record.message is None:
        form = json_form(record.values)
        text = json.dumps(form)
        return partial(json.loads, text), partial(json.dumps, form)
    data = record.message.SerializeToString()
    return partial(type(record.message).FromString, data), record.message.SerializeToString


def _records() -> Sequence[Record]:
    table, _ = _stock()
    full = MessageWillBePostedRequest.FromString(post_request(keep=False)).post
    # The map for the benchmark has no priority.
    full.metadata.ClearField("priority")
    full.metadata.expire_at = _CREATED_MS
    users = GetUsersResponse(users=[_user(number) for number in range(_PAGE)])
    return [
        _record("post", table.struct("model.Post"), _post(), POST, POST_SOURCE),
        _record("post of 25 fields", table.struct("model.Post"), full, POST, POST_SOURCE),
        _record(f"page of {_PAGE} users", table.struct("plugin.Z_GetUsersReturns"), users, USERS, USERS_SOURCE),
        _config(table.struct("plugin.Z_GetConfigReturns")),
    ]


def _record(name: str, kind: GoStruct, message: Message, target: Target[object], source: Source) -> Record:
    decoder = Decoder()
    decoder.feed(_encoder().encode(message, kind, source))
    values = decoder.next_value(GENERIC)
    return Record(name, kind, message, values, target, source)


def _config(kind: GoStruct) -> Record:
    return Record("configuration", kind, None, _filled(kind), None, None)


def _filled(kind: GoType) -> object:
    """A value with every field set that is basic or a struct."""
    base = pointed_to(kind)
    if isinstance(base, GoStruct):
        found = {field.name: _filled(field.type) for field in base.fields}
        return {name: value for name, value in found.items() if value is not None}
    if not isinstance(base, GoBasic):
        return None
    return {BasicKind.BOOL: True, BasicKind.STRING: "https://example.test/some/setting"}.get(base.kind, 3600)


def _post() -> Post:
    """A post as users write them."""
    return Post(
        id="p" * 26,
        create_at=_CREATED_MS,
        update_at=_CREATED_MS,
        user_id="u" * 26,
        channel_id="c" * 26,
        message="The quick brown fox jumps over the lazy dog.",
        pending_post_id=f"{'u' * 26}:{_CREATED_MS}",
    )


def _user(number: int) -> User:
    return User(
        id=f"user{number}".ljust(26, "x"),
        create_at=_CREATED_MS,
        update_at=_CREATED_MS + number,
        username=f"user.number.{number}",
        email=f"user.{number}@example.test",
        email_verified=True,
        nickname="Nick",
        first_name="First",
        last_name="Last",
        position="Engineer",
        roles="system_user",
        notify_props={
            "desktop": "mention",
            "email": "true",
            "mention_keys": f"@user.number.{number}",
            "push": "mention",
        },
        last_password_update=_CREATED_MS,
        locale="en",
        timezone={"automaticTimezone": "Europe/Berlin", "useAutomaticTimezone": "true"},
    )


@cache
def _stock() -> tuple[GoTable, dict[str, Registered]]:
    stock = json.loads(_STOCK.read_text(encoding="utf-8"))
    table = GoTable(stock["types"])
    return table, {name: Registered(table.type(of)) for name, of in stock["gob_registered"].items()}


def _encoder() -> Encoder:
    return Encoder(_stock()[1])


def main() -> None:
    print_load_warning()
    print_header()
    print_results(asyncio.run(measure_gob(None, FULL)))


if __name__ == "__main__":
    main()
