"""Bots and their user accounts."""

from typing import Final

from mattermost_plugin.devhost.app.rules import check_bot
from mattermost_plugin.devhost.app.users import add_user, existing_user, save_user
from mattermost_plugin.devhost.errors import bad_request, not_found
from mattermost_plugin.devhost.world import World
from mattermost_pluginapi.v1.bot_pb2 import Bot, BotPatch
from mattermost_pluginapi.v1.user_pb2 import User

__all__ = ["create_bot", "delete_bot", "ensure_bot", "existing_bot", "patch_bot"]

BOT_KEY: Final = "mmi_botid"
"""The key under which the server remembers a plugin's bot."""


def existing_bot(world: World, user_id: str, *, include_deleted: bool = True) -> Bot:
    """The bot of a user account.

    Raises:
        ApiError: there is none.
    """
    bot = world.store.bots.get(user_id)
    if bot is None or (bot.delete_at and not include_deleted):
        raise not_found("store.sql_bot.get.missing.app_error", f"user_id={user_id}")
    return bot


def create_bot(world: World, bot: Bot) -> Bot:
    """Create a bot and its account. No plugin hears of the account.

    Raises:
        ApiError: a value breaks a rule, the username is taken, or the owner is a bot.
    """
    owner = world.store.users.get(bot.owner_id)
    if owner is not None and owner.is_bot:
        raise bad_request("plugin_api.bot_cant_create_bot", f"owner_id={bot.owner_id}")
    created = Bot()
    created.CopyFrom(bot)
    created.username = bot.username.lower()
    check_bot(created)
    user = User(username=created.username, email=_email(created), first_name=bot.display_name, is_bot=True)
    user.bot_description = bot.description
    with world.store.transaction():
        add_user(world, user)
        created.user_id, created.delete_at = user.id, 0
        created.create_at = created.update_at = user.create_at
        return world.store.bots.insert(created)


def _email(bot: Bot) -> str:
    return f"{bot.username}@localhost"


def ensure_bot(world: World, bot: Bot, plugin_id: str) -> str:
    """Create a plugin's own bot, or update it.

    Returns:
        The id of its account; of a person's account, if that has the username, which the log tells.

    Raises:
        ApiError: a value breaks a rule.
    """
    own = Bot()
    own.CopyFrom(bot)
    own.owner_id = plugin_id
    known = world.store.kv.get(plugin_id, BOT_KEY)
    if known is not None and world.store.bots.get(known.decode(errors="replace")) is not None:
        patch = BotPatch(username=bot.username, display_name=bot.display_name, description=bot.description)
        return patch_bot(world, known.decode(), patch).user_id
    user = world.store.users.by_username(bot.username)
    if user is not None and not user.is_bot:
        world.log("error", f"{plugin_id}: the username {user.username} of its bot belongs to a person's account")
        return user.id
    with world.store.transaction():
        user_id = user.id if user is not None else create_bot(world, own).user_id
        world.store.kv.set(plugin_id, BOT_KEY, user_id.encode())
    return user_id


def patch_bot(world: World, user_id: str, patch: BotPatch) -> Bot:
    """Change some properties of a bot and its account.

    Raises:
        ApiError: there is no such bot, a value breaks a rule, or the username is taken.
    """
    bot, user = existing_bot(world, user_id), existing_user(world, user_id)
    before = Bot()
    before.CopyFrom(bot)
    if patch.HasField("username"):
        bot.username = patch.username.lower()
    if patch.HasField("display_name"):
        bot.display_name = patch.display_name
    if patch.HasField("description"):
        bot.description = patch.description
    if bot == before:
        return bot
    check_bot(bot)
    user.username, user.email, user.first_name = bot.username, _email(bot), bot.display_name
    user.bot_description = bot.description
    bot.update_at = user.update_at = world.now_ms()
    with world.store.transaction():
        save_user(world, user)
        return world.store.bots.put(bot)


def delete_bot(world: World, user_id: str) -> None:
    """Delete a bot and its account for good."""
    with world.store.transaction():
        world.store.bots.delete(user_id)
        world.store.users.delete(user_id)
        world.store.sessions.end_of_user(user_id)
        world.store.channel_members.delete_where("user_id = ?", [user_id])
        world.store.team_members.delete_where("user_id = ?", [user_id])
