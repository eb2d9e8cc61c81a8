"""What a user is offered while typing a slash command, as the server works it out of AutocompleteData.

A command is a tree of words; at a leaf there are arguments. The text is read from the left: what is complete, followed
by a space, is stepped over, and what is offered is what may stand where the text ends.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass, replace
from typing import Final

from mattermost_pluginapi.v1.autocomplete_pb2 import AutocompleteArg, AutocompleteData, AutocompleteListItem

__all__ = ["Fetch", "Suggestion", "suggest"]

ADMIN: Final = "system_admin"

MOST_WORDS: Final = 200
"""How deep commands and arguments may be nested: each level is a call."""

Fetch = Callable[[str, str, str], Awaitable[Sequence[AutocompleteListItem]]]
"""Gets the values of a "DynamicList". Takes its URL, what has been read and what is left of the text."""


@dataclass(frozen=True, slots=True)
class Suggestion:
    """What may come next."""

    complete: str
    """The whole text with it, without the slash."""
    suggestion: str
    """The word; "" for a hint about free text, which cannot be chosen."""
    hint: str
    """What may follow, in short."""
    description: str
    """What it means."""


@dataclass(frozen=True, slots=True)
class _Text:
    """The text, and up to where it has been read."""

    read: str
    rest: str

    def step(self, length: int) -> _Text:
        """Read on, also over the space that follows."""
        after = self.rest[length:]
        length += len(after) - len(after.lstrip(" "))
        return _Text(self.read + self.rest[:length], self.rest[length:])


async def suggest(commands: Sequence[AutocompleteData], text: str, *, role: str, fetch: Fetch) -> list[Suggestion]:
    """What may come next.

    Args:
        commands: the commands that there are.
        text: what has been typed, without the slash.
        role: "system_user" or "system_admin"; decides which commands are offered.
        fetch: gets values that a plugin lists.
    """
    return await _Suggester(role, fetch).words(commands, _Text("", text), 0)


class _Suggester:
    def __init__(self, role: str, fetch: Fetch) -> None:
        self._role = role
        self._fetch = fetch

    async def words(self, commands: Sequence[AutocompleteData], text: _Text, depth: int) -> list[Suggestion]:
        word, space, _ = text.rest.partition(" ")
        offered = [each for each in commands if not each.role_id or self._role in (ADMIN, each.role_id)]
        if not space:
            return [
                Suggestion(text.read + each.trigger, each.trigger, each.hint, each.help_text)
                for each in offered
                if each.trigger.startswith(word.lower())
            ]
        found: list[Suggestion] = []
        for command in offered:
            if command.trigger != word.lower() or depth >= MOST_WORDS:
                continue
            after = text.step(len(word))
            if command.arguments:
                found += await self.arguments(command.arguments, after, depth + 1)
            else:
                found += await self.words(command.sub_commands, after, depth + 1)
        return found

    async def arguments(self, arguments: Sequence[AutocompleteArg], text: _Text, depth: int) -> list[Suggestion]:
        if not arguments or depth >= MOST_WORDS:
            return []
        first, others = arguments[0], arguments[1:]
        after, found = await self._argument(first, text)
        if after is not None:
            return await self.arguments(others, after, depth + 1)
        if not first.required:
            # It may be left out, so what follows it may stand here too.
            found = found + await self.arguments(others, text, depth + 1)
        return found

    async def _argument(self, argument: AutocompleteArg, text: _Text) -> tuple[_Text | None, list[Suggestion]]:
        """The text after an argument, or what to offer for it."""
        if argument.name:
            flag = f"--{argument.name}"
            if not text.rest.startswith(f"{flag} "):
                offer = Suggestion(f"{text.read}{flag} ", flag, "", argument.help_text)
                return None, [offer] if flag.startswith(text.rest) else []
            text = text.step(len(flag))
        if argument.type == "TextInput":
            return _free_text(argument, text)
        items: Sequence[AutocompleteListItem] = argument.static_list.possible_arguments
        if argument.type == "DynamicList":
            items = await self._fetch(argument.dynamic_list.fetch_url, text.read, text.rest)
        return _listed(items, text)


def _free_text(argument: AutocompleteArg, text: _Text) -> tuple[_Text | None, list[Suggestion]]:
    quoted = text.rest.startswith('"')
    end = text.rest.find('"', 1) + 1 if quoted else text.rest.find(" ")
    if end > 0 and text.rest[end : end + 1] == " ":
        return text.step(end), []
    return None, [Suggestion(text.read + text.rest, "", argument.text.hint, argument.help_text)]


def _listed(items: Sequence[AutocompleteListItem], text: _Text) -> tuple[_Text | None, list[Suggestion]]:
    typed = text.rest.lower()
    # The longest first: an item may be the beginning of another one.
    for item in sorted(items, key=lambda each: -len(each.item)):
        if typed.startswith(f"{item.item.lower()} "):
            return text.step(len(item.item)), []
    fitting = [item for item in items if item.item.lower().startswith(typed)]
    offers = [Suggestion(text.read + item.item, item.item, item.hint, item.help_text) for item in fitting]
    return None, [replace(offer, complete=f"{offer.complete} ") for offer in offers]
