"""Uses of mutexes and jobs that both type checkers must refuse. A comment above a line says what each must report."""

from mattermost_plugin import Plugin
from mattermost_plugin.jobs import OneShotRun, RecurringRun


class Everywhere(Plugin):
    def on_activate(self) -> None:
        # mypy says: incompatible type "str"; expected "timedelta
        # pyright says: cannot be assigned to parameter "interval"
        self.jobs.every("tick", "1h", self.tick)
        # mypy says: "Callable\[\[OneShotRun\], .*"; expected "Callable\[\[RecurringRun\]
        # pyright says: cannot be assigned to parameter "callback"
        self.jobs.every("tick", 60, self.remind)
        # mypy says: "Callable\[\[RecurringRun\], .*"; expected "Callable\[\[OneShotRun\]
        # pyright says: cannot be assigned to parameter "callback"
        self.jobs.handle("remind", self.tick)
        # mypy says: "Callable\[\[\], None\]"; expected "Callable\[\[RecurringRun\]
        # pyright says: cannot be assigned to parameter "callback"
        self.jobs.every("tick", 60, self.nothing)
        # mypy says: "list\[str\]"; expected "Mapping\[str, object\]
        # pyright says: cannot be assigned to parameter "payload"
        self.jobs.run_after(60, "remind", "k", ["p"])
        # mypy says: incompatible type "float"; expected "int"
        # pyright says: cannot be assigned to parameter "ttl"
        mutex = self.cluster.mutex("m", ttl=1.5)
        # mypy says: has no attribute "__enter__"
        # mypy says: has no attribute "__exit__"
        # pyright says: Attribute "__enter__" is unknown
        # pyright says: Attribute "__exit__" is unknown
        with self.cluster.aio.mutex("m"):
            mutex.check()

    def nothing(self) -> None: ...

    async def tick(self, run: RecurringRun) -> None: ...

    async def remind(self, run: OneShotRun) -> None: ...
