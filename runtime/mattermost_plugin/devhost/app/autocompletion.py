"""What clients suggest while a user enters a plugin's slash command."""

import posixpath
from typing import Final
from urllib.parse import urlsplit

from mattermost_plugin.devhost.errors import ApiError, bad_request
from mattermost_pluginapi.v1.autocomplete_pb2 import AutocompleteArg, AutocompleteData
from mattermost_pluginapi.v1.command_pb2 import Command

__all__ = ["check_suggestions", "complete_suggestions"]

DEEPEST: Final = 20
"""How many subcommands may be within each other."""


def check_suggestions(data: AutocompleteData, depth: int = 0) -> None:
    """Check what a command suggests, and its subcommands.

    Raises:
        ApiError: it breaks a rule.
    """
    if not data.trigger:
        raise _invalid("a command has no name")
    if data.trigger != data.trigger.lower():
        raise _invalid(f"{data.trigger} is not in lower case")
    if data.role_id not in ("", "system_user", "system_admin"):
        raise _invalid(f"{data.trigger} has the role {data.role_id}")
    if data.arguments and data.sub_commands:
        raise _invalid(f"{data.trigger} has both arguments and subcommands")
    if depth > DEEPEST:
        raise _invalid(f"there are subcommands {depth} deep")
    named = False
    for argument in data.arguments:
        if named and not argument.name:
            raise _invalid(f"{data.trigger} has an argument without a name after one with a name")
        named = bool(argument.name)
        _check_argument(data.trigger, argument)
    for command in data.sub_commands:
        check_suggestions(command, depth + 1)


def _check_argument(trigger: str, argument: AutocompleteArg) -> None:
    if argument.type == "TextInput" and not argument.name and not argument.required:
        raise _invalid(f"{trigger} has an optional text without a name")
    if argument.type == "StaticList" and any(not each.item for each in argument.static_list.possible_arguments):
        raise _invalid(f"{trigger} has a list with an empty item")


def _invalid(what: str) -> ApiError:
    return bad_request("plugin.api.register_command.invalid_autocomplete.app_error", what)


def complete_suggestions(command: Command, plugin_id: str) -> None:
    """Give a command suggestions if it has none, and make addresses of lists those of its plugin."""
    if not command.HasField("autocomplete_data"):
        command.autocomplete_data.trigger = command.trigger
        command.autocomplete_data.hint = command.auto_complete_hint
        command.autocomplete_data.help_text = command.auto_complete_desc
        command.autocomplete_data.role_id = "system_user"
    else:
        _complete_addresses(command.autocomplete_data, plugin_id)


def _complete_addresses(data: AutocompleteData, plugin_id: str) -> None:
    for argument in data.arguments:
        address = argument.dynamic_list.fetch_url
        if argument.type == "DynamicList" and not urlsplit(address).scheme:
            path = posixpath.normpath(f"/plugins/{plugin_id}/{address}")
            argument.dynamic_list.fetch_url = path
    for command in data.sub_commands:
        _complete_addresses(command, plugin_id)
