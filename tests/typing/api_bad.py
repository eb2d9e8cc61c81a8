"""Calls of the plugin API that both type checkers must refuse. A comment above a line says what each must report."""

from mattermost_plugin import Plugin, models
from mattermost_plugin.models import Post, Team

# mypy says: Module has no attribute "Bots"
# pyright says: "Bots" is not a known attribute of module
models.Bots()


class Caller(Plugin):
    def on_activate(self) -> None:
        # mypy says: Missing positional argument "user_id"
        # pyright says: Argument missing for parameter "user_id"
        self.api.get_user()
        # mypy says: incompatible type "int"; expected "str"
        # pyright says: "Literal\[5\]" is not assignable to "str"
        self.api.get_user(5)
        # mypy says: Too many positional arguments
        # pyright says: Expected 1 positional argument
        self.api.get_user("u", 5.0)
        # mypy says: incompatible type "Team"; expected "Post"
        # pyright says: "Team" is not assignable to "Post"
        self.api.create_post(Team())
        # mypy says: Unexpected keyword argument "id"
        # pyright says: Argument missing for parameter "user_id"
        # pyright says: No parameter named "id"
        self.api.get_user(id="u")
        # mypy says: "PluginAPI" has no attribute "get_usr"
        # pyright says: Cannot access attribute "get_usr"
        self.api.get_usr("u")
        # mypy says: Incompatible types in assignment .*"bytes \| None".*"bytes"
        # pyright says: "None" is not assignable to "bytes"
        value: bytes = self.api.kv_get("k")
        # mypy says: incompatible type "list\[int\]"|List item 0 has incompatible type "int"
        # pyright says: "Literal\[1\]" is not assignable to "str"
        self.api.get_users_by_ids([1])
        # mypy says: "User" has no attribute "mail"
        # pyright says: Cannot access attribute "mail"
        self.logger.info("%s %s", self.api.get_user("u").mail, value)

    async def on_deactivate(self) -> None:
        # mypy says: "Coroutine\[Any, Any, User\]" has no attribute "username"
        # pyright says: Cannot access attribute "username" for class "CoroutineType\[Any, Any, User\]"
        self.logger.info(self.api.aio.get_user("u").username)
        # mypy says: Incompatible types in "await"
        # pyright says: "Post" is not awaitable
        await self.api.create_post(Post())


# mypy says: Argument "api" to "Caller" has incompatible type "str"
# pyright says: "Literal\['server'\]" is not assignable to "PluginAPI"
Caller(api="server")
