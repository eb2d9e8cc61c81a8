"""Methods about groups and fields of properties."""

from typing import Final

from mattermost_plugin.devhost.errors import bad_request, conflict, not_found
from mattermost_plugin.devhost.ids import new_id
from mattermost_plugin.devhost.service.registry import Call, Methods
from mattermost_plugin.devhost.store import DuplicateError, Page
from mattermost_pluginapi.v1 import api_property_field_pb2 as pb
from mattermost_pluginapi.v1.property_pb2 import PropertyField, PropertyFieldSearchOpts, PropertyGroup

METHODS: Final = Methods()

TYPES: Final = frozenset({"text", "select", "multiselect", "date", "user", "multiuser", "rank", "binary"})


@METHODS.rpc
def _register_group(call: Call, request: pb.RegisterPropertyGroupRequest) -> pb.RegisterPropertyGroupResponse:
    if not request.name:
        raise bad_request("app.property_group.register.app_error", "name is empty")
    group = call.world.store.property_groups.by_name(request.name)
    if group is None:
        group = call.world.store.property_groups.insert(PropertyGroup(id=new_id(), name=request.name))
    return pb.RegisterPropertyGroupResponse(group=group)


@METHODS.rpc
def _get_group(call: Call, request: pb.GetPropertyGroupRequest) -> pb.GetPropertyGroupResponse:
    group = call.world.store.property_groups.by_name(request.name)
    if group is None:
        raise not_found("app.property_group.get.app_error", f"name={request.name}")
    return pb.GetPropertyGroupResponse(group=group)


def existing_field(call: Call, group_id: str, field_id: str) -> PropertyField:
    """A field that is not deleted.

    Raises:
        ApiError: there is none.
    """
    field = call.world.store.property_fields.live(group_id, field_id)
    if field is None:
        raise not_found("app.property_field.get.app_error", f"group_id={group_id}, field_id={field_id}")
    return field


def _check(field: PropertyField) -> None:
    if not field.name:
        raise bad_request("model.property_field.is_valid.app_error", "name is empty")
    if field.type not in TYPES:
        raise bad_request("model.property_field.is_valid.app_error", f"type={field.type}")


@METHODS.rpc
def _create_field(call: Call, request: pb.CreatePropertyFieldRequest) -> pb.CreatePropertyFieldResponse:
    field = PropertyField()
    field.CopyFrom(request.field)
    if call.world.store.property_groups.get(field.group_id) is None:
        raise bad_request("model.property_field.is_valid.app_error", f"group_id={field.group_id}")
    if field.linked_field_id:
        linked = existing_field(call, field.group_id, field.linked_field_id)
        if linked.linked_field_id:
            raise bad_request("model.property_field.is_valid.app_error", "the linked field is linked itself")
        field.type = linked.type
        field.attrs.CopyFrom(linked.attrs)
    _check(field)
    field.id, field.create_at, field.delete_at = new_id(), call.now_ms, 0
    field.update_at = field.create_at
    return pb.CreatePropertyFieldResponse(field=_store(call, field))


def _store(call: Call, field: PropertyField) -> PropertyField:
    try:
        return call.world.store.property_fields.put(field)
    except DuplicateError as error:
        raise conflict("app.property_field.create.name_conflict.app_error", f"name={field.name}") from error


@METHODS.rpc
def _get_field(call: Call, request: pb.GetPropertyFieldRequest) -> pb.GetPropertyFieldResponse:
    return pb.GetPropertyFieldResponse(field=existing_field(call, request.group_id, request.field_id))


@METHODS.rpc
def _get_field_by_name(call: Call, request: pb.GetPropertyFieldByNameRequest) -> pb.GetPropertyFieldByNameResponse:
    where = "group_id = ? AND target_id = ? AND name = ? AND delete_at = 0"
    field = call.world.store.property_fields.one(where, [request.group_id, request.target_id, request.name])
    if field is None:
        raise not_found("app.property_field.get.app_error", f"name={request.name}")
    return pb.GetPropertyFieldByNameResponse(field=field)


@METHODS.rpc
def _get_fields(call: Call, request: pb.GetPropertyFieldsRequest) -> pb.GetPropertyFieldsResponse:
    fields = [existing_field(call, request.group_id, field_id) for field_id in request.ids]
    return pb.GetPropertyFieldsResponse(fields=fields)


def _matches(field: PropertyField, opts: PropertyFieldSearchOpts) -> bool:
    targets = {opts.target_id, *opts.target_ids} - {""}
    cursor = (opts.cursor.create_at, opts.cursor.property_field_id)
    return (
        (opts.include_deleted or not field.delete_at)
        and opts.target_type in ("", field.target_type)
        and (not targets or field.target_id in targets)
        and field.update_at >= opts.since_update_at
        and (not opts.HasField("cursor") or (field.create_at, field.id) > cursor)
    )


@METHODS.rpc
def _search_fields(call: Call, request: pb.SearchPropertyFieldsRequest) -> pb.SearchPropertyFieldsResponse:
    if request.opts.per_page < 1:
        raise bad_request("app.property_field.search.app_error", "per_page is less than 1")
    page = Page(request.opts.page, request.opts.per_page)
    fields = call.world.store.property_fields.select("group_id = ?", [request.group_id], "create_at, id")
    found = [field for field in fields if _matches(field, request.opts)]
    return pb.SearchPropertyFieldsResponse(fields=found[page.offset : page.offset + page.limit])


@METHODS.rpc
def _count_fields(call: Call, request: pb.CountPropertyFieldsRequest) -> pb.CountPropertyFieldsResponse:
    where = "group_id = ?" if request.include_deleted else "group_id = ? AND delete_at = 0"
    count = call.world.store.property_fields.count(where, [request.group_id])
    return pb.CountPropertyFieldsResponse(count=count)


@METHODS.rpc
def _count_fields_for_target(
    call: Call, request: pb.CountPropertyFieldsForTargetRequest
) -> pb.CountPropertyFieldsForTargetResponse:
    where = "group_id = ? AND target_type = ? AND target_id = ?"
    where += "" if request.include_deleted else " AND delete_at = 0"
    values = [request.group_id, request.target_type, request.target_id]
    count = call.world.store.property_fields.count(where, values)
    return pb.CountPropertyFieldsForTargetResponse(count=count)


def _updated(call: Call, group_id: str, given: PropertyField) -> PropertyField:
    old = existing_field(call, group_id, given.id)
    field = PropertyField()
    field.CopyFrom(given)
    if old.linked_field_id and field.linked_field_id and field.type != old.type:
        raise bad_request("app.property_field.update.linked.app_error", "the type of a linked field")
    _check(field)
    field.group_id, field.create_at, field.delete_at = group_id, old.create_at, 0
    field.update_at = call.now_ms
    return field


@METHODS.rpc
def _update_field(call: Call, request: pb.UpdatePropertyFieldRequest) -> pb.UpdatePropertyFieldResponse:
    field = _updated(call, request.group_id, request.field)
    return pb.UpdatePropertyFieldResponse(field=_store(call, field))


@METHODS.rpc
def _update_fields(call: Call, request: pb.UpdatePropertyFieldsRequest) -> pb.UpdatePropertyFieldsResponse:
    fields = [_updated(call, request.group_id, given) for given in request.fields]
    with call.world.store.transaction():
        for field in fields:
            _store(call, field)
    return pb.UpdatePropertyFieldsResponse(fields=fields)


@METHODS.rpc
def _delete_field(call: Call, request: pb.DeletePropertyFieldRequest) -> pb.DeletePropertyFieldResponse:
    field = existing_field(call, request.group_id, request.field_id)
    store = call.world.store
    others = store.property_fields.select("group_id = ? AND delete_at = 0", [request.group_id])
    if any(other.linked_field_id == field.id for other in others):
        raise conflict("app.property_field.delete.linked.app_error", f"field_id={field.id}")
    field.delete_at = field.update_at = call.now_ms
    with store.transaction():
        store.property_fields.put(field)
        for value in store.property_values.select("field_id = ? AND delete_at = 0", [field.id]):
            value.delete_at = value.update_at = field.delete_at
            store.property_values.put(value)
    return pb.DeletePropertyFieldResponse()
