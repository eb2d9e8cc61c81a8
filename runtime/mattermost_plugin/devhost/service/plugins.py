"""Methods about plugins: the one that calls, and others."""

from typing import Final

from mattermost_plugin.devhost.app.installed_plugins import (
    disable_plugin,
    enable_plugin,
    install_plugin,
    installed_plugin,
    remove_plugin,
)
from mattermost_plugin.devhost.http_exchange import HttpAnswer, HttpQuestion
from mattermost_plugin.devhost.service.registry import Call, Methods
from mattermost_pluginapi.v1 import api_plugin_pb2 as pb
from mattermost_pluginapi.v1.hooks_http_pb2 import HTTPHeader

METHODS: Final = Methods()


@METHODS.rpc
def _get_plugin_id(call: Call, request: pb.GetPluginIDRequest) -> pb.GetPluginIDResponse:
    return pb.GetPluginIDResponse(plugin_id=call.plugin_id)


@METHODS.rpc
def _get_bundle_path(call: Call, request: pb.GetBundlePathRequest) -> pb.GetBundlePathResponse:
    return pb.GetBundlePathResponse(path=str(call.plugin.folder.absolute()))


@METHODS.rpc
def _get_plugins(call: Call, request: pb.GetPluginsRequest) -> pb.GetPluginsResponse:
    return pb.GetPluginsResponse(manifests=[plugin.manifest for plugin in call.world.plugins])


@METHODS.rpc
def _get_plugin_status(call: Call, request: pb.GetPluginStatusRequest) -> pb.GetPluginStatusResponse:
    return pb.GetPluginStatusResponse(status=installed_plugin(call.world, request.id).status)


@METHODS.rpc
async def _enable_plugin(call: Call, request: pb.EnablePluginRequest) -> pb.EnablePluginResponse:
    await enable_plugin(call.world, request.id)
    return pb.EnablePluginResponse()


@METHODS.rpc
async def _disable_plugin(call: Call, request: pb.DisablePluginRequest) -> pb.DisablePluginResponse:
    await disable_plugin(call.world, request.id, call.plugin_id)
    return pb.DisablePluginResponse()


@METHODS.rpc
async def _remove_plugin(call: Call, request: pb.RemovePluginRequest) -> pb.RemovePluginResponse:
    await remove_plugin(call.world, request.id, call.plugin_id)
    return pb.RemovePluginResponse()


@METHODS.rpc
async def _install_plugin(call: Call, request: pb.InstallPluginRequest) -> pb.InstallPluginResponse:
    manifest = await install_plugin(call.world, request.file_data, call.plugin_id, replace=request.replace)
    return pb.InstallPluginResponse(manifest=manifest)


@METHODS.rpc
async def _plugin_http(call: Call, request: pb.PluginHTTPRequest) -> pb.PluginHTTPResponse:
    url_path, mark, query = request.url.partition("?")
    before, *parts = url_path.split("/", 2)
    if before or len(parts) < 2:
        return _http_response(HttpAnswer(status=400, body=b"Not enough URL. Form of URL should be /<pluginid>/*"))
    plugin_id, path = parts
    if not plugin_id:
        return _http_response(HttpAnswer(status=400, body=b"No plugin specified. Form of URL should be /<pluginid>/*"))
    plugin = call.world.plugins.get(plugin_id)
    if plugin is None:
        return _http_response(HttpAnswer(status=404, body=b"404 page not found\n"))
    many = [(header.key, value) for header in request.header_values for value in header.values]
    named = {key.lower() for key, _ in many}
    headers = [*many, *((key, value) for key, value in request.headers.items() if key.lower() not in named)]
    question = HttpQuestion(
        method=request.method or "GET",
        path=f"/{path}{mark}{query}",
        headers=headers,
        body=request.body,
        source_plugin_id=call.plugin_id,
    )
    return _http_response(await call.world.hooks.serve_http(plugin, question))


def _http_response(answer: HttpAnswer) -> pb.PluginHTTPResponse:
    by_name: dict[str, list[str]] = {}
    for key, value in answer.headers:
        by_name.setdefault(key, []).append(value)
    return pb.PluginHTTPResponse(
        status_code=answer.status,
        headers={key: ", ".join(values) for key, values in by_name.items()},
        header_values=[HTTPHeader(key=key, values=values) for key, values in by_name.items()],
        body=answer.body,
    )


@METHODS.rpc
def _publish_cluster_event(
    call: Call, request: pb.PublishPluginClusterEventRequest
) -> pb.PublishPluginClusterEventResponse:
    # One node is no cluster: there is nobody to tell.
    return pb.PublishPluginClusterEventResponse()


@METHODS.rpc
def _register_collection(
    call: Call, request: pb.RegisterCollectionAndTopicRequest
) -> pb.RegisterCollectionAndTopicResponse:
    return pb.RegisterCollectionAndTopicResponse()
