"""Methods about what groups are linked to, and the memberships that follow from it."""

from typing import Final

from mattermost_plugin.devhost.app.group_links import (
    add_members_of_groups,
    existing_link,
    link_group,
    links_of_group,
    remove_members_without_group,
    unlink_group,
    update_link,
)
from mattermost_plugin.devhost.service.registry import Call, Methods
from mattermost_pluginapi.v1 import api_group_syncable_pb2 as pb

METHODS: Final = Methods()


@METHODS.rpc
def _get_group_syncable(call: Call, request: pb.GetGroupSyncableRequest) -> pb.GetGroupSyncableResponse:
    link = existing_link(call.world, request.group_id, request.syncable_id, request.syncable_type)
    return pb.GetGroupSyncableResponse(group_syncable=link)


@METHODS.rpc
def _get_group_syncables(call: Call, request: pb.GetGroupSyncablesRequest) -> pb.GetGroupSyncablesResponse:
    links = links_of_group(call.world, request.group_id, request.syncable_type)
    return pb.GetGroupSyncablesResponse(group_syncables=links)


@METHODS.rpc
def _upsert_group_syncable(call: Call, request: pb.UpsertGroupSyncableRequest) -> pb.UpsertGroupSyncableResponse:
    return pb.UpsertGroupSyncableResponse(group_syncable=link_group(call.world, request.group_syncable))


@METHODS.rpc
def _update_group_syncable(call: Call, request: pb.UpdateGroupSyncableRequest) -> pb.UpdateGroupSyncableResponse:
    return pb.UpdateGroupSyncableResponse(group_syncable=update_link(call.world, request.group_syncable))


@METHODS.rpc
def _delete_group_syncable(call: Call, request: pb.DeleteGroupSyncableRequest) -> pb.DeleteGroupSyncableResponse:
    link = unlink_group(call.world, request.group_id, request.syncable_id, request.syncable_type)
    return pb.DeleteGroupSyncableResponse(group_syncable=link)


@METHODS.rpc
async def _create_default_syncable_memberships(
    call: Call, request: pb.CreateDefaultSyncableMembershipsRequest
) -> pb.CreateDefaultSyncableMembershipsResponse:
    await add_members_of_groups(call.world, call.context(), request.params)
    return pb.CreateDefaultSyncableMembershipsResponse()


@METHODS.rpc
def _delete_group_constrained_memberships(
    call: Call, request: pb.DeleteGroupConstrainedMembershipsRequest
) -> pb.DeleteGroupConstrainedMembershipsResponse:
    remove_members_without_group(call.world, call.context())
    return pb.DeleteGroupConstrainedMembershipsResponse()
