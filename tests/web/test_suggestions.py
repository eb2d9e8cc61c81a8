"""What is offered while a slash command is typed."""

import asyncio
from collections.abc import Sequence

import pytest
from hypothesis import given
from hypothesis import strategies as st

from mattermost_plugin.devhost.web.suggestions import suggest
from mattermost_pluginapi.v1.autocomplete_pb2 import (
    AutocompleteArg,
    AutocompleteData,
    AutocompleteDynamicListArg,
    AutocompleteListItem,
    AutocompleteStaticListArg,
    AutocompleteTextArg,
)


def listed(*items: str, name: str = "", required: bool = True) -> AutocompleteArg:
    values = AutocompleteStaticListArg(possible_arguments=[AutocompleteListItem(item=item) for item in items])
    return AutocompleteArg(name=name, type="StaticList", required=required, static_list=values)


def text(hint: str, name: str = "", *, required: bool = True) -> AutocompleteArg:
    return AutocompleteArg(name=name, type="TextInput", required=required, text=AutocompleteTextArg(hint=hint))


DYNAMIC = AutocompleteArg(type="DynamicList", required=True, dynamic_list=AutocompleteDynamicListArg(fetch_url="tools"))
COMMANDS = [
    AutocompleteData(
        trigger="work",
        hint="[command]",
        help_text="Work",
        sub_commands=[
            AutocompleteData(trigger="paint", arguments=[listed("red", "red wine", "green"), text("[what]")]),
            AutocompleteData(
                trigger="lend", arguments=[DYNAMIC, text("[days]", "days", required=False), text("[why]")]
            ),
            AutocompleteData(trigger="close", role_id="system_admin"),
        ],
    ),
    AutocompleteData(trigger="word", help_text="Say it"),
]


def offers(typed: str, role: str = "system_user") -> list[tuple[str, str]]:
    asked: list[tuple[str, str, str]] = []

    async def fetch(url: str, read: str, rest: str) -> Sequence[AutocompleteListItem]:
        asked.append((url, read, rest))
        return [AutocompleteListItem(item="hammer"), AutocompleteListItem(item="saw")]

    found = asyncio.run(suggest(COMMANDS, typed, role=role, fetch=fetch))
    assert asked in ([], [("tools", "work lend ", typed.removeprefix("work lend "))])
    return [(each.complete, each.suggestion or each.hint) for each in found]


@pytest.mark.parametrize(
    ("typed", "expected"),
    [
        ("", [("work", "work"), ("word", "word")]),
        ("wor", [("work", "work"), ("word", "word")]),
        ("WORK", [("work", "work")]),
        ("x", []),
        ("word ", []),
        ("work ", [("work paint", "paint"), ("work lend", "lend")]),
        ("work  p", [("work  paint", "paint")]),
        ("work paint ", [(f"work paint {name} ", name) for name in ("red", "red wine", "green")]),
        ("work paint R", [("work paint red ", "red"), ("work paint red wine ", "red wine")]),
        ("work paint red ", [("work paint red ", "[what]")]),
        ("work paint red wine ", [("work paint red wine ", "[what]")]),
        ("work paint green a door", []),
        ("work paint green door", [("work paint green door", "[what]")]),
        ('work paint green "a do', [('work paint green "a do', "[what]")]),
        ("work paint blue ", []),
        ("work lend s", [("work lend saw ", "saw")]),
        ("work lend saw ", [("work lend saw --days ", "--days"), ("work lend saw ", "[why]")]),
        ("work lend saw --d", [("work lend saw --days ", "--days"), ("work lend saw --d", "[why]")]),
        ("work lend saw --days ", [("work lend saw --days ", "[days]")]),
        ("work lend saw --days 3 ", [("work lend saw --days 3 ", "[why]")]),
        ("nothing of that", []),
    ],
)
def test_what_may_stand_where_the_text_ends(typed: str, expected: list[tuple[str, str]]) -> None:
    assert offers(typed) == expected


def test_who_may_not_run_a_command_is_not_offered_it() -> None:
    assert ("work close", "close") not in offers("work ")
    assert ("work close", "close") in offers("work ", "system_admin")


@given(st.text(alphabet='workpaintledsrg "-', max_size=60))
def test_an_offer_begins_with_what_was_typed_but_for_its_last_word(typed: str) -> None:
    for complete, _ in offers(typed):
        whole = typed.rpartition(" ")[0]
        assert complete.lower().startswith(whole.lower().rstrip("-")) or whole.lower().startswith(complete.lower())


def test_commands_nested_without_end_are_given_up() -> None:
    data = AutocompleteData(trigger="x")
    for _ in range(60):
        data = AutocompleteData(trigger="x", sub_commands=[data])

    async def fetch(url: str, read: str, rest: str) -> Sequence[AutocompleteListItem]:
        return ()

    assert asyncio.run(suggest([data], "x " * 500, role="system_user", fetch=fetch)) == []
