"""The server's configuration, and each plugin's part of it."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from copy import deepcopy
from http import HTTPStatus
from typing import Final

from google.protobuf.json_format import MessageToDict
from google.protobuf.struct_pb2 import Struct

from mattermost_plugin.devhost.app.json_texts import integral, json_object
from mattermost_plugin.devhost.errors import ApiError, bad_request
from mattermost_plugin.devhost.hook_rounds import HookFailedError
from mattermost_plugin.devhost.world import World
from mattermost_pluginapi.v1.hooks_lifecycle_pb2 import OnConfigurationChangeRequest
from mattermost_pluginapi.v1.hooks_server_pb2 import ConfigurationWillBeSavedRequest, ConfigurationWillBeSavedResponse
from mattermost_pluginapi.v1.plugin_pb2 import Manifest, PluginSetting
from mattermost_pluginapi.v1.server_pb2 import ConfigJson

__all__ = [
    "Json",
    "change_section",
    "load_config",
    "plugin_settings",
    "plugin_settings_with_defaults",
    "sanitized",
    "save_config",
    "save_plugin_settings",
    "section",
]

Json = dict[str, object]

MASK: Final = "*" * 32
"""What stands for a secret."""

_NAME: Final = "config"

_SECRETS: Final = (
    ("SqlSettings", "DataSource"),
    ("SqlSettings", "AtRestEncryptKey"),
    ("EmailSettings", "SMTPPassword"),
    ("FileSettings", "PublicLinkSalt"),
    ("FileSettings", "AmazonS3SecretAccessKey"),
    ("GitLabSettings", "Secret"),
    ("LdapSettings", "BindPassword"),
    ("ElasticsearchSettings", "Password"),
)

_PLUGINS: Final = ("PluginSettings", "Plugins")
"""What leads to the settings of plugins."""

DEFAULTS: Final[Mapping[str, Mapping[str, object]]] = {
    "ServiceSettings": {
        "SiteURL": "http://localhost:8065",
        "ListenAddress": ":8065",
        "EnableUserAccessTokens": True,
        "EnableBotAccountCreation": True,
        "EnableCustomEmoji": True,
        "EnablePostSearch": True,
        "EnableOAuthServiceProvider": True,
        "EnableDeveloper": True,
        "UniqueEmojiReactionLimitPerPost": 50,
        "DisableBotsWhenOwnerIsDeactivated": True,
        "EnablePostUsernameOverride": False,
        "EnablePostIconOverride": False,
        "EnableTesting": False,
    },
    "TeamSettings": {
        "SiteName": "Mattermost",
        "MaxUsersPerTeam": 50,
        "MaxChannelsPerTeam": 2000,
        "EnableOpenServer": True,
        "RestrictCreationToDomains": "",
    },
    "GuestAccountsSettings": {"Enable": False, "RestrictCreationToDomains": ""},
    "PasswordSettings": {"MinimumLength": 8},
    "SqlSettings": {"DriverName": "sqlite3", "DataSource": "devhost", "AtRestEncryptKey": "devhost-at-rest-key"},
    "FileSettings": {
        "DriverName": "local",
        "EnableFileAttachments": True,
        "MaxFileSize": 100 * 1024 * 1024,
        "EnablePublicLink": True,
        "PublicLinkSalt": "devhost-public-link-salt",
    },
    "ExperimentalSettings": {"RestrictSystemAdmin": False},
    "EmailSettings": {"SendEmailNotifications": True, "FeedbackEmail": "devhost@localhost", "SMTPPassword": ""},
    "LocalizationSettings": {"DefaultServerLocale": "en", "DefaultClientLocale": "en"},
    "PluginSettings": {"Enable": True, "EnableUploads": True, "Plugins": {}, "PluginStates": {}},
}
"""The configuration of a new host: the part of a server's that plugins ask for."""


def load_config(world: World) -> Json:
    """The configuration, with its secrets."""
    stored = world.store.settings.get(_NAME)
    return _object(stored) if stored else deepcopy({name: dict(values) for name, values in DEFAULTS.items()})


def section(config: Json, name: str) -> Json:
    """A part of the configuration, empty if it is not there."""
    found = config.get(name)
    return found if isinstance(found, dict) else {}


def _at(config: Json, path: Sequence[str]) -> Json:
    """The part of the configuration that some keys lead to."""
    for name in path:
        config = section(config, name)
    return config


def _secret_paths(world: World, config: Json) -> list[tuple[str, ...]]:
    """What leads to the secrets in a configuration: the server's, and what plugins' manifests call secret."""
    paths: list[tuple[str, ...]] = list(_SECRETS)
    for plugin_id, settings in _at(config, _PLUGINS).items():
        plugin = world.plugins.get(plugin_id)
        secret = None if plugin is None else {each.key.lower() for each in _settings_of(plugin.manifest) if each.secret}
        keys = list(settings) if isinstance(settings, dict) else []
        # Of a plugin that is not there, everything may be one.
        paths.extend((*_PLUGINS, plugin_id, key) for key in keys if secret is None or key.lower() in secret)
    return paths


def sanitized(world: World, config: Json) -> Json:
    """The configuration without its secrets."""
    masked = deepcopy(config)
    for *path, key in _secret_paths(world, masked):
        if _at(masked, path).get(key):
            _at(masked, path)[key] = MASK
    return masked


def _unmask(world: World, config: Json, old: Json) -> None:
    """Put back the secrets that came masked."""
    for *path, key in _secret_paths(world, config):
        if _at(config, path).get(key) == MASK:
            _at(config, path)[key] = _at(old, path).get(key)


async def save_config(world: World, config_json: bytes) -> None:
    """Replace the configuration, if all plugins allow it, and tell them. Masked secrets stay as they are.

    Raises:
        ApiError: it is no JSON object, or a plugin refuses.
    """
    config = _object(config_json)
    async with world.saving_config:
        _unmask(world, config, load_config(world))
        for name, values in DEFAULTS.items():
            config[name] = {**deepcopy(dict(values)), **section(config, name)}
        await _ask_and_store(world, config)


async def change_section(world: World, name: str, values: Mapping[str, object]) -> None:
    """Change values in a part of the configuration, if all plugins allow it, and tell them.

    Raises:
        ApiError: a plugin refuses.
    """
    async with world.saving_config:
        config = load_config(world)
        config[name] = {**section(config, name), **values}
        await _ask_and_store(world, config)


async def _ask_and_store(world: World, config: Json) -> None:
    for plugin in world.hooks.plugins_with(ConfigurationWillBeSavedRequest):
        request = ConfigurationWillBeSavedRequest(new_config=ConfigJson(config_json=_bytes(config)))
        try:
            response = await world.hooks.ask(plugin, request)
        except HookFailedError as error:
            # Unlike the other rounds: nobody can say whether the plugin would have refused.
            raise _refused(str(error)) from error
        if not isinstance(response, ConfigurationWillBeSavedResponse):
            continue
        if response.HasField("error"):
            raise _refused(response.error.detailed_error or response.error.message or response.error.id)
        if response.modified_config.config_json:
            config = _object(response.modified_config.config_json)
    world.store.settings.put(_NAME, _bytes(config))
    world.hooks.notify(OnConfigurationChangeRequest())
    world.broadcast("config_changed")


def _refused(reason: str) -> ApiError:
    return ApiError("app.save_config.plugin_hook_error", HTTPStatus.BAD_REQUEST, reason, where="SaveConfig")


def plugin_settings(world: World, plugin_id: str) -> Json:
    """The stored settings of a plugin, without secrets."""
    return _at(sanitized(world, load_config(world)), (*_PLUGINS, plugin_id))


def plugin_settings_with_defaults(world: World, manifest: Manifest) -> Json:
    """The settings of a plugin with its secrets and its manifest's defaults, all keys in lower case."""
    defaults: Json = {
        setting.key.lower(): integral(MessageToDict(setting.default))
        for setting in _settings_of(manifest)
        if setting.key
    }
    stored = _at(load_config(world), (*_PLUGINS, manifest.id))
    return defaults | {key.lower(): value for key, value in stored.items()}


def _settings_of(manifest: Manifest) -> list[PluginSetting]:
    schema = manifest.settings_schema
    return [*schema.settings, *(setting for part in schema.sections for setting in part.settings)]


async def save_plugin_settings(world: World, plugin_id: str, settings: Struct) -> None:
    """Replace the stored settings of a plugin, if all plugins allow it, and tell them. Masked secrets stay.

    Raises:
        ApiError: a plugin refuses.
    """
    async with world.saving_config:
        old = load_config(world)
        config = deepcopy(old)
        plugins = {**_at(config, _PLUGINS), plugin_id: integral(MessageToDict(settings))}
        config["PluginSettings"] = {**section(config, "PluginSettings"), "Plugins": plugins}
        _unmask(world, config, old)
        await _ask_and_store(world, config)


def _object(text: bytes) -> Json:
    try:
        return json_object(text)
    except ValueError as error:
        raise bad_request("model.config.is_valid.json.app_error", str(error)) from error


def _bytes(config: Json) -> bytes:
    return json.dumps(config, ensure_ascii=False).encode()
