"""The tables. A version of the file is how many of these scripts it has seen: they are only ever added to.

Tables with a column `data` hold protobuf messages; their other columns repeat fields that are searched or unique.
"""

from typing import Final

__all__ = ["MIGRATIONS"]

_PEOPLE: Final = """
CREATE TABLE users (
    id TEXT PRIMARY KEY, username TEXT NOT NULL UNIQUE, email TEXT NOT NULL UNIQUE, nickname TEXT NOT NULL,
    roles TEXT NOT NULL, is_bot INTEGER NOT NULL, create_at INTEGER NOT NULL, update_at INTEGER NOT NULL,
    delete_at INTEGER NOT NULL, data BLOB NOT NULL);
CREATE TABLE bots (
    user_id TEXT PRIMARY KEY, owner_id TEXT NOT NULL, create_at INTEGER NOT NULL, delete_at INTEGER NOT NULL,
    data BLOB NOT NULL);
CREATE TABLE statuses (user_id TEXT PRIMARY KEY, status TEXT NOT NULL, data BLOB NOT NULL);
CREATE TABLE preferences (
    user_id TEXT, category TEXT, name TEXT, data BLOB NOT NULL, PRIMARY KEY (user_id, category, name));
CREATE TABLE sessions (
    id TEXT PRIMARY KEY, token TEXT NOT NULL UNIQUE, user_id TEXT NOT NULL, expires_at INTEGER NOT NULL,
    data BLOB NOT NULL);
CREATE INDEX sessions_by_user ON sessions (user_id);
CREATE TABLE access_tokens (
    id TEXT PRIMARY KEY, token TEXT NOT NULL UNIQUE, user_id TEXT NOT NULL, data BLOB NOT NULL);
CREATE TABLE user_groups (
    id TEXT PRIMARY KEY, name TEXT NOT NULL, display_name TEXT NOT NULL, source TEXT NOT NULL, remote_id TEXT NOT NULL,
    allow_reference INTEGER NOT NULL, create_at INTEGER NOT NULL, update_at INTEGER NOT NULL,
    delete_at INTEGER NOT NULL, data BLOB NOT NULL);
CREATE UNIQUE INDEX user_groups_by_name ON user_groups (name) WHERE name <> '';
CREATE TABLE group_members (
    group_id TEXT, user_id TEXT, create_at INTEGER NOT NULL, delete_at INTEGER NOT NULL, data BLOB NOT NULL,
    PRIMARY KEY (group_id, user_id));
CREATE INDEX group_members_by_user ON group_members (user_id);
CREATE TABLE group_syncables (
    group_id TEXT, syncable_id TEXT, syncable_type TEXT, auto_add INTEGER NOT NULL, scheme_admin INTEGER NOT NULL,
    update_at INTEGER NOT NULL, delete_at INTEGER NOT NULL, data BLOB NOT NULL,
    PRIMARY KEY (group_id, syncable_id, syncable_type));
CREATE INDEX group_syncables_by_place ON group_syncables (syncable_id)
"""

_PLACES: Final = """
CREATE TABLE teams (
    id TEXT PRIMARY KEY, name TEXT NOT NULL UNIQUE, display_name TEXT NOT NULL, create_at INTEGER NOT NULL,
    delete_at INTEGER NOT NULL, data BLOB NOT NULL);
CREATE TABLE team_members (
    team_id TEXT, user_id TEXT, create_at INTEGER NOT NULL, delete_at INTEGER NOT NULL, data BLOB NOT NULL,
    PRIMARY KEY (team_id, user_id));
CREATE INDEX team_members_by_user ON team_members (user_id);
CREATE TABLE channels (
    id TEXT PRIMARY KEY, team_id TEXT NOT NULL, name TEXT NOT NULL, display_name TEXT NOT NULL, type INTEGER NOT NULL,
    create_at INTEGER NOT NULL, delete_at INTEGER NOT NULL, data BLOB NOT NULL, UNIQUE (team_id, name));
CREATE TABLE channel_members (
    channel_id TEXT, user_id TEXT, data BLOB NOT NULL, PRIMARY KEY (channel_id, user_id));
CREATE INDEX channel_members_by_user ON channel_members (user_id);
CREATE TABLE channel_leavers (channel_id TEXT, user_id TEXT, PRIMARY KEY (channel_id, user_id));
CREATE TABLE channel_guards (channel_id TEXT, plugin_id TEXT, PRIMARY KEY (channel_id, plugin_id));
CREATE TABLE sidebar_categories (
    id TEXT PRIMARY KEY, user_id TEXT NOT NULL, team_id TEXT NOT NULL, sort_order INTEGER NOT NULL,
    data BLOB NOT NULL);
CREATE INDEX sidebar_categories_by_user ON sidebar_categories (user_id, team_id);
CREATE TABLE remotes (
    remote_id TEXT PRIMARY KEY, plugin_id TEXT NOT NULL UNIQUE, delete_at INTEGER NOT NULL, data BLOB NOT NULL);
CREATE TABLE shared_channels (channel_id TEXT PRIMARY KEY, data BLOB NOT NULL);
CREATE TABLE shared_channel_remotes (
    channel_id TEXT, remote_id TEXT, cursor BLOB NOT NULL, PRIMARY KEY (channel_id, remote_id));
CREATE INDEX shared_channel_remotes_by_remote ON shared_channel_remotes (remote_id)
"""

_CONTENT: Final = """
CREATE TABLE posts (
    id TEXT PRIMARY KEY, channel_id TEXT NOT NULL, user_id TEXT NOT NULL, root_id TEXT NOT NULL, type TEXT NOT NULL,
    create_at INTEGER NOT NULL, update_at INTEGER NOT NULL, delete_at INTEGER NOT NULL, is_pinned INTEGER NOT NULL,
    message TEXT NOT NULL, hashtags TEXT NOT NULL, data BLOB NOT NULL);
CREATE INDEX posts_by_channel ON posts (channel_id, create_at);
CREATE INDEX posts_by_change ON posts (channel_id, update_at);
CREATE INDEX posts_by_root ON posts (root_id);
CREATE TABLE reactions (
    user_id TEXT, post_id TEXT, emoji_name TEXT, create_at INTEGER NOT NULL, data BLOB NOT NULL,
    PRIMARY KEY (post_id, user_id, emoji_name));
CREATE TABLE files (
    id TEXT PRIMARY KEY, post_id TEXT NOT NULL, channel_id TEXT NOT NULL, creator_id TEXT NOT NULL,
    create_at INTEGER NOT NULL, delete_at INTEGER NOT NULL, size INTEGER NOT NULL, data BLOB NOT NULL);
CREATE INDEX files_by_post ON files (post_id);
CREATE TABLE blobs (path TEXT PRIMARY KEY, content BLOB NOT NULL);
CREATE TABLE uploads (id TEXT PRIMARY KEY, data BLOB NOT NULL);
CREATE TABLE emoji (
    id TEXT PRIMARY KEY, name TEXT NOT NULL, create_at INTEGER NOT NULL, delete_at INTEGER NOT NULL,
    data BLOB NOT NULL);
CREATE UNIQUE INDEX emoji_by_name ON emoji (name) WHERE delete_at = 0
"""

_PLUGINS: Final = """
CREATE TABLE kv (
    plugin_id TEXT, name TEXT, value BLOB NOT NULL, expire_at INTEGER NOT NULL, PRIMARY KEY (plugin_id, name));
CREATE INDEX kv_by_expiry ON kv (expire_at) WHERE expire_at <> 0;
CREATE TABLE settings (name TEXT PRIMARY KEY, value BLOB NOT NULL);
CREATE TABLE commands (
    id TEXT PRIMARY KEY, team_id TEXT NOT NULL, trigger TEXT NOT NULL, create_at INTEGER NOT NULL,
    delete_at INTEGER NOT NULL, data BLOB NOT NULL);
CREATE UNIQUE INDEX commands_by_trigger ON commands (team_id, trigger) WHERE delete_at = 0;
CREATE TABLE oauth_apps (id TEXT PRIMARY KEY, creator_id TEXT NOT NULL, data BLOB NOT NULL);
CREATE TABLE property_groups (id TEXT PRIMARY KEY, name TEXT NOT NULL UNIQUE, data BLOB NOT NULL);
CREATE TABLE property_fields (
    id TEXT PRIMARY KEY, group_id TEXT NOT NULL, target_type TEXT NOT NULL, target_id TEXT NOT NULL,
    name TEXT NOT NULL, linked_field_id TEXT NOT NULL, create_at INTEGER NOT NULL, update_at INTEGER NOT NULL,
    delete_at INTEGER NOT NULL, data BLOB NOT NULL);
CREATE INDEX property_fields_by_link ON property_fields (linked_field_id) WHERE linked_field_id <> '';
CREATE INDEX property_fields_by_time ON property_fields (group_id, create_at, id);
CREATE UNIQUE INDEX property_fields_by_name ON property_fields (group_id, target_id, name) WHERE delete_at = 0;
CREATE TABLE property_values (
    id TEXT PRIMARY KEY, group_id TEXT NOT NULL, field_id TEXT NOT NULL, target_type TEXT NOT NULL,
    target_id TEXT NOT NULL, create_at INTEGER NOT NULL, update_at INTEGER NOT NULL, delete_at INTEGER NOT NULL,
    data BLOB NOT NULL);
CREATE INDEX property_values_by_time ON property_values (group_id, create_at, id);
CREATE INDEX property_values_by_field ON property_values (field_id);
CREATE UNIQUE INDEX property_values_by_target ON property_values (group_id, field_id, target_id) WHERE delete_at = 0;
CREATE TABLE audits (number INTEGER PRIMARY KEY, plugin_id TEXT NOT NULL, level TEXT NOT NULL, data BLOB NOT NULL)
"""

MIGRATIONS: Final = (f"{_PEOPLE};{_PLACES};{_CONTENT};{_PLUGINS}",)
"""Scripts in order; the statements in one are parted by semicolons."""
