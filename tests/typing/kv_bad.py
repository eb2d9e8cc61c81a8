"""Uses of the store, iterators and bots that both type checkers must refuse. A comment above a line says what each
must report."""

from datetime import date

from mattermost_plugin import Plugin
from mattermost_plugin.bots import ensure_bot
from mattermost_plugin.kv import DELETE


class Keeper(Plugin):
    def on_activate(self) -> None:
        # mypy says: "None"; expected "str
        # pyright says: "None" cannot be assigned to parameter "value"
        self.kv.set("key", None)
        # mypy says: "Deletion"; expected "str
        # pyright says: Deletion.DELETE\]" cannot be assigned to parameter "value"
        self.kv.set("key", DELETE)
        # mypy says: "date"; expected "str
        # pyright says: "date" cannot be assigned to parameter "value"
        self.kv.set("key", date.max)
        # mypy says: "str"; expected "timedelta
        # pyright says: cannot be assigned to parameter "expires_in"
        self.kv.set("key", "value", expires_in="5")
        # mypy says: "ValueT" of "get" of "KVStore" cannot be "date"
        # pyright says: "type\[date\]" cannot be assigned to parameter "as_type"
        self.kv.get("key", date)
        # mypy says: "ValueT" of "get" of "KVStore" cannot be "dict\[str, int\]"
        # pyright says: "type\[dict\[str, int\]\]" cannot be assigned to parameter "as_type"
        self.kv.get("key", dict[str, int])
        # mypy says: "int \| None", variable has type "int"
        # pyright says: "int \| None" is not assignable to declared type "int"
        count: int = self.kv.get("key", int)
        # mypy says: "int" has no attribute "upper"
        # pyright says: Cannot access attribute "upper" for class "int"
        self.kv.update("key", lambda count: count.upper(), int, initial=0)
        # mypy says: "NewT" of "update" of "KVStore" cannot be "None"
        # pyright says: Function return type "None" is incompatible with type "NewT@update"
        self.kv.update("key", lambda count: None, int, initial=count)
        # mypy says: Missing positional argument "prefix"
        # pyright says: Argument missing for parameter "prefix"
        self.kv.delete_all()
        # mypy says: Unexpected keyword argument "per_page"
        # pyright says: No parameter named "per_page"
        self.api.iter_users_in_team("t", per_page=5)
        # mypy says: No overload variant of "ensure_bot"
        # pyright says: No overloads for "ensure_bot"
        ensure_bot("greeter")

    async def on_deactivate(self) -> None:
        # mypy says: "Coroutine\[Any, Any, list\[str\]\]", variable has type "list\[str\]"
        # pyright says: "CoroutineType\[Any, Any, list\[str\]\]" is not assignable
        names: list[str] = self.kv.aio.keys()
        # mypy says: "AsyncIterator\[tuple\[str, JsonValue\]\]" has no attribute "__iter__"
        # pyright says: "AsyncIterator\[tuple\[str, JsonValue\]\]" is not iterable
        for _ in self.kv.aio.items():
            pass
        # mypy says: "Coroutine\[object, None, str\]" has no attribute "upper"
        # pyright says: Cannot access attribute "upper" for class "Coroutine\[object, None, str\]"
        self.logger.info(ensure_bot(self.api.aio, "greeter").upper(), names)
