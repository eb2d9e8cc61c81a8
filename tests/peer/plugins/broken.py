"""A plugin that cannot start, in the way that its argument says."""

import sys

if "early" in sys.argv:
    raise RuntimeError("the module is broken early")

from mattermost_plugin import Plugin, run_plugin

if "import" in sys.argv:
    raise RuntimeError("the module is broken")


class Broken(Plugin):
    """Has a handler that does not fit its hook, if it is to have one."""

    if "handler" in sys.argv:

        def message_will_be_posted(self, post: object) -> None:  # type: ignore[override]  # that is the fault
            """Lacks the context."""


if __name__ == "__main__":
    run_plugin(Broken)
