"""Fields and values of properties: created, changed, deleted."""

from collections.abc import Iterable, Sequence
from typing import Final

from mattermost_plugin.devhost.errors import ApiError, bad_request, conflict, not_found
from mattermost_plugin.devhost.ids import is_id, new_id
from mattermost_plugin.devhost.store import DuplicateError
from mattermost_plugin.devhost.world import World
from mattermost_pluginapi.v1.property_pb2 import PropertyField, PropertyValue

__all__ = [
    "create_field",
    "create_value",
    "delete_field",
    "delete_value",
    "delete_values_of_field",
    "delete_values_of_target",
    "existing_field",
    "existing_value",
    "update_fields",
    "update_values",
    "upsert_values",
]

LONGEST: Final = 255
"""Of names, kinds and ids of targets."""
SYSTEM: Final = "system"
"""Id of the system as a target."""
TYPES: Final = frozenset({"text", "select", "multiselect", "date", "user", "multiuser", "rank", "binary"})

_OPTIONS: Final = "options"
"""The attribute that a linked field takes from its template, beside the type."""


def existing_field(world: World, group_id: str, field_id: str) -> PropertyField:
    """The field of an id in a group ("" for any), also a deleted one.

    Raises:
        ApiError: there is none.
    """
    field = world.store.property_fields.of_group(group_id, field_id)
    if field is None:
        raise not_found("app.property_field.get.app_error", f"group_id={group_id}, field_id={field_id}")
    return field


def _live_field(world: World, group_id: str, field_id: str) -> PropertyField:
    field = existing_field(world, group_id, field_id)
    if field.delete_at:
        raise not_found("app.property_field.get.app_error", f"field_id={field_id} is deleted")
    return field


def _invalid(kind: str, detail: str) -> ApiError:
    return bad_request(f"model.property_{kind}.is_valid.app_error", detail)


def _check_field(world: World, field: PropertyField) -> None:
    if world.store.property_groups.get(field.group_id) is None:
        raise _invalid("field", f"group_id={field.group_id}")
    if not 0 < len(field.name) <= LONGEST:
        raise _invalid("field", f"name={field.name[:LONGEST]}")
    if field.type not in TYPES:
        raise _invalid("field", f"type={field.type}")
    if len(field.target_type) > LONGEST or len(field.target_id) > LONGEST:
        raise _invalid("field", "target_type or target_id is too long")


def create_field(world: World, given: PropertyField) -> PropertyField:
    """Create a field; a linked one takes its type and attributes from the field that it names.

    Raises:
        ApiError: a value breaks a rule, the name is taken for the target, or the other field cannot be linked to.
    """
    if given.id:
        raise _invalid("field", f"id={given.id}: a new field has none")
    field = PropertyField()
    field.CopyFrom(given)
    if field.linked_field_id:
        template = _live_field(world, field.group_id, field.linked_field_id)
        if template.linked_field_id:
            raise _invalid("field", f"linked_field_id={template.id} is linked itself")
        field.type = template.type
        field.attrs.CopyFrom(template.attrs)
    _check_field(world, field)
    field.id, field.create_at, field.delete_at = new_id(), world.now_ms(), 0
    field.update_at = field.create_at
    return _store_field(world, field)


def _store_field(world: World, field: PropertyField) -> PropertyField:
    try:
        return world.store.property_fields.put(field)
    except DuplicateError as error:
        raise conflict("app.property_field.create.name_conflict.app_error", f"name={field.name}") from error


def update_fields(world: World, group_id: str, given: Iterable[PropertyField]) -> list[PropertyField]:
    """Replace fields, all or none; those that are linked to one get its new type and options.

    Raises:
        ApiError: one does not exist, a value breaks a rule or is taken, or type or options of a linked field change.
    """
    fields = [_updated(world, group_id, each) for each in given]
    with world.store.transaction():
        for field in fields:
            _store_field(world, field)
            for linked in world.store.property_fields.linked_to(field.id):
                _follow(linked, field)
                linked.update_at = field.update_at
                world.store.property_fields.put(linked)
    return fields


def _updated(world: World, group_id: str, given: PropertyField) -> PropertyField:
    old = existing_field(world, group_id, given.id)
    field = PropertyField()
    field.CopyFrom(given)
    field.group_id, field.create_at, field.update_at = old.group_id, old.create_at, world.now_ms()
    if old.linked_field_id and field.linked_field_id:
        same = PropertyField()
        same.CopyFrom(field)
        _follow(same, old)
        if same != field:
            raise bad_request("app.property_field.update.linked.app_error", "type and options are another field's")
    _check_field(world, field)
    return field


def _follow(field: PropertyField, template: PropertyField) -> None:
    field.type = template.type
    if _OPTIONS in template.attrs:
        field.attrs.fields[_OPTIONS].CopyFrom(template.attrs.fields[_OPTIONS])
    elif _OPTIONS in field.attrs:
        del field.attrs.fields[_OPTIONS]


def delete_field(world: World, group_id: str, field_id: str) -> None:
    """Mark a field and its values as deleted.

    Raises:
        ApiError: there is no such field, or others are linked to it.
    """
    field = existing_field(world, group_id, field_id)
    if world.store.property_fields.linked_to(field.id):
        raise conflict("app.property_field.delete.linked.app_error", f"field_id={field.id}")
    field.delete_at = field.update_at = world.now_ms()
    with world.store.transaction():
        world.store.property_fields.put(field)
        _delete(world, world.store.property_values.of_field(field.group_id, field.id))


def existing_value(world: World, group_id: str, value_id: str) -> PropertyValue:
    """The value of an id in a group ("" for any), also a deleted one.

    Raises:
        ApiError: there is none.
    """
    value = world.store.property_values.of_group(group_id, value_id)
    if value is None:
        raise not_found("app.property_value.get.app_error", f"group_id={group_id}, value_id={value_id}")
    return value


def _new_value(world: World, given: PropertyValue) -> PropertyValue:
    if not is_id(given.target_id) and given.target_id != SYSTEM:
        raise _invalid("value", f"target_id={given.target_id}: it is no id")
    if not 0 < len(given.target_type) <= LONGEST:
        raise _invalid("value", f"target_type={given.target_type[:LONGEST]}")
    _live_field(world, given.group_id, given.field_id)
    value = PropertyValue()
    value.CopyFrom(given)
    value.id, value.create_at, value.delete_at = new_id(), world.now_ms(), 0
    value.update_at = value.create_at
    return value


def create_value(world: World, given: PropertyValue) -> PropertyValue:
    """Create the value of a field for a target.

    Raises:
        ApiError: a value breaks a rule, there is no such field, or the target has a value of it.
    """
    if given.id:
        raise _invalid("value", f"id={given.id}: a new value has none")
    value = _new_value(world, given)
    try:
        return world.store.property_values.insert(value)
    except DuplicateError as error:
        raise conflict("app.property_value.create.app_error", f"target_id={value.target_id}") from error


def update_values(world: World, group_id: str, given: Iterable[PropertyValue]) -> list[PropertyValue]:
    """Change what values are, all or none.

    Raises:
        ApiError: one does not exist.
    """
    values = []
    for each in given:
        value = existing_value(world, group_id, each.id)
        value.value.CopyFrom(each.value)
        value.update_at = world.now_ms()
        values.append(value)
    return _store_values(world, values)


def upsert_values(world: World, given: Sequence[PropertyValue]) -> list[PropertyValue]:
    """Create or change values, all or none. Of several for one field and target, the last one stays.

    Returns:
        The value as stored for each of the given ones.

    Raises:
        ApiError: a value breaks a rule, there is no such field, or they are of several groups.
    """
    if len({each.group_id for each in given}) > 1:
        raise bad_request("app.property_value.upsert.app_error", "the values are of several groups")
    values: dict[tuple[str, str], PropertyValue] = {}
    for each in given:
        value = _new_value(world, each)
        old = world.store.property_values.of_target(value.group_id, value.field_id, value.target_id)
        if old is not None:
            value.id, value.create_at = old.id, old.create_at
        values[value.field_id, value.target_id] = value
    _store_values(world, values.values())
    return [values[each.field_id, each.target_id] for each in given]


def _store_values(world: World, values: Iterable[PropertyValue]) -> list[PropertyValue]:
    with world.store.transaction():
        return [world.store.property_values.put(value) for value in values]


def delete_value(world: World, group_id: str, value_id: str) -> None:
    """Mark a value as deleted.

    Raises:
        ApiError: there is no such value.
    """
    _delete(world, [existing_value(world, group_id, value_id)])


def delete_values_of_field(world: World, group_id: str, field_id: str) -> None:
    """Mark all values of a field as deleted."""
    _delete(world, world.store.property_values.of_field(group_id, field_id))


def _delete(world: World, values: Iterable[PropertyValue]) -> None:
    now = world.now_ms()
    with world.store.transaction():
        for value in values:
            value.delete_at = value.update_at = now
            world.store.property_values.put(value)


def delete_values_of_target(world: World, group_id: str, target_type: str, target_id: str) -> None:
    """Remove all values of a target for good, as a server does.

    Raises:
        ApiError: the target's kind or id is empty.
    """
    if not target_type or not target_id:
        raise bad_request("app.property_value.delete_for_target.app_error", "target_type or target_id is empty")
    where = "group_id = ? AND target_type = ? AND target_id = ?"
    world.store.property_values.delete_where(where, [group_id, target_type, target_id])
