"""The checked list of fields that have no counterpart on the stock wire."""

from __future__ import annotations

import tomllib
from collections.abc import Mapping
from pathlib import Path

from codegen.errors import CodegenError


class Unmapped:
    """The fields that have no counterpart, with the reasons.

    Args:
        go: reasons by field, by Go struct.
        proto: reasons by field, by message.
        newer: Go fields that newer servers have, with their types, by struct.
    """

    def __init__(
        self,
        go: Mapping[str, Mapping[str, str]],
        proto: Mapping[str, Mapping[str, str]],
        newer: Mapping[str, Mapping[str, str]],
    ) -> None:
        self.newer = newer
        self._reasons = {("go", *key): why for key, why in _flat(go)} | {
            ("proto", *key): why for key, why in _flat(proto)
        }
        self._used: set[tuple[str, str, str]] = set()

    @classmethod
    def load(cls, path: Path) -> Unmapped:
        """Read the file.

        Raises:
            CodegenError: it is not what it should be.
        """
        try:
            data = tomllib.loads(path.read_text(encoding="utf-8"))
            return cls(data.get("go", {}), data.get("proto", {}), data.get("newer", {}))
        except (OSError, ValueError, AttributeError) as error:
            raise CodegenError(f"{path} cannot be read: {error}") from error

    def has(self, side: str, owner: str, field: str) -> bool:
        """Whether the field is listed."""
        key = (side, owner, field)
        if not self._reasons.get(key):
            return False
        self._used.add(key)
        return True

    @property
    def idle(self) -> list[str]:
        """The entries for fields that do have a counterpart, or that do not exist."""
        return [".".join(key) for key in self._reasons if key not in self._used]


def _flat(table: Mapping[str, Mapping[str, str]]) -> list[tuple[tuple[str, str], str]]:
    return [((owner, field), reason) for owner, fields in table.items() for field, reason in fields.items()]
