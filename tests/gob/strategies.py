"""Random Go types with values, and what a decoder makes of the values."""

from typing import Any, NamedTuple

from hypothesis import strategies as st

from mattermost_plugin._gob import GoTime, Interface, Marshaled, Pairs, Registered
from mattermost_plugin._gob import go_types as go
from mattermost_plugin._gob.go_types import (
    BasicKind,
    GoArray,
    GoBasic,
    GoField,
    GoInterface,
    GoMap,
    GoMarshaler,
    GoPointer,
    GoSlice,
    GoStruct,
    GoType,
    is_bytes,
    pointed_to,
)
from mattermost_plugin._gob.shapes import Kind
from mattermost_plugin._gob.values import ZERO_TIME

POINT = GoStruct("Point", (GoField("X", go.INT), GoField("Y", go.INT)))
BOX = GoStruct("Box", (GoField("Inner", go.ANY),))
REGISTRY = {
    "gobpeer.Point": Registered(POINT),
    "*gobpeer.Box": Registered(GoPointer(BOX)),
    "[]string": Registered(GoSlice(go.STRING)),
}
"""What tests/gobpeer has registered, too."""

BASIC = [GoBasic(kind) for kind in BasicKind if kind is not BasicKind.UINTPTR]
KEYS = [basic for basic in BASIC if basic.kind.kind in {Kind.BOOL, Kind.INT, Kind.UINT, Kind.STRING}]
FIELD_NAMES = ["A", "B", "Cc", "D_4", "Name", "Éa"]


class Sample(NamedTuple):
    """A value as the encoder takes it, and as the decoder gives it."""

    given: object
    found: object


def basic_types() -> st.SearchStrategy[GoType]:
    return st.sampled_from([*BASIC, go.BYTES, go.ANY, go.TIME, go.URL])


def composed(parts: st.SearchStrategy[GoType]) -> st.SearchStrategy[GoType]:
    keys = st.sampled_from(KEYS) | st.just(POINT) | st.just(GoArray(go.INT8, 2))
    return (
        st.builds(GoSlice, parts)
        | st.builds(GoArray, parts, st.integers(0, 3))
        | st.builds(GoMap, keys, parts)
        # None would be both a nil pointer, which cannot be an element, and a pointer to a nil interface, which can.
        | st.builds(GoPointer, parts.filter(lambda part: not isinstance(pointed_to(part), GoInterface)))
        | structs(parts)
    )


@st.composite
def structs(draw: st.DrawFn, parts: st.SearchStrategy[GoType]) -> GoStruct:
    names = draw(st.lists(st.sampled_from(FIELD_NAMES), unique=True, max_size=4))
    return GoStruct(draw(st.sampled_from(["", "S", "T"])), tuple([GoField(name, draw(parts)) for name in names]))


def go_types() -> st.SearchStrategy[GoType]:
    return st.recursive(basic_types(), composed, max_leaves=8)


@st.composite
def typed_samples(draw: st.DrawFn) -> tuple[GoType, Sample]:
    """A type and a value of it that can stand alone."""
    kind = draw(go_types())
    return kind, draw(samples(kind))


def samples(kind: GoType) -> st.SearchStrategy[Sample]:
    """Values of a type."""
    match pointed_to(kind):
        case GoBasic(basic):
            return basic_values(basic).map(lambda value: Sample(value, value))
        case GoSlice() as base if is_bytes(base):
            return st.binary(max_size=200).map(lambda value: Sample(value, value))
        case GoSlice(elem):
            return st.lists(samples(elem), max_size=4).map(lambda items: Sample(given(items), found(items)))
        case GoArray(elem, length):
            items = st.lists(samples(elem), min_size=length, max_size=length)
            return items.map(lambda items: Sample(given(items), tuple(found(items))))
        case GoMap(key, elem):
            pairs = st.lists(
                st.tuples(samples(key), samples(elem)), max_size=3, unique_by=lambda pair: repr(pair[0].found)
            )
            return pairs.map(lambda pairs: map_sample(pairs, is_dict=key in KEYS))
        case GoInterface():
            return INTERFACES
        case GoStruct() as struct:
            return struct_samples(struct)
        case GoMarshaler() as marshaler:
            return marshaler_samples(marshaler)
        case GoPointer():
            raise AssertionError("pointers were followed")


def basic_values(kind: BasicKind) -> st.SearchStrategy[object]:
    match kind.kind:
        case Kind.BOOL:
            return st.booleans()
        case Kind.INT | Kind.UINT:
            return st.integers(*kind.range) | st.integers(*(max(kind.range[0], -70), min(kind.range[1], 130)))
        case Kind.FLOAT:
            return st.floats(allow_nan=False, width=32 if kind.bits == 32 else 64)
        case Kind.COMPLEX:
            return st.complex_numbers(allow_nan=False, width=64 if kind.bits == 32 else 128)
        case _:
            return st.text(max_size=200)


def given(items: list[Sample]) -> list[object]:
    return [item.given for item in items]


def found(items: list[Sample]) -> list[object]:
    return [item.found for item in items]


def map_sample(pairs: list[tuple[Sample, Sample]], *, is_dict: bool) -> Sample:
    if is_dict:
        return Sample(
            {key.given: value.given for key, value in pairs}, {key.found: value.found for key, value in pairs}
        )
    return Sample(
        [(key.given, value.given) for key, value in pairs], Pairs([(key.found, value.found) for key, value in pairs])
    )


def marshaler_samples(marshaler: GoMarshaler) -> st.SearchStrategy[Sample]:
    if marshaler is go.TIME:
        offsets = st.none() | st.integers(-12 * 60, 14 * 60).filter(lambda minutes: minutes != -1).map(lambda m: m * 60)
        times = st.builds(GoTime, st.integers(-(2**40), 2**40), st.integers(0, 999_999_999), offsets)
        return times.map(lambda time: Sample(time, time))
    texts = st.text("abc/123", max_size=20).map(lambda path: f"https://example.test/{path}")
    return texts.map(lambda text: Sample(text, Marshaled(text.encode())))


def held_basic(kind: BasicKind) -> st.SearchStrategy[Sample]:
    return basic_values(kind).map(lambda value: named(kind.word, Sample(value, value)))


def holding(inner: st.SearchStrategy[Sample]) -> st.SearchStrategy[Sample]:
    """Interfaces that hold what holds interfaces."""
    boxes = inner.map(lambda sample: Sample({"Inner": sample.given}, {"Inner": sample.found} if sample.found else {}))
    lists = st.lists(inner, max_size=3).map(lambda items: Sample(given(items), found(items)))
    maps = st.dictionaries(st.text(max_size=3), inner, max_size=3).map(
        lambda items: Sample(
            {key: sample.given for key, sample in items.items()}, {key: sample.found for key, sample in items.items()}
        )
    )
    return (
        boxes.map(lambda sample: named("*gobpeer.Box", sample))
        | lists.map(lambda sample: named("[]interface {}", sample))
        | maps.map(lambda sample: named("map[string]interface {}", sample))
    )


def named(name: str, sample: Sample) -> Sample:
    return Sample(Interface(name, sample.given), Interface(name, sample.found))


@st.composite
def struct_samples(draw: st.DrawFn, struct: GoStruct) -> Sample:
    """Fields may be missing; what is found are those that Go sends."""
    whole: dict[str, object] = {}
    sent: dict[str, object] = {}
    for field in struct.fields:
        sample = draw(st.none() | samples(field.type))
        if sample is not None:
            whole[field.name] = sample.given
            if not is_left_out(field.type, sample):
                sent[field.name] = sample.found
        elif is_always_sent(field.type):
            try:
                sent[field.name] = zero_found(field.type)
            except NilPointerError:
                sample = draw(samples(field.type))
                whole[field.name], sent[field.name] = sample
    return Sample(whole, sent)


def is_always_sent(kind: GoType) -> bool:
    return isinstance(kind, GoStruct | GoArray) or kind is go.URL


def is_left_out(kind: GoType, sample: Sample) -> bool:
    match pointed_to(kind):
        case GoStruct() | GoArray() | GoMap():
            return False
        case GoInterface():
            return sample.given is None
        case GoMarshaler():
            return sample.given == ZERO_TIME
        case _:
            return not sample.given


def zero_found(kind: GoType) -> object:
    match kind:
        case GoStruct(_, fields):
            return {field.name: zero_found(field.type) for field in fields if is_always_sent(field.type)}
        case GoArray(elem, length):
            return (zero_found(elem),) * length
        case GoBasic(basic):
            return {Kind.BOOL: False, Kind.STRING: "", Kind.FLOAT: 0.0, Kind.COMPLEX: 0j}.get(basic.kind, 0)
        case GoSlice() if is_bytes(kind):
            return b""
        case GoSlice():
            return []
        case GoMap(key):
            return {} if key in KEYS else Pairs()
        case GoMarshaler():
            return ZERO_TIME if kind is go.TIME else Marshaled(b"")
        case GoInterface():
            return None
        case GoPointer():
            raise NilPointerError


class NilPointerError(Exception):
    """An array of nil pointers cannot be sent."""


def described(kind: GoType) -> Any:
    """A type as tests/gobpeer/shapes.go takes it."""
    match kind:
        case GoBasic(basic):
            return basic.word
        case GoPointer(elem):
            return {"kind": "ptr", "elem": described(elem)}
        case GoSlice(elem):
            return {"kind": "slice", "elem": described(elem)}
        case GoArray(elem, length):
            return {"kind": "array", "elem": described(elem), "len": length}
        case GoMap(key, elem):
            return {"kind": "map", "key": described(key), "elem": described(elem)}
        case GoInterface():
            return "any"
        case GoMarshaler():
            return "time" if kind is go.TIME else "url"
        case GoStruct(_, fields):
            return {"kind": "struct", "fields": [{"name": f.name, "type": described(f.type)} for f in fields]}


INTERFACES = st.recursive(
    st.one_of(
        st.just(Sample(None, None)),
        *(held_basic(kind) for kind in BasicKind),
        st.booleans().map(lambda value: Sample(value, Interface("bool", value))),
        st.text(max_size=5).map(lambda value: Sample(value, Interface("string", value))),
        st.lists(st.text(max_size=3), max_size=3).map(lambda texts: named("[]string", Sample(texts, texts))),
        struct_samples(POINT).map(lambda sample: named("gobpeer.Point", sample)),
    ),
    holding,
    max_leaves=5,
)
