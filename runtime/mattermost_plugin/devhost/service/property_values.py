"""Methods about values of properties.

The variants with options do what those without do: no field of this host is managed by owners.
"""

from collections.abc import Iterable, Sequence
from typing import Final

from mattermost_plugin.devhost.errors import bad_request, conflict, not_found
from mattermost_plugin.devhost.ids import new_id
from mattermost_plugin.devhost.service.property_fields import existing_field
from mattermost_plugin.devhost.service.registry import Call, Methods
from mattermost_plugin.devhost.store import DuplicateError, Page
from mattermost_pluginapi.v1 import api_property_value_pb2 as pb
from mattermost_pluginapi.v1.property_pb2 import PropertyValue, PropertyValueSearchOpts

METHODS: Final = Methods()


def _existing(call: Call, group_id: str, value_id: str) -> PropertyValue:
    value = call.world.store.property_values.live(group_id, value_id)
    if value is None:
        raise not_found("app.property_value.get.app_error", f"group_id={group_id}, value_id={value_id}")
    return value


def _new(call: Call, given: PropertyValue) -> PropertyValue:
    if not given.target_id or not given.target_type:
        raise bad_request("model.property_value.is_valid.app_error", "target_id or target_type is empty")
    existing_field(call, given.group_id, given.field_id)
    value = PropertyValue()
    value.CopyFrom(given)
    value.id, value.create_at, value.delete_at = new_id(), call.now_ms, 0
    value.update_at = value.create_at
    return value


@METHODS.rpc
def _create(call: Call, request: pb.CreatePropertyValueRequest) -> pb.CreatePropertyValueResponse:
    value = _new(call, request.value)
    try:
        return pb.CreatePropertyValueResponse(value=call.world.store.property_values.insert(value))
    except DuplicateError as error:
        raise conflict("app.property_value.create.app_error", f"target_id={value.target_id}") from error


@METHODS.rpc
def _get(call: Call, request: pb.GetPropertyValueRequest) -> pb.GetPropertyValueResponse:
    return pb.GetPropertyValueResponse(value=_existing(call, request.group_id, request.value_id))


@METHODS.rpc
def _get_many(call: Call, request: pb.GetPropertyValuesRequest) -> pb.GetPropertyValuesResponse:
    values = [_existing(call, request.group_id, value_id) for value_id in request.ids]
    return pb.GetPropertyValuesResponse(values=values)


def _matches(value: PropertyValue, opts: PropertyValueSearchOpts) -> bool:
    targets = {opts.target_id, *opts.target_ids} - {""}
    cursor = (opts.cursor.create_at, opts.cursor.property_value_id)
    return (
        (opts.include_deleted or not value.delete_at)
        and opts.target_type in ("", value.target_type)
        and (not targets or value.target_id in targets)
        and opts.field_id in ("", value.field_id)
        and value.update_at >= opts.since_update_at
        and (not opts.HasField("value") or value.value == opts.value)
        and (not opts.HasField("cursor") or (value.create_at, value.id) > cursor)
    )


@METHODS.rpc
def _search(call: Call, request: pb.SearchPropertyValuesRequest) -> pb.SearchPropertyValuesResponse:
    if request.opts.per_page < 1:
        raise bad_request("app.property_value.search.app_error", "per_page is less than 1")
    page = Page(request.opts.page, request.opts.per_page)
    values = call.world.store.property_values.select("group_id = ?", [request.group_id], "create_at, id")
    found = [value for value in values if _matches(value, request.opts)]
    return pb.SearchPropertyValuesResponse(values=found[page.offset : page.offset + page.limit])


def _update(call: Call, group_id: str, given: Iterable[PropertyValue]) -> list[PropertyValue]:
    values = []
    for each in given:
        value = _existing(call, group_id, each.id)
        value.value.CopyFrom(each.value)
        value.update_at = call.now_ms
        values.append(value)
    return _store(call, values)


def _upsert(call: Call, given: Sequence[PropertyValue]) -> list[PropertyValue]:
    if len({each.group_id for each in given}) > 1:
        raise bad_request("app.property_value.upsert.app_error", "the values are of several groups")
    values: dict[tuple[str, str], PropertyValue] = {}
    for each in given:
        value = _new(call, each)
        old = call.world.store.property_values.of_target(value.group_id, value.field_id, value.target_id)
        if old is not None:
            value.id, value.create_at = old.id, old.create_at
        values[value.field_id, value.target_id] = value
    return _store(call, list(values.values()))


def _store(call: Call, values: list[PropertyValue]) -> list[PropertyValue]:
    with call.world.store.transaction():
        return [call.world.store.property_values.put(value) for value in values]


def _delete(call: Call, values: Iterable[PropertyValue]) -> None:
    with call.world.store.transaction():
        for value in values:
            value.delete_at = value.update_at = call.now_ms
            call.world.store.property_values.put(value)


def _of_field(call: Call, group_id: str, field_id: str) -> list[PropertyValue]:
    where = "group_id = ? AND field_id = ? AND delete_at = 0"
    return call.world.store.property_values.select(where, [group_id, field_id])


def _of_target(call: Call, group_id: str, target_type: str, target_id: str) -> list[PropertyValue]:
    where = "group_id = ? AND target_type = ? AND target_id = ? AND delete_at = 0"
    return call.world.store.property_values.select(where, [group_id, target_type, target_id])


@METHODS.rpc
def _update_one(call: Call, request: pb.UpdatePropertyValueRequest) -> pb.UpdatePropertyValueResponse:
    (value,) = _update(call, request.group_id, [request.value])
    return pb.UpdatePropertyValueResponse(value=value)


@METHODS.rpc
def _update_many(call: Call, request: pb.UpdatePropertyValuesRequest) -> pb.UpdatePropertyValuesResponse:
    return pb.UpdatePropertyValuesResponse(values=_update(call, request.group_id, request.values))


@METHODS.rpc
def _upsert_one(call: Call, request: pb.UpsertPropertyValueRequest) -> pb.UpsertPropertyValueResponse:
    (value,) = _upsert(call, [request.value])
    return pb.UpsertPropertyValueResponse(value=value)


@METHODS.rpc
def _upsert_many(call: Call, request: pb.UpsertPropertyValuesRequest) -> pb.UpsertPropertyValuesResponse:
    return pb.UpsertPropertyValuesResponse(values=_upsert(call, request.values))


@METHODS.rpc
def _upsert_one_as(
    call: Call, request: pb.UpsertPropertyValueWithOptionsRequest
) -> pb.UpsertPropertyValueWithOptionsResponse:
    (value,) = _upsert(call, [request.value])
    return pb.UpsertPropertyValueWithOptionsResponse(value=value)


@METHODS.rpc
def _upsert_many_as(
    call: Call, request: pb.UpsertPropertyValuesWithOptionsRequest
) -> pb.UpsertPropertyValuesWithOptionsResponse:
    return pb.UpsertPropertyValuesWithOptionsResponse(values=_upsert(call, request.values))


@METHODS.rpc
def _delete_one(call: Call, request: pb.DeletePropertyValueRequest) -> pb.DeletePropertyValueResponse:
    _delete(call, [_existing(call, request.group_id, request.value_id)])
    return pb.DeletePropertyValueResponse()


@METHODS.rpc
def _delete_one_as(
    call: Call, request: pb.DeletePropertyValueWithOptionsRequest
) -> pb.DeletePropertyValueWithOptionsResponse:
    _delete(call, [_existing(call, request.group_id, request.value_id)])
    return pb.DeletePropertyValueWithOptionsResponse()


@METHODS.rpc
def _delete_for_field(
    call: Call, request: pb.DeletePropertyValuesForFieldRequest
) -> pb.DeletePropertyValuesForFieldResponse:
    _delete(call, _of_field(call, request.group_id, request.field_id))
    return pb.DeletePropertyValuesForFieldResponse()


@METHODS.rpc
def _delete_for_field_as(
    call: Call, request: pb.DeletePropertyValuesForFieldWithOptionsRequest
) -> pb.DeletePropertyValuesForFieldWithOptionsResponse:
    _delete(call, _of_field(call, request.group_id, request.field_id))
    return pb.DeletePropertyValuesForFieldWithOptionsResponse()


@METHODS.rpc
def _delete_for_target(
    call: Call, request: pb.DeletePropertyValuesForTargetRequest
) -> pb.DeletePropertyValuesForTargetResponse:
    _delete(call, _of_target(call, request.group_id, request.target_type, request.target_id))
    return pb.DeletePropertyValuesForTargetResponse()


@METHODS.rpc
def _delete_for_target_as(
    call: Call, request: pb.DeletePropertyValuesForTargetWithOptionsRequest
) -> pb.DeletePropertyValuesForTargetWithOptionsResponse:
    _delete(call, _of_target(call, request.group_id, request.target_type, request.target_id))
    return pb.DeletePropertyValuesForTargetWithOptionsResponse()
