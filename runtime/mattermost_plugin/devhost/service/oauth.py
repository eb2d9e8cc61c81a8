"""Methods about OAuth applications."""

from typing import Final

from mattermost_plugin.devhost.app.oauth_apps import create_app, delete_app, existing_app, update_app
from mattermost_plugin.devhost.service.registry import Call, Methods
from mattermost_pluginapi.v1 import api_oauth_pb2 as pb

METHODS: Final = Methods()


@METHODS.rpc
def _create_oauth_app(call: Call, request: pb.CreateOAuthAppRequest) -> pb.CreateOAuthAppResponse:
    return pb.CreateOAuthAppResponse(app=create_app(call.world, request.app))


@METHODS.rpc
def _get_oauth_app(call: Call, request: pb.GetOAuthAppRequest) -> pb.GetOAuthAppResponse:
    return pb.GetOAuthAppResponse(app=existing_app(call.world, request.app_id))


@METHODS.rpc
def _update_oauth_app(call: Call, request: pb.UpdateOAuthAppRequest) -> pb.UpdateOAuthAppResponse:
    return pb.UpdateOAuthAppResponse(app=update_app(call.world, request.app))


@METHODS.rpc
def _delete_oauth_app(call: Call, request: pb.DeleteOAuthAppRequest) -> pb.DeleteOAuthAppResponse:
    delete_app(call.world, request.app_id)
    return pb.DeleteOAuthAppResponse()
