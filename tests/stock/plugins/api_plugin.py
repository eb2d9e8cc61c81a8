"""Calls the method of the plugin API that a command names, and says whether the result is what it should be."""

import base64

from mattermost_plugin import Plugin, run_plugin
from mattermost_plugin.models import CommandArgs, CommandResponse, PluginContext
from mattermost_pluginapi.api.methods import METHODS
from tests.conformance.api_values import call_arguments, comparable, result


class Caller(Plugin):
    """Calls what it is told to."""

    def execute_command(self, context: PluginContext, args: CommandArgs) -> CommandResponse:
        """`METHOD REQUEST RESPONSE`, the last two in base64."""
        name, request, response = args.command.split(" ")
        method = METHODS[name]
        call = getattr(self.api, method.method)
        found = call(**call_arguments(method.request_type.FromString(base64.b64decode(request))))
        expected = result(method.response_type.FromString(base64.b64decode(response)))
        is_same = comparable(found) == comparable(expected)
        return CommandResponse(text="same" if is_same else f"{found!r} instead of {expected!r}")


if __name__ == "__main__":
    run_plugin(Caller)
