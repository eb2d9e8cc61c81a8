"""Go reads what our encoder writes, and we read what Go then writes of it."""

import json

import pytest
from hypothesis import HealthCheck, assume, given, settings

from mattermost_plugin._gob import Encoder, GoTime, Interface, Marshaled, Pairs
from mattermost_plugin._gob import go_types as go
from mattermost_plugin._gob.go_types import GoArray, GoField, GoMap, GoPointer, GoSlice, GoStruct, GoType, pointed_to
from tests.gob.gobpeer import GobPeer, GobPeerError
from tests.gob.strategies import REGISTRY, Sample, described, typed_samples
from tests.gob.streams import features, read, stock_encoder, stock_table, vectors

pytestmark = pytest.mark.go


def test_go_reads_our_form_of_every_vector(peer: GobPeer) -> None:
    wrong = []
    for case in vectors():
        name = f"plugin.{case.type}"
        (value,) = read(case.data)
        if read(peer.echo(name, stock_encoder().encode(value, stock_table().struct(name)))) != [value]:
            wrong.append((case.type, case.case))
    assert wrong == []


def test_go_reads_its_own_vectors_with_the_same_types(peer: GobPeer) -> None:
    # The types that the peer was built with are those of the vectors, or the test above would show little.
    for case in vectors()[::10]:
        assert read(peer.echo(f"plugin.{case.type}", case.data)) == read(case.data)


def test_the_recorded_features_are_what_go_writes_today(peer: GobPeer) -> None:
    fresh = peer.features()
    assert fresh.keys() == features().keys()
    for name, data in fresh.items():
        assert repr(read(data)) == repr(read(features()[name])), name


@settings(
    deadline=None,
    max_examples=150,
    suppress_health_check=[HealthCheck.too_slow, HealthCheck.data_too_large, HealthCheck.filter_too_much],
)
@given(case=typed_samples())
def test_go_reads_random_values_of_random_types(peer: GobPeer, case: tuple[GoType, Sample]) -> None:
    kind, sample = case
    # Go's Encode follows an interface that stands alone, cannot write a url.URL in a map, and panics on a **time.Time.
    assume(not isinstance(pointed_to(kind), go.GoInterface))
    shape = json.dumps(described(kind))
    assume('"url"' not in shape)
    assume('"time"' not in shape or '"ptr", "elem": {"kind": "ptr"' not in shape)
    data = Encoder(REGISTRY).encode(sample.given, kind)
    (found,) = read(peer.echo_shape(described(kind), data))
    assert settled(found) == settled(sample.found)


def settled(value: object) -> object:
    """A value without the order of maps, which is random in Go."""
    match value:
        case Pairs():
            return sorted(repr((settled(key), settled(item))) for key, item in value)
        case dict():
            return {key: settled(value[key]) for key in sorted(value)}
        case Interface(name, held):
            return name, settled(held)
        case GoTime():
            return value
        case list() | tuple():
            return [settled(item) for item in value]
        case _:
            return value


NODE = GoStruct("Node")
NODE.fields = (
    GoField("Name", go.STRING),
    GoField("Kids", GoSlice(GoPointer(NODE))),
    GoField("Next", GoPointer(NODE)),
)
STAMPED = GoStruct("Stamped", (GoField("At", go.TIME), GoField("Link", GoPointer(go.URL)), GoField("Any", go.ANY)))


def test_go_reads_times_and_addresses(peer: GobPeer) -> None:
    value = {
        "At": GoTime(1_700_000_000, 5, 19_800),
        "Link": Marshaled(b"https://example.test/a?b=c"),
        "Any": Interface("*gobpeer.Box", {"Inner": Interface("gobpeer.Point", {"X": 1})}),
    }
    shape = {
        "kind": "struct",
        "fields": [
            {"name": "At", "type": "time"},
            {"name": "Link", "type": {"kind": "ptr", "elem": "url"}},
            {"name": "Any", "type": "any"},
        ],
    }
    assert read(peer.echo_shape(shape, Encoder(REGISTRY).encode(value, STAMPED))) == [value]


def test_go_reads_recursive_values(peer: GobPeer) -> None:
    # The recursive type of the stock set.
    data = stock_encoder().encode(
        {"Trigger": "a", "SubCommands": [{"Trigger": "b", "SubCommands": [{"Trigger": "c"}]}]},
        stock_table().struct("model.AutocompleteData"),
    )
    assert read(peer.echo("model.AutocompleteData", data)) == read(data)


def test_go_reads_maps_with_odd_keys(peer: GobPeer) -> None:
    pair = GoArray(go.INT8, 2)
    kind = GoMap(pair, GoSlice(go.STRING))
    value = [((1, -1), ["q"])]
    assert read(peer.echo_shape(described(kind), Encoder().encode(value, kind))) == [value]


def test_go_refuses_what_is_no_gob(peer: GobPeer) -> None:
    with pytest.raises(GobPeerError):
        peer.echo("model.Post", b"\x03\xff\x80\x00")
