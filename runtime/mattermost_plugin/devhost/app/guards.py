"""Rounds of hooks about a channel that plugins guard.

A plugin that has claimed a channel is asked after all others, and nothing happens there without it: unlike those of
other plugins, its failure refuses what the round is about, and so does its absence. Claimants are asked in the order of
their ids; one that does not have the hook has no opinion.
"""

from __future__ import annotations

from collections.abc import Callable
from http import HTTPStatus
from typing import Any, TypeVar

from google.protobuf.message import Message

from mattermost_plugin.devhost.app.config import load_config, section
from mattermost_plugin.devhost.errors import ApiError
from mattermost_plugin.devhost.hook_rounds import HookFailedError
from mattermost_plugin.devhost.plugins import InstalledPlugin
from mattermost_plugin.devhost.world import World

__all__ = ["guarded_filter", "guarded_refusal"]

MessageT = TypeVar("MessageT", bound=Message)


async def guarded_filter(
    world: World,
    channel_id: str,
    caller: str,
    value: MessageT,
    request: Callable[[MessageT], Message],
    replacement: str,
) -> tuple[MessageT, str]:
    """`HookRounds.filter`, with the channel's guards after all other plugins.

    Args:
        world: the host's parts.
        channel_id: the channel.
        caller: what wants to do it, for the error.
        value: what it is about.
        request: makes the hook's arguments of it.
        replacement: name of the field of the answer that replaces the value.

    Returns:
        What is to be stored, and the reason of the first plugin that refuses.

    Raises:
        ApiError: a guard does not run, or fails.
    """
    guards = _guards(world, channel_id, caller)
    value, reason = await world.hooks.filter(value, request, replacement, leave_out=guards)
    for plugin_id in guards if not reason else ():
        response = await _ask(world, plugin_id, channel_id, caller, request(value))
        if response is None:
            continue
        if response.rejection_reason:
            return value, str(response.rejection_reason)
        if response.HasField(replacement):
            value = getattr(response, replacement)
    return value, reason


async def guarded_refusal(world: World, channel_id: str, caller: str, request: Message) -> str:
    """`HookRounds.refusal`, with the channel's guards after all other plugins.

    Args:
        world: the host's parts.
        channel_id: the channel.
        caller: what wants to do it, for the error.
        request: the hook's arguments.

    Returns:
        The reason of the first plugin that refuses; "" if none does.

    Raises:
        ApiError: a guard does not run, or fails.
    """
    guards = _guards(world, channel_id, caller)
    reason = await world.hooks.refusal(request, leave_out=guards)
    for plugin_id in guards if not reason else ():
        response = await _ask(world, plugin_id, channel_id, caller, request)
        if response is not None and response.rejection_reason:
            return str(response.rejection_reason)
    return reason


def _guards(world: World, channel_id: str, caller: str) -> list[str]:
    """The ids of a channel's guards, all of which run."""
    claimants = world.store.channel_guards.of_channel(channel_id)
    running = {plugin.plugin_id for plugin in world.plugins.running()}
    enabled = section(load_config(world), "PluginSettings").get("Enable")
    absent = [plugin_id for plugin_id in claimants if not enabled or plugin_id not in running]
    if absent:
        raise _absent(world, channel_id, caller, absent)
    return claimants


def _absent(world: World, channel_id: str, caller: str, plugin_ids: list[str]) -> ApiError:
    # Users need not know which plugins there are; the log tells.
    pairs = {"channel_id": channel_id, "plugin_ids": plugin_ids, "caller": caller}
    world.log("error", "a plugin that guards the channel does not run, so nothing happens there", pairs=pairs)
    return ApiError("app.plugin.inactive_guard.app_error", HTTPStatus.SERVICE_UNAVAILABLE, where=caller)


async def _ask(world: World, plugin_id: str, channel_id: str, caller: str, request: Message) -> Any:
    """A guard's answer; None if it does not have the hook."""
    plugin: InstalledPlugin | None = world.plugins.get(plugin_id)
    if plugin is None or plugin.link is None:
        raise _absent(world, channel_id, caller, [plugin_id])
    if world.hooks.hook_of(request) not in plugin.hooks:
        return None
    try:
        return await world.hooks.ask(plugin, request)
    except HookFailedError as error:
        raise ApiError(
            "app.plugin.guard_hook_failed.app_error",
            HTTPStatus.SERVICE_UNAVAILABLE,
            str(error),
            where=caller,
            params={"PluginID": plugin_id},
        ) from error
