"""Teams and their members."""

from mattermost_plugin.devhost.store.database import Database
from mattermost_plugin.devhost.store.table import Page, Table
from mattermost_pluginapi.v1.team_pb2 import Team, TeamMember

__all__ = ["TeamMemberStore", "TeamStore"]


class TeamStore(Table[Team]):
    """Teams."""

    def __init__(self, database: Database) -> None:
        super().__init__(database, "teams", Team, ["id"], ["name", "display_name", "create_at", "delete_at"])

    def by_name(self, name: str) -> Team | None:
        """The team of a name."""
        return self.one("name = ?", [name])

    def search(self, term: str) -> list[Team]:
        """Teams whose names contain a text."""
        where = "delete_at = 0 AND (holds(name, ?) OR holds(display_name, ?))"
        return self.select(where, [term, term], "display_name")

    def of_user(self, user_id: str) -> list[Team]:
        """The teams of a user that are not archived."""
        member = "id IN (SELECT team_id FROM team_members WHERE user_id = ? AND delete_at = 0)"
        return self.select(f"delete_at = 0 AND {member}", [user_id], "display_name")


class TeamMemberStore(Table[TeamMember]):
    """Who is in which team; delete_at is set for those who were."""

    def __init__(self, database: Database) -> None:
        super().__init__(database, "team_members", TeamMember, ["team_id", "user_id"], ["create_at", "delete_at"])

    def of_team(self, team_id: str, page: Page | None = None) -> list[TeamMember]:
        """The present members of a team, by the users' ids."""
        return self.select("team_id = ? AND delete_at = 0", [team_id], "user_id", page)

    def count_active(self, team_id: str) -> int:
        """How many present members of a team are active users."""
        active = "user_id IN (SELECT id FROM users WHERE delete_at = 0)"
        return self.count(f"team_id = ? AND delete_at = 0 AND {active}", [team_id])

    def of_user(self, user_id: str, page: Page | None = None) -> list[TeamMember]:
        """The present memberships of a user."""
        return self.select("user_id = ? AND delete_at = 0", [user_id], "create_at, team_id", page)
