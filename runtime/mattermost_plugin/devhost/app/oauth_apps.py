"""Applications that may act for users."""

from typing import Final

from mattermost_plugin.devhost.app.config import load_config, section
from mattermost_plugin.devhost.app.rules import is_web_address
from mattermost_plugin.devhost.errors import bad_request, not_found, not_implemented
from mattermost_plugin.devhost.ids import is_id, new_id
from mattermost_plugin.devhost.world import World
from mattermost_pluginapi.v1.oauth_pb2 import OAuthApp

__all__ = ["create_app", "delete_app", "existing_app", "update_app"]

LONGEST_NAME: Final = 64
LONGEST_CALLBACKS: Final = 1024
LONGEST_HOMEPAGE: Final = 256
LONGEST_TEXT: Final = 512
"""Of a description, and of an icon's address."""


def _check_on(world: World, error_id: str) -> None:
    if not section(load_config(world), "ServiceSettings").get("EnableOAuthServiceProvider"):
        raise not_implemented(error_id)


def existing_app(world: World, app_id: str) -> OAuthApp:
    """The application of an id.

    Raises:
        ApiError: there is none, or the server has none at all.
    """
    _check_on(world, "api.oauth.allow_oauth.turn_off.app_error")
    app = world.store.oauth_apps.get(app_id)
    if app is None:
        raise not_found("app.oauth.get_app.find.app_error", f"app_id={app_id}")
    return app


def _check(app: OAuthApp) -> None:
    callbacks = app.callback_urls.split(",")
    fits = {
        "creator_id": is_id(app.creator_id),
        "name": 0 < len(app.name) <= LONGEST_NAME,
        "callback": len(app.callback_urls) <= LONGEST_CALLBACKS and all(map(is_web_address, callbacks)),
        "homepage": len(app.homepage) <= LONGEST_HOMEPAGE and is_web_address(app.homepage),
        "description": len(app.description) <= LONGEST_TEXT,
        "icon_url": not app.icon_url or (len(app.icon_url) <= LONGEST_TEXT and is_web_address(app.icon_url)),
    }
    for name, fit in fits.items():
        if not fit:
            raise bad_request(f"model.oauth.is_valid.{name}.app_error", f"app_id={app.id}")


def create_app(world: World, given: OAuthApp) -> OAuthApp:
    """Register an application; it gets a secret.

    Raises:
        ApiError: a value breaks a rule, or the server has no applications at all.
    """
    _check_on(world, "api.oauth.register_oauth_app.turn_off.app_error")
    if given.id:
        raise bad_request("app.oauth.save_app.existing.app_error", f"id={given.id}")
    _check(given)
    app = OAuthApp()
    app.CopyFrom(given)
    app.id, app.client_secret = new_id(), new_id()
    app.create_at = app.update_at = world.now_ms()
    return world.store.oauth_apps.insert(app)


def update_app(world: World, given: OAuthApp) -> OAuthApp:
    """Replace an application, but not its secret and its creator.

    Raises:
        ApiError: there is no such application, or a value breaks a rule.
    """
    old = existing_app(world, given.id)
    app = OAuthApp()
    app.CopyFrom(given)
    app.client_secret, app.creator_id, app.create_at = old.client_secret, old.creator_id, old.create_at
    app.update_at = world.now_ms()
    _check(app)
    return world.store.oauth_apps.put(app)


def delete_app(world: World, app_id: str) -> None:
    """Forget an application. It is no failure if there is none.

    Raises:
        ApiError: the server has no applications at all.
    """
    _check_on(world, "api.oauth.allow_oauth.turn_off.app_error")
    world.store.oauth_apps.delete(app_id)
