"""Run in a process of its own: starts a plugin's script as a server would, and tells which class it wants to serve.

Arguments: the descriptor to answer to, the script, and what comes first on the module path.
"""

import json
import os
import runpy
import sys
import traceback

MOST_LINES = 12
"""Of a traceback: its end says what is wrong."""


def look(script: str, module_path: list[str]) -> dict[str, object]:
    """Run the script up to the point where it serves its plugin.

    Returns:
        {"hooks": names}, {"error": text}, or {} if the script ended without serving anything.
    """
    sys.path[:0] = module_path
    sys.argv = [script]
    try:
        import mattermost_plugin
        from mattermost_plugin import server
    except ImportError as error:
        return {"error": _told(error)}
    classes: list[type] = []

    def run_plugin(plugin_class: type, config: object = None) -> None:
        classes.append(plugin_class)
        raise SystemExit(0)

    async def serve_plugin(plugin_class: type, config: object = None) -> None:
        run_plugin(plugin_class)

    for module in (mattermost_plugin, server):
        setattr(module, "run_plugin", run_plugin)  # noqa: B010 - a plain assignment would be no function of that type
        setattr(module, "serve_plugin", serve_plugin)  # noqa: B010 - see above
    try:
        runpy.run_path(script, run_name="__main__")
    except SystemExit as end:
        if not classes and end.code not in (None, 0):
            return {"error": f"it ends with {end.code!r} before it serves a plugin"}
    except BaseException as error:  # noqa: BLE001 - the author's code, and this is the top: it is told
        return {"error": _told(error)}
    handlers = getattr(classes[-1], "hook_handlers", {}) if classes else {}
    return {"hooks": sorted(map(str, handlers))} if classes else {}


def _told(error: BaseException) -> str:
    lines = "".join(traceback.format_exception(error)).rstrip().splitlines()
    return "\n".join(lines[-MOST_LINES:])


def main() -> None:
    """Answer, and end at once: the script may have started threads."""
    descriptor, script, *module_path = sys.argv[1:]
    answer = look(script, module_path)
    with os.fdopen(int(descriptor), "w", encoding="utf-8") as file:
        json.dump(answer, file)
    os._exit(0)


if __name__ == "__main__":
    main()
