"""The LDAP directory that the host plays, if its configuration says that there is one."""

import json
from collections.abc import Iterable, Mapping

from mattermost_plugin.devhost.app.config import load_config, section
from mattermost_plugin.devhost.app.users import existing_user
from mattermost_plugin.devhost.errors import not_implemented
from mattermost_plugin.devhost.world import World

__all__ = ["attributes_of_user", "set_entry"]


def set_entry(world: World, auth_data: str, attributes: Mapping[str, str]) -> None:
    """Put an entry into the directory, or replace it.

    Args:
        world: the host's parts.
        auth_data: what tells it from the others: the field `auth_data` of the user that it is about.
        attributes: its attributes.
    """
    world.store.settings.put(_name(auth_data), json.dumps(dict(attributes)).encode())


def attributes_of_user(world: World, user_id: str, names: Iterable[str]) -> dict[str, str]:
    """What the directory says about a user; nothing about one who does not log in through it.

    Args:
        world: the host's parts.
        user_id: the user.
        names: names of attributes; those that the entry has not are left out.

    Raises:
        ApiError: there is no directory (LdapSettings.Enable), or no such user.
    """
    config = load_config(world)
    if not section(config, "LdapSettings").get("Enable"):
        raise not_implemented("ent.ldap.disabled.app_error")
    user = existing_user(world, user_id)
    through_saml = user.auth_service == "saml" and section(config, "SamlSettings").get("EnableSyncWithLdap")
    if not user.HasField("auth_data") or not (user.auth_service == "ldap" or through_saml):
        return {}
    entry = json.loads(world.store.settings.get(_name(user.auth_data)) or b"{}")
    return {name: entry[name] for name in names if name in entry}


def _name(auth_data: str) -> str:
    return f"ldap:{auth_data}"
