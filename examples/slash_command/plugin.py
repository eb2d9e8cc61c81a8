"""A slash command with arguments: /roll 2d6+1 rolls two dice with six sides each and adds 1.

    /roll       one die with six sides
    /roll 3d8   three with eight
    /roll help  how to use it; only the user sees that

What cannot be rolled is answered with a HookError, whose text the user sees. The server calls ExecuteCommand for
commands that are registered for the plugin.
"""

import random
import re

from mattermost_plugin import HookError, Plugin, run_plugin
from mattermost_plugin.models import Command, CommandArgs, CommandResponse, PluginContext

USAGE = "`/roll [COUNT]d[SIDES][+BONUS]`, such as `/roll`, `/roll 2d6` or `/roll d20+5`"
DICE = re.compile(r"(?P<count>[0-9]{0,3})d(?P<sides>[0-9]{1,4})(?P<bonus>[+-][0-9]{1,4})?", re.ASCII)
MAX_COUNT = 100
"""A longer list of dice would fill the channel."""


class Dice(Plugin):
    """Rolls dice."""

    async def on_activate(self) -> None:
        """Declare the command. Without this the server knows no /roll."""
        await self.api.aio.register_command(Command(trigger="roll", auto_complete=True, auto_complete_desc=USAGE))

    async def execute_command(self, context: PluginContext, args: CommandArgs) -> CommandResponse:
        """Answer /roll."""
        _, *words = args.command.split()
        if words == ["help"]:
            return CommandResponse(response_type="ephemeral", text=USAGE)
        count, sides, bonus = parse_dice("".join(words) or "d6")
        dice = [random.randint(1, sides) for _ in range(count)]
        shown = " + ".join(map(str, [*dice, bonus] if bonus else dice)).replace("+ -", "- ")
        return CommandResponse(response_type="in_channel", text=f":game_die: {shown} = **{sum(dice) + bonus}**")


def parse_dice(text: str) -> tuple[int, int, int]:
    """Read "2d6+1" as count, sides and bonus.

    Raises:
        HookError: it is something else.
    """
    match = DICE.fullmatch(text.lower())
    if match is None:
        raise HookError(f"I cannot roll {text!r}. Try {USAGE}", id="com.example.dice.syntax", status_code=400)
    count, sides, bonus = int(match["count"] or 1), int(match["sides"]), int(match["bonus"] or 0)
    if not 1 <= count <= MAX_COUNT or sides < 1:
        raise HookError(
            f"I have dice with one side or more, and {MAX_COUNT} of them.", id="com.example.dice.range", status_code=400
        )
    return count, sides, bonus


if __name__ == "__main__":
    run_plugin(Dice)
