"""The server's rules for the settings that a manifest declares."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Final

from mattermost_plugin.cli.bundle.findings import Finding, error, warning
from mattermost_plugin.cli.bundle.manifest_fields import MANIFEST, Fields

__all__ = ["check_settings"]

_WITH_OPTIONS: Final = ("dropdown", "radio")
_WITH_PLACEHOLDER: Final = ("generated", "text", "longtext", "number", "username", "custom")
_TYPES: Final = ("bool", *_WITH_OPTIONS, *_WITH_PLACEHOLDER)


def check_settings(schema: Fields) -> Iterator[Finding]:
    """Check the field settings_schema of a manifest."""
    settings = schema.get("settings")
    if settings is None:
        return
    if not isinstance(settings, list):
        yield error(
            f"{MANIFEST}: settings_schema.settings", "is no list, and the server refuses the manifest", "fix it"
        )
        return
    seen = set[str]()
    for number, setting in enumerate(settings):
        place = f"{MANIFEST}: settings_schema.settings[{number}]"
        if not isinstance(setting, dict):
            yield error(place, "is no object, and the server refuses the manifest", "fix it")
            continue
        yield from _check_setting(setting, place)
        # The server keeps the settings' values in a map whose keys it makes lower-case.
        key = str(setting.get("key") or "").lower()
        if not key:
            yield error(f"{place}.key", "is missing", "name the setting")
        elif key in seen:
            yield warning(f"{place}.key", f"{key!r} is there twice: both settings share one value", "rename one")
        seen.add(key)


def _check_setting(setting: Fields, place: str) -> Iterator[Finding]:
    kind = setting.get("type")
    if kind not in _TYPES:
        yield error(f"{place}.type", f"{kind!r} is no type of a setting", f"use one of {', '.join(_TYPES)}")
        return
    if setting.get("regenerate_help_text") and kind != "generated":
        yield error(f"{place}.regenerate_help_text", f"is not for a setting of type {kind}", "remove it")
    if setting.get("placeholder") and kind not in _WITH_PLACEHOLDER:
        yield error(f"{place}.placeholder", f"is not for a setting of type {kind}", "remove it")
    options = setting.get("options")
    if options is None:
        return
    if kind not in _WITH_OPTIONS:
        yield error(f"{place}.options", f"are not for a setting of type {kind}", "remove them")
    elif not isinstance(options, list) or not all(map(_is_option, options)):
        yield error(f"{place}.options", "each need a display_name and a value, and both as texts", "complete them")


def _is_option(option: object) -> bool:
    if not isinstance(option, dict):
        return False
    texts = (option.get("display_name"), option.get("value"))
    return all(isinstance(text, str) and text for text in texts)
