"""The server's rules for a manifest's fields.

They are those of the server's own check of manifests, and of its JSON decoder: a field of the wrong type makes it
refuse the whole file, an unknown field is left out without a word.
"""

from __future__ import annotations

import difflib
import re
import urllib.parse
from collections.abc import Iterator
from typing import Final

from mattermost_plugin.cli.bundle.findings import Finding, error, note, warning
from mattermost_plugin.cli.bundle.manifest_fields import MANIFEST, Fields
from mattermost_plugin.cli.bundle.settings_rules import check_settings
from mattermost_plugin.cli.bundle.versions import is_semantic_version

__all__ = ["check_manifest", "is_plugin_id"]

SHORTEST_ID: Final = 3
LONGEST_ID: Final = 190

_ID: Final = re.compile(r"[a-zA-Z0-9\-_.]+")
_URLS: Final = ("homepage_url", "support_url", "release_notes_url")
_TEXTS: Final = ("id", "name", "description", *_URLS, "icon_path", "version", "min_server_version")
_OBJECTS: Final = ("server", "webapp", "settings_schema", "props", "required_configuration")
_SERVER: Final = ("executable", "executables", "runtime", "python_version")


def is_plugin_id(text: str) -> bool:
    """Whether the server takes a text as a plugin's id."""
    return SHORTEST_ID <= len(text) <= LONGEST_ID and _ID.fullmatch(text) is not None


def check_manifest(fields: Fields) -> Iterator[Finding]:
    """Check a manifest's fields. The files that they name are checked elsewhere."""
    for field in _TEXTS:
        if fields.get(field) is not None and not isinstance(fields[field], str):
            yield error(_at(field), "is no text, and the server refuses the manifest", "put it in quotes")
    for field in _OBJECTS:
        if fields.get(field) is not None and not isinstance(fields[field], dict):
            yield error(_at(field), "is no object, and the server refuses the manifest", "write it as an object: {}")
    yield from _check_spelling(fields)
    yield from _check_id(fields.get("id"))
    name = fields.get("name")
    if name is None or (isinstance(name, str) and not name.strip()):
        yield error(_at("name"), "is missing", 'give the plugin a name for people: "name": "Greeter"')
    yield from _check_versions(fields)
    for url in _URLS:
        text = fields.get(url)
        if isinstance(text, str) and text and not _is_http_url(text):
            yield error(
                _at(url), f"{text!r} is no address that begins with http:// or https://", "correct or remove it"
            )
    yield from _check_parts(fields)
    settings = fields.get("settings_schema")
    if isinstance(settings, dict):
        yield from check_settings(settings)


def _at(field: str) -> str:
    return f"{MANIFEST}: {field}"


def _check_spelling(fields: Fields) -> Iterator[Finding]:
    server = fields.get("server")
    known = ((fields, (*_TEXTS, *_OBJECTS), ""), (server if isinstance(server, dict) else {}, _SERVER, "server."))
    for given, names, before in known:
        for name in given:
            near = difflib.get_close_matches(name, names, n=1, cutoff=0.8)
            if name not in names and near:
                yield warning(
                    _at(before + name), "is no field of a manifest, and the server leaves it out", f"write {near[0]}"
                )


def _check_id(plugin_id: object) -> Iterator[Finding]:
    if not isinstance(plugin_id, str) or not plugin_id:
        if plugin_id is None or plugin_id == "":
            yield error(_at("id"), "is missing", 'choose one for good: "id": "com.example.greeter"')
        return
    if not is_plugin_id(plugin_id):
        rule = f"{SHORTEST_ID} to {LONGEST_ID} of the letters a to z, digits, '-', '_' and '.'"
        yield error(_at("id"), f"{plugin_id!r} is no plugin id", f"use {rule}")
    elif plugin_id != plugin_id.lower():
        yield warning(
            _at("id"),
            f"the server makes {plugin_id.lower()!r} of {plugin_id!r}",
            "write it in lower case, so that the plugin calls itself what the server calls it",
        )


def _check_versions(fields: Fields) -> Iterator[Finding]:
    version, minimum = fields.get("version"), fields.get("min_server_version")
    if version is None or version == "":
        yield warning(_at("version"), "is missing: nobody can tell one release from the next", '"version": "0.1.0"')
    elif isinstance(version, str) and not is_semantic_version(version):
        yield error(_at("version"), f"{version!r} is no semantic version", "write x.y.z, with no 'v' before it")
    if minimum is None or minimum == "":
        yield note(
            _at("min_server_version"),
            "is missing: any server starts the plugin",
            "name the oldest server that calls the hooks you need",
        )
    elif isinstance(minimum, str) and not is_semantic_version(minimum):
        yield error(
            _at("min_server_version"),
            f"{minimum!r} is no semantic version, and the server does not start the plugin",
            "write x.y.z, with three numbers: 10.11.0",
        )


def _is_http_url(text: str) -> bool:
    if not text.startswith(("http://", "https://")):
        return False
    try:
        return bool(urllib.parse.urlsplit(text).netloc)
    except ValueError:
        return False


def _check_parts(fields: Fields) -> Iterator[Finding]:
    server, webapp = fields.get("server"), fields.get("webapp")
    if server is None and webapp is None:
        yield error(
            _at("server"),
            "is missing, and so is webapp: there is nothing to run",
            '"server": {"executable": "plugin.py"}',
        )
    if isinstance(webapp, dict) and not isinstance(webapp.get("bundle_path"), str):
        yield error(_at("webapp.bundle_path"), "is missing", "name the script, or leave webapp out")
    if not isinstance(server, dict):
        return
    executable, executables = server.get("executable"), server.get("executables")
    if executable is not None and not isinstance(executable, str):
        yield error(_at("server.executable"), "is no text, and the server refuses the manifest", "put it in quotes")
    if executables is not None and not _is_text_map(executables):
        yield error(
            _at("server.executables"), "is no object of texts, and the server refuses the manifest", "correct it"
        )
    if not executable and not executables:
        yield error(_at("server.executable"), "is missing", 'name the script: "executable": "plugin.py"')


def _is_text_map(value: object) -> bool:
    return isinstance(value, dict) and all(isinstance(each, str) for each in value.values())
