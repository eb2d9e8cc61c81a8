"""The types of one stream: what was defined, and the shapes that come of it."""

from __future__ import annotations

from typing import Final

from mattermost_plugin._gob.definitions import Definition
from mattermost_plugin._gob.errors import Fault
from mattermost_plugin._gob.limits import Limits
from mattermost_plugin._gob.shapes import BASIC_SHAPES, FIRST_USER_ID, Kind, Node, Reference, Shape, ShapePool

__all__ = ["TypeTable"]

_POOL: Final = ShapePool()


class TypeTable:
    """Definitions by type id.

    A definition may refer to types that are defined later, so shapes are made when a value needs them.
    """

    def __init__(self, limits: Limits) -> None:
        self._limits = limits
        self._definitions: dict[int, Definition] = {}
        self._shapes: dict[int, Shape] = dict(BASIC_SHAPES)
        self._fields = 0

    def define(self, type_id: int, definition: Definition, pos: int) -> None:
        """Take a definition.

        Raises:
            Fault: the id is reserved or has a definition already, or there are too many. `pos` is its position.
        """
        if type_id < FIRST_USER_ID:
            raise Fault(pos, f"a definition of the reserved type id {type_id}")
        if type_id in self._definitions:
            raise Fault(pos, f"a second definition of type id {type_id}")
        if len(self._definitions) >= self._limits.max_types:
            raise Fault(pos, f"more than {self._limits.max_types} types", "max_types")
        self._fields += len(definition.fields)
        if self._fields > self._limits.max_total_fields:
            raise Fault(pos, f"structs of {self._fields} fields in all", "max_total_fields")
        self._definitions[type_id] = definition

    def forget(self, type_ids: list[int]) -> None:
        """Take back definitions that will come again."""
        for type_id in type_ids:
            self._fields -= len(self._definitions.pop(type_id).fields)
            self._shapes.pop(type_id, None)

    def shape(self, type_id: int, pos: int) -> Shape:
        """The type with that id.

        Raises:
            Fault: it is not defined, or a type that it is made of is not. `pos` is its position.
        """
        shape = self._shapes.get(type_id)
        if shape is None:
            _Resolver(self._definitions, self._shapes, self._limits.max_depth, pos).visit(type_id, 0)
            shape = self._shapes[type_id]
        return shape


class _Resolver:
    """Makes the shapes of a type and all it is made of: Tarjan's search for cycles, where each cycle is made as one."""

    def __init__(self, definitions: dict[int, Definition], shapes: dict[int, Shape], max_depth: int, pos: int) -> None:
        self._definitions = definitions
        self._shapes = shapes
        self._max_depth = max_depth
        self._pos = pos
        self._lowest: dict[int, int] = {}
        self._open: list[int] = []

    def visit(self, type_id: int, depth: int) -> None:
        definition = self._definitions.get(type_id)
        if definition is None:
            raise Fault(self._pos, f"type id {type_id} is not defined")
        if depth >= self._max_depth:
            raise Fault(self._pos, f"types nested more than {self._max_depth} deep", "max_depth")
        number = self._lowest[type_id] = len(self._lowest)
        height = len(self._open)
        self._open.append(type_id)
        for part in definition.references:
            if part in self._shapes:
                continue
            if part not in self._lowest:
                self.visit(part, depth + 1)
            # Made meanwhile: it is in no cycle with this type.
            if part not in self._shapes:
                self._lowest[type_id] = min(self._lowest[type_id], self._lowest[part])
        if self._lowest[type_id] == number:
            self._close(self._open[height:])
            del self._open[height:]

    def _close(self, cycle: list[int]) -> None:
        numbers = {type_id: number for number, type_id in enumerate(cycle)}
        nodes = [self._node(self._definitions[type_id], numbers) for type_id in cycle]
        is_recursive = len(cycle) > 1 or cycle[0] in self._definitions[cycle[0]].references
        self._shapes.update(zip(cycle, _POOL.shapes(nodes, is_recursive=is_recursive), strict=True))

    def _node(self, definition: Definition, numbers: dict[int, int]) -> Node:
        references: list[Reference] = []
        for part in definition.references:
            number = numbers.get(part)
            references.append(self._shapes[part] if number is None else number)
        names = tuple([name for name, _ in definition.fields]) if definition.kind is Kind.STRUCT else ()
        return definition.kind, definition.name, definition.length, names, tuple(references)
