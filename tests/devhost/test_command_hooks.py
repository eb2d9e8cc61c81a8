"""Slash commands of plugins: who gets them, with what, and what becomes of the answers."""

import pytest
from google.protobuf.json_format import MessageToDict

from mattermost_plugin.devhost import ApiError
from mattermost_plugin.devhost.events import HookCalled, WebSocketEvent
from mattermost_pluginapi.v1.command_pb2 import Command
from mattermost_pluginapi.v1.hooks_command_pb2 import ExecuteCommandRequest
from tests.devhost.hooked import run
from tests.devhost.plugins import Loaded


def test_commands_go_to_the_plugin_that_declared_them() -> None:
    async def scenario(here: Loaded) -> None:
        await here.api("RegisterCommand", command=Command(trigger="one"))
        response = await here.host.act.run_command(here.bob.id, here.channel.id, "/one a b")
        assert response.text == "one: /one a b"
        (post,) = here.host.store.posts.of_channel(here.channel.id)
        assert (post.message, post.user_id) == ("one: /one a b12", here.bob.id)
        with pytest.raises(ApiError) as caught:
            await here.host.act.run_command(here.bob.id, here.channel.id, "/one fail")
        assert (caught.value.error_id, caught.value.status_code) == ("one.fail", 418)
        assert response.trigger_id
        await here.host.act.run_command(here.bob.id, here.channel.id, "/one nothing")
        with pytest.raises(ApiError, match="not_found"):
            await here.host.act.run_command(here.bob.id, here.channel.id, "/one none")
        await here.host.disable("First")
        with pytest.raises(ApiError, match="not_found"):
            await here.host.act.run_command(here.bob.id, here.channel.id, "/one")

    run(scenario)


def test_what_commands_are_told_of_mentions() -> None:
    async def scenario(here: Loaded) -> None:
        await here.api("RegisterCommand", command=Command(trigger="one"))
        text = "/one @ada, @bob.: @nobody x@ada ~lobby ~nowhere"
        await here.host.act.run_command(here.bob.id, here.channel.id, text)
        (request,) = (
            event.request
            for event in here.host.events.history(HookCalled)
            if isinstance(event.request, ExecuteCommandRequest)
        )
        assert dict(request.args.user_mentions) == {"ada": here.ada.id, "bob": here.bob.id}
        assert dict(request.args.channel_mentions) == {"lobby": here.channel.id}
        assert request.args.site_url == "http://localhost:8065"
        post = await here.host.act.post(here.ada.id, here.channel.id, "see ~lobby and ~nowhere")
        mentioned = MessageToDict(post.props)["channel_mentions"]
        assert mentioned == {"lobby": {"display_name": "lobby", "team_name": "core"}}
        assert "channel_mentions" not in (await here.host.act.edit(post.id, "see")).props

    run(scenario)


def test_the_answers_of_commands_are_posted() -> None:
    async def scenario(here: Loaded) -> None:
        await here.api("RegisterCommand", command=Command(trigger="one"))

        def shown() -> list[str]:
            events = here.host.events.history(WebSocketEvent)
            return [str(event.data["post"]) for event in events if event.name == "ephemeral_message"]

        await here.host.act.run_command(here.ada.id, here.channel.id, "/one many")
        (post,) = here.host.store.posts.of_channel(here.channel.id)
        assert (post.type, MessageToDict(post.props)["attachments"]) == ("slack_attachment", [{"text": "a"}])
        assert "override_username" not in post.props
        assert "quietly" in shown()[0]
        await here.host.act.configure("ServiceSettings", EnablePostUsernameOverride=True)
        await here.host.act.run_command(here.ada.id, here.channel.id, "/one many")
        post = here.host.store.posts.of_channel(here.channel.id)[0]
        assert (post.props["override_username"], post.props["from_webhook"]) == ("Robo", "true")
        for command in ("/one elsewhere", "/one system"):
            with pytest.raises(ApiError) as caught:
                await here.host.act.run_command(here.bob.id, here.channel.id, command)
            assert caught.value.error_id == "api.command.execute_command.create_post_failed.app_error"
            assert caught.value.status_code == 500

    run(scenario)
