"""Groups, fields and values of properties."""

import json
from collections.abc import Sequence
from dataclasses import dataclass

from mattermost_plugin.devhost.store.database import Database, SqlValue
from mattermost_plugin.devhost.store.table import MessageT, Page, Table
from mattermost_pluginapi.v1.property_pb2 import PropertyField, PropertyGroup, PropertyValue

__all__ = ["PropertyFieldStore", "PropertyFilter", "PropertyGroupStore", "PropertyValueStore"]

_TIMES = ["create_at", "update_at", "delete_at"]


@dataclass(slots=True)
class PropertyFilter:
    """Which fields or values to find. What is empty is no condition."""

    group_id: str = ""
    """Their group."""
    target_type: str = ""
    """Kind of what they belong to."""
    target_ids: Sequence[str] = ()
    """What they belong to: one of these."""
    field_id: str = ""
    """Field of values."""
    changed_after: int = 0
    """In milliseconds since 1970."""
    include_deleted: bool = False
    """Deleted ones too."""
    after: tuple[int, str] | None = None
    """Time of creation and id of the one before."""

    def condition(self) -> tuple[str, list[SqlValue]]:
        """The condition and its values."""
        conditions, values = ["1"], list[SqlValue]()
        for column in ("group_id", "target_type", "field_id"):
            if wanted := getattr(self, column):
                conditions.append(f"{column} = ?")
                values.append(wanted)
        if self.target_ids:
            conditions.append("target_id IN (SELECT value FROM json_each(?))")
            values.append(json.dumps(list(self.target_ids)))
        if self.changed_after:
            conditions.append("update_at > ?")
            values.append(self.changed_after)
        if not self.include_deleted:
            conditions.append("delete_at = 0")
        if self.after is not None:
            conditions.append("(create_at, id) > (?, ?)")
            values += self.after
        return " AND ".join(conditions), values


class PropertyGroupStore(Table[PropertyGroup]):
    """Groups of properties."""

    def __init__(self, database: Database) -> None:
        super().__init__(database, "property_groups", PropertyGroup, ["id"], ["name"])

    def by_name(self, name: str) -> PropertyGroup | None:
        """The group of a name."""
        return self.one("name = ?", [name])


class _PropertyTable(Table[MessageT]):
    """What fields and values have in common. delete_at is set for deleted ones."""

    def of_group(self, group_id: str, record_id: str) -> MessageT | None:
        """The one of an id in a group, "" for any group; also a deleted one."""
        where = "id = ? AND group_id = ?" if group_id else "id = ?"
        return self.one(where, [record_id, group_id] if group_id else [record_id])

    def search(self, filters: PropertyFilter, limit: int) -> list[MessageT]:
        """Those that match, oldest first."""
        where, values = filters.condition()
        return self.select(where, values, "create_at, id", Page(0, limit))


class PropertyFieldStore(_PropertyTable[PropertyField]):
    """Fields of properties."""

    def __init__(self, database: Database) -> None:
        index = ["group_id", "target_type", "target_id", "name", "linked_field_id", *_TIMES]
        super().__init__(database, "property_fields", PropertyField, ["id"], index)

    def linked_to(self, field_id: str) -> list[PropertyField]:
        """The fields that are linked to one, and not deleted."""
        return self.select("linked_field_id = ? AND delete_at = 0", [field_id])


class PropertyValueStore(_PropertyTable[PropertyValue]):
    """Values of properties."""

    def __init__(self, database: Database) -> None:
        index = ["group_id", "field_id", "target_type", "target_id", *_TIMES]
        super().__init__(database, "property_values", PropertyValue, ["id"], index)

    def of_target(self, group_id: str, field_id: str, target_id: str) -> PropertyValue | None:
        """The value of a field for one target."""
        where = "group_id = ? AND field_id = ? AND target_id = ? AND delete_at = 0"
        return self.one(where, [group_id, field_id, target_id])

    def of_field(self, group_id: str, field_id: str) -> list[PropertyValue]:
        """All values of a field."""
        return self.select("group_id = ? AND field_id = ? AND delete_at = 0", [group_id, field_id])
