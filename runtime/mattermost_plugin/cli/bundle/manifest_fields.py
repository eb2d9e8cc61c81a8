"""The fields of a plugin.json, read as strictly as the server reads them."""

from __future__ import annotations

import codecs
import json
from collections.abc import Mapping
from pathlib import Path
from typing import Final, NoReturn

from mattermost_plugin.cli.errors import CommandError

__all__ = ["MANIFEST", "MANIFEST_LIMIT", "YAML_MANIFESTS", "Fields", "parse_manifest", "read_manifest_fields"]

MANIFEST: Final = "plugin.json"

YAML_MANIFESTS: Final = ("plugin.yml", "plugin.yaml")
"""What the server looks for first. If there is one of them, it does not look at plugin.json."""

MANIFEST_LIMIT: Final = 1024 * 1024
"""Bytes: far more than any manifest has, icons are files of their own."""

Fields = Mapping[str, object]
"""A JSON object."""


def read_manifest_fields(folder: Path) -> Fields:
    """The fields of the plugin.json in a folder.

    Raises:
        CommandError: it cannot be read.
    """
    path = folder / MANIFEST
    try:
        with path.open("rb") as file:
            text = file.read(MANIFEST_LIMIT + 1)
    except OSError as error:
        raise CommandError(f"{path} cannot be read: {error.strerror}") from error
    return parse_manifest(text, str(path))


def parse_manifest(text: bytes, where: str) -> Fields:
    """The fields in the text of a plugin.json.

    Args:
        text: the file's content.
        where: names the file in errors.

    Raises:
        CommandError: it is no JSON object, or one that the server could not read.
    """
    if len(text) > MANIFEST_LIMIT:
        raise CommandError(f"{where} has more than {MANIFEST_LIMIT} bytes: that is no manifest")
    if text.startswith(codecs.BOM_UTF8):
        raise CommandError(f"{where} begins with a byte order mark, which the server cannot read: save it without one")
    try:
        fields = json.loads(text.decode("utf-8"), parse_constant=_refuse_constant)
    except (ValueError, RecursionError) as error:
        raise CommandError(f"{where} is no JSON: {error}") from error
    if not isinstance(fields, dict):
        raise CommandError(f"{where} is no JSON object")
    return fields


def _refuse_constant(name: str) -> NoReturn:
    raise ValueError(f"{name} is no JSON value")
