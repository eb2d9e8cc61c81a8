"""Run in a process of its own: starts a plugin's script as a server would, and tells which class it wants to serve.

Arguments: the descriptor to answer to, the script, and the folders of its packages.
"""

import json
import os
import runpy
import sys
import traceback

MOST_LINES = 24
"""Of a traceback: its end says what is wrong."""

_FOLDER = os.getcwd()  # noqa: PTH109 - a text is wanted
"""The plugin's, in which this is started."""


def look(script: str, packages: list[str]) -> dict[str, object]:
    """Run the script up to the point where it serves its plugin.

    Returns:
        {"hooks": names, "others": names of methods that handle none}, {"error": text, "module": name if it is missing},
        or {} if the script ended without serving anything.
    """
    sys.path.insert(0, os.path.dirname(script))  # noqa: PTH120 - a text is wanted
    sys.path += packages
    sys.argv = [script]
    try:
        import mattermost_plugin
        from mattermost_plugin import server
    except ImportError as error:
        return _failure(error, [])
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
        return _failure(error, [os.path.dirname(__file__), os.path.dirname(mattermost_plugin.__file__)])  # noqa: PTH120
    if not classes:
        return {}
    handlers = getattr(classes[-1], "hook_handlers", {})
    return {"hooks": sorted(map(str, handlers)), "others": _other_methods(classes[-1], mattermost_plugin.Plugin)}


def _other_methods(plugin_class: type, base: type) -> list[str]:
    """The public methods that the author has added, beside those that handle a hook."""
    own = {
        name: value for each in plugin_class.__mro__ if each not in base.__mro__ for name, value in vars(each).items()
    }
    handling = {handler.attribute for handler in getattr(plugin_class, "hook_handlers", {}).values()}
    return sorted(name for name, value in own.items() if callable(value) and name[0] != "_" and name not in handling)


def _failure(error: BaseException, left_out: list[str]) -> dict[str, object]:
    told = traceback.TracebackException.from_exception(error)
    _shorten(told, ("<frozen ", *left_out))
    lines = "".join(told.format()).rstrip().splitlines()
    module = error.name if isinstance(error, ModuleNotFoundError) else None
    return {"error": "\n".join(lines[-MOST_LINES:]), "module": module}


def _shorten(told: traceback.TracebackException, left_out: tuple[str, ...]) -> None:
    """Keep what concerns the author's code, and give its files the names that they have in its folder."""
    told.stack[:] = [frame for frame in told.stack if not frame.filename.startswith(left_out)]
    for before in (told.__cause__, told.__context__):
        if before is not None:
            _shorten(before, left_out)
    # What led to it concerns the author only if it went through files of the plugin.
    told.__cause__, told.__context__ = _unless_empty(told.__cause__), _unless_empty(told.__context__)
    for frame in told.stack:
        frame.filename = _in_folder(frame.filename)
    # It is there for syntax errors only.
    if getattr(told, "filename", None):
        told.filename = _in_folder(told.filename)


def _unless_empty(before: traceback.TracebackException | None) -> traceback.TracebackException | None:
    return before if before is not None and any(frame.filename[0] != "/" for frame in before.stack) else None


def _in_folder(path: str) -> str:
    return path.removeprefix(f"{_FOLDER}/")


def main() -> None:
    """Answer, and end at once: the script may have started threads."""
    descriptor, script, *packages = sys.argv[1:]
    answer = look(script, packages)
    with os.fdopen(int(descriptor), "w", encoding="utf-8") as file:
        json.dump(answer, file)
    os._exit(0)


if __name__ == "__main__":
    main()
