"""Methods with which plugins reach clients and people: dialogs, toasts, websocket events, mails, push notifications."""

from typing import Final

from google.protobuf.json_format import MessageToDict

from mattermost_plugin.devhost.app.config import load_config, section
from mattermost_plugin.devhost.app.json_texts import integral, json_text
from mattermost_plugin.devhost.app.users import existing_user
from mattermost_plugin.devhost.errors import bad_request
from mattermost_plugin.devhost.events import MailSent, PushSent
from mattermost_plugin.devhost.service.registry import Call, Methods
from mattermost_pluginapi.v1 import api_frontend_pb2 as frontend
from mattermost_pluginapi.v1 import api_notification_pb2 as notification
from mattermost_pluginapi.v1.hooks_notification_pb2 import NotificationWillBePushedRequest
from mattermost_pluginapi.v1.notification_pb2 import PushNotification
from mattermost_pluginapi.v1.websocket_pb2 import WebsocketBroadcast

METHODS: Final = Methods()


@METHODS.rpc
def _open_dialog(call: Call, request: frontend.OpenInteractiveDialogRequest) -> frontend.OpenInteractiveDialogResponse:
    user_id = call.world.triggers.user_of(request.dialog.trigger_id)
    if user_id is None:
        raise bad_request("interactive_message.decode_trigger_id.app_error", "unknown or expired trigger_id")
    if not request.dialog.dialog.title or not request.dialog.url:
        # A server opens it all the same; it is the client that then has nothing to show or to send to.
        call.world.log("warn", "an interactive dialog has no title or no url", call.plugin_id)
    data = {"dialog": json_text(request.dialog)}
    call.world.broadcast("open_dialog", data, WebsocketBroadcast(user_id=user_id))
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
    payload = {name: integral(value) for name, value in MessageToDict(request.payload).items()}
    call.world.broadcast(f"custom_{call.plugin_id}_{request.event}", payload, request.broadcast)
    return frontend.PublishWebSocketEventResponse()


@METHODS.rpc
def _send_mail(call: Call, request: notification.SendMailRequest) -> notification.SendMailResponse:
    for field in ("to", "subject", "html_body"):
        if not getattr(request, field):
            raise bad_request(f"plugin_api.send_mail.missing_{field.replace('_', '')}")
    if not section(load_config(call.world), "EmailSettings").get("SendEmailNotifications"):
        # Nothing is sent, and nobody is told.
        return notification.SendMailResponse()
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
