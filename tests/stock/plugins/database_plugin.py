"""A plugin that runs a statement of the database for each command."""

import json

from mattermost_plugin import Plugin, db
from mattermost_plugin.models import CommandArgs, CommandResponse, PluginContext
from mattermost_plugin.server import run_plugin


class Asking(Plugin):
    """Commands are JSON: {"statement", "parameters", ...} with arguments for `connect`; so are answers."""

    def execute_command(self, context: PluginContext, args: CommandArgs) -> CommandResponse:
        asked = json.loads(args.command)
        try:
            with self.db.connect(**asked.get("connect", {})) as connection:
                cursor = connection.execute(asked["statement"], asked.get("parameters", []))
                answer: dict[str, object] = {
                    "rows": cursor.fetchall() if cursor.description else None,
                    "count": cursor.rowcount,
                }
        except db.Error as error:
            answer = {"error": type(error).__name__, "text": str(error)}
        return CommandResponse(text=json.dumps(answer))

    def message_has_been_posted(self, context: PluginContext, post: object) -> None:
        # Left open on purpose: the end of the plugin closes it.
        self.open = self.db.connect(read_only=False)
        self.open.execute("SELECT id, name FROM things").fetchone()


if __name__ == "__main__":
    run_plugin(Asking)
