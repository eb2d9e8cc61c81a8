"""Searches for fields and values of properties."""

from mattermost_plugin.devhost.errors import bad_request
from mattermost_plugin.devhost.ids import is_id
from mattermost_plugin.devhost.store import PropertyFilter
from mattermost_plugin.devhost.world import World
from mattermost_pluginapi.v1.property_pb2 import (
    PropertyField,
    PropertyFieldSearchOpts,
    PropertyValue,
    PropertyValueSearchOpts,
)

__all__ = ["search_fields", "search_values"]

_PART = 500
"""How many values to read at once of which only some may be meant."""


def search_fields(world: World, group_id: str, opts: PropertyFieldSearchOpts) -> list[PropertyField]:
    """One page of fields, oldest first.

    Raises:
        ApiError: the size of the page is less than 1, or the cursor is none.
    """
    filters = _filters(world, group_id, opts, opts.cursor.property_field_id)
    return world.store.property_fields.search(filters, opts.per_page)


def search_values(world: World, group_id: str, opts: PropertyValueSearchOpts) -> list[PropertyValue]:
    """One page of values, oldest first.

    Raises:
        ApiError: the size of the page is less than 1, or the cursor is none.
    """
    filters = _filters(world, group_id, opts, opts.cursor.property_value_id)
    filters.field_id = opts.field_id
    if not opts.HasField("value"):
        return world.store.property_values.search(filters, opts.per_page)
    found: list[PropertyValue] = []
    while len(found) < opts.per_page:
        part = world.store.property_values.search(filters, _PART)
        found += [value for value in part if value.value == opts.value]
        if len(part) < _PART:
            break
        filters.after = (part[-1].create_at, part[-1].id)
    return found[: opts.per_page]


def _filters(
    world: World, group_id: str, opts: PropertyFieldSearchOpts | PropertyValueSearchOpts, cursor_id: str
) -> PropertyFilter:
    if opts.per_page < 1:
        raise bad_request("app.property.search.app_error", "per_page must be at least 1")
    after = None
    if opts.cursor.create_at or cursor_id:
        if opts.cursor.create_at <= 0 or not is_id(cursor_id):
            raise bad_request("app.property.search.app_error", "cursor must have a time and an id, or neither")
        after = (opts.cursor.create_at, cursor_id)
    elif opts.page > 0:
        world.log("warn", "a search for properties asks for a page: servers give the first one; go on with cursor")
    return PropertyFilter(
        group_id=group_id,
        target_type=opts.target_type,
        target_ids=opts.target_ids or [opts.target_id] * bool(opts.target_id),
        changed_after=opts.since_update_at,
        include_deleted=opts.include_deleted,
        after=after,
    )
