"""What a hook costs on the stock wire beside protobuf: its request read, its reply written.

Bare is protobuf's C library with the same messages, ours the codec in pure Python.
"""

import cProfile
import pstats
from collections.abc import Callable, Iterator
from functools import partial
from typing import Any, NamedTuple

from bench.compare import Result, Target
from bench.effort import Effort
from bench.in_process import rounds_in_process
from bench.plugin_process import Workplace
from bench.workload import post_request
from mattermost_plugin._gob import SKIP, Decoder, Encoder
from mattermost_plugin._stock.go_types import go_type
from mattermost_plugin._stock.patch import PatchReply, patch_source
from mattermost_plugin._stock.struct_sources import registry, struct_source
from mattermost_plugin._stock.struct_targets import struct_target
from mattermost_pluginapi.api.values import to_struct
from mattermost_pluginapi.v1.hooks_message_pb2 import MessageWillBePostedRequest, MessageWillBePostedResponse
from mattermost_pluginapi.v1.post_pb2 import Post

_ARGUMENTS, _RESULTS = "plugin.Z_MessageWillBePostedArgs", "plugin.Z_MessageWillBePostedReturns"
_DECODE_TARGET, _PATCH_TARGET = Target("<=", 12.0, of="ours"), Target("<=", 6.0, of="ours")
"""On an idle machine."""


class _Comparison(NamedTuple):
    name: str
    bare: Callable[[], object]
    ours: Callable[[], object]
    target: Target | None = None


async def measure_stock_codec(place: Workplace, effort: Effort) -> list[Result]:
    """Compare both directions. `place` is not needed: all is done in this process."""
    return [
        Result(each.name, "us", rounds_in_process(effort.hook_rounds, each.bare, each.ours), each.target)
        for each in _comparisons()
    ]


def _comparisons() -> Iterator[_Comparison]:
    request = MessageWillBePostedRequest.FromString(post_request(keep=False))
    yield _decoding("post of 25 fields", request, _DECODE_TARGET)
    with_attachment = MessageWillBePostedRequest()
    with_attachment.CopyFrom(request)
    with_attachment.post.props.CopyFrom(to_struct("props", _ATTACHMENTS))
    yield _decoding("post with an attachment", with_attachment)
    before = request.post
    after = Post()
    after.CopyFrom(before)
    yield _patch("nothing changed", before, after)
    after.message += "!"
    yield _patch("text changed", before, after, _PATCH_TARGET)
    after.props.fields["seen"].bool_value = True
    yield _patch("text and a property changed", before, after)
    yield _whole("whole post", before)


_ATTACHMENTS: dict[str, object] = {
    "from_webhook": "true",
    "override_username": "builds",
    "attachments": [
        {
            "fallback": "Build 4711 failed",
            "color": "#ff0000",
            "title": "Build 4711",
            "title_link": "https://builds.example.test/4711",
            "text": "2 of 1,024 tests failed.",
            "fields": [{"title": "Branch", "value": "main", "short": True}, {"title": "Took", "value": 312.5}],
        }
    ],
}


def _decoding(name: str, request: MessageWillBePostedRequest, wanted: Target | None = None) -> _Comparison:
    encoder, decoder = Encoder(registry()), Decoder()
    encode = partial(encoder.encode, request, go_type(_ARGUMENTS), struct_source(_ARGUMENTS))
    # With the definitions of the types, which come but once.
    decoder.feed(encode())
    decoder.next_value(SKIP)
    data, target = encode(), struct_target(_ARGUMENTS)

    def decode() -> object:
        decoder.feed(data)
        return decoder.next_value(target)

    bare = partial(MessageWillBePostedRequest.FromString, request.SerializeToString())
    return _Comparison(f"stock: decode {name}", bare, decode, wanted)


def _patch(name: str, before: Post, after: Post, wanted: Target | None = None) -> _Comparison:
    response = MessageWillBePostedResponse(modified_post=after)
    encoder, source, kind = Encoder(registry()), patch_source(_RESULTS), go_type(_RESULTS)

    def encode() -> object:
        return encoder.encode(PatchReply(response, before, []), kind, source)

    return _Comparison(f"stock: encode patch: {name}", response.SerializeToString, encode, wanted)


def _whole(name: str, post: Post) -> _Comparison:
    response = MessageWillBePostedResponse(modified_post=post)
    encode = partial(Encoder(registry()).encode, response, go_type(_RESULTS), struct_source(_RESULTS))
    return _Comparison(f"stock: encode {name}", response.SerializeToString, encode)


def profile_codec() -> None:
    """Print which functions the time goes to."""
    for comparison in _comparisons():
        print(comparison.name)
        ours: Callable[[], Any] = comparison.ours
        ours()
        profile = cProfile.Profile()
        profile.enable()
        for _ in range(20_000):
            ours()
        profile.disable()
        pstats.Stats(profile).sort_stats("tottime").print_stats(12)
