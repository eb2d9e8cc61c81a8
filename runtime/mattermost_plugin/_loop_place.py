"""Where a plugin's event loop runs, for what must know whether it is called there."""

import asyncio
import os
import threading
from typing import NamedTuple, Self


class LoopPlace(NamedTuple):
    """The loop, its thread and its process."""

    loop: asyncio.AbstractEventLoop
    thread: int
    """Ident of the thread."""
    process: int

    @classmethod
    def here(cls) -> Self:
        """The place of the running loop."""
        return cls(asyncio.get_running_loop(), threading.get_ident(), os.getpid())
