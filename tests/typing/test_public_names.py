"""The exact lists of public names. A change here is a change for authors and belongs in the changelog."""

import importlib
import os
import re
from pathlib import Path

import pytest

import mattermost_plugin
from mattermost_pluginapi.hooks.names import HookName
from tests.contract.tables import hooks

ROOT = Path(__file__).parents[2]

HOOK_COUNT = 51

PUBLIC = {
    "mattermost_plugin": """
        HookError HookName HookRegistrationError Plugin PluginError Reject hook run_plugin serve_plugin
    """,
    "mattermost_plugin.api": """
        APIDeadlineExceeded APITransportError APIUnavailable AsyncPluginAPI ConflictError InvalidArgumentError
        NotFoundError NotImplementedByServerError PayloadTooLargeError PermissionDeniedError PluginAPI PluginAPIError
        RateLimitedError RepeatedPageError ServerError UnauthenticatedError
    """,
    "mattermost_plugin.asgi": "ASGIApp ASGIMount BoundMount HTTPHandlerMethod LifespanError LifespanMode asgi",
    "mattermost_plugin.bots": "BotUsernameTakenError ensure_bot",
    "mattermost_plugin.cluster": """
        AsyncCluster AsyncMutex Cluster LockLostError LockTimeoutError Mutex PluginStoppedError RESERVED_PREFIX
    """,
    "mattermost_plugin.config": "ENVIRONMENT_VARIABLES RuntimeConfig load_runtime_config",
    "mattermost_plugin.db": """
        BINARY Binary Connection ConnectionLostError Cursor DATETIME DataError Database DatabaseError Date DateFromTicks
        DbValue Diagnostics Error IntegrityError InterfaceError InternalError NUMBER NotSupportedError OperationalError
        ProgrammingError ROWID Row STRING Time TimeFromTicks Timestamp TimestampFromTicks Warning apilevel paramstyle
        threadsafety
    """,
    "mattermost_plugin.db_sqlalchemy": "MattermostDialect create_engine",
    "mattermost_plugin.errors": """
        ClientDisconnected ConfigError ConfigFault HandlerTimeout HandshakeError HeadersSentError HookError
        HookRegistrationError PluginError RequestAborted
    """,
    "mattermost_plugin.gob": "main",
    "mattermost_plugin.hooks": "HookName hook",
    "mattermost_plugin.http": """
        HTTPHeaders HTTPRequest MutableHTTPHeaders ReplacementFile RequestBody ResponseWriter UploadedFile
    """,
    "mattermost_plugin.jobs": """
        AsyncJobs Callback DuplicateJobError JobCancelledError JobRun Jobs OneShotRun PlannedJob PluginStoppedError
        RecurringJob RecurringRun UnknownJobError
    """,
    "mattermost_plugin.kv": """
        AsyncKVStore DELETE Deletion JsonArray JsonModel JsonObject JsonValue KVConflictError KVError KVStore
        KVValueError Storable
    """,
    "mattermost_plugin.models": """
        AccessControlPolicy AccessControlPolicyRule AccessControlPolicyTestResponse AccessDecision AppError
        AuditEventData AuditEventError AuditRecord AutocompleteArg AutocompleteData AutocompleteDynamicListArg
        AutocompleteListItem AutocompleteStaticListArg AutocompleteTextArg Bot BotGetOptions BotPatch
        CELExpressionError Channel ChannelBannerInfo ChannelMember ChannelMemberIdentifier ChannelStats
        ChannelType Command CommandArgs CommandResponse ConfigJson CreateDefaultMembershipParams CustomStatus
        Dialog DialogDateTimeConfig DialogElement DialogElementOption Draft EmailNotificationContent
        EmailNotificationJson Emoji FileData FileInfo FilesLimits GetFileInfosOptions
        GetPostsSinceForSyncCursor Group GroupMember GroupSearchOpts GroupSyncable HTTPHeader KeyValuePair
        Manifest ManifestServer ManifestWebapp MessageAttachment MessageAttachmentField MessagesLimits
        OAuthApp OnInstallEvent OpenDialogRequest OrderedSidebarCategories PluginClusterEvent
        PluginClusterEventSendOptions PluginContext PluginKVSetOptions PluginOption PluginSetting
        PluginSettingsSchema PluginSettingsSection PluginStatus Post PostAcknowledgement PostAction
        PostActionIntegration PostActionOption PostEmbed PostImage PostList PostMetadata PostPriority
        PostSearchResults PostTranslation Preference ProductLimits PropertyField PropertyFieldSearchCursor
        PropertyFieldSearchOpts PropertyGroup PropertyRequestOptions PropertyValue PropertyValueSearchCursor
        PropertyValueSearchOpts PushNotification Reaction RegisterPluginOpts RemoteCluster RequestContext
        SamlAssertionInfoJson ScheduledPost SearchParameter SearchParams SendToastMessageOptions Session
        SharedChannel SidebarCategoryWithChannels Status StringList SyncMsgJson SyncResponse Team TeamMember
        TeamMemberWithError TeamStats TeamType TeamUnread TeamsLimits UploadSession User UserAccessToken
        UserAuth ViewUsersRestrictions VisualCondition VisualExpression WebSocketRequest WebsocketBroadcast
    """,
    "mattermost_plugin.plugin": "Plugin",
    "mattermost_plugin.server": "PluginServer format_handshake_line run_plugin serve_plugin",
    "mattermost_plugin.wsgi": "wsgi",
}


def test_these_are_the_public_modules() -> None:
    package = Path(mattermost_plugin.__file__).parent
    names = {path.stem for path in package.glob("*.py") if not path.name.startswith("_")}
    assert {"mattermost_plugin", *(f"mattermost_plugin.{name}" for name in names)} == set(PUBLIC)


@pytest.mark.parametrize("module", PUBLIC)
def test_these_are_the_public_names(module: str) -> None:
    names = PUBLIC[module].split()
    if module == "mattermost_plugin.db_sqlalchemy" and not os.environ.get("CI"):
        pytest.importorskip("sqlalchemy")
    loaded = importlib.import_module(module)
    assert sorted(loaded.__all__) == names
    assert [name for name in names if not hasattr(loaded, name)] == []


def test_other_names_of_the_server_module_are_unknown() -> None:
    server = importlib.import_module("mattermost_plugin.server")
    with pytest.raises(AttributeError, match="has no attribute 'PluginServers'"):
        _ = server.PluginServers


def test_the_hooks_are_those_of_the_contract() -> None:
    assert len(HookName) == HOOK_COUNT
    assert set(HookName) == set(hooks()) - {"Implemented"}


def test_the_hooks_stand_in_the_order_of_the_service() -> None:
    service = (ROOT / "protos/mattermost_pluginapi/v1/hooks.proto").read_text(encoding="utf-8")
    rpcs = re.findall(r"^ +rpc (\w+)\(", service, re.MULTILINE)
    assert [str(name) for name in HookName] == [rpc for rpc in rpcs if rpc != "Implemented"]


def test_a_hook_has_its_go_name() -> None:
    assert [name.value for name in HookName] == list(HookName.__members__)
