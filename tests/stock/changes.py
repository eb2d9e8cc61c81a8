"""Random changes of messages, and the paths at which two structs differ."""

from collections.abc import Callable, Iterator
from typing import Any

from hypothesis import strategies as st

from mattermost_pluginapi.stock.structs import STRUCTS
from tests.stock.strategies import messages

Draw = Callable[[st.SearchStrategy[Any]], Any]


@st.composite
def changed(draw: Draw, name: str, before: Any) -> Any:
    """A message that a handler may have made of another one."""
    after = type(before)()
    after.CopyFrom(before)
    _change(draw, name, after)
    return after


def _change(draw: Draw, name: str, message: Any) -> None:
    other: Any = draw(messages(name, 1))
    for _, field, conversion, detail in STRUCTS[name][2]:
        if conversion == "flat":
            _change(draw, detail, message)
        if conversion in ("flat", "json", "json_message", "pairs"):
            continue
        has_inside = conversion in ("message", "messages", "map", "object")
        what = draw(st.sampled_from(["keep", "keep", "inside" if has_inside else "keep", "clear", "other"]))
        what = draw(st.sampled_from([what, "inside"])) if has_inside else what
        if what in ("clear", "other"):
            message.ClearField(field)
        if what == "other":
            part = type(message)()
            part.MergeFrom(other)
            for kept, _ in other.ListFields():
                if kept.name != field:
                    part.ClearField(kept.name)
            message.MergeFrom(part)
        if what == "inside":
            _change_inside(draw, getattr(message, field), conversion, detail, draw(st.integers(0, 2)))


def _change_inside(draw: Draw, value: Any, conversion: str, detail: str, place: int) -> None:
    if conversion == "message":
        _change(draw, detail, value)
    elif conversion == "messages":
        for element in value:
            _change(draw, detail, element)
        del value[place:]
        value.extend([draw(messages(detail, 1))] if place == 2 else [])
    elif conversion == "map":
        _change_entries(value, place)
    elif conversion == "object":
        _change_entries(value.fields, place)


def _change_entries(entries: Any, place: int) -> None:
    for index, key in enumerate(sorted(entries)):
        if index == place:
            del entries[key]


def differences(name: str, found: dict[str, Any], wanted: dict[str, Any], path: str = "") -> Iterator[str]:
    """Where two structs differ, by the fields of their messages.

    Args:
        name: of the struct map of both.
        found: as the decoder's `GENERIC` has it.
        wanted: likewise.
        path: what the paths begin with.
    """
    seen: set[str] = set()
    for go, field, conversion, detail in STRUCTS[name][2]:
        # Of several fields for one, the first is named.
        if go in seen or found.get(go) == wanted.get(go):
            continue
        seen.add(go)
        here = f"{path}{field}"
        if conversion == "flat":
            yield from differences(detail, found.get(go, {}), wanted.get(go, {}), path)
        elif conversion in ("map", "message_map"):
            yield from _entries(found.get(go, {}), wanted.get(go, {}), here)
        elif go not in found or go not in wanted:
            yield here
        else:
            yield from _inside(conversion, detail, found[go], wanted[go], here)


def _inside(conversion: str, detail: str, found: Any, wanted: Any, path: str) -> Iterator[str]:
    if conversion == "message":
        yield from differences(detail, found, wanted, f"{path}.")
    elif conversion == "messages" and len(found) == len(wanted):
        for index, (one, other) in enumerate(zip(found, wanted, strict=True)):
            yield from differences(detail, one, other, f"{path}[{index}].")
    elif conversion == "object" and isinstance(found, dict):
        yield from _entries(found, wanted, path)
    else:
        yield path


def _entries(found: dict[str, Any], wanted: dict[str, Any], path: str) -> Iterator[str]:
    for key in found.keys() | wanted.keys():
        if (key in found, found.get(key)) != (key in wanted, wanted.get(key)):
            yield f"{path}[{key!r}]"
