"""A plugin for the tests of the page: commands with arguments, buttons, a dialog, and routes that stream."""

import asyncio
import json
import os
from collections.abc import Mapping
from typing import Any

from mattermost_plugin import HookError, Plugin, Reject, run_plugin
from mattermost_plugin.http import HTTPRequest, ResponseWriter
from mattermost_plugin.models import (
    AutocompleteArg,
    AutocompleteData,
    AutocompleteDynamicListArg,
    AutocompleteListItem,
    AutocompleteStaticListArg,
    AutocompleteTextArg,
    Command,
    CommandArgs,
    CommandResponse,
    Dialog,
    DialogElement,
    OpenDialogRequest,
    PluginContext,
    Post,
)

DISMISS = "plugin.message_will_be_posted.dismiss_post"
PIECE = b"x" * 65_536


def completion() -> AutocompleteData:
    """What is offered while /shop is typed."""
    colours = [AutocompleteListItem(item=name, hint="", help_text=f"Paint it {name}") for name in ("green", "red")]
    paint = AutocompleteData(
        trigger="paint",
        hint="[colour] [what]",
        help_text="Paint something",
        arguments=[
            AutocompleteArg(
                type="StaticList",
                required=True,
                help_text="The colour",
                static_list=AutocompleteStaticListArg(possible_arguments=colours),
            ),
            AutocompleteArg(
                type="TextInput", required=True, help_text="What to paint", text=AutocompleteTextArg(hint="[what]")
            ),
        ],
    )
    lend = AutocompleteData(
        trigger="lend",
        hint="[tool] --days [number]",
        help_text="Lend a tool",
        arguments=[
            AutocompleteArg(
                type="DynamicList",
                required=True,
                help_text="The tool",
                dynamic_list=AutocompleteDynamicListArg(fetch_url="tools"),
            ),
            AutocompleteArg(
                name="days", type="TextInput", help_text="For how long", text=AutocompleteTextArg(hint="[number]")
            ),
        ],
    )
    close = AutocompleteData(trigger="close", help_text="Close the workshop", role_id="system_admin")
    order = AutocompleteData(trigger="order", help_text="Order something with a form")
    vote = AutocompleteData(trigger="vote", help_text="Ask everybody")
    return AutocompleteData(
        trigger="shop", hint="[command]", help_text="The workshop", sub_commands=[paint, lend, vote, order, close]
    )


class Workshop(Plugin):
    """Paints, lends, votes, takes orders."""

    async def on_activate(self) -> None:
        """Declare the commands."""
        self.gate = asyncio.Event()
        self.written = 0
        await self.api.aio.register_command(
            Command(
                trigger="shop", auto_complete=True, autocomplete_data=completion(), auto_complete_desc="The workshop"
            )
        )
        await self.api.aio.register_command(
            Command(trigger="tidy", auto_complete=True, auto_complete_hint="[where]", auto_complete_desc="Tidy up")
        )

    async def message_will_be_posted(self, context: PluginContext, post: Post) -> Post | Reject | None:
        """Refuse, drop, or die."""
        if post.message == "crash the workshop":
            os._exit(3)
        if post.message == "whisper":
            return Reject(DISMISS)
        if post.message == "<b>no</b>":
            return Reject("<b>not</b> allowed")
        return None

    async def message_has_been_posted(self, context: PluginContext, post: Post) -> None:
        """Count the posts."""
        value = await self.api.aio.kv_get("posts")
        await self.api.aio.kv_set("posts", str(int(value or b"0") + 1).encode())

    async def on_websocket_connect(self, web_conn_id: str, user_id: str) -> None:
        """A tab was opened."""

    async def on_websocket_disconnect(self, web_conn_id: str, user_id: str) -> None:
        """A tab was closed."""

    async def execute_command(self, context: PluginContext, args: CommandArgs) -> CommandResponse:
        """Answer /shop and /tidy."""
        words = args.command.split()
        if words[1:2] == ["paint"]:
            return CommandResponse(response_type="in_channel", text=f"Painted {' '.join(words[3:])} **{words[2]}**.")
        if words[1:2] == ["vote"]:
            response = CommandResponse(response_type="in_channel", text="A vote!")
            response.props.update({"attachments": [ballot(self.config.plugin_id)]})
            return response
        if words[1:2] == ["order"]:
            await self.api.aio.open_interactive_dialog(form(args.trigger_id, self.config.plugin_id))
            return CommandResponse()
        if words[0] == "/tidy":
            return CommandResponse(response_type="ephemeral", text="It is tidy already.", goto_location="/plugins/x")
        raise HookError("The workshop does not know that.", id="com.example.workshop.unknown", status_code=400)

    async def serve_http(self, context: PluginContext, writer: ResponseWriter, request: HTTPRequest) -> None:
        """Answer the routes."""
        route = getattr(self, f"serve_{request.path.strip('/').replace('/', '_')}", None)
        if route is None:
            writer.write_header(404)
            await writer.awrite(b"no such route\n")
        else:
            await route(context, writer, request)

    async def serve_tools(self, context: PluginContext, writer: ResponseWriter, request: HTTPRequest) -> None:
        """The tools that can be lent."""
        await answer(writer, [{"Item": "hammer", "Hint": "heavy", "HelpText": "A hammer"}, {"Item": "saw"}])

    async def serve_vote(self, context: PluginContext, writer: ResponseWriter, request: HTTPRequest) -> None:
        """A click on a button of the ballot."""
        asked = json.loads(await request.body.aread())
        text = f"{asked['user_name']} wants {asked['context']['colour']}, number {asked['context']['number']}."
        await answer(writer, {"update": {"message": text, "props": {}}, "ephemeral_text": "Thank you!"})

    async def serve_order(self, context: PluginContext, writer: ResponseWriter, request: HTTPRequest) -> None:
        """The form that came back."""
        asked = json.loads(await request.body.aread())
        if asked["submission"].get("what") == "nothing":
            await answer(writer, {"errors": {"what": "Order something."}})
            return
        text = f"Ordered {asked['submission']['what']}, urgent: {asked['submission']['urgent']}"
        await self.api.aio.create_post(Post(user_id=asked["user_id"], channel_id=asked["channel_id"], message=text))
        await answer(writer, {})

    async def serve_who(self, context: PluginContext, writer: ResponseWriter, request: HTTPRequest) -> None:
        """What arrives here of a request."""
        names = sorted(request.headers)
        seen = {"user": request.user_id, "session": context.session_id, "url": request.url, "host": request.host}
        length = len(await request.body.aread())
        fields = {name: request.headers.get_all(name) for name in names}
        await answer(writer, seen | {"method": request.method, "headers": fields, "length": length})

    async def serve_echo(self, context: PluginContext, writer: ResponseWriter, request: HTTPRequest) -> None:
        """The body, as it comes."""
        async for piece in request.body:
            await writer.awrite(piece)
            await writer.aflush()

    async def serve_flood(self, context: PluginContext, writer: ResponseWriter, request: HTTPRequest) -> None:
        """More than any buffer holds."""
        try:
            while True:
                await writer.awrite(PIECE)
                self.written += len(PIECE)
        finally:
            self.logger.info("flood ended")

    async def serve_written(self, context: PluginContext, writer: ResponseWriter, request: HTTPRequest) -> None:
        """How much of the flood got away."""
        await answer(writer, self.written)

    async def serve_gate(self, context: PluginContext, writer: ResponseWriter, request: HTTPRequest) -> None:
        """Reads nothing of the body before somebody asks for /open."""
        await self.gate.wait()
        self.gate.clear()
        length = 0
        async for piece in request.body:
            length += len(piece)
        await answer(writer, length)

    async def serve_open(self, context: PluginContext, writer: ResponseWriter, request: HTTPRequest) -> None:
        """Lets /gate read."""
        self.gate.set()

    async def serve_page(self, context: PluginContext, writer: ResponseWriter, request: HTTPRequest) -> None:
        """A page without a content type, and a header that is not for it to set."""
        writer.headers["Service-Worker-Allowed"] = "/"
        writer.headers["Connection"] = "keep-alive"
        writer.headers["X-Made-By"] = "workshop"
        writer.headers.add("Set-Cookie", "a=1")
        writer.headers.add("Set-Cookie", "b=2")
        await writer.awrite(b"<!DOCTYPE html><title>Workshop</title><h1>Open</h1>")

    async def serve_short(self, context: PluginContext, writer: ResponseWriter, request: HTTPRequest) -> None:
        """Promises more than it writes."""
        writer.headers["Content-Length"] = "10"
        await writer.awrite(b"short")

    async def serve_half(self, context: PluginContext, writer: ResponseWriter, request: HTTPRequest) -> None:
        """Fails in the middle."""
        await writer.awrite(b"half")
        await writer.aflush()
        raise RuntimeError("secret of the workshop")

    async def serve_die(self, context: PluginContext, writer: ResponseWriter, request: HTTPRequest) -> None:
        """Ends the process."""
        os._exit(4)

    async def serve_nothing(self, context: PluginContext, writer: ResponseWriter, request: HTTPRequest) -> None:
        """No content."""
        writer.write_header(204)


async def answer(writer: ResponseWriter, value: object) -> None:
    """Answer with JSON."""
    writer.headers["Content-Type"] = "application/json"
    await writer.awrite(json.dumps(value).encode())


def ballot(plugin_id: str) -> Mapping[str, Any]:
    """A question with two buttons, as a prop of a post."""
    context = {"colour": "red", "number": 7, "secret": "of the ballot"}
    red = {"name": "Red", "style": "primary", "integration": {"url": f"/plugins/{plugin_id}/vote", "context": context}}
    actions: list[Mapping[str, Any]] = [red, {"name": "Later", "disabled": True}]
    return {"title": "Which colour?", "text": "For the *door*.", "color": "good", "actions": actions}


def form(trigger_id: str, plugin_id: str) -> OpenDialogRequest:
    """The form of an order."""
    elements: list[Mapping[str, Any]] = [
        {"display_name": "What", "name": "what", "type": "text"},
        {"display_name": "Urgent", "name": "urgent", "type": "bool", "optional": True},
    ]
    dialog = Dialog(title="Order", submit_label="Order it", elements=[DialogElement(**each) for each in elements])
    return OpenDialogRequest(trigger_id=trigger_id, url=f"/plugins/{plugin_id}/order", dialog=dialog)


if __name__ == "__main__":
    run_plugin(Workshop)
