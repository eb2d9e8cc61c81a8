"""What is kept for all streams is bounded, and can be made anew at any time."""

import pytest

from mattermost_plugin._gob import NEED_DATA, Decoder, GobMismatchError, Limits, RecordTarget
from mattermost_plugin._gob.code_writer import CodeWriter, Form
from mattermost_plugin._gob.definitions import DefinitionPool
from mattermost_plugin._gob.errors import Fault
from mattermost_plugin._gob.linking import Function, Library, Links, load
from mattermost_plugin._gob.puts import Put
from mattermost_plugin._gob.readers import Readers
from mattermost_plugin._gob.shapes import BASIC_SHAPES, Kind, Node, Shape, ShapePool
from mattermost_plugin._gob.targets import GENERIC
from tests.gob.craft import define_struct, stream, value

INT = BASIC_SHAPES[2]


def node(length: int) -> Node:
    return Kind.ARRAY, "", length, (), (INT,)


def test_equal_shapes_are_one_until_there_are_too_many() -> None:
    pool = ShapePool(size=3)
    (first,) = pool.shapes([node(1)], is_recursive=False)
    assert pool.shapes([node(1)], is_recursive=False) == (first,)
    for length in (2, 3):
        pool.shapes([node(length)], is_recursive=False)
    assert pool.shapes([node(1)], is_recursive=False) == (first,)
    pool.shapes([node(4)], is_recursive=False)
    assert pool.shapes([node(1)], is_recursive=False) != (first,)
    assert first.elem is INT


def test_definitions_are_kept_until_there_are_too_many() -> None:
    pool = DefinitionPool(size=2)
    bodies = [define_struct(65, f"T{number}", A=2) for number in range(3)]
    first = pool.read(bodies[0], 2, Limits())
    assert pool.read(bodies[0], 2, Limits()) is first
    for body in bodies[1:]:
        pool.read(body, 2, Limits())
    assert pool.read(bodies[0], 2, Limits()) is not first


def test_long_definitions_are_not_kept() -> None:
    pool = DefinitionPool(max_bytes=20)
    body = define_struct(65, "T" * 30, A=2)
    assert pool.read(body, 2, Limits()) is not pool.read(body, 2, Limits())


def test_a_known_definition_is_still_held_against_the_limits() -> None:
    pool = DefinitionPool()
    body = define_struct(65, "T", A=2, B=2)
    pool.read(body, 2, Limits())
    with pytest.raises(Fault):
        pool.read(body, 2, Limits(max_fields=1))


def test_functions_are_made_anew_after_they_were_forgotten() -> None:
    readers = Readers(size=2)
    shapes = [ShapePool().shapes([node(length)], is_recursive=False)[0] for length in range(1, 6)]
    first = readers.read(shapes[0], GENERIC)
    assert readers.read(shapes[0], GENERIC) is first
    for shape in shapes:
        readers.read(shape, GENERIC)
    assert readers.known((Form.READ, shapes[0], GENERIC)) is None
    assert readers.read(shapes[0], GENERIC) is not first


def test_long_functions_are_forgotten_sooner() -> None:
    pool = ShapePool()
    names = tuple(f"F{number}" for number in range(100))
    node: Node = (Kind.STRUCT, "", 0, names, (INT,) * 100)
    readers = Readers(max_source=10_000)
    (large,) = pool.shapes([node], is_recursive=False)
    first = readers.fill(large, GENERIC)
    assert readers.fill(large, GENERIC) is first
    readers.skip(large)
    assert readers.fill(large, GENERIC) is not first


def test_fields_and_their_names_count_as_shapes_do() -> None:
    def struct(*names: str) -> Node:
        return Kind.STRUCT, "", 0, names, (INT,) * len(names)

    for other in (struct(*"abcdefg"), struct("x" * 500)):
        pool = ShapePool(size=8)
        (first,) = pool.shapes([struct("F")], is_recursive=False)
        assert pool.shapes([struct("F")], is_recursive=False) == (first,)
        pool.shapes([other], is_recursive=False)
        assert pool.shapes([struct("F")], is_recursive=False) != (first,)


def test_a_struct_that_is_refused_has_no_code_written_again() -> None:
    calls: list[str] = []

    class Refusing(Put):
        def emit(self, code: CodeWriter, shape: Shape) -> str:
            calls.append(shape.label)
            raise GobMismatchError("never")

    target = RecordTarget[object](dict, {"A": Refusing()})
    decoder = Decoder()
    decoder.feed(stream(define_struct(64, "S", A=2), *[value(64, b"\0")] * 3))
    for _ in range(3):
        with pytest.raises(GobMismatchError, match=r"never at byte .* in A"):
            decoder.next_value(target)
    assert decoder.next_value(target) is NEED_DATA
    assert calls == ["int"]


class Countdown(Library[int]):
    """Functions that call each other: each gives its number and those below it."""

    def __init__(self) -> None:
        super().__init__()
        self.made: list[int] = []

    def compile(self, key: int) -> Function:
        self.made.append(key)
        namespace: dict[str, object] = {}
        below = Links(self, namespace).name(max(0, key - 1))
        return load(f"def f(n): return [{key}] if n == 0 else [{key}, *{below}(n - 1)]\n", namespace, "f")


def test_functions_are_made_when_they_are_first_called() -> None:
    library = Countdown()
    function = library.function(3)
    assert function(0) == [3]
    assert library.made == [3]
    assert function(5) == [3, 2, 1, 0, 0, 0]
    assert library.made == [3, 2, 1, 0]
    assert function(5) == [3, 2, 1, 0, 0, 0]
    assert library.made == [3, 2, 1, 0]
