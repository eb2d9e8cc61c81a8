"""What to do when a server refuses an upload."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final

from mattermost_plugin.cli.deploy.server_client import ServerClient, ServerRefusalError
from mattermost_plugin.cli.errors import CommandError

__all__ = ["explained"]

_SETTINGS: Final = (
    ("Enable", False, "plugins are switched off: set PluginSettings.Enable"),
    (
        "EnableUploads",
        False,
        "uploads are switched off: set PluginSettings.EnableUploads in the server's configuration",
    ),
    (
        "RequirePluginSignature",
        True,
        "the server takes signed plugins only: unset PluginSettings.RequirePluginSignature",
    ),
)
"""The settings with which the server takes no upload: name, value, what to do."""

_BY_STATUS: Final = {
    401: "the server does not know the token: make one for a system administrator, in the account's profile under "
    "Security > Personal Access Tokens",
    403: "the token's user may not manage plugins: use the token of a system administrator",
    404: "there is no Mattermost server's API at this address: check --server",
    413: "the bundle is too large for a proxy before the server: raise its limit (client_max_body_size in nginx), or "
    "leave files out with .mattermostpluginignore",
}

_NOT_UPLOADED: Final = (501, "app.plugin.upload_disabled.app_error")


def explained(refusal: ServerRefusalError, client: ServerClient) -> CommandError:
    """The error that says what to do.

    Args:
        refusal: what the server has answered.
        client: the server, which is asked for its settings if they may be the reason.
    """
    if refusal.status == _NOT_UPLOADED[0] or refusal.error_id == _NOT_UPLOADED[1]:
        return CommandError(f"{refusal}\n    {'; '.join(_settings_in_the_way(client))}")
    if refusal.status == 400:
        return CommandError(f"{refusal}\n    `mattermost-plugin check` tells more about the bundle")
    advice = _BY_STATUS.get(refusal.status)
    return CommandError(f"{refusal}\n    {advice}" if advice else str(refusal))


def _settings_in_the_way(client: ServerClient) -> list[str]:
    everything = [advice for _, _, advice in _SETTINGS]
    try:
        config = client.get("/config")
    except CommandError:
        return everything
    settings = config.get("PluginSettings") if isinstance(config, Mapping) else None
    if not isinstance(settings, Mapping):
        return everything
    return [advice for name, value, advice in _SETTINGS if settings.get(name) is value] or everything
