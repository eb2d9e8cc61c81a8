"""Plugins as other plugins see and govern them: found, started, ended, installed, removed."""

import asyncio
import re
import shutil
from http import HTTPStatus
from pathlib import Path
from typing import Final

from mattermost_plugin.devhost.app.config import load_config, section
from mattermost_plugin.devhost.bundle import BundleError, unpack_bundle
from mattermost_plugin.devhost.errors import ApiError, StartError, bad_request, not_found, not_implemented
from mattermost_plugin.devhost.ids import new_id
from mattermost_plugin.devhost.manifest import read_manifest
from mattermost_plugin.devhost.plugins import InstalledPlugin
from mattermost_plugin.devhost.world import PluginControl, World
from mattermost_pluginapi.v1.plugin_pb2 import Manifest

__all__ = ["disable_plugin", "enable_plugin", "forget_bundles", "install_plugin", "installed_plugin", "remove_plugin"]

_PLUGIN_ID: Final = re.compile(r"[a-zA-Z0-9_.-]{3,190}")


def installed_plugin(world: World, plugin_id: str) -> InstalledPlugin:
    """The plugin of an id.

    Raises:
        ApiError: the server has no plugins at all, or not this one.
    """
    if not section(load_config(world), "PluginSettings").get("Enable"):
        raise not_implemented("app.plugin.disabled.app_error")
    plugin = world.plugins.get(plugin_id)
    if plugin is None:
        raise not_found("app.plugin.not_installed.app_error", f"plugin_id={plugin_id}")
    return plugin


def _control(world: World) -> PluginControl:
    if world.control is None:
        raise not_implemented("dev.no_control", "nobody here starts plugins")
    return world.control


async def enable_plugin(world: World, plugin_id: str) -> None:
    """Start a plugin. One that does not start is no failure of this: its status and the log tell.

    Raises:
        ApiError: there is no such plugin.
    """
    plugin = installed_plugin(world, plugin_id)
    try:
        await _control(world).enable(plugin.plugin_id)
    except StartError as error:
        world.log("error", f"{plugin_id} does not start: {error}")


async def disable_plugin(world: World, plugin_id: str, caller_id: str) -> None:
    """End a plugin.

    Raises:
        ApiError: there is no such plugin.
    """
    plugin = installed_plugin(world, plugin_id)
    work = _control(world).disable(plugin.plugin_id)
    if plugin_id == caller_id:
        # It could not end while it waits for this answer.
        world.hooks.later(work)
    else:
        await work


async def remove_plugin(world: World, plugin_id: str, caller_id: str) -> None:
    """End a plugin and forget it. Files that came from a bundle are deleted; a folder under development stays.

    Raises:
        ApiError: there is no such plugin.
    """
    work = _remove(world, installed_plugin(world, plugin_id), _control(world))
    if plugin_id == caller_id:
        world.hooks.later(work)
    else:
        await work


async def _remove(world: World, plugin: InstalledPlugin, control: PluginControl) -> None:
    await control.remove(plugin.plugin_id)
    _discard(world, plugin.folder)


async def install_plugin(world: World, bundle: bytes, caller_id: str, *, replace: bool) -> Manifest:
    """Install a plugin from a bundle, beside the state. It is not started, unless it replaces one that runs.

    Args:
        world: the host's parts.
        bundle: a gzipped tar archive.
        caller_id: the plugin that does it.
        replace: whether it may be there.

    Returns:
        Its manifest.

    Raises:
        ApiError: nothing may be uploaded, the bundle cannot be used, the plugin is there, or it does not start again.
    """
    settings = section(load_config(world), "PluginSettings")
    if not settings.get("Enable") or not settings.get("EnableUploads"):
        raise not_implemented("app.plugin.upload_disabled.app_error")
    control = _control(world)
    manifest, folder = await _unpack(world, bundle)
    old = world.plugins.get(manifest.id)
    if manifest.id in world.installs_under_way or (old is not None and not replace):
        _discard(world, folder)
        raise bad_request("app.plugin.install_id.app_error", f"id={manifest.id}")
    world.installs_under_way.add(manifest.id)
    work = _take_in(world, control, manifest.id, folder)
    if manifest.id == caller_id:
        world.hooks.later(work)
    else:
        await work
    return manifest


async def _take_in(world: World, control: PluginControl, plugin_id: str, folder: Path) -> None:
    old = world.plugins.get(plugin_id)
    old_folder = None if old is None else old.folder
    try:
        await control.install(folder)
    except StartError as error:
        raise ApiError("app.plugin.restart.app_error", HTTPStatus.INTERNAL_SERVER_ERROR, str(error)) from error
    finally:
        world.installs_under_way.discard(plugin_id)
        if old_folder is not None:
            _discard(world, old_folder)


async def _unpack(world: World, bundle: bytes) -> tuple[Manifest, Path]:
    folder = _folder_of_bundles(world) / new_id()
    folder.mkdir(parents=True)
    try:
        # In a thread: it may take seconds.
        root = await asyncio.to_thread(unpack_bundle, bundle, folder)
        manifest = read_manifest(root)
        if not _PLUGIN_ID.fullmatch(manifest.id):
            raise bad_request("app.plugin.invalid_id.app_error", f"id={manifest.id}")
    except BundleError as error:
        _discard(world, folder)
        raise bad_request("app.plugin.extract.app_error", str(error)) from error
    except StartError as error:
        _discard(world, folder)
        raise bad_request("app.plugin.manifest.app_error", str(error)) from error
    except BaseException:
        _discard(world, folder)
        raise
    return manifest, root


def forget_bundles(world: World) -> None:
    """Delete all files that came from bundles: the next host knows nothing of the plugins that they are."""
    shutil.rmtree(_folder_of_bundles(world), ignore_errors=True)


def _folder_of_bundles(world: World) -> Path:
    path = world.store.database.path.absolute()
    return path.with_name(f"{path.name}.plugins")


def _discard(world: World, folder: Path) -> None:
    """Delete the files of a plugin that came from a bundle; nothing happens to any other."""
    of_bundles = _folder_of_bundles(world)
    if folder.is_relative_to(of_bundles) and folder != of_bundles:
        shutil.rmtree(of_bundles / folder.relative_to(of_bundles).parts[0], ignore_errors=True)
