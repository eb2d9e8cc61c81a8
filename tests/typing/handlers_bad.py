"""Handlers that both type checkers must refuse. A comment above a line says what each must report there, no more.

The error for a wrong handler names its hook: both checkers print the type variable that is called after it.
"""

from mattermost_plugin import HookName, Plugin, Reject, hook
from mattermost_plugin.http import HTTPRequest, ResponseWriter
from mattermost_plugin.models import ChannelMember, CommandArgs, CommandResponse, PluginContext, Post, User


class WrongHandlers(Plugin):
    # mypy says: "MessageWillBePostedHandler" .*PluginContext, User
    # pyright says: "MessageWillBePostedHandler@.*"Post" is not assignable to "User"
    @hook(HookName.MessageWillBePosted)
    def wrong_parameter(self, context: PluginContext, post: User) -> Post | None: ...

    # mypy says: "MessageHasBeenPostedHandler"
    # pyright says: "MessageHasBeenPostedHandler@.*too few positional parameters
    @hook(HookName.MessageHasBeenPosted)
    def missing_context(self, post: Post) -> None: ...

    # mypy says: "ExecuteCommandHandler" .*\], str\]
    # pyright says: "ExecuteCommandHandler@.*"str" is not assignable to "CommandResponse"
    @hook(HookName.ExecuteCommand)
    def wrong_result(self, context: PluginContext, args: CommandArgs) -> str:
        return args.command

    # mypy says: "ChannelWillBeArchivedHandler" .*Coroutine\[Any, Any, bool\]
    # pyright says: "ChannelWillBeArchivedHandler@
    @hook(HookName.ChannelWillBeArchived)
    async def wrong_async_result(self, context: PluginContext, channel: object) -> bool:
        return True

    # mypy says: "MessagesWillBeConsumedHandler"
    # pyright says: "MessagesWillBeConsumedHandler@
    @hook(HookName.MessagesWillBeConsumed)
    def one_for_many(self, posts: Post) -> Post:
        return posts

    # mypy says: "UserHasJoinedChannelHandler"
    # pyright says: "UserHasJoinedChannelHandler@.*"None" is not assignable to "User"
    @hook("UserHasJoinedChannel")
    def always_an_actor(self, context: PluginContext, member: ChannelMember, actor: User) -> None: ...

    # mypy says: "UserWillLogInHandler"
    # pyright says: "UserWillLogInHandler@.*too few positional parameters
    @hook(HookName.UserWillLogIn)
    def keyword_only(self, context: PluginContext, *, user: User) -> None: ...

    # mypy says: "UserHasLoggedInHandler"
    # pyright says: "UserHasLoggedInHandler@.*Extra parameter "extra"
    @hook(HookName.UserHasLoggedIn)
    def one_too_many(self, context: PluginContext, user: User, extra: int) -> None: ...

    # mypy says: "ServeHTTPHandler"
    # pyright says: "ServeHTTPHandler@
    @hook(HookName.ServeHTTP)
    def swapped(self, context: PluginContext, request: HTTPRequest, writer: ResponseWriter) -> None: ...


class WrongOptions(Plugin):
    # mypy says: No overload variant
    # mypy says: Untyped decorator makes function "cannot_answer_error" untyped
    # pyright says: No overloads for "__call__" match
    # pyright says: "on_error" of type "Literal\['allow', 'reject'\]"
    @hook(HookName.MessageWillBePosted, on_error="error")
    def cannot_answer_error(self, context: PluginContext, post: Post) -> None: ...

    # mypy says: No overload variant
    # mypy says: Untyped decorator makes function "cannot_reject" untyped
    # pyright says: No overloads for "__call__" match
    # pyright says: "on_error" of type "Literal\['allow'\]"
    @hook(HookName.MessageHasBeenPosted, on_error="reject")
    def cannot_reject(self, context: PluginContext, post: Post) -> None: ...

    # mypy says: No overload variant
    # mypy says: Untyped decorator makes function "unknown_string" untyped
    # pyright says: No overloads for "__call__" match
    # pyright says: Literal\['MessageWillBePostd'\]
    @hook("MessageWillBePostd")
    def unknown_string(self, context: PluginContext, post: Post) -> None: ...

    # mypy says: "type\[HookName\]" has no attribute "MessageWillBePostd"
    # mypy says: type-var
    # pyright says: Cannot access attribute "MessageWillBePostd"
    @hook(HookName.MessageWillBePostd)
    def unknown_name(self, context: PluginContext, post: Post) -> None: ...

    # mypy says: No overload variant
    # mypy says: Untyped decorator makes function "timeout_in_words" untyped
    # pyright says: No overloads for "__call__" match
    # pyright says: "timeout" of type "float"
    @hook(HookName.MessageWillBePosted, timeout="5")
    def timeout_in_words(self, context: PluginContext, post: Post) -> None: ...

    # mypy says: No overload variant
    # mypy says: Untyped decorator makes function "user_will_log_in" untyped
    # pyright says: "on_error" of type "Literal\['allow', 'reject', 'error'\]"
    @hook(on_error="ignore")
    def user_will_log_in(self, context: PluginContext, user: User) -> None: ...


class WrongOverrides(Plugin):
    # mypy says: Argument 2 of "message_will_be_posted" is incompatible with supertype
    # pyright says: "message_will_be_posted" overrides class "PluginHooks" in an incompatible manner
    def message_will_be_posted(self, context: PluginContext, post: User) -> Post | None: ...

    # mypy says: Signature of "message_has_been_posted" incompatible with supertype
    # pyright says: "message_has_been_posted" overrides class "PluginHooks" in an incompatible manner
    def message_has_been_posted(self, post: Post) -> None: ...

    # mypy says: Return type "str" of "execute_command" incompatible
    # pyright says: "execute_command" overrides class "PluginHooks" in an incompatible manner
    def execute_command(self, context: PluginContext, args: CommandArgs) -> str:
        return args.command

    # mypy says: Return type "Coroutine\[Any, Any, bool\]" of "user_will_log_in" incompatible
    # pyright says: "user_will_log_in" overrides class "PluginHooks" in an incompatible manner
    async def user_will_log_in(self, context: PluginContext, user: User) -> bool:
        return True

    @hook
    # mypy says: Argument 2 of "user_has_been_created" is incompatible with supertype
    # pyright says: "user_has_been_created" overrides class "PluginHooks" in an incompatible manner
    def user_has_been_created(self, context: PluginContext, user: Post) -> None: ...

    # mypy says: Incompatible types in assignment
    # pyright says: "Literal\[5\]" is not assignable to declared type
    on_activate = 5


class WrongUse(Plugin):
    @hook(HookName.ExecuteCommand)
    def greet(self, context: PluginContext, args: CommandArgs) -> CommandResponse:
        return CommandResponse(text=args.command)

    def on_activate(self) -> None:
        # mypy says: Missing positional argument "args" in call to "greet"
        # pyright says: Argument missing for parameter "args"
        self.greet(PluginContext())
        # mypy says: Missing positional argument "reason"
        # pyright says: Argument missing for parameter "reason"
        Reject()
        # mypy says: "has_hook" .* incompatible type "int"
        # pyright says: "name" of type "str" in function "has_hook"
        self.has_hook(5)
