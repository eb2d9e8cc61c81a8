"""The functions that read values, by shape and target, for all streams of the process."""

from __future__ import annotations

from typing import Final, NoReturn, TypeAlias

from mattermost_plugin._gob.code_writer import CodeWriter, Form
from mattermost_plugin._gob.errors import GobMismatchError
from mattermost_plugin._gob.held import Fill, InterfaceReader, Read, Skip, make_interface_reader
from mattermost_plugin._gob.held_skip import InterfaceSkipper
from mattermost_plugin._gob.linking import PLACES, Function, Library, Links, load
from mattermost_plugin._gob.shapes import Shape
from mattermost_plugin._gob.targets import SKIP, AnyTarget, StructPlan

__all__ = ["READERS", "Readers"]

_MAX_PLANNED: Final = 256 * 1024
"""Fields in plans that are kept."""

_Key: TypeAlias = tuple[Form, Shape, AnyTarget | None]


class Readers(Library[_Key]):
    """Functions that read values.

    Args:
        size: See `Library`.
        max_source: See `Library`.
    """

    def __init__(self, size: int = 4 * 1024, max_source: int = 16 << 20) -> None:
        super().__init__(size, max_source)
        self._planned = 0
        self._plans: dict[tuple[Shape, AnyTarget], StructPlan] = {}
        self.skipper = InterfaceSkipper(self)
        """Finds the end of what interfaces hold."""
        self._interfaces: dict[AnyTarget, InterfaceReader] = {SKIP: self.skipper}

    def fill(self, shape: Shape, target: AnyTarget) -> Fill:
        """The function that reads a struct into a record; it raises GobMismatchError if the target does not take it."""
        return self.function((Form.FILL, shape, target))

    def read(self, shape: Shape, target: AnyTarget) -> Read:
        """The function that reads a value that is no struct; it raises GobMismatchError if the target takes none."""
        return self.function((Form.READ, shape, target))

    def skip(self, shape: Shape) -> Skip:
        """The function that finds a value's end."""
        return self.function((Form.SKIP, shape, None))

    def interface(self, target: AnyTarget | None) -> InterfaceReader:
        """The function that reads what interfaces hold; None: that finds its end."""
        key = SKIP if target is None else target
        reader = self._interfaces.get(key)
        if reader is None:
            reader = self._interfaces[key] = make_interface_reader(key, self)
        return reader

    def plan(self, shape: Shape, target: AnyTarget) -> StructPlan:
        """What the target says of a struct.

        Raises:
            GobMismatchError: the target does not take it.
        """
        key = (shape, target)
        plan = self._plans.get(key)
        if plan is None:
            plan = target.plan(shape)
            self._planned += len(plan.puts)
            if len(self._plans) >= self._size or self._planned > _MAX_PLANNED:
                self._plans.clear()
                self._planned = len(plan.puts)
            self._plans[key] = plan
        return plan

    def compile(self, key: _Key) -> Function:
        try:
            return self._compile(key)
        except GobMismatchError as error:
            # Kept like any other: a peer that sends such values again and again has no code written for each.
            return _refuser(error.reason, error.path)

    def _compile(self, key: _Key) -> Function:
        form, shape, target = key
        code = CodeWriter(lambda namespace: _Linker(self, namespace), target)
        if form is Form.SKIP or target is None:
            code.skip_function(shape)
        elif form is Form.FILL:
            code.fill_function(shape, self.plan(shape, target).puts)
        elif shape.is_composed:
            code.read_function(shape, target)
        else:
            code.basic_function(shape, target)
        code.namespace[PLACES] = (shape.label, tuple(code.places))
        return load(code.text, code.namespace, form.value)


def _refuser(reason: str, path: str) -> Function:
    def refuse(*_: object) -> NoReturn:
        raise GobMismatchError(reason, path=path)

    return refuse


class _Linker:
    """What the code of one function needs of others."""

    def __init__(self, readers: Readers, namespace: dict[str, object]) -> None:
        self._readers = readers
        self._links = Links(readers, namespace)

    def link(self, form: Form, shape: Shape, target: AnyTarget | None) -> str:
        return self._links.name((form, shape, target))

    def interface(self, target: AnyTarget | None) -> object:
        return self._readers.interface(target)

    def plan(self, shape: Shape, target: AnyTarget) -> StructPlan:
        return self._readers.plan(shape, target)


READERS: Final = Readers()
"""Those of all streams of this process."""
