"""What is kept for all streams is bounded, and can be made anew at any time."""

from mattermost_plugin._gob.code_writer import Form
from mattermost_plugin._gob.linking import Function, Library, Links, load
from mattermost_plugin._gob.readers import Readers
from mattermost_plugin._gob.shapes import BASIC_SHAPES, Kind, Node, ShapePool
from mattermost_plugin._gob.targets import GENERIC

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


def test_functions_are_made_anew_after_they_were_forgotten() -> None:
    readers = Readers(size=2)
    shapes = [ShapePool().shapes([node(length)], is_recursive=False)[0] for length in range(1, 6)]
    first = readers.read(shapes[0], GENERIC)
    assert readers.read(shapes[0], GENERIC) is first
    for shape in shapes:
        readers.read(shape, GENERIC)
    assert readers.known((Form.READ, shapes[0], GENERIC)) is None
    assert readers.read(shapes[0], GENERIC) is not first


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
