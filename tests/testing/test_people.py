"""What users do on the server under test, and what they see of it."""

import json
from collections.abc import Iterator, Sequence

import pytest

from mattermost_plugin import HookError, Plugin, Reject
from mattermost_plugin.http import HTTPRequest, ReplacementFile, ResponseWriter, UploadedFile
from mattermost_plugin.models import (
    Bot,
    Channel,
    ChannelMember,
    Command,
    CommandArgs,
    CommandResponse,
    Dialog,
    FileInfo,
    OpenDialogRequest,
    PluginContext,
    Post,
    PushNotification,
    TeamMember,
    User,
    WebSocketRequest,
)
from mattermost_plugin.testing import (
    MisuseError,
    PostDismissed,
    RejectedByPlugin,
    RequestRefused,
    TestServer,
)

DISMISS = "plugin.message_will_be_posted.dismiss_post"


class Helper(Plugin):
    """Adds "!", refuses "no" everywhere, drops "psst", and answers commands, files and HTTP."""

    def on_activate(self) -> None:
        self.api.register_command(Command(trigger="help"))
        self.heard: list[str] = []

    def message_will_be_posted(self, context: PluginContext, post: Post) -> Post | Reject | None:
        if post.message == "no":
            return Reject("not here")
        if post.message == "psst":
            return Reject(DISMISS)
        post.message += "!"
        return post

    def message_will_be_updated(self, context: PluginContext, new_post: Post, old_post: Post) -> Post | Reject | None:
        return Reject("it stays") if new_post.message == "no" else None

    def messages_will_be_consumed(self, posts: Sequence[Post]) -> Sequence[Post]:
        return [Post(id=post.id, message=post.message.upper()) for post in posts]

    def execute_command(self, context: PluginContext, args: CommandArgs) -> CommandResponse:
        if args.command == "/help fail":
            raise HookError("No help for you.", id="test.no_help", status_code=418)
        if args.command == "/help dialog":
            dialog = OpenDialogRequest(trigger_id=args.trigger_id, url="/x", dialog=Dialog(title="Help"))
            self.api.open_interactive_dialog(dialog)
            return CommandResponse()
        kind = "in_channel" if args.command == "/help all" else "ephemeral"
        return CommandResponse(response_type=kind, text=f"{args.command} in {args.root_id or 'no thread'}")

    async def file_will_be_uploaded(
        self, context: PluginContext, info: FileInfo, file: UploadedFile, output: ReplacementFile
    ) -> FileInfo | Reject | None:
        if info.extension == "exe":
            return Reject("no programs")
        await output.awrite(await file.aread() + b"!")
        return None

    def file_will_be_downloaded(
        self, context: PluginContext, file_info: FileInfo, user_id: str, download_type: str
    ) -> Reject | None:
        return Reject("keep out") if file_info.name == "secret.txt" else None

    def user_will_log_in(self, context: PluginContext, user: User) -> Reject | None:
        return Reject("closed") if user.username == "mallory" else None

    def team_member_will_be_added(self, context: PluginContext, team_member: TeamMember) -> TeamMember | Reject | None:
        return Reject("no Mallory") if self.api.get_user(team_member.user_id).username == "mallory" else None

    def channel_member_will_be_added(
        self, context: PluginContext, channel_member: ChannelMember
    ) -> ChannelMember | Reject | None:
        private = self.api.get_channel(channel_member.channel_id).name == "private"
        return Reject("members only") if private and channel_member.user_id in self.heard else None

    def channel_will_be_archived(self, context: PluginContext, channel: Channel) -> Reject | None:
        return Reject("in use") if channel.name == "lounge" else None

    def channel_will_be_restored(self, context: PluginContext, channel: Channel) -> Reject | None:
        return None

    def websocket_message_has_been_posted(self, web_conn_id: str, user_id: str, request: WebSocketRequest) -> None:
        self.heard.append(f"{request.seq} {request.action} {request.data['x']}")

    def on_websocket_connect(self, web_conn_id: str, user_id: str) -> None:
        self.heard.append("connected")

    def on_websocket_disconnect(self, web_conn_id: str, user_id: str) -> None:
        self.heard.append("disconnected")

    async def serve_http(self, context: PluginContext, writer: ResponseWriter, request: HTTPRequest) -> None:
        writer.headers["Content-Type"] = request.headers.get("Content-Type", "text/plain")
        writer.headers["X-User"] = request.user_id
        writer.write_header(404 if request.path == "/nowhere" else 200)
        await writer.awrite(f"{request.method} {request.url} ")
        async for piece in request.body:
            await writer.awrite(piece)


@pytest.fixture
def server() -> Iterator[TestServer]:
    with TestServer() as server:
        yield server


def test_posts_replies_edits_reactions_and_their_end(server: TestServer) -> None:
    server.load(Helper)
    ada, bob = server.user("ada"), server.user("bob")
    channel = server.channel("lounge", members=[ada, bob])
    post = ada.post(channel, "hi")
    reply = bob.reply(post, "hello")
    again = bob.reply(reply, "and again")
    assert (post.message, reply.message, reply.root_id, again.root_id) == ("hi!", "hello!", post.id, post.id)
    assert channel.messages == ["hi!", "hello!", "and again!"]
    assert [seen.message for seen in bob.read(channel)] == ["HI!", "HELLO!", "AND AGAIN!"]
    assert ada.edit(post, "changed").message == "changed"
    with pytest.raises(RejectedByPlugin, match="it stays"):
        ada.edit(post.id, "no")
    bob.react(post, "tada")
    bob.react(post, "heart")
    bob.unreact(post, "tada")
    (reaction,) = server.find_post(post.id).metadata.reactions
    assert (reaction.user_id, reaction.emoji_name) == (bob.id, "heart")
    ada.delete(post)
    assert channel.posts == []
    assert server.find_post(post.id).delete_at
    with pytest.raises(AssertionError, match="there is no post 'x'"):
        server.find_post("x")


def test_a_post_with_more_than_text(server: TestServer) -> None:
    ada = server.user("ada")
    channel = server.channel("lounge", members=[ada])
    given = Post(message="hi", user_id="somebody", type="custom_x")
    given.props["card"] = "ace"
    post = ada.post(channel, given)
    assert (post.user_id, post.type, post.props["card"]) == (ada.id, "custom_x", "ace")
    assert given.user_id == "somebody"


def test_what_a_plugin_rejects_says_who_and_why(server: TestServer) -> None:
    server.load(Helper)
    ada = server.user("ada")
    channel = server.channel("lounge", members=[ada])
    with pytest.raises(RejectedByPlugin) as caught:
        ada.post(channel, "no")
    error = caught.value
    assert not isinstance(error, PostDismissed)
    assert (error.reason, error.plugin_id, error.hook) == ("not here", "test.helper", "MessageWillBePosted")
    assert (error.status_code, error.id) == (400, "Post rejected by plugin. not here")
    assert str(error) == "ada.post('no'): not here (MessageWillBePosted of test.helper)"
    with pytest.raises(PostDismissed, match=r"ada\.post\('psst'\): dismissed by test\.helper"):
        ada.post(channel, "psst")
    assert channel.posts == []


def test_only_members_post_and_read(server: TestServer) -> None:
    ada, bob = server.user("ada"), server.user("bob")
    channel = server.channel("lounge", members=[ada])
    for act in (lambda: bob.post(channel, "hi"), lambda: bob.read(channel)):
        with pytest.raises(RequestRefused, match=r"403 .*bob is no member of lounge: channel\.add\(bob\)"):
            act()
    channel.add(bob, by=ada)
    bob.post(channel, "hi")
    assert set(channel.member_ids) == {ada.id, bob.id}
    assert bob.id in server.find_channel("town-square").member_ids
    channel.remove(bob)
    assert channel.member_ids == [ada.id]
    with pytest.raises(RequestRefused, match=r"404 app\.channel\.get"):
        ada.post("nobodynobodynobodynobodyno", "hi")


def test_places(server: TestServer) -> None:
    plugin = server.load(Helper)
    ada, bob, carl = (server.user(name) for name in ("ada", "bob", "carl"))
    crew = server.team("crew", members=[ada])
    deck = server.channel("deck", members=[bob, ada], team=crew, private=True)
    assert set(crew.member_ids) == {ada.id, bob.id}
    assert (deck.model.creator_id, deck.model.team_id) == (bob.id, crew.id)
    crew.remove(bob, by=ada)
    assert crew.member_ids == deck.member_ids == [ada.id]
    assert crew.model.name == "crew"
    for place in (ada.direct(bob), server.direct(bob, ada), server.group(ada, bob, carl)):
        ada.post(place, "hi")
    assert ada.direct(bob).messages == ["hi!", "hi!"]
    mallory = server.user("mallory")
    with pytest.raises(RejectedByPlugin, match="no Mallory"):
        crew.add(mallory)
    private = server.channel("private", members=[ada])
    plugin.heard.append(bob.id)
    with pytest.raises(RejectedByPlugin, match="members only"):
        private.add(bob)
    lounge = server.channel("lounge")
    with pytest.raises(RejectedByPlugin, match="in use"):
        lounge.archive()
    private.archive()
    assert private.model.delete_at
    private.restore()
    assert not private.model.delete_at


def test_the_default_team_is_one(server: TestServer) -> None:
    one, two = server.channel("one"), server.channel("two")
    assert one.model.team_id == two.model.team_id
    with pytest.raises(RequestRefused, match="exists"):
        server.channel("one")


def test_finding_what_is_there(server: TestServer) -> None:
    class Maker(Plugin):
        def on_activate(self) -> None:
            self.api.ensure_bot_user(Bot(username="robot", display_name="Robot"))

    server.load(Maker)
    ada = server.user("ada")
    robot = server.find_user("robot")
    assert robot.model.is_bot
    assert server.find_user(ada.id).username == "ada"
    with pytest.raises(AssertionError, match="no user 'eve', but ada, robot"):
        server.find_user("eve")
    server.team("crew")
    assert server.find_channel("town-square").model.display_name
    server.team("other")
    with pytest.raises(MisuseError, match="2 teams have a channel 'town-square'"):
        server.find_channel("town-square")
    with pytest.raises(AssertionError, match="no channel 'attic', but off-topic"):
        server.find_channel("attic")


def test_commands(server: TestServer) -> None:
    server.load(Helper)
    ada = server.user("ada")
    channel = server.channel("lounge", members=[ada])
    assert ada.command("/help me", channel).text == "/help me in no thread"
    assert ada.ephemeral_messages == ["/help me in no thread"]
    post = ada.post(channel, "hi")
    ada.command("/help all", channel, root=post)
    assert channel.messages == ["hi!", f"/help all in {post.id}!"]
    with pytest.raises(RequestRefused, match=r"418 No help for you\. \(test\.no_help\)") as caught:
        ada.command("/help fail", channel)
    assert (caught.value.status_code, caught.value.message) == (418, "No help for you.")
    with pytest.raises(RequestRefused, match="404"):
        ada.command("/unknown", channel)
    server.register_command("more")
    assert ada.command("/more", channel).text == "/more in no thread"


def test_a_dialog(server: TestServer) -> None:
    server.load(Helper)
    ada = server.user("ada")
    ada.command("/help dialog", server.channel("lounge", members=[ada]))
    (dialog,) = ada.dialogs
    assert json.loads(json.dumps(dialog))["dialog"]["title"] == "Help"


def test_files(server: TestServer) -> None:
    server.load(Helper)
    ada = server.user("ada")
    channel = server.channel("lounge", members=[ada])
    file = ada.upload(channel, "a.txt", "text")
    assert ada.download(file) == b"text!"
    post = ada.post(channel, "see", files=[file])
    assert [info.name for info in server.find_post(post.id).metadata.files] == ["a.txt"]
    with pytest.raises(RejectedByPlugin) as caught:
        ada.upload(channel, "a.exe", b"MZ")
    assert (caught.value.reason, caught.value.hook) == ("no programs", "FileWillBeUploaded")
    secret = ada.upload(channel, "secret.txt", "x")
    with pytest.raises(RejectedByPlugin, match="keep out"):
        ada.download(secret.id)


def test_a_file_of_64_mib_goes_through_the_hook_and_back(server: TestServer) -> None:
    server.load(Helper)
    ada = server.user("ada")
    content = bytes(64 * 1024 * 1024)
    file = ada.upload(server.channel("lounge", members=[ada]), "big.bin", content)
    assert ada.download(file) == content + b"!"


def test_http(server: TestServer) -> None:
    server.load(Helper)
    ada = server.user("ada")
    hello = ada.get("/hello?x=1")
    assert (hello.status, hello.text, hello.header("x-user")) == (200, "GET /hello?x=1 ", ada.id)
    assert ada.get("/plugins/test.helper/hello").text == "GET /hello "
    assert server.get("/hello").header("X-User") == ""
    sent = ada.request("post", "/notes", json={"a": 1})
    assert (sent.text, sent.header("Content-Type")) == ('POST /notes {"a": 1}', "application/json")
    form = server.request("POST", "/", form={"text": "a b"})
    assert (form.text, form.header("Content-Type")) == ("POST / text=a+b", "application/x-www-form-urlencoded")
    plain = ada.request("PUT", "/", body="ä", headers={"content-type": "text/x"})
    assert (plain.body, plain.header("Content-Type")) == ("PUT / ä".encode(), "text/x")
    assert repr(ada.get("/nowhere")) == "<404 text/plain 'GET /nowhere '>"
    with pytest.raises(AssertionError, match="no JSON: <200"):
        hello.json()
    with pytest.raises(MisuseError, match="begins with a slash"):
        ada.get("hello")
    with pytest.raises(MisuseError, match="one of body, json and form"):
        ada.request("POST", "/", body="x", json=1)
    with pytest.raises(RequestRefused, match="404"):
        ada.get("/plugins/nobody/")


def test_logins_and_accounts(server: TestServer) -> None:
    server.load(Helper)
    ada = server.user("ada", admin=True, locale="de")
    assert (ada.model.roles, ada.model.locale) == ("system_admin system_user", "de")
    assert ada.log_in().user_id == ada.id
    with pytest.raises(RejectedByPlugin, match="closed"):
        server.user("mallory").log_in()
    ada.deactivate()
    with pytest.raises(RequestRefused, match=r"401 .*inactive"):
        ada.log_in()
    ada.activate()
    ada.log_in()
    with pytest.raises(RequestRefused, match="username_exists"):
        server.user("ada")


def test_websockets(server: TestServer) -> None:
    plugin = server.load(Helper)
    connection = server.user("ada").connect()
    connection.send("custom_test.helper_x", {"x": "one"})
    connection.send("custom_test.helper_x", {"x": "two"})
    connection.close()
    assert sorted(plugin.heard) == [
        "1 custom_test.helper_x one",
        "2 custom_test.helper_x two",
        "connected",
        "disconnected",
    ]


def test_what_reaches_a_user(server: TestServer) -> None:
    class Notifier(Plugin):
        def message_has_been_posted(self, context: PluginContext, post: Post) -> None:
            user = self.api.get_user(post.user_id)
            shown = [
                self.api.send_ephemeral_post(user.id, Post(channel_id=post.channel_id, message=text))
                for text in ("first", "second", "third")
            ]
            shown[1].message = "changed"
            self.api.update_ephemeral_post(user.id, shown[1])
            self.api.delete_ephemeral_post(user.id, shown[2].id)
            self.api.send_mail(user.email, "subject", "<b>text</b>")
            self.api.send_push_notification(PushNotification(message="ping"), user.id)

    server.load(Notifier)
    ada, bob = server.user("ada"), server.user("bob")
    ada.post(server.channel("lounge", members=[ada, bob]), "hi")
    assert ada.ephemeral_messages == ["first", "changed"]
    assert bob.ephemeral_messages == []
    assert [mail.subject for mail in ada.mails] == ["subject"]
    assert [push.notification.message for push in ada.pushes] == ["ping"]
    assert (bob.mails, bob.pushes) == ([], [])
    assert server.mails("ada@example.com").one.html_body == "<b>text</b>"
    assert server.mails("x@example.com") == []
