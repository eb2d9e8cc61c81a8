"""The state of the development host, in a SQLite file."""

from __future__ import annotations

from contextlib import AbstractContextManager
from pathlib import Path

from mattermost_plugin.devhost.clock import Clock
from mattermost_plugin.devhost.store.channels import (
    ChannelGuardStore,
    ChannelMemberStore,
    ChannelStore,
    SidebarStore,
)
from mattermost_plugin.devhost.store.database import Database, DuplicateError, SqlValue
from mattermost_plugin.devhost.store.files import BlobStore, FileStore, UploadStore
from mattermost_plugin.devhost.store.groups import (
    CHANNEL,
    TEAM,
    GroupFilter,
    GroupMemberStore,
    GroupStore,
    GroupSyncableStore,
)
from mattermost_plugin.devhost.store.kv import KvStore
from mattermost_plugin.devhost.store.plugins import (
    AuditStore,
    CommandStore,
    OAuthAppStore,
    SettingStore,
)
from mattermost_plugin.devhost.store.posts import EmojiStore, PostStore, ReactionStore
from mattermost_plugin.devhost.store.properties import (
    PropertyFieldStore,
    PropertyFilter,
    PropertyGroupStore,
    PropertyValueStore,
)
from mattermost_plugin.devhost.store.shared import InvitationStore, RemoteStore, SharedChannelStore
from mattermost_plugin.devhost.store.table import Page
from mattermost_plugin.devhost.store.teams import TeamMemberStore, TeamStore
from mattermost_plugin.devhost.store.users import (
    BY_STATUS,
    AccessTokenStore,
    BotStore,
    PreferenceStore,
    SessionStore,
    StatusStore,
    UserFilter,
    UserStore,
)

__all__ = [
    "BY_STATUS",
    "CHANNEL",
    "TEAM",
    "DuplicateError",
    "GroupFilter",
    "Page",
    "PropertyFilter",
    "SqlValue",
    "Store",
    "UserFilter",
]


class Store:
    """Everything that the host keeps.

    Every write is durable when the call returns: a host that is killed loses nothing, and the next one on the same
    file goes on from there.

    Args:
        clock: the host's time.
        path: the file; None for one that goes away with the store.

    Raises:
        DevHostError: the file cannot be used.
    """

    def __init__(self, clock: Clock, path: Path | None = None) -> None:
        self.database = database = Database(path)
        self.users = UserStore(database)
        self.bots = BotStore(database)
        self.statuses = StatusStore(database)
        self.preferences = PreferenceStore(database)
        self.sessions = SessionStore(database)
        self.access_tokens = AccessTokenStore(database)
        self.groups = GroupStore(database)
        self.group_members = GroupMemberStore(database)
        self.group_syncables = GroupSyncableStore(database)
        self.teams = TeamStore(database)
        self.team_members = TeamMemberStore(database)
        self.channels = ChannelStore(database)
        self.channel_members = ChannelMemberStore(database)
        self.channel_guards = ChannelGuardStore(database)
        self.sidebar = SidebarStore(database)
        self.posts = PostStore(database)
        self.reactions = ReactionStore(database)
        self.emoji = EmojiStore(database)
        self.files = FileStore(database)
        self.blobs = BlobStore(database)
        self.uploads = UploadStore(database)
        self.kv = KvStore(database, clock)
        self.settings = SettingStore(database)
        self.commands = CommandStore(database)
        self.oauth_apps = OAuthAppStore(database)
        self.property_groups = PropertyGroupStore(database)
        self.property_fields = PropertyFieldStore(database)
        self.property_values = PropertyValueStore(database)
        self.remotes = RemoteStore(database)
        self.shared_channels = SharedChannelStore(database)
        self.invitations = InvitationStore(database)
        self.audits = AuditStore(database)

    def transaction(self) -> AbstractContextManager[None]:
        """Make all writes inside happen or none. Nothing may be awaited inside."""
        return self.database.transaction()

    def close(self) -> None:
        """Close the file; legal more than once."""
        self.database.close()
