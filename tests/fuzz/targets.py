"""The targets by name, loaded one at a time: the code under test is watched from its import on."""

from __future__ import annotations

from importlib import import_module
from typing import Final

from tests.fuzz.target import FuzzTarget

__all__ = ["NAMES", "load"]

_CLASSES: Final = {"gob": "GobTarget", "yamux": "YamuxTarget", "netrpc": "NetrpcTarget", "stock": "StockTarget"}

NAMES: Final = tuple(_CLASSES)


def load(name: str) -> FuzzTarget:
    """Make a target."""
    target: FuzzTarget = getattr(import_module(f"tests.fuzz.{name}_target"), _CLASSES[name])()
    return target
