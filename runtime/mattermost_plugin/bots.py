"""The bot of a plugin: there, active and up to date, whatever was before.

from mattermost_plugin.bots import ensure_bot

class Greeter(Plugin):
    def on_activate(self) -> None:
        self.bot_id = ensure_bot(self.api, "greeter", display_name="Greeter", profile_image="assets/greeter.png")
"""

from __future__ import annotations

import os
import time
from collections.abc import Awaitable, Callable, Coroutine
from pathlib import Path
from typing import TYPE_CHECKING, Final, TypeAlias, overload

from mattermost_plugin._api_errors import NotFoundError, NotImplementedByServerError, PluginAPIError
from mattermost_plugin._both_clients import answer_of, run
from mattermost_plugin.errors import PluginError
from mattermost_pluginapi.models import Bot, BotPatch

if TYPE_CHECKING:
    from mattermost_plugin._both_clients import EitherAPI
    from mattermost_pluginapi.api.client import AsyncPluginAPI, PluginAPI

__all__ = ["BotUsernameTakenError", "ensure_bot"]

_PAUSES_S: Final = (0.1, 0.2, 0.4, 0.8)
"""Before another look: how long another node, which makes the same bot at the same time, may need to finish."""

_BOT_KEY: Final = "mmi_botid"
"""Where the server keeps the id of a plugin's bot among the plugin's keys."""

Image: TypeAlias = "bytes | str | os.PathLike[str]"


class BotUsernameTakenError(PluginError):
    """The username that the bot is to have belongs to a person. The administrator must act, as the text says.

    Attributes:
        username: The username.
        user_id: Id of the account that has it.
    """

    def __init__(self, username: str, user_id: str) -> None:
        super().__init__(username, user_id)
        self.username = username
        self.user_id = user_id

    def __str__(self) -> str:
        return (
            f"the username {self.username!r} belongs to an ordinary account ({self.user_id}): make a bot of it with "
            f"`mmctl user convert {self.username} --bot`, or change its username and activate the plugin again"
        )


@overload
def ensure_bot(
    api: PluginAPI,
    username: str,
    *,
    display_name: str = "",
    description: str = "",
    profile_image: Image | None = None,
    timeout: float | None = None,
) -> str: ...
@overload
def ensure_bot(
    api: AsyncPluginAPI,
    username: str,
    *,
    display_name: str = "",
    description: str = "",
    profile_image: Image | None = None,
    timeout: float | None = None,
) -> Coroutine[object, None, str]: ...
def ensure_bot(
    api: EitherAPI,
    username: str,
    *,
    display_name: str = "",
    description: str = "",
    profile_image: Image | None = None,
    timeout: float | None = None,
) -> str | Coroutine[object, None, str]:
    """See to it that the plugin has its bot. Call it whenever the plugin starts, in `on_activate`.

    The bot is made if it is not there, switched on if it was switched off, and gets username, display name and
    description as they are given here, whoever changed them. It stays the same bot when the username given here
    changes. A bot of that username which is there already becomes the plugin's, whoever made it. Several nodes of a
    cluster may do all this at the same time. Servers have what it needs from 7.1 on.

    Args:
        api: `self.api`, or `self.api.aio` in coroutines; the result is awaited then.
        username: name by which others mention the bot, in lower case, at most 64 characters, without the "@".
        display_name: name that users see, at most 64 characters. Empty: the username.
        description: what the bot is for, at most 1,024 characters.
        profile_image: its picture, as bytes or as a file; a relative path starts in the plugin's folder. Stored every
            time. None: the picture stays as it is.
        timeout: seconds that each call of the server may take; None stands for the client's setting.

    Returns:
        The id of the bot's user account.

    Raises:
        BotUsernameTakenError: the username belongs to a person.
        ValueError: the username or the picture is empty.
        OSError: the file with the picture cannot be read.
        PluginAPIError: the server refused a call, because a value breaks its rules for example.
        APITransportError: no answer came.
    """
    if not username:
        raise ValueError("a bot needs a username")
    bot = Bot(username=username, display_name=display_name, description=description)
    # Not at the top: the clients are large, and who has one has loaded them.
    from mattermost_pluginapi.api.client import AsyncPluginAPI

    if isinstance(api, AsyncPluginAPI):
        import asyncio

        def read_in_thread(path: Path) -> Awaitable[bytes]:
            return asyncio.to_thread(path.read_bytes)

        return _Ensurer(api, asyncio.sleep, read_in_thread, timeout).ensure(bot, profile_image)
    return run(_Ensurer(api, time.sleep, Path.read_bytes, timeout).ensure(bot, profile_image))


class _Ensurer:
    """Does it, with either client.

    Args:
        api: the client.
        pause: waits for some seconds, in the way that goes with the client.
        read: reads a file, likewise.
        timeout_s: for each call.
    """

    def __init__(
        self,
        api: EitherAPI,
        pause: Callable[[float], Awaitable[None] | None],
        read: Callable[[Path], Awaitable[bytes] | bytes],
        timeout_s: float | None,
    ) -> None:
        self._api = api
        self._pause = pause
        self._read = read
        self._timeout_s = timeout_s

    async def ensure(self, wanted: Bot, profile_image: Image | None) -> str:
        image = await self._image(profile_image) if profile_image is not None else None
        bot = await self._bot(wanted.username, await self._user_id(wanted))
        if bot.delete_at:
            await answer_of(self._api.update_bot_active(bot.user_id, True, timeout=self._timeout_s))
        # The server leaves them as they are when it takes over a bot by its username.
        if (bot.display_name, bot.description) != (wanted.display_name, wanted.description):
            patch = BotPatch(display_name=wanted.display_name, description=wanted.description)
            await answer_of(self._api.patch_bot(bot.user_id, patch, timeout=self._timeout_s))
        if image is not None:
            await answer_of(self._api.set_profile_image(bot.user_id, image, timeout=self._timeout_s))
        return bot.user_id

    async def _image(self, image: Image) -> bytes:
        if not isinstance(image, bytes):
            path = Path(image)
            if not path.is_absolute():
                path = Path(await answer_of(self._api.get_bundle_path(timeout=self._timeout_s))) / path
            image = await answer_of(self._read(path))
        if not image:
            raise ValueError("the profile image is empty")
        return image

    async def _user_id(self, wanted: Bot) -> str:
        """The id of the account that the server says is the bot's."""
        for pause_s in _PAUSES_S:
            try:
                return await answer_of(self._api.ensure_bot_user(wanted, timeout=self._timeout_s))
            except NotImplementedByServerError:
                raise
            except PluginAPIError:
                # Two nodes may have made the bot at once, and this one came second; or the bot that the server
                # remembers was deleted for good, which it does not get over by itself.
                if not await self._forgot_lost_bot() and not await self._is_taken(wanted.username):
                    raise
            await answer_of(self._pause(pause_s))
        return await answer_of(self._api.ensure_bot_user(wanted, timeout=self._timeout_s))

    async def _forgot_lost_bot(self) -> bool:
        known = await answer_of(self._api.kv_get(_BOT_KEY, timeout=self._timeout_s))
        if not known or await self._found(known.decode(errors="replace")) is not None:
            return False
        await answer_of(self._api.kv_compare_and_delete(_BOT_KEY, known, timeout=self._timeout_s))
        return True

    async def _is_taken(self, username: str) -> bool:
        try:
            await answer_of(self._api.get_user_by_username(username, timeout=self._timeout_s))
        except NotFoundError:
            return False
        return True

    async def _bot(self, username: str, user_id: str) -> Bot:
        """The bot of an account. Another node makes the account first, and the bot then."""
        bot = await self._found(user_id)
        for pause_s in _PAUSES_S:
            if bot is not None:
                return bot
            await answer_of(self._pause(pause_s))
            bot = await self._found(user_id)
        if bot is None:
            raise BotUsernameTakenError(username, user_id)
        return bot

    async def _found(self, user_id: str) -> Bot | None:
        try:
            return await answer_of(self._api.get_bot(user_id, True, timeout=self._timeout_s))
        except NotFoundError:
            return None
