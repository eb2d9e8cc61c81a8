"""Searches in posts, as a server without a search engine of its own does them."""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from datetime import UTC, date, datetime, timedelta
from typing import Final

from mattermost_plugin.devhost.app.hashtags import is_hashtag
from mattermost_plugin.devhost.app.post_views import for_plugin
from mattermost_plugin.devhost.store import SqlValue
from mattermost_plugin.devhost.world import World
from mattermost_pluginapi.v1.channel_pb2 import Channel
from mattermost_pluginapi.v1.post_list_pb2 import SearchParams
from mattermost_pluginapi.v1.post_pb2 import Post

__all__ = ["matching_posts", "parsed"]

MOST_FOUND: Final = 100
"""How many posts one set of parameters finds at most."""

MOST_WORDS: Final = 100
"""How many words and names of one kind count: more would be more than a statement takes."""

_WORD: Final = re.compile(r'-?(?:(?:in|channel|from|after|before|on):\s*)?(?:"[^"]*"|\S+)', re.IGNORECASE)
_FLAG: Final = re.compile(r"(-?)(in|channel|from|after|before|on):\s*(.+)", re.IGNORECASE)
_DAY_MS: Final = 24 * 3600 * 1000


def parsed(terms: str, time_zone_offset: int = 0) -> list[SearchParams]:
    """The parameters of what a user has entered into the search box.

    Args:
        terms: words, "words in a row", #hashtags, each with a - before it if it must not be there, and the filters
            in:, from:, after:, before: and on:.
        time_zone_offset: seconds by which the user's days are ahead of UTC's.

    Returns:
        One set for the words and one for the hashtags, as far as there are any; a set of filters alone if there are
        only those.
    """
    filters = SearchParams(time_zone_offset=time_zone_offset)
    words, hashtags = _Terms(), _Terms()
    for word in _WORD.findall(terms):
        if _FLAG.fullmatch(word):
            _set_filter(filters, word)
        else:
            (hashtags if is_hashtag(word.lstrip("-")) else words).add(word)
    sets = [each.params(filters, is_hashtag=each is hashtags) for each in (words, hashtags) if each]
    return sets or ([filters] if filters.ByteSize() else [])


@dataclass
class _Terms:
    wanted: list[str] = field(default_factory=list)
    unwanted: list[str] = field(default_factory=list)

    def __bool__(self) -> bool:
        return bool(self.wanted or self.unwanted)

    def add(self, word: str) -> None:
        if word.startswith("-") and len(word) > 1:
            self.unwanted.append(word[1:])
        else:
            self.wanted.append(word)

    def params(self, filters: SearchParams, *, is_hashtag: bool) -> SearchParams:
        params = SearchParams()
        params.CopyFrom(filters)
        params.terms, params.excluded_terms = " ".join(self.wanted), " ".join(self.unwanted)
        params.is_hashtag = is_hashtag
        return params


def _set_filter(params: SearchParams, word: str) -> None:
    match = _FLAG.fullmatch(word)
    if match is None:
        return
    excluded, name, value = bool(match[1]), match[2].lower(), match[3].strip('"')
    if name in ("in", "channel"):
        (params.excluded_channels if excluded else params.in_channels).append(value.lstrip("~"))
    elif name == "from":
        (params.excluded_users if excluded else params.from_users).append(value.lstrip("@"))
    elif excluded:
        dates = {
            "after": params.excluded_after_date,
            "before": params.excluded_before_date,
            "on": params.excluded_dates,
        }
        dates[name].append(value)
    else:
        setattr(params, f"{name}_date", value)


def matching_posts(world: World, channels: Iterable[Channel], sets: Iterable[SearchParams]) -> list[Post]:
    """The posts that at least one set of parameters finds, newest first, each with the number of its replies.

    Args:
        world: the host's parts.
        channels: where to look.
        sets: the parameters; one that asks for nothing finds nothing.
    """
    found: dict[str, Post] = {}
    for params in sets:
        ids = [channel.id for channel in channels if _is_searched(channel, params)]
        # Only "everything" is not a search.
        if ids and params.terms != "*" and _asks(params):
            conditions, values = _conditions(world, params, ids)
            found.update((post.id, post) for post in world.store.posts.search(conditions, values, MOST_FOUND))
    return for_plugin(world, sorted(found.values(), key=lambda post: (-post.create_at, post.id)))


def _asks(params: SearchParams) -> bool:
    asked = ("terms", "excluded_terms", "in_channels", "excluded_channels", "from_users", "excluded_users")
    return any(getattr(params, name) for name in (*asked, "on_date", "after_date", "before_date"))


def _is_searched(channel: Channel, params: SearchParams) -> bool:
    names = {channel.id, channel.name}
    return (
        (not channel.delete_at or params.include_deleted_channels)
        and (not params.in_channels or not names.isdisjoint(params.in_channels))
        and names.isdisjoint(params.excluded_channels)
    )


def _conditions(world: World, params: SearchParams, channel_ids: Sequence[str]) -> tuple[list[str], list[SqlValue]]:
    conditions, values = [_one_of("channel_id", channel_ids)], list[SqlValue](channel_ids)
    column = "hashtags" if params.is_hashtag else "message"
    wanted, unwanted = _words(params.terms), _words(params.excluded_terms)
    if wanted:
        says = (" OR " if params.is_or_search else " AND ").join(f"says({column}, ?)" for _ in wanted)
        conditions.append(f"({says})")
        values += wanted
    for word in unwanted:
        conditions.append(f"NOT says({column}, ?)")
        values.append(word)
    for names, not_or_empty in ((params.from_users, ""), (params.excluded_users, "NOT ")):
        if names:
            ids = _user_ids(world, names)
            conditions.append(not_or_empty + _one_of("user_id", ids))
            values += ids
    _add_times(params, conditions, values)
    return conditions, values


def _one_of(column: str, values: Sequence[str]) -> str:
    return f"{column} IN ({', '.join('?' * len(values))})"


def _user_ids(world: World, names: Sequence[str]) -> list[str]:
    """The ids of users who are given by id or by name; a name that nobody has stays as it is and finds nothing."""
    counted = names[:MOST_WORDS]
    found = world.store.users.among("username", [name.lower() for name in counted])
    return [*(user.id for user in found), *counted]


def _words(terms: str) -> list[str]:
    """The words of a search; what is in quotation marks is one."""
    words = [word.strip('"').strip() for word in re.findall(r'"[^"]*"|\S+', terms)]
    return [word for word in words if word.strip("*")][:MOST_WORDS]


def _add_times(params: SearchParams, conditions: list[str], values: list[SqlValue]) -> None:
    offset = params.time_zone_offset
    if params.on_date:
        conditions.append("create_at BETWEEN ? AND ?")
        values += _day(params.on_date, offset)
        return
    for text in params.excluded_dates[:MOST_WORDS]:
        conditions.append("create_at NOT BETWEEN ? AND ?")
        values += _day(text, offset)
    afters = [(params.after_date, ">"), *((text, "<=") for text in params.excluded_after_date[:MOST_WORDS])]
    befores = [(params.before_date, "<"), *((text, ">=") for text in params.excluded_before_date[:MOST_WORDS])]
    for text, sign in afters:
        if text:
            conditions.append(f"create_at {sign} ?")
            values.append(_day(text, offset)[1])
    for text, sign in befores:
        if text:
            conditions.append(f"create_at {sign} ?")
            values.append(_day(text, offset)[0])


def _day(text: str, offset: int) -> tuple[int, int]:
    """The first and the last millisecond of a day such as "2024-02-29"; what is no day is 1970's first one."""
    try:
        day = date.fromisoformat(text)
        start = datetime(day.year, day.month, day.day, tzinfo=UTC) - timedelta(seconds=offset)
    except (ValueError, OverflowError):
        return 0, 0
    first = int(start.timestamp() * 1000)
    return first, first + _DAY_MS - 1
