"""What the page does, as requests to the front: posts, threads, commands, files, buttons, plugins."""

import os
import signal
from typing import Any
from urllib.parse import quote

from mattermost_plugin.devhost.events import HookCalled
from mattermost_pluginapi.v1.hooks_message_pb2 import MessageWillBePostedRequest
from tests.web.site import GREETER, GREETER_ID, WORKSHOP, WORKSHOP_ID, Site, run


async def write(here: Site, message: str, **fields: object) -> dict[str, Any]:
    body = {"channel_id": here.lounge.id, "message": message, **fields}
    return dict((await here.client.post("/posts", body))["post"])


async def posts(here: Site) -> list[dict[str, Any]]:
    return list((await here.client.get(f"/channels/{here.lounge.id}/posts"))["posts"])


def test_users_and_places() -> None:
    async def scenario(here: Site) -> None:
        users = (await here.client.get("/users"))["users"]
        assert [user["username"] for user in users] == ["ada", "bob"]
        assert users[0]["name"] == "Ada Byron"
        hidden = await here.host.act.create_channel(here.team.id, "hidden", private=True, creator_id=here.bob.id)
        garden = await here.host.act.create_channel(here.team.id, "garden", creator_id=here.bob.id)
        places = await here.client.get("/places")
        member = {channel["name"]: channel["member"] for channel in places["channels"]}
        assert member == {"lounge": True, "town-square": True, "off-topic": True, "garden": False}
        await here.client.error(403, "GET", f"/channels/{garden.id}/posts")
        assert (await here.client.post(f"/channels/{garden.id}/join"))["channel"]["member"]
        assert (await here.client.get(f"/channels/{garden.id}/posts"))["posts"] == []
        assert not (await here.client.post(f"/channels/{garden.id}/leave"))["channel"]["member"]
        await here.client.error(403, "POST", f"/channels/{garden.id}/leave", {})
        await here.client.error(403, "GET", f"/channels/{hidden.id}/posts")
        await here.client.error(404, "POST", "/channels/nowhere/join", {})
        direct = (await here.client.post("/direct", {"user_id": here.bob.id}))["channel"]
        assert (direct["kind"], direct["title"]) == ("direct", "bob")

    run(scenario)


def test_secrets_of_users_stay_here() -> None:
    async def scenario(here: Site) -> None:
        user = here.host.store.users.get(here.ada.id)
        assert user is not None
        user.password, user.mfa_secret, user.auth_data = "SECRET1", "SECRET2", "SECRET3"
        here.host.store.users.put(user)
        await here.host.act.log_in(here.ada.id)
        await here.host.settle()
        session = here.host.store.sessions.select()[0]
        users = await here.client.get("/users")
        found = [str(users), str(await here.client.get("/places"))]
        called = [entry["number"] for entry in await listed(here) if entry["name"] == "UserWillLogIn"]
        found += [str(await here.client.get(f"/events/{number}")) for number in called]
        assert len(called) >= 1
        assert "'password': '<redacted>'" in found[-1]
        for text in found:
            assert "SECRET" not in text
            assert session.token not in text

    run(scenario, GREETER)


async def listed(here: Site) -> list[dict[str, Any]]:
    """The list of what has happened, up to something that happens now."""
    async with here.client.feed(after=0) as feed:
        await feed.hello()
        here.host.world.log("info", "the end of the list")
        await feed.until(lambda event: event["name"] == "the end of the list")
        return feed.heard


def test_posts_threads_and_reactions() -> None:
    async def scenario(here: Site) -> None:
        first = await write(here, "Hello")
        assert (first["message"], first["author"]) == ("Hello :wave:", "ada")
        reply = await write(here, "and again", root_id=first["id"])
        assert [post["replies"] for post in await posts(here)] == [1]
        thread = (await here.client.get(f"/posts/{first['id']}/thread"))["posts"]
        assert [post["id"] for post in thread] == [first["id"], reply["id"]]
        await here.client.send("PUT", f"/posts/{first['id']}/reactions/tada")
        await here.client.error(400, "PUT", f"/posts/{first['id']}/reactions/{quote('no name')}")
        (post,) = await posts(here)
        assert post["reactions"] == [{"emoji": "tada", "users": [here.ada.id]}]
        await here.client.send("DELETE", f"/posts/{first['id']}/reactions/tada")
        edited = (await here.client.send("PATCH", f"/posts/{first['id']}", {"message": "Bye"}))["post"]
        assert (edited["message"], edited["edited"] > 0, edited["reactions"]) == ("Bye", True, [])
        some = (await here.client.get(f"/posts?ids={first['id']},{reply['id']},nothing"))["posts"]
        assert {post["id"] for post in some} == {first["id"], reply["id"]}
        await here.client.send("DELETE", f"/posts/{first['id']}")
        assert await posts(here) == []
        await here.client.error(404, "GET", f"/posts/{first['id']}/thread")

    run(scenario, GREETER)


def test_what_belongs_to_others() -> None:
    async def scenario(here: Site) -> None:
        post = await write(here, "mine")
        await here.client.log_in(here.bob)
        await here.client.error(403, "PATCH", f"/posts/{post['id']}", {"message": "yours"})
        await here.client.error(403, "DELETE", f"/posts/{post['id']}")
        carl = await here.host.act.create_user("carl")
        await here.client.log_in(carl)
        await here.client.error(403, "GET", f"/posts/{post['id']}/thread")
        await here.client.error(403, "PUT", f"/posts/{post['id']}/reactions/tada")
        assert (await here.client.get(f"/posts?ids={post['id']}"))["posts"] == []
        await here.client.error(403, "POST", "/posts", {"channel_id": here.lounge.id, "message": "x"})
        await here.client.error(403, "POST", "/commands", {"channel_id": here.lounge.id, "command": "/me x"})

    run(scenario)


def test_a_refusal_tells_the_reason_and_html_is_text() -> None:
    async def scenario(here: Site) -> None:
        body = {"channel_id": here.lounge.id, "message": "WHO ATE MY LUNCH"}
        assert (await here.client.error(400, "POST", "/posts", body))["message"].endswith("Please do not shout.")
        error = await here.client.error(400, "POST", "/posts", body | {"message": "<b>no</b>"})
        assert error["message"] == "Post rejected by plugin. <b>not</b> allowed"
        error = await here.client.error(400, "POST", "/posts", body | {"message": "whisper"})
        assert error["id"] == "plugin.message_will_be_posted.dismiss_post"
        mallory = await here.host.act.create_user("mallory")
        error = await here.client.error(400, "POST", "/login", {"user_id": mallory.id})
        assert "This account is closed." in error["message"]
        await here.client.error(404, "POST", "/login", {"user_id": "nobody"})

    run(scenario, GREETER, WORKSHOP)


def test_hooks_learn_of_the_session() -> None:
    async def scenario(here: Site) -> None:
        await write(here, "Hello")
        sessions = {session.id: session.user_id for session in here.host.store.sessions.select()}
        (called,) = [each for each in here.host.events.history(HookCalled) if each.hook == "MessageWillBePosted"]
        assert isinstance(called.request, MessageWillBePostedRequest)
        assert sessions[called.request.plugin_context.session_id] == here.ada.id
        await here.client.log_in(here.ada)
        assert here.host.store.sessions.count() == 1

    run(scenario, GREETER)


def test_slash_commands() -> None:
    async def scenario(here: Site) -> None:
        async def enter(command: str) -> Any:
            return await here.client.post("/commands", {"channel_id": here.lounge.id, "command": command})

        async with here.client.feed() as feed:
            await feed.hello()
            await enter("/shop paint red the door")
            assert [post["message"] for post in await posts(here)] == ["Painted the door **red**."]
            assert await enter("/tidy") == {"goto": "/plugins/x"}
            shown = (await feed.effect("ephemeral_message"))["post"]
            assert (shown["message"], shown["ephemeral"]) == ("It is tidy already.", True)
        error = await here.client.error(400, "POST", "/commands", {"channel_id": here.lounge.id, "command": "/shop x"})
        assert error["message"] == "The workshop does not know that."
        await here.client.error(404, "POST", "/commands", {"channel_id": here.lounge.id, "command": "/nothing"})

    run(scenario, WORKSHOP)


def test_completion() -> None:
    async def scenario(here: Site) -> None:
        async def offers(text: str) -> list[tuple[str, str, str]]:
            path = f"/suggestions?channel_id={here.lounge.id}&text={quote(text)}"
            found = (await here.client.get(path))["suggestions"]
            return [(each["complete"], each["suggestion"], each["hint"]) for each in found]

        names = [suggestion for _, suggestion, _ in await offers("/")]
        assert names == ["echo", "me", "shop", "shrug", "tidy"]
        assert await offers("/ti") == [("tidy", "tidy", "[where]")]
        assert [name for _, name, _ in await offers("/shop ")] == ["lend", "order", "paint", "vote"]
        assert await offers("/shop lend h") == [("shop lend hammer ", "hammer", "heavy")]
        here.ada.roles = "system_user system_admin"
        here.host.store.users.put(here.ada)
        assert "close" in [name for _, name, _ in await offers("/shop ")]
        await here.host.disable(WORKSHOP_ID)
        assert await offers("/shop ") == []

    run(scenario, WORKSHOP)


def test_files() -> None:
    async def scenario(here: Site) -> None:
        headers = {**here.client.headers(), "Content-Type": "application/octet-stream"}
        url = f"{here.client.base}/api/channels/{here.lounge.id}/files?name="
        session = here.client.session
        async with session.post(url + quote("a <b> ü.txt"), data=b"hi", headers=headers) as got:
            info = (await got.json())["file"]
        assert info["name"] == "a <b> ü.txt"
        post = await write(here, "", file_ids=[info["id"]])
        assert [file["id"] for file in post["files"]] == [info["id"]]
        async with session.get(f"{here.client.base}/api/files/{info['id']}", headers=headers) as got:
            assert await got.read() == b"hi\n-- signed by the greeter\n"
            assert got.content_type == "application/octet-stream"
            assert got.headers["Content-Disposition"] == "attachment; filename*=UTF-8''a%20%3Cb%3E%20%C3%BC.txt"
            assert got.headers["X-Content-Type-Options"] == "nosniff"
        for name, kind, status in (
            ("a.exe", "application/octet-stream", 400),
            ("", "application/octet-stream", 400),
            ("a.txt", "multipart/form-data", 415),
        ):
            async with session.post(url + name, data=b"x", headers={**headers, "Content-Type": kind}) as got:
                assert got.status == status
        await here.host.act.configure("FileSettings", MaxFileSize=1000)
        async with session.post(url + "a.bin", data=bytes(1001), headers=headers) as got:
            assert got.status == 413
        carl = await here.host.act.create_user("carl")
        await here.client.log_in(carl)
        await here.client.error(403, "GET", f"/files/{info['id']}")
        await here.client.error(404, "GET", "/files/nothing")

    run(scenario, GREETER)


def test_buttons() -> None:
    async def scenario(here: Site) -> None:
        await here.client.post("/commands", {"channel_id": here.lounge.id, "command": "/shop vote"})
        (post,) = await posts(here)
        (attachment,) = post["attachments"]
        assert [action["name"] for action in attachment["actions"]] == ["Red", "Later"]
        assert "of the ballot" not in str(post)
        async with here.client.feed() as feed:
            await feed.hello()
            path = f"/posts/{post['id']}/actions"
            assert await here.client.post(f"{path}/0/0") == {"goto": ""}
            assert (await feed.effect("ephemeral_message"))["post"]["message"] == "Thank you!"
        (post,) = await posts(here)
        assert (post["message"], post["attachments"]) == ("ada wants red, number 7.", [])
        await here.client.error(404, "POST", f"{path}/0/0", {})
        await here.client.error(404, "POST", f"{path}/7/0", {})

    run(scenario, WORKSHOP)


def test_dialogs() -> None:
    async def scenario(here: Site) -> None:
        async with here.client.feed() as feed:
            await feed.hello()
            await here.client.post("/commands", {"channel_id": here.lounge.id, "command": "/shop order"})
            opened = await feed.effect("open_dialog")
        assert "trigger_id" not in opened["dialog"]
        body = {"url": opened["dialog"]["url"], "channel_id": here.lounge.id}
        answer = await here.client.post("/dialogs", body | {"submission": {"what": "nothing"}})
        assert answer == {"error": "", "errors": {"what": "Order something."}}
        await here.client.post("/dialogs", body | {"submission": {"what": "a door", "urgent": True}})
        assert [post["message"] for post in await posts(here)] == ["Ordered a door, urgent: True"]
        for url in ("http://example.com/", "/plugins/nobody/x", "/api/users", f"/plugins/{WORKSHOP_ID}/nowhere"):
            await here.client.error(400, "POST", "/dialogs", body | {"url": url})

    run(scenario, WORKSHOP)


def test_plugins_are_started_and_ended() -> None:
    async def scenario(here: Site) -> None:
        async def state(plugin_id: str) -> tuple[str, str]:
            plugins = (await here.client.get("/plugins"))["plugins"]
            return next((each["state"], each["error"]) for each in plugins if each["id"] == plugin_id)

        plugins = (await here.client.get("/plugins"))["plugins"]
        assert [each["name"] for each in plugins] == ["Greeter", "Workshop"]
        assert plugins[1]["commands"] == ["shop", "tidy"]
        pid = here.host.pid(GREETER_ID)
        await here.client.post(f"/plugins/{GREETER_ID}/restart")
        assert here.host.pid(GREETER_ID) != pid
        await here.client.post(f"/plugins/{GREETER_ID}/disable")
        assert await state(GREETER_ID) == ("NOT_RUNNING", "")
        await here.client.post(f"/plugins/{GREETER_ID}/enable")
        assert await state(GREETER_ID) == ("RUNNING", "")
        async with here.client.feed() as feed:
            await feed.hello()
            pid = here.host.pid(WORKSHOP_ID)
            assert pid is not None
            os.kill(pid, signal.SIGKILL)
            died = await feed.until(lambda event: event["name"] == "FAILED_TO_STAY_RUNNING")
        assert died["failed"] == "killed by SIGKILL"
        assert (await state(WORKSHOP_ID))[1].startswith("killed by SIGKILL")
        await here.client.post(f"/plugins/{WORKSHOP_ID}/restart")
        assert (await state(WORKSHOP_ID))[0] == "RUNNING"
        assert "nobody" in (await here.client.error(409, "POST", "/plugins/nobody/restart", {}))["message"]

    run(scenario, GREETER, WORKSHOP)


def test_a_plugin_that_does_not_start_says_why() -> None:
    async def scenario(here: Site) -> None:
        here.host.plugin(GREETER_ID).folder = WORKSHOP
        error = await here.client.error(409, "POST", f"/plugins/{GREETER_ID}/restart", {})
        assert "launch it as a new plugin" in error["message"]

    run(scenario, GREETER)
