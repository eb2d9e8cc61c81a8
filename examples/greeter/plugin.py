"""The greeter: a bit of every kind of hook, in one file."""

from mattermost_plugin import HookError, HookName, Plugin, Reject, hook, run_plugin
from mattermost_plugin.http import HTTPRequest, ReplacementFile, ResponseWriter, UploadedFile
from mattermost_plugin.models import Command, CommandArgs, CommandResponse, FileInfo, PluginContext, Post, User

DISMISS = "plugin.message_will_be_posted.dismiss_post"
MAX_ECHO_BYTES = 8 * 1024 * 1024


class Greeter(Plugin):
    """Greets, answers /greet, stops shouting, signs text files and serves a page."""

    def on_activate(self) -> None:
        """Overriding a stub handles the hook."""
        self.greeted = 0
        self.api.register_command(Command(trigger="greet", auto_complete=True, auto_complete_hint="[name]"))
        self.logger.info("activated", extra={"hooks": len(self.implemented_hooks())})

    def on_deactivate(self) -> None:
        """Say goodbye in the log."""
        self.logger.info("deactivated", extra={"greeted": self.greeted})

    @hook(HookName.MessageWillBePosted)
    async def no_shouting(self, context: PluginContext, post: Post) -> Post | Reject | None:
        """A method of any name handles the hook that @hook names."""
        if post.message.isupper() and len(post.message) > 10:
            return Reject("Please do not shout.")
        if post.message.startswith("/shrug "):
            return Reject(DISMISS)
        if "hello" in post.message.lower():
            post.message += " :wave:"
            return post
        return None

    @hook(HookName.UserWillLogIn, on_error="reject", timeout=5)
    def check_login(self, context: PluginContext, user: User) -> Reject | None:
        """Stricter than the default: if this fails, nobody gets in."""
        return Reject("This account is closed.") if user.username == "mallory" else None

    async def execute_command(self, context: PluginContext, args: CommandArgs) -> CommandResponse:
        """Answer `/greet NAME`."""
        _, _, name = args.command.partition(" ")
        if name.strip() == "help":
            return CommandResponse(response_type="ephemeral", text="`/greet NAME` greets NAME.")
        if not name.strip():
            raise HookError("Whom shall I greet? Try /greet Ada", id="com.example.greeter.no_name", status_code=400)
        self.greeted += 1
        return CommandResponse(response_type="in_channel", text=f"Hello, {name.strip()}!")

    async def file_will_be_uploaded(
        self, context: PluginContext, info: FileInfo, file: UploadedFile, output: ReplacementFile
    ) -> FileInfo | Reject | None:
        """Sign text files, refuse programs, let everything else pass."""
        if info.extension == "exe":
            return Reject("Programs are not welcome here.")
        if info.extension != "txt":
            return None
        async for piece in file:
            await output.awrite(piece)
        await output.awrite(b"\n-- signed by the greeter\n")
        return None

    async def serve_http(self, context: PluginContext, writer: ResponseWriter, request: HTTPRequest) -> None:
        """Answer GET /hello and echo what is posted to /echo."""
        if request.path == "/echo" and request.method == "POST":
            await self.echo(writer, request)
            return
        writer.headers["Content-Type"] = "text/plain; charset=utf-8"
        if request.path == "/hello":
            await writer.awrite(f"Hello, {request.user_id or 'stranger'}!\n")
        else:
            writer.write_header(404)
            await writer.awrite("There is nothing here.\n")

    async def echo(self, writer: ResponseWriter, request: HTTPRequest) -> None:
        """All of the body first: over HTTP/1 the server may drop what is unread when the response begins."""
        body = bytearray()
        async for piece in request.body:
            body += piece
            if len(body) > MAX_ECHO_BYTES:
                writer.write_header(413)
                await writer.awrite("That is too much.\n")
                return
        await writer.awrite(bytes(body))


if __name__ == "__main__":
    run_plugin(Greeter)
