"""A plugin whose handlers raise, or return, the strange thing that a request names."""

import asyncio
import os
from collections.abc import Callable
from typing import Any, NoReturn, cast

from mattermost_plugin import HookError, HookName, Plugin, Reject, hook, run_plugin
from mattermost_plugin.http import HTTPRequest, ResponseWriter
from mattermost_plugin.models import CommandArgs, CommandResponse, PluginContext, Post, User

NOT_A_STR = cast("Any", ValueError("no text"))


class BadStrError(Exception):
    def __str__(self) -> str:
        raise ValueError("an exception without text")


class AuthorsBase(BaseException):
    pass


FAILURES: dict[str, Callable[[], BaseException]] = {
    "system-exit": lambda: SystemExit(3),
    "keyboard-interrupt": KeyboardInterrupt,
    "cancelled": asyncio.CancelledError,
    "generator-exit": GeneratorExit,
    "stop-iteration": StopIteration,
    "stop-async-iteration": StopAsyncIteration,
    "base-exception": AuthorsBase,
    "group": lambda: ExceptionGroup("several", [ValueError("a")]),
    "base-group": lambda: BaseExceptionGroup("several", [KeyboardInterrupt()]),
    "timeout": lambda: TimeoutError("of the author"),
    "no-text": BadStrError,
    "lone-surrogate": lambda: RuntimeError(os.fsdecode(b"file \xff")),
    "ten-megabytes": lambda: RuntimeError("x" * 10_000_000),
    "refused-surrogate": lambda: HookError("a \ud800"),
    "refused-no-text": lambda: HookError(""),
    "refused-status": lambda: HookError("a", status_code=2**40),
    "refused-params": lambda: HookError("a", params={"odd": object()}),
    "refused-object": lambda: HookError(NOT_A_STR),
}


def fail(name: str) -> NoReturn:
    error = FAILURES[name]()
    raise error


class Failing(Plugin):
    """One handler for each meaning of a failure, and one for HTTP."""

    async def user_will_log_in(self, context: PluginContext, user: User) -> Reject | None:
        fail(user.username)

    def execute_command(self, context: PluginContext, args: CommandArgs) -> CommandResponse:
        fail(args.command)

    @hook(HookName.MessageWillBePosted, on_error="reject")
    def check_post(self, context: PluginContext, post: Post) -> Reject | None:
        fail(post.message)

    @hook(HookName.MessageWillBeUpdated, on_error="reject")
    async def check_edit(self, context: PluginContext, new_post: Post, old_post: Post) -> Reject | None:
        if new_post.message == "reject-surrogate":
            return Reject("a \ud800")
        fail(new_post.message)

    async def serve_http(self, context: PluginContext, writer: ResponseWriter, request: HTTPRequest) -> None:
        fail(request.path[1:])

    def serve_metrics(self, context: PluginContext, writer: ResponseWriter, request: HTTPRequest) -> None:
        fail(request.path[1:])


if __name__ == "__main__":
    run_plugin(Failing)
