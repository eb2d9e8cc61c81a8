"""What the API must do about people: users, statuses, preferences, sessions, bots, permissions."""

import json

from mattermost_plugin.devhost.events import WebSocketEvent
from mattermost_pluginapi.v1.bot_pb2 import Bot, BotGetOptions, BotPatch
from mattermost_pluginapi.v1.preference_pb2 import Preference
from mattermost_pluginapi.v1.session_pb2 import Session, UserAccessToken
from mattermost_pluginapi.v1.user_pb2 import User, UserAuth
from mattermost_pluginapi.v1.user_status_pb2 import CustomStatus
from tests.devhost.site import NOBODY, PNG, TESTER, Site, covers, made


@covers("CreateUser", "GetUser", "GetUserByEmail", "GetUserByUsername", "GetUsersByIds", "GetUsersByUsernames")
async def create_and_find_users(s: Site) -> None:
    given = User(username="Zoë".replace("ë", "e"), email="Zoe@Example.com", password="password", nickname="Zoë 🐈")
    zoe = (await s.api("CreateUser", user=given)).user
    assert len(zoe.id) == 26
    assert (zoe.username, zoe.email, zoe.nickname) == ("zoe", "zoe@example.com", "Zoë 🐈")
    assert zoe.roles == "system_user"
    assert zoe.password == ""
    assert zoe.create_at == zoe.update_at > 0
    assert zoe.notify_props["email"] == "true"
    assert (await s.api("GetUser", user_id=zoe.id)).user == zoe
    assert (await s.api("GetUserByEmail", email="zoe@example.com")).user == zoe
    assert (await s.api("GetUserByUsername", name="zoe")).user == zoe
    found = (await s.api("GetUsersByIds", user_ids=[zoe.id, NOBODY, s.bob.id])).users
    assert {user.username for user in found} == {"zoe", "bob"}
    found = (await s.api("GetUsersByUsernames", usernames=["zoe", "nobody"])).users
    assert [user.id for user in found] == [zoe.id]
    for bad in ({"username": "zoe"}, {"email": "zoe@example.com"}):
        fields = {"username": "other", "email": "o@example.com", "password": "password"}
        await s.api.error("CreateUser", 400, "exists", user=made(User, fields, bad))
    for username in ("", "a b", "Ü", "system", "x" * 65):
        await s.api.error(
            "CreateUser", 400, "username", user=User(username=username, email="x@y.z", password="password")
        )
    await s.api.error("CreateUser", 400, "email", user=User(username="new", email="nowhere", password="password"))
    for password in ("x" * 7, "x" * 73):
        await s.api.error("CreateUser", 400, "pwd", user=User(username="new", email="x@y.z", password=password))
    given = User(username="1st.of_all-", email="x@y.z", password="password", roles="system_admin", delete_at=5)
    stored = (await s.api("CreateUser", user=given)).user
    assert (stored.username, stored.roles, stored.delete_at) == ("1st.of_all-", "system_user", 0)
    await s.api.error("CreateUser", 400, "existing", user=stored)
    remote = User(username="eve:remote", email="e@r", password="password", remote_id=NOBODY, id="r" * 26)
    assert (await s.api("CreateUser", user=remote)).user.id == "r" * 26
    await s.api.error("GetUser", 404, "app.user.missing_account.const", user_id=NOBODY)
    await s.api.error("GetUserByEmail", 404, email="x")
    await s.api.error("GetUserByUsername", 404, name="x")


@covers("GetUsers", "GetUsersInTeam", "GetUsersInChannel", "SearchUsers")
async def list_users(s: Site) -> None:
    await s.host.act.create_user("carl", first_name="Carl", last_name="Gauss", nickname="princeps")
    names = [user.username for user in (await s.api("GetUsers", page=0, per_page=2)).users]
    assert names == ["ada", "bob"]
    names = [user.username for user in (await s.api("GetUsers", page=1, per_page=2)).users]
    assert names == ["carl"]
    assert not (await s.api("GetUsers", page=0, per_page=0)).users
    await s.api("UpdateUserActive", user_id=s.bob.id, active=False)
    changed = (await s.api("GetUser", user_id=s.bob.id)).user.update_at
    for filters, expected in (
        ({"role": "system_admin"}, ["ada"]),
        ({"role": "admin"}, []),
        ({"roles": ["system_admin", "system_user"]}, ["ada", "bob", "carl"]),
        ({"inactive": True}, ["bob"]),
        ({"active": True}, ["ada", "carl"]),
        ({"active": True, "inactive": True}, ["bob"]),
        ({"updated_after": changed - 1}, ["bob"]),
        ({"updated_after": changed}, []),
        # Without effect on a server.
        ({"in_team_id": s.team.id, "without_team": True}, ["ada", "bob", "carl"]),
    ):
        found = (await s.api("GetUsers", page=0, per_page=60, **filters)).users
        assert [user.username for user in found] == expected, filters
    latest = (await s.api("GetUsers", page=0, per_page=60, sort="update_at_asc")).users[-1]
    assert latest.username == "bob"
    await s.api("UpdateUserActive", user_id=s.bob.id, active=True)
    found = (await s.api("GetUsersInTeam", team_id=s.team.id, page=0, per_page=1)).users
    assert [user.username for user in found] == ["ada"]
    assert not (await s.api("GetUsersInTeam", team_id=NOBODY, page=0, per_page=60)).users
    square = s.host.store.channels.by_name(s.team.id, "town-square")
    assert square is not None
    await s.host.act.create_user("aaron")
    for username, status in (("aaron", ""), ("ada", "dnd"), ("bob", "away")):
        user = s.host.store.users.by_username(username)
        assert user is not None
        await s.host.act.join_team(s.team.id, user.id)
        if status:
            await s.api("UpdateUserStatus", user_id=user.id, status=status)
    for sort_by, expected in (("username", ["aaron", "ada", "bob"]), ("status", ["bob", "ada", "aaron"])):
        found = (await s.api("GetUsersInChannel", channel_id=square.id, sort_by=sort_by, page=0, per_page=60)).users
        assert [user.username for user in found] == expected
    second = await s.api("GetUsersInChannel", channel_id=square.id, sort_by="status", page=1, per_page=1)
    assert [user.username for user in second.users] == ["ada"]
    await s.api.error("GetUsersInChannel", 400, channel_id=s.lobby.id, sort_by="age")
    carl = s.host.store.users.by_username("carl")
    assert carl is not None
    for term in ("carl", "@CAR", "princ", "ar inc", carl.id):
        found = (await s.api("SearchUsers", term=term, limit=9)).users
        assert [user.username for user in found] == ["carl"], term
    # Plugins do not search in people's full names and addresses.
    for term in ("gauss", "carl@example.com", "carl nobody"):
        assert not (await s.api("SearchUsers", term=term, limit=9)).users
    assert not (await s.api("SearchUsers", term="carl", team_id=s.team.id, limit=9)).users
    assert len((await s.api("SearchUsers", term="", limit=2)).users) == 2
    assert not (await s.api("SearchUsers", term="carl")).users
    for where, expected in (
        ({"without_team": True}, ["carl"]),
        ({"in_channel_id": s.lobby.id}, ["ada"]),
        ({"not_in_channel_id": s.lobby.id}, ["aaron", "bob", "carl"]),
        ({"not_in_channel_id": s.lobby.id, "team_id": s.team.id}, ["aaron", "bob"]),
        ({"not_in_team_id": s.team.id}, ["carl"]),
    ):
        found = (await s.api("SearchUsers", limit=9, **where)).users
        assert [user.username for user in found] == expected, where
    await s.api("UpdateUserActive", user_id=s.bob.id, active=False)
    assert not (await s.api("SearchUsers", term="bob", limit=9)).users
    assert len((await s.api("SearchUsers", term="bob", limit=9, allow_inactive=True)).users) == 1


@covers("GetUserStatus", "UpdateUserStatus")
async def who_is_online(s: Site) -> None:
    async def status() -> str:
        return str((await s.api("GetUserStatus", user_id=s.bob.id)).status.status)

    def changes() -> int:
        return len([event for event in s.host.events.history(WebSocketEvent) if event.name == "status_change"])

    one, two = s.host.act.connect(s.bob.id), s.host.act.connect(s.bob.id)
    assert (await status(), changes()) == ("online", 1)
    s.host.act.disconnect(one, s.bob.id)
    s.host.act.disconnect(one, s.bob.id)
    assert await status() == "online"
    s.host.act.disconnect(two, s.bob.id)
    assert (await status(), changes()) == ("offline", 2)
    await s.host.act.post(s.bob.id, s.lobby.id, "hi")
    assert await status() == "online"
    # What one has chosen oneself stays.
    await s.api("UpdateUserStatus", user_id=s.bob.id, status="away")
    connection = s.host.act.connect(s.bob.id)
    assert await status() == "away"
    s.host.act.disconnect(connection, s.bob.id)
    assert await status() == "away"
    assert not s.host.world.connections


@covers("GetLDAPUserAttributes")
async def the_directory(s: Site) -> None:
    async def attributes(user_id: str) -> dict[str, str]:
        names = ["department", "floor"]
        return dict((await s.api("GetLDAPUserAttributes", user_id=user_id, attributes=names)).attributes)

    s.host.act.add_directory_entry("b1", department="R&D", room="7")
    await s.api.error("GetLDAPUserAttributes", 501, "ent.ldap.disabled", user_id=s.bob.id)
    await s.host.act.configure("LdapSettings", Enable=True)
    await s.api.error("GetLDAPUserAttributes", 404, "missing_account", user_id=NOBODY)
    assert await attributes(s.bob.id) == {}
    await s.api("UpdateUserAuth", user_id=s.bob.id, user_auth=UserAuth(auth_data="b1", auth_service="ldap"))
    assert await attributes(s.bob.id) == {"department": "R&D"}
    await s.api("UpdateUserAuth", user_id=s.bob.id, user_auth=UserAuth(auth_data="b1", auth_service="saml"))
    assert await attributes(s.bob.id) == {}
    await s.host.act.configure("SamlSettings", EnableSyncWithLdap=True)
    assert await attributes(s.bob.id) == {"department": "R&D"}
    await s.api("UpdateUserAuth", user_id=s.bob.id, user_auth=UserAuth(auth_data="b2", auth_service="ldap"))
    assert await attributes(s.bob.id) == {}


@covers("UpdateUser", "UpdateUserRoles", "UpdateUserAuth")
async def change_users(s: Site) -> None:
    bob = User()
    bob.CopyFrom(s.bob)
    bob.username, bob.roles, bob.create_at, bob.mfa_secret, bob.last_login = "bobby", "system_admin", 1, "x", 5
    stored = (await s.api("UpdateUser", user=bob)).user
    assert (stored.username, stored.roles, stored.create_at) == ("bobby", "system_user", s.bob.create_at)
    assert (stored.mfa_secret, stored.last_login) == ("", 0)
    assert stored.update_at > s.bob.update_at
    await s.api.error("UpdateUser", 404, user=User(id=NOBODY))
    bob.username = "ada"
    await s.api.error("UpdateUser", 400, "username_exists", user=bob)
    stored = (await s.api("UpdateUserRoles", user_id=bob.id, new_roles="system_user system_manager")).user
    assert stored.roles == "system_user system_manager"
    await s.api.error("UpdateUserRoles", 400, "role_not_found", user_id=bob.id, new_roles="king")
    await s.api.error("UpdateUserRoles", 400, user_id=NOBODY, new_roles="system_user")
    await s.api.error("UpdateUserRoles", 400, "lastAdmin", user_id=s.ada.id, new_roles="system_user")
    session = await s.host.act.log_in(bob.id)
    assert session.roles == "system_user system_manager"
    await s.api("UpdateUserRoles", user_id=bob.id, new_roles="system_user system_admin")
    assert (await s.api("GetSession", session_id=session.id)).session.roles == "system_user system_admin"
    await s.api("UpdateUserRoles", user_id=s.ada.id, new_roles="system_user")
    auth = await s.api("UpdateUserAuth", user_id=bob.id, user_auth=UserAuth(auth_data="b1", auth_service="saml"))
    assert auth.user_auth.auth_data == "b1"
    assert s.host.store.users.get(bob.id).auth_service == "saml"  # type: ignore[union-attr]  # it is there
    await s.api.error("UpdateUserAuth", 400, user_id=bob.id, user_auth=UserAuth(auth_data="b1"))


@covers("DeleteUser", "UpdateUserActive")
async def deactivate_users(s: Site) -> None:
    session = await s.host.act.log_in(s.bob.id)
    await s.api("UpdateUserActive", user_id=s.bob.id, active=False)
    assert (await s.api("GetUser", user_id=s.bob.id)).user.delete_at > 0
    await s.api.error("GetSession", 400, session_id=session.id)
    assert (await s.api("GetUserStatus", user_id=s.bob.id)).status.status == "offline"
    await s.api("UpdateUserActive", user_id=s.bob.id, active=True)
    assert (await s.api("GetUser", user_id=s.bob.id)).user.delete_at == 0
    await s.api("DeleteUser", user_id=s.bob.id)
    assert (await s.api("GetUser", user_id=s.bob.id)).user.delete_at > 0
    await s.api("UpdateUserActive", user_id=s.bob.id, active=True)
    bot = (await s.api("CreateBot", bot=Bot(username="robo", owner_id=s.bob.id))).bot
    await s.api("UpdateUserActive", user_id=s.bob.id, active=False)
    assert (await s.api("GetBot", bot_user_id=bot.user_id, include_deleted=True)).bot.delete_at > 0
    assert (await s.api("GetUser", user_id=bot.user_id)).user.delete_at > 0
    await s.api.error("DeleteUser", 404, user_id=NOBODY)
    await s.api.error("UpdateUserActive", 404, user_id="", active=True)


@covers("GetProfileImage", "SetProfileImage", "PublishUserTyping")
async def pictures_and_typing(s: Site) -> None:
    assert (await s.api("GetProfileImage", user_id=s.bob.id)).image.startswith(b"\x89PNG")
    await s.api("SetProfileImage", user_id=s.bob.id, data=PNG)
    assert (await s.api("GetProfileImage", user_id=s.bob.id)).image == PNG
    await s.api.error("SetProfileImage", 400, "decode", user_id=s.bob.id, data=b"text")
    await s.api.error("GetProfileImage", 404, user_id=NOBODY)
    await s.api("PublishUserTyping", user_id=s.bob.id, channel_id=s.lobby.id, parent_id="")


@covers(
    "GetUserStatus",
    "GetUserStatusesByIds",
    "UpdateUserStatus",
    "SetUserStatusTimedDND",
    "UpdateUserCustomStatus",
    "RemoveUserCustomStatus",
)
async def statuses(s: Site) -> None:
    await s.api.error("GetUserStatus", 404, "app.status.get.missing", user_id=s.bob.id)
    set_status = (await s.api("UpdateUserStatus", user_id=s.bob.id, status="away")).status
    assert (set_status.status, set_status.manual) == ("away", True)
    await s.api.error("UpdateUserStatus", 400, user_id=s.bob.id, status="asleep")
    await s.api.error("UpdateUserStatus", 404, user_id=NOBODY, status="away")
    end = s.clock.now_ms() // 1000 + 120
    dnd = (await s.api("SetUserStatusTimedDND", user_id=s.bob.id, end_time=end)).status
    assert (dnd.status, dnd.prev_status, dnd.dnd_end_time) == ("dnd", "away", end - end % 60)
    s.clock.advance(seconds=121)
    assert (await s.api("GetUserStatus", user_id=s.bob.id)).status.status == "away"
    found = (await s.api("GetUserStatusesByIds", user_ids=[s.bob.id, s.ada.id])).statuses
    assert {status.user_id: status.status for status in found} == {s.bob.id: "away", s.ada.id: "offline"}
    await s.api.error("GetUserStatus", 404, user_id=NOBODY)
    for text, expected in (("à table", "à table"), ("x" * 101, "x" * 100)):
        await s.api("UpdateUserCustomStatus", user_id=s.bob.id, custom_status=CustomStatus(text=text))
        props = (await s.api("GetUser", user_id=s.bob.id)).user.props
        assert json.loads(props["customStatus"])["text"] == expected
    await s.api("RemoveUserCustomStatus", user_id=s.bob.id)
    assert (await s.api("GetUser", user_id=s.bob.id)).user.props["customStatus"] == ""
    await s.api.error("UpdateUserCustomStatus", 400, user_id=s.bob.id, custom_status=CustomStatus())
    await s.api.error("RemoveUserCustomStatus", 404, user_id=NOBODY)


@covers("GetPreferenceForUser", "GetPreferencesForUser", "UpdatePreferencesForUser", "DeletePreferencesForUser")
async def preferences(s: Site) -> None:
    dark = Preference(user_id=s.bob.id, category="theme", name="dark", value='{"a": "✓"}')
    await s.api("UpdatePreferencesForUser", user_id=s.bob.id, preferences=[dark])
    found = await s.api("GetPreferenceForUser", user_id=s.bob.id, category="theme", name="dark")
    assert found.preference == dark
    assert list((await s.api("GetPreferencesForUser", user_id=s.bob.id)).preferences) == [dark]
    await s.api("DeletePreferencesForUser", user_id=s.bob.id, preferences=[dark])
    assert not (await s.api("GetPreferencesForUser", user_id=s.bob.id)).preferences
    await s.api.error("GetPreferenceForUser", 400, user_id=s.bob.id, category="theme", name="dark")
    (event,) = (e for e in s.host.events.history(WebSocketEvent) if e.name == "preferences_changed")
    told = {"user_id": s.bob.id, "category": "theme", "name": "dark", "value": '{"a": "✓"}'}
    assert json.loads(str(event.data["preferences"])) == [told]
    for bad in ({"category": ""}, {"category": "x" * 33}, {"name": "x" * 33}, {"value": "x" * 20_001}, {"value": "{"}):
        broken = made(Preference, {"user_id": s.bob.id, "category": "theme", "name": "n", "value": "{}"}, bad)
        await s.api.error("UpdatePreferencesForUser", 400, "preference", user_id=s.bob.id, preferences=[broken])
    unnamed = Preference(user_id=s.bob.id, category="mine")
    await s.api("UpdatePreferencesForUser", user_id=s.bob.id, preferences=[unnamed])
    await s.api.error("UpdatePreferencesForUser", 403, user_id=s.ada.id, preferences=[dark])
    await s.api.error("DeletePreferencesForUser", 403, user_id=s.ada.id, preferences=[dark])


@covers("GetSession", "CreateSession", "ExtendSessionExpiry", "RevokeSession")
async def sessions(s: Site) -> None:
    given = Session(user_id=s.bob.id, expires_at=s.clock.now_ms() + 10_000)
    opened = (await s.api("CreateSession", session=given)).session
    assert len(opened.token) == 26
    assert (await s.api("GetSession", session_id=opened.id)).session == opened
    s.clock.advance(seconds=11)
    # Plugins get expired ones too.
    assert (await s.api("GetSession", session_id=opened.id)).session == opened
    later = s.clock.now_ms() + 10_000
    await s.api("ExtendSessionExpiry", session_id=opened.id, new_expiry=later)
    assert (await s.api("GetSession", session_id=opened.id)).session.expires_at == later
    await s.api.error("CreateSession", 400, "existing", session=opened)
    await s.api("RevokeSession", session_id=opened.id)
    for method, status in (("GetSession", 400), ("RevokeSession", 400), ("ExtendSessionExpiry", 500)):
        await s.api.error(method, status, "app.session", session_id=opened.id)
    await s.api.error("CreateSession", 404, session=Session(user_id=NOBODY))


@covers("CreateUserAccessToken", "RevokeUserAccessToken")
async def access_tokens(s: Site) -> None:
    given = UserAccessToken(user_id=s.bob.id, description="ci")
    token = (await s.api("CreateUserAccessToken", token=given)).token
    assert token.is_active
    assert token.token
    await s.api("RevokeUserAccessToken", token_id=token.id)
    await s.api.error("RevokeUserAccessToken", 404, token_id=token.id)
    await s.host.act.configure("ServiceSettings", EnableUserAccessTokens=False)
    await s.api.error("CreateUserAccessToken", 501, token=given)


@covers("CreateBot", "EnsureBotUser", "GetBot", "GetBots", "PatchBot", "UpdateBotActive", "PermanentDeleteBot")
async def bots(s: Site) -> None:
    bot = (await s.api("CreateBot", bot=Bot(username="robo", display_name="Robo"))).bot
    assert bot.owner_id == TESTER
    user = (await s.api("GetUser", user_id=bot.user_id)).user
    assert (user.is_bot, user.first_name) == (True, "Robo")
    await s.api.error("CreateBot", 400, "username_exists", bot=Bot(username="robo"))
    await s.api.error("CreateBot", 400, "bot_cant_create_bot", bot=Bot(username="child", owner_id=bot.user_id))
    for bad in ({"username": "a b"}, {"display_name": "x" * 65}, {"description": "x" * 1025}, {"owner_id": "x" * 191}):
        await s.api.error("CreateBot", 400, "model.bot", bot=made(Bot, {"username": "new"}, bad))
    assert s.host.store.users.by_username("new") is None
    assert (await s.api("EnsureBotUser", bot=Bot(username="bob"))).bot_user_id == s.bob.id
    assert not (await s.api("KVGet", key="mmi_botid")).value
    await s.api.error("EnsureBotUser", 400, "missing_username", bot=Bot())
    own = (await s.api("EnsureBotUser", bot=Bot(username="helper", owner_id=s.ada.id))).bot_user_id
    assert (await s.api("GetBot", bot_user_id=own)).bot.owner_id == TESTER
    assert (await s.api("EnsureBotUser", bot=Bot(username="assistant"))).bot_user_id == own
    assert (await s.api("GetBot", bot_user_id=own)).bot.username == "assistant"
    assert (await s.api("KVGet", key="mmi_botid")).value == own.encode()
    patched = await s.api("PatchBot", bot_user_id=own, bot_patch=BotPatch(description="helps"))
    assert (patched.bot.username, patched.bot.description) == ("assistant", "helps")
    again = await s.api("PatchBot", bot_user_id=own, bot_patch=BotPatch(description="helps"))
    assert again.bot == patched.bot
    await s.api.error("PatchBot", 400, "username_exists", bot_user_id=own, bot_patch=BotPatch(username="bob"))
    assert (await s.api("UpdateBotActive", bot_user_id=own, active=False)).bot.delete_at > 0
    await s.api.error("GetBot", 404, bot_user_id=own)
    assert (await s.api("GetBot", bot_user_id=own, include_deleted=True)).bot.user_id == own
    options = BotGetOptions(owner_id=TESTER, page=0, per_page=60)
    assert [each.username for each in (await s.api("GetBots", options=options)).bots] == ["robo"]
    options.include_deleted = True
    assert len((await s.api("GetBots", options=options)).bots) == 2
    await s.api("PermanentDeleteBot", bot_user_id=bot.user_id)
    for method in ("GetBot", "PatchBot", "PermanentDeleteBot"):
        await s.api.error(method, 404, "bot", bot_user_id=bot.user_id)
    await s.api.error("GetUser", 404, user_id=bot.user_id)


@covers("HasPermissionTo", "HasPermissionToTeam", "HasPermissionToChannel", "RolesGrantPermission")
async def permissions(s: Site) -> None:
    async def has(method: str, **fields: object) -> bool:
        return bool((await s.api(method, **fields)).has_permission)

    assert await has("HasPermissionTo", user_id=s.ada.id, permission_id="manage_system")
    assert not await has("HasPermissionTo", user_id=s.bob.id, permission_id="manage_system")
    assert not await has("HasPermissionTo", user_id=NOBODY, permission_id="manage_system")
    assert not await has("HasPermissionTo", user_id=s.ada.id, permission_id="fly")
    team = {"team_id": s.team.id}
    assert await has("HasPermissionToTeam", user_id=s.bob.id, permission_id="view_team", **team)
    assert not await has("HasPermissionToTeam", user_id=s.bob.id, permission_id="manage_team", **team)
    await s.api("UpdateTeamMemberRoles", user_id=s.bob.id, new_roles="team_user team_admin", **team)
    assert await has("HasPermissionToTeam", user_id=s.bob.id, permission_id="manage_team", **team)
    lobby = {"channel_id": s.lobby.id}
    assert await has("HasPermissionToChannel", user_id=s.ada.id, permission_id="create_post", **lobby)
    assert not await has("HasPermissionToChannel", user_id=s.ada.id, permission_id="create_post", channel_id=NOBODY)
    dm = await s.host.act.direct_channel(s.ada.id, s.ada.id)
    assert not await has("HasPermissionToChannel", user_id=s.bob.id, permission_id="read_channel", channel_id=dm.id)
    assert await has("RolesGrantPermission", role_names=["x", "channel_user"], permission_id="create_post")
    assert not await has("RolesGrantPermission", role_names=["x"], permission_id="create_post")
