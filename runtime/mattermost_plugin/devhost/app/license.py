"""The server's license: none, or a trial that nobody but this host knows of."""

import json
from typing import Final

from mattermost_plugin.devhost.app.config import load_config, section
from mattermost_plugin.devhost.app.users import existing_user
from mattermost_plugin.devhost.errors import bad_request, forbidden
from mattermost_plugin.devhost.ids import new_id
from mattermost_plugin.devhost.world import World

__all__ = ["current_license", "start_trial"]

TRIAL_MS: Final = (30 * 24 + 8) * 3600 * 1000
"""How long a trial is: 30 days and 8 hours."""

_NAME: Final = "license"
_FEATURES: Final = (
    "ldap ldap_groups mfa google_oauth office365_oauth openid compliance cluster metrics mhpns saml elastic_search"
    " announcement theme_management email_notification_contents data_retention message_export"
    " custom_permissions_schemes custom_terms_of_service guest_accounts guest_accounts_permissions id_loaded"
    " lock_teammate_name_display enterprise_plugins advanced_logging shared_channels remote_cluster_service"
    " outgoing_oauth_connections future_features"
)


def current_license(world: World) -> bytes:
    """The license as JSON, also one that has expired; empty if there is none."""
    return world.store.settings.get(_NAME) or b""


def start_trial(world: World, requester_id: str, users: int, *, terms_accepted: bool) -> None:
    """Install a trial license. Nothing is sent anywhere, and nothing on this host depends on a license.

    Args:
        world: the host's parts.
        requester_id: the user who asks for it.
        users: for how many users.
        terms_accepted: whether the user agreed to the terms.

    Raises:
        ApiError: administrators are restricted, the terms are not accepted, there is no such user, or the server had
            a trial before.
    """
    if section(load_config(world), "ExperimentalSettings").get("RestrictSystemAdmin"):
        raise forbidden("api.restricted_system_admin")
    if not terms_accepted:
        raise bad_request("api.license.request-trial.bad-request.terms-not-accepted")
    if users <= 0:
        raise bad_request("api.license.request-trial.bad-request", f"users={users}")
    requester = existing_user(world, requester_id)
    if current_license(world):
        raise bad_request("api.license.request_trial_license.app_error", "the server had a trial")
    now = world.now_ms()
    values = {
        "id": new_id(),
        "issued_at": now,
        "starts_at": now,
        "expires_at": now + TRIAL_MS,
        "customer": {"id": new_id(), "name": requester.username, "email": requester.email, "company": ""},
        "features": {"users": users, "cloud": False, **dict.fromkeys(_FEATURES.split(), True)},
        "sku_name": "Enterprise",
        "sku_short_name": "enterprise",
        "is_trial": True,
        "is_gov_sku": False,
    }
    world.store.settings.put(_NAME, json.dumps(values).encode())
    world.broadcast("license_changed")
