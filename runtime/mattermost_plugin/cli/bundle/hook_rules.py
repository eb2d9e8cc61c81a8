"""Which servers call the hooks that a plugin handles, and have the API methods that it calls."""

from __future__ import annotations

import difflib
from collections.abc import Iterator, Mapping, Sequence
from typing import Final

from mattermost_plugin.cli.bundle.findings import Finding, error, note, warning
from mattermost_plugin.cli.bundle.handlers import FoundHandlers
from mattermost_plugin.cli.bundle.manifest_fields import MANIFEST, Fields
from mattermost_plugin.cli.bundle.versions import ServerVersion, is_semantic_version, read_server_version

__all__ = ["check_hooks", "check_methods", "check_names", "check_server_version", "minimum_of"]


_NEARLY: Final = 0.9
"""How much of a name must be that of a stub: "on_activated" is 0.96 of "on_activate"."""


def minimum_of(fields: Fields) -> ServerVersion | None:
    """The oldest server that a manifest allows; None if it names none that can be read."""
    minimum = fields.get("min_server_version")
    return read_server_version(minimum) if isinstance(minimum, str) and is_semantic_version(minimum) else None


def check_server_version(fields: Fields, server: ServerVersion) -> Iterator[Finding]:
    """Check whether a server of that version starts the plugin."""
    minimum = minimum_of(fields)
    if minimum is not None and server < minimum:
        yield error(
            f"{MANIFEST}: min_server_version",
            f"is {minimum}: a server {server} does not start the plugin",
            "lower it, or update the server",
        )


def check_hooks(hooks: Sequence[str], fields: Fields, server: ServerVersion | None) -> Iterator[Finding]:
    """Check when handlers are called.

    Args:
        hooks: the hooks that the plugin handles.
        fields: the manifest.
        server: the server that it is for; None for all that the manifest allows.
    """
    # Late, as it loads protobuf, which the help does not need.
    from mattermost_pluginapi.hooks.adapters import ADAPTERS
    from mattermost_pluginapi.hooks.names import HookName

    since: dict[str, ServerVersion] = {}
    for hook in hooks:
        if hook in HookName.__members__:
            since[hook] = read_server_version(ADAPTERS[HookName[hook]].minimum_server_version)
        else:
            yield warning(
                "", f"the plugin handles a hook {hook!r} that this version of the SDK does not know", "update it"
            )
    if not hooks:
        yield warning("", "the plugin handles no hook: no server ever calls it", "see docs/handlers.md")
    yield from _check_since(since, fields, server, "handles", "which servers before {} never call")


def check_names(handlers: FoundHandlers) -> Iterator[Finding]:
    """Look for methods whose names are nearly those of stubs: nobody calls them."""
    # Late: see above.
    from mattermost_pluginapi.hooks.adapters import ADAPTERS

    stubs = {adapter.method: str(hook) for hook, adapter in ADAPTERS.items()}
    for name in handlers.other_methods:
        for near in difflib.get_close_matches(name, stubs, n=1, cutoff=_NEARLY):
            if stubs[near] not in handlers.hooks:
                yield warning(
                    "",
                    f"the method {name} handles no hook, so no server calls it",
                    f"did you mean {near}? Else rename it",
                )


def check_methods(methods: Mapping[str, str], fields: Fields, server: ServerVersion | None) -> Iterator[Finding]:
    """Check whether servers have the API methods that a plugin's sources mention.

    Args:
        methods: the first place that mentions it, by method.
        fields: the manifest.
        server: the server that it is for; None for all that the manifest allows.
    """
    from mattermost_pluginapi.api.methods import METHODS

    known = {method.method: method for method in METHODS.values()}
    since = {
        f"api.{name} in {place}": read_server_version(known[name].minimum_server_version)
        for name, place in methods.items()
        if name in known
    }
    yield from _check_since(since, fields, server, "calls", "which servers before {} do not have")


def _check_since(
    since: Mapping[str, ServerVersion], fields: Fields, server: ServerVersion | None, verb: str, rule: str
) -> Iterator[Finding]:
    minimum = minimum_of(fields)
    for name, version in since.items():
        what = f"the plugin {verb} {name}, {rule.format(f'{version.major}.{version.minor}')}"
        if server is not None and version > server:
            yield error("", f"{what}; the server is {server}", "do without it there, or update the server")
        elif server is None and minimum is not None and version > minimum:
            yield warning(
                f"{MANIFEST}: min_server_version", f"is {minimum}, but {what}", f'"min_server_version": "{version}"'
            )
    newest = max(since.values(), default=None)
    if server is None and minimum is None and newest is not None and verb == "handles":
        yield note("", f"servers from {newest} on call all of its handlers")
