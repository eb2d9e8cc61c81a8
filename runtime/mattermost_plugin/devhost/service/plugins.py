"""Methods about plugins, and what plugins send to each other, to clients and out into the world."""

from typing import Final

from google.protobuf.json_format import MessageToDict, MessageToJson

from mattermost_plugin.devhost.app.config import load_config, section
from mattermost_plugin.devhost.app.users import existing_user
from mattermost_plugin.devhost.errors import ApiError, bad_request, not_found, not_implemented
from mattermost_plugin.devhost.events import MailSent, PushSent
from mattermost_plugin.devhost.http_exchange import HttpAnswer, HttpQuestion
from mattermost_plugin.devhost.plugins import InstalledPlugin
from mattermost_plugin.devhost.service.registry import Call, Methods
from mattermost_plugin.devhost.world import PluginControl
from mattermost_pluginapi.v1 import api_frontend_pb2 as frontend
from mattermost_pluginapi.v1 import api_notification_pb2 as notification
from mattermost_pluginapi.v1 import api_plugin_pb2 as pb
from mattermost_pluginapi.v1.hooks_http_pb2 import HTTPHeader
from mattermost_pluginapi.v1.hooks_notification_pb2 import NotificationWillBePushedRequest
from mattermost_pluginapi.v1.notification_pb2 import PushNotification
from mattermost_pluginapi.v1.websocket_pb2 import WebsocketBroadcast

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


def _installed(call: Call, plugin_id: str) -> InstalledPlugin:
    if not section(load_config(call.world), "PluginSettings").get("Enable"):
        raise not_implemented("app.plugin.disabled.app_error")
    plugin = call.world.plugins.get(plugin_id)
    if plugin is None:
        raise not_found("app.plugin.not_installed.app_error", f"plugin_id={plugin_id}")
    return plugin


def _control(call: Call) -> PluginControl:
    if call.world.control is None:
        raise not_implemented("dev.no_control", "nobody here starts plugins")
    return call.world.control


@METHODS.rpc
def _get_plugin_status(call: Call, request: pb.GetPluginStatusRequest) -> pb.GetPluginStatusResponse:
    return pb.GetPluginStatusResponse(status=_installed(call, request.id).status)


@METHODS.rpc
async def _enable_plugin(call: Call, request: pb.EnablePluginRequest) -> pb.EnablePluginResponse:
    await _control(call).enable(_installed(call, request.id).plugin_id)
    return pb.EnablePluginResponse()


@METHODS.rpc
async def _disable_plugin(call: Call, request: pb.DisablePluginRequest) -> pb.DisablePluginResponse:
    plugin_id = _installed(call, request.id).plugin_id
    if plugin_id == call.plugin_id:
        # It could not end while it waits for this answer.
        call.world.hooks.later(_control(call).disable(plugin_id))
    else:
        await _control(call).disable(plugin_id)
    return pb.DisablePluginResponse()


@METHODS.rpc
async def _remove_plugin(call: Call, request: pb.RemovePluginRequest) -> pb.RemovePluginResponse:
    plugin_id = _installed(call, request.id).plugin_id
    if plugin_id == call.plugin_id:
        call.world.hooks.later(_control(call).remove(plugin_id))
    else:
        await _control(call).remove(plugin_id)
    return pb.RemovePluginResponse()


@METHODS.rpc
async def _plugin_http(call: Call, request: pb.PluginHTTPRequest) -> pb.PluginHTTPResponse:
    plugin_id, _, path = request.url.lstrip("/").partition("/")
    if not request.url.startswith("/") or not plugin_id:
        return _http_response(HttpAnswer(status=400, body=b"Not enough URL. Form of URL should be /<pluginid>/*"))
    plugin = call.world.plugins.get(plugin_id)
    if plugin is None:
        return _http_response(HttpAnswer(status=404, body=b"404 page not found\n"))
    many = [(header.key, value) for header in request.header_values for value in header.values]
    named = {key.lower() for key, _ in many}
    headers = [*many, *((key, value) for key, value in request.headers.items() if key.lower() not in named)]
    question = HttpQuestion(
        method=request.method or "GET",
        path=f"/{path}",
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


@METHODS.rpc
def _open_dialog(call: Call, request: frontend.OpenInteractiveDialogRequest) -> frontend.OpenInteractiveDialogResponse:
    user_id = call.world.triggers.user_of(request.dialog.trigger_id)
    if user_id is None:
        raise bad_request("interactive_message.decode_trigger_id.app_error", "unknown or expired trigger_id")
    if not request.dialog.dialog.title or not request.dialog.url:
        raise bad_request("app.open_interactive_dialog.app_error", "title or url is empty")
    dialog = MessageToJson(request.dialog, preserving_proto_field_name=True, indent=None)
    call.world.broadcast("open_dialog", {"dialog": dialog}, WebsocketBroadcast(user_id=user_id))
    return frontend.OpenInteractiveDialogResponse()


@METHODS.rpc
def _send_toast(call: Call, request: frontend.SendToastMessageRequest) -> frontend.SendToastMessageResponse:
    existing_user(call.world, request.user_id)
    if not request.message:
        raise bad_request("app.toast.message.app_error", "message is empty")
    data = {"message": request.message, "position": request.options.position}
    reaches = WebsocketBroadcast(user_id=request.user_id, connection_id=request.connection_id)
    call.world.broadcast("show_toast", data, reaches)
    return frontend.SendToastMessageResponse()


@METHODS.rpc
def _publish_web_socket_event(
    call: Call, request: frontend.PublishWebSocketEventRequest
) -> frontend.PublishWebSocketEventResponse:
    payload: dict[str, object] = MessageToDict(request.payload)
    call.world.broadcast(f"custom_{call.plugin_id}_{request.event}", payload, request.broadcast)
    return frontend.PublishWebSocketEventResponse()


@METHODS.rpc
def _send_mail(call: Call, request: notification.SendMailRequest) -> notification.SendMailResponse:
    for field in ("to", "subject", "html_body"):
        if not getattr(request, field):
            raise bad_request(f"plugin_api.send_mail.missing_{field.replace('_', '')}")
    if not section(load_config(call.world), "EmailSettings").get("SendEmailNotifications"):
        raise ApiError("plugin_api.send_mail.disabled", 500)
    call.world.events.publish(
        MailSent(at_ms=call.now_ms, to=request.to, subject=request.subject, html_body=request.html_body)
    )
    return notification.SendMailResponse()


@METHODS.rpc
async def _send_push(
    call: Call, request: notification.SendPushNotificationRequest
) -> notification.SendPushNotificationResponse:
    existing_user(call.world, request.user_id)
    pushed, reason = await call.world.hooks.filter(
        request.notification,
        lambda value: _will_be_pushed(value, request.user_id),
        "modified_notification",
    )
    if reason:
        call.world.log("info", f"a push notification to {request.user_id} was refused: {reason}")
    else:
        call.world.events.publish(PushSent(at_ms=call.now_ms, user_id=request.user_id, notification=pushed))
    return notification.SendPushNotificationResponse()


def _will_be_pushed(value: PushNotification, user_id: str) -> NotificationWillBePushedRequest:
    return NotificationWillBePushedRequest(push_notification=value, user_id=user_id)
