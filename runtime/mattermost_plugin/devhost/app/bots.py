"""Bots and their user accounts."""

from typing import Final

from mattermost_plugin.devhost.app.users import add_user, existing_user, save_user, set_active
from mattermost_plugin.devhost.errors import not_found
from mattermost_plugin.devhost.ids import new_id
from mattermost_plugin.devhost.world import World
from mattermost_pluginapi.v1.bot_pb2 import Bot, BotPatch
from mattermost_pluginapi.v1.common_pb2 import PluginContext
from mattermost_pluginapi.v1.user_pb2 import User

__all__ = ["create_bot", "delete_bot", "ensure_bot", "existing_bot", "patch_bot", "set_bot_active"]

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


async def create_bot(world: World, context: PluginContext, bot: Bot, owner_id: str) -> Bot:
    """Create a bot and its account.

    Raises:
        ApiError: the username breaks a rule or is taken.
    """
    username = bot.username.lower()
    user = User(id=new_id(), username=username, email=f"{username}@localhost", first_name=bot.display_name, is_bot=True)
    user.bot_description = bot.description
    user = await add_user(world, context, user)
    created = Bot(
        user_id=user.id,
        username=username,
        display_name=bot.display_name,
        description=bot.description,
        owner_id=bot.owner_id or owner_id,
        create_at=user.create_at,
        update_at=user.create_at,
    )
    return world.store.bots.insert(created)


async def ensure_bot(world: World, context: PluginContext, bot: Bot, plugin_id: str) -> str:
    """Create a plugin's own bot, or update it.

    Returns:
        The id of its account; of another account, if that has the username.

    Raises:
        ApiError: the username breaks a rule.
    """
    known = world.store.kv.get(plugin_id, BOT_KEY)
    if known is not None and world.store.bots.get(known.decode()) is not None:
        patch = BotPatch(username=bot.username, display_name=bot.display_name, description=bot.description)
        return patch_bot(world, known.decode(), patch).user_id
    user = world.store.users.by_username(bot.username)
    if user is not None:
        if world.store.bots.get(user.id) is None:
            world.log("error", f"{plugin_id}: the username {user.username} of its bot belongs to a person's account")
        world.store.kv.set(plugin_id, BOT_KEY, user.id.encode())
        return user.id
    created = await create_bot(world, context, bot, plugin_id)
    world.store.kv.set(plugin_id, BOT_KEY, created.user_id.encode())
    return created.user_id


def patch_bot(world: World, user_id: str, patch: BotPatch) -> Bot:
    """Change some properties of a bot and its account.

    Raises:
        ApiError: there is no such bot, or the username breaks a rule or is taken.
    """
    bot, user = existing_bot(world, user_id), existing_user(world, user_id)
    if patch.HasField("username"):
        bot.username = user.username = patch.username.lower()
        user.email = f"{user.username}@localhost"
    if patch.HasField("display_name"):
        bot.display_name = user.first_name = patch.display_name
    if patch.HasField("description"):
        bot.description = user.bot_description = patch.description
    bot.update_at = user.update_at = world.now_ms()
    with world.store.transaction():
        save_user(world, user)
        return world.store.bots.put(bot)


def set_bot_active(world: World, context: PluginContext, user_id: str, *, active: bool) -> Bot:
    """Disable a bot or enable it.

    Raises:
        ApiError: there is no such bot.
    """
    bot = existing_bot(world, user_id)
    user = set_active(world, context, user_id, active=active)
    bot.update_at, bot.delete_at = user.update_at, user.delete_at
    return world.store.bots.put(bot)


def delete_bot(world: World, user_id: str) -> None:
    """Delete a bot and its account for good."""
    with world.store.transaction():
        world.store.bots.delete(user_id)
        world.store.users.delete(user_id)
        world.store.sessions.end_of_user(user_id)
        world.store.channel_members.delete_where("user_id = ?", [user_id])
        world.store.team_members.delete_where("user_id = ?", [user_id])
