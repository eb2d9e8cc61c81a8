"""Methods about values of properties.

The variants with options do what those without do: no field of this host is managed by owners.
"""

from typing import Final

from mattermost_plugin.devhost.app.properties import (
    create_value,
    delete_value,
    delete_values_of_field,
    delete_values_of_target,
    existing_value,
    update_values,
    upsert_values,
)
from mattermost_plugin.devhost.app.property_search import search_values
from mattermost_plugin.devhost.service.registry import Call, Methods
from mattermost_pluginapi.v1 import api_property_value_pb2 as pb

METHODS: Final = Methods()


@METHODS.rpc
def _create(call: Call, request: pb.CreatePropertyValueRequest) -> pb.CreatePropertyValueResponse:
    return pb.CreatePropertyValueResponse(value=create_value(call.world, request.value))


@METHODS.rpc
def _get(call: Call, request: pb.GetPropertyValueRequest) -> pb.GetPropertyValueResponse:
    return pb.GetPropertyValueResponse(value=existing_value(call.world, request.group_id, request.value_id))


@METHODS.rpc
def _get_many(call: Call, request: pb.GetPropertyValuesRequest) -> pb.GetPropertyValuesResponse:
    values = [existing_value(call.world, request.group_id, value_id) for value_id in request.ids]
    return pb.GetPropertyValuesResponse(values=values)


@METHODS.rpc
def _search(call: Call, request: pb.SearchPropertyValuesRequest) -> pb.SearchPropertyValuesResponse:
    return pb.SearchPropertyValuesResponse(values=search_values(call.world, request.group_id, request.opts))


@METHODS.rpc
def _update_one(call: Call, request: pb.UpdatePropertyValueRequest) -> pb.UpdatePropertyValueResponse:
    (value,) = update_values(call.world, request.group_id, [request.value])
    return pb.UpdatePropertyValueResponse(value=value)


@METHODS.rpc
def _update_many(call: Call, request: pb.UpdatePropertyValuesRequest) -> pb.UpdatePropertyValuesResponse:
    return pb.UpdatePropertyValuesResponse(values=update_values(call.world, request.group_id, request.values))


@METHODS.rpc
def _upsert_one(call: Call, request: pb.UpsertPropertyValueRequest) -> pb.UpsertPropertyValueResponse:
    (value,) = upsert_values(call.world, [request.value])
    return pb.UpsertPropertyValueResponse(value=value)


@METHODS.rpc
def _upsert_many(call: Call, request: pb.UpsertPropertyValuesRequest) -> pb.UpsertPropertyValuesResponse:
    return pb.UpsertPropertyValuesResponse(values=upsert_values(call.world, request.values))


@METHODS.rpc
def _upsert_one_as(
    call: Call, request: pb.UpsertPropertyValueWithOptionsRequest
) -> pb.UpsertPropertyValueWithOptionsResponse:
    (value,) = upsert_values(call.world, [request.value])
    return pb.UpsertPropertyValueWithOptionsResponse(value=value)


@METHODS.rpc
def _upsert_many_as(
    call: Call, request: pb.UpsertPropertyValuesWithOptionsRequest
) -> pb.UpsertPropertyValuesWithOptionsResponse:
    return pb.UpsertPropertyValuesWithOptionsResponse(values=upsert_values(call.world, request.values))


@METHODS.rpc
def _delete_one(call: Call, request: pb.DeletePropertyValueRequest) -> pb.DeletePropertyValueResponse:
    delete_value(call.world, request.group_id, request.value_id)
    return pb.DeletePropertyValueResponse()


@METHODS.rpc
def _delete_one_as(
    call: Call, request: pb.DeletePropertyValueWithOptionsRequest
) -> pb.DeletePropertyValueWithOptionsResponse:
    delete_value(call.world, request.group_id, request.value_id)
    return pb.DeletePropertyValueWithOptionsResponse()


@METHODS.rpc
def _delete_for_field(
    call: Call, request: pb.DeletePropertyValuesForFieldRequest
) -> pb.DeletePropertyValuesForFieldResponse:
    delete_values_of_field(call.world, request.group_id, request.field_id)
    return pb.DeletePropertyValuesForFieldResponse()


@METHODS.rpc
def _delete_for_field_as(
    call: Call, request: pb.DeletePropertyValuesForFieldWithOptionsRequest
) -> pb.DeletePropertyValuesForFieldWithOptionsResponse:
    delete_values_of_field(call.world, request.group_id, request.field_id)
    return pb.DeletePropertyValuesForFieldWithOptionsResponse()


@METHODS.rpc
def _delete_for_target(
    call: Call, request: pb.DeletePropertyValuesForTargetRequest
) -> pb.DeletePropertyValuesForTargetResponse:
    delete_values_of_target(call.world, request.group_id, request.target_type, request.target_id)
    return pb.DeletePropertyValuesForTargetResponse()


@METHODS.rpc
def _delete_for_target_as(
    call: Call, request: pb.DeletePropertyValuesForTargetWithOptionsRequest
) -> pb.DeletePropertyValuesForTargetWithOptionsResponse:
    delete_values_of_target(call.world, request.group_id, request.target_type, request.target_id)
    return pb.DeletePropertyValuesForTargetWithOptionsResponse()
