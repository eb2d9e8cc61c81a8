"""Methods about groups and fields of properties."""

from typing import Final

from mattermost_plugin.devhost.app.properties import create_field, delete_field, existing_field, update_fields
from mattermost_plugin.devhost.app.property_search import search_fields
from mattermost_plugin.devhost.errors import bad_request, not_found
from mattermost_plugin.devhost.ids import new_id
from mattermost_plugin.devhost.service.registry import Call, Methods
from mattermost_pluginapi.v1 import api_property_field_pb2 as pb
from mattermost_pluginapi.v1.property_pb2 import PropertyGroup

METHODS: Final = Methods()


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


@METHODS.rpc
def _create_field(call: Call, request: pb.CreatePropertyFieldRequest) -> pb.CreatePropertyFieldResponse:
    return pb.CreatePropertyFieldResponse(field=create_field(call.world, request.field))


@METHODS.rpc
def _get_field(call: Call, request: pb.GetPropertyFieldRequest) -> pb.GetPropertyFieldResponse:
    return pb.GetPropertyFieldResponse(field=existing_field(call.world, request.group_id, request.field_id))


@METHODS.rpc
def _get_field_by_name(call: Call, request: pb.GetPropertyFieldByNameRequest) -> pb.GetPropertyFieldByNameResponse:
    where = "group_id = ? AND target_id = ? AND name = ? AND delete_at = 0"
    field = call.world.store.property_fields.one(where, [request.group_id, request.target_id, request.name])
    if field is None:
        raise not_found("app.property_field.get.app_error", f"name={request.name}")
    return pb.GetPropertyFieldByNameResponse(field=field)


@METHODS.rpc
def _get_fields(call: Call, request: pb.GetPropertyFieldsRequest) -> pb.GetPropertyFieldsResponse:
    fields = [existing_field(call.world, request.group_id, field_id) for field_id in request.ids]
    return pb.GetPropertyFieldsResponse(fields=fields)


@METHODS.rpc
def _search_fields(call: Call, request: pb.SearchPropertyFieldsRequest) -> pb.SearchPropertyFieldsResponse:
    fields = search_fields(call.world, request.group_id, request.opts)
    return pb.SearchPropertyFieldsResponse(fields=fields)


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


@METHODS.rpc
def _update_field(call: Call, request: pb.UpdatePropertyFieldRequest) -> pb.UpdatePropertyFieldResponse:
    (field,) = update_fields(call.world, request.group_id, [request.field])
    return pb.UpdatePropertyFieldResponse(field=field)


@METHODS.rpc
def _update_fields(call: Call, request: pb.UpdatePropertyFieldsRequest) -> pb.UpdatePropertyFieldsResponse:
    return pb.UpdatePropertyFieldsResponse(fields=update_fields(call.world, request.group_id, request.fields))


@METHODS.rpc
def _delete_field(call: Call, request: pb.DeletePropertyFieldRequest) -> pb.DeletePropertyFieldResponse:
    delete_field(call.world, request.group_id, request.field_id)
    return pb.DeletePropertyFieldResponse()
