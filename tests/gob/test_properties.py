"""Random types and values through the encoder and the decoder."""

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from mattermost_plugin._gob import GENERIC, SKIP, Decoder, Encoder, GobEncodeError, RecordTarget
from mattermost_plugin._gob import go_types as go
from mattermost_plugin._gob.go_types import GoStruct, GoType
from mattermost_plugin._gob.puts import Put, SetItem, Skip
from tests.gob.strategies import REGISTRY, Sample, go_types, structs, typed_samples
from tests.gob.strategies import samples as samples_of
from tests.gob.streams import read, read_in_pieces, values

RELAXED = settings(deadline=None, suppress_health_check=[HealthCheck.too_slow, HealthCheck.data_too_large])


def encoded(encoder: Encoder, sample: Sample, kind: GoType) -> bytes:
    return encoder.encode(sample.given, kind)


@st.composite
def sent_samples(draw: st.DrawFn) -> tuple[GoType, Sample, bytes]:
    """With the stream that the encoder makes of it."""
    kind, sample = draw(typed_samples())
    return kind, sample, encoded(Encoder(REGISTRY), sample, kind)


@RELAXED
@given(sent_samples())
def test_what_was_encoded_is_decoded(case: tuple[GoType, Sample, bytes]) -> None:
    _, sample, data = case
    found = read(data)
    assert found == [sample.found]
    assert repr(found) == repr([sample.found])


@RELAXED
@given(sent_samples(), st.integers(1, 40))
def test_pieces_make_no_difference(case: tuple[GoType, Sample, bytes], size: int) -> None:
    _, sample, data = case
    assert read_in_pieces(data, size) == [sample.found]
    assert read_in_pieces(data, size, SKIP) == [None]


@settings(RELAXED, max_examples=50)
@given(st.lists(typed_samples(), max_size=4))
def test_many_values_of_many_types_in_one_stream(cases: list[tuple[GoType, Sample]]) -> None:
    encoder, decoder = Encoder(REGISTRY), Decoder()
    for kind, sample in [*cases, *cases]:
        decoder.feed(encoded(encoder, sample, kind))
        assert list(values(decoder, GENERIC)) == [sample.found]


@settings(RELAXED, max_examples=50)
@given(st.lists(typed_samples(), min_size=1, max_size=4), st.data())
def test_values_that_are_skipped_leave_the_others_as_they_are(
    cases: list[tuple[GoType, Sample]], data: st.DataObject
) -> None:
    encoder, decoder = Encoder(REGISTRY), Decoder()
    for kind, sample in [*cases, *cases]:
        decoder.feed(encoded(encoder, sample, kind))
        if data.draw(st.booleans()):
            assert decoder.next_value(SKIP) is None
        else:
            assert decoder.next_value(GENERIC) == sample.found
    decoder.close()


@st.composite
def chosen_fields(draw: st.DrawFn) -> tuple[GoStruct, Sample, set[str]]:
    struct = draw(structs(go_types()))
    names = [field.name for field in struct.fields]
    return struct, draw(samples_of(struct)), set(draw(st.lists(st.sampled_from(names)))) if names else set()


@settings(RELAXED, max_examples=30)
@given(chosen_fields())
def test_fields_that_are_skipped_leave_the_others_as_they_are(case: tuple[GoStruct, Sample, set[str]]) -> None:
    struct, sample, chosen = case
    fields: dict[str, Put] = {
        field.name: SetItem(field.name, GENERIC) if field.name in chosen else Skip() for field in struct.fields
    }
    target: RecordTarget[dict[str, object]] = RecordTarget(dict, fields) if chosen else RecordTarget(dict, {})
    assert isinstance(sample.found, dict)
    expected = {name: value for name, value in sample.found.items() if name in chosen}
    assert read(encoded(Encoder(REGISTRY), sample, struct), target) == [expected]


@settings(RELAXED, max_examples=30)
@given(typed_samples(), typed_samples())
def test_a_value_that_is_refused_leaves_the_stream_as_it_was(
    good: tuple[GoType, Sample], other: tuple[GoType, Sample]
) -> None:
    encoder = Encoder(REGISTRY)
    kind, sample = other
    refused = GoStruct("Refused", (go.GoField("Good", kind), go.GoField("Bad", go.STRING)))
    with pytest.raises(GobEncodeError):
        encoder.encode({"Good": sample.given, "Bad": 3}, refused)
    kind, sample = good
    assert read(encoded(encoder, sample, kind)) == [sample.found]
