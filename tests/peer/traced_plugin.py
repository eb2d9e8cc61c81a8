"""The traced plugin under a host, and what it left behind."""

from pathlib import Path

from tests.peer.conftest import start_plugin
from tests.peer.gohost import GoHost, GoPlugin

# Whichever hook comes, the plugin looks at nothing but its name.
HANG_IN_A_THREAD = "UserHasLoggedIn"
WAIT_ON_THE_LOOP = "UserHasBeenCreated"
BLOCK_THE_LOOP = "ChannelHasBeenCreated"
START_A_CHILD = "UserHasBeenDeactivated"


class TracedPlugin:
    """A running traced plugin.

    Args:
        folder: Where its trace goes, and where it looks for files.
        faults: What it does otherwise than well.
        env: Further variables.
        activate: Whether it is made active.
    """

    def __init__(
        self, host: GoHost, folder: Path, *faults: str, env: dict[str, str] | None = None, activate: bool = True
    ) -> None:
        self.folder = folder
        self.plugin: GoPlugin = start_plugin(
            host, "traced.py", *faults, env={"TRACE_FILE": str(folder / "trace"), **(env or {})}, activate=activate
        )

    def trace(self) -> list[str]:
        """What has happened so far."""
        return (self.folder / "trace").read_text().splitlines()

    def wait(self, event: str) -> int:
        """Waits for an event; gives the pid of the process in which it happened."""
        pid = self.plugin.wait_log(f"trace: {event}", source="plugin").pairs["pid"]
        assert isinstance(pid, int)
        return pid

    def release(self) -> None:
        """Creates the file that the plugin may be waiting for."""
        (self.folder / "go").touch()
