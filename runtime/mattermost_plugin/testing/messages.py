"""The requests and responses of hooks and API methods, which records carry: `MessageWillBePostedRequest`, ...

They give records their types: `mattermost.api_calls(CreatePostRequest).one.request.post`.
"""

from importlib import import_module
from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from mattermost_pluginapi.v1.api_access_control_pb2 import *  # noqa: F403 - all of them are meant
    from mattermost_pluginapi.v1.api_bot_pb2 import *  # noqa: F403 - all of them are meant
    from mattermost_pluginapi.v1.api_channel_member_pb2 import *  # noqa: F403 - all of them are meant
    from mattermost_pluginapi.v1.api_channel_pb2 import *  # noqa: F403 - all of them are meant
    from mattermost_pluginapi.v1.api_channel_sidebar_pb2 import *  # noqa: F403 - all of them are meant
    from mattermost_pluginapi.v1.api_command_pb2 import *  # noqa: F403 - all of them are meant
    from mattermost_pluginapi.v1.api_config_pb2 import *  # noqa: F403 - all of them are meant
    from mattermost_pluginapi.v1.api_emoji_pb2 import *  # noqa: F403 - all of them are meant
    from mattermost_pluginapi.v1.api_file_pb2 import *  # noqa: F403 - all of them are meant
    from mattermost_pluginapi.v1.api_frontend_pb2 import *  # noqa: F403 - all of them are meant
    from mattermost_pluginapi.v1.api_group_pb2 import *  # noqa: F403 - all of them are meant
    from mattermost_pluginapi.v1.api_group_syncable_pb2 import *  # noqa: F403 - all of them are meant
    from mattermost_pluginapi.v1.api_kv_pb2 import *  # noqa: F403 - all of them are meant
    from mattermost_pluginapi.v1.api_log_pb2 import *  # noqa: F403 - all of them are meant
    from mattermost_pluginapi.v1.api_notification_pb2 import *  # noqa: F403 - all of them are meant
    from mattermost_pluginapi.v1.api_oauth_pb2 import *  # noqa: F403 - all of them are meant
    from mattermost_pluginapi.v1.api_permission_pb2 import *  # noqa: F403 - all of them are meant
    from mattermost_pluginapi.v1.api_plugin_pb2 import *  # noqa: F403 - all of them are meant
    from mattermost_pluginapi.v1.api_post_pb2 import *  # noqa: F403 - all of them are meant
    from mattermost_pluginapi.v1.api_preference_pb2 import *  # noqa: F403 - all of them are meant
    from mattermost_pluginapi.v1.api_property_field_pb2 import *  # noqa: F403 - all of them are meant
    from mattermost_pluginapi.v1.api_property_value_pb2 import *  # noqa: F403 - all of them are meant
    from mattermost_pluginapi.v1.api_server_pb2 import *  # noqa: F403 - all of them are meant
    from mattermost_pluginapi.v1.api_session_pb2 import *  # noqa: F403 - all of them are meant
    from mattermost_pluginapi.v1.api_shared_channel_pb2 import *  # noqa: F403 - all of them are meant
    from mattermost_pluginapi.v1.api_team_member_pb2 import *  # noqa: F403 - all of them are meant
    from mattermost_pluginapi.v1.api_team_pb2 import *  # noqa: F403 - all of them are meant
    from mattermost_pluginapi.v1.api_user_pb2 import *  # noqa: F403 - all of them are meant
    from mattermost_pluginapi.v1.api_user_status_pb2 import *  # noqa: F403 - all of them are meant
    from mattermost_pluginapi.v1.hooks_channel_pb2 import *  # noqa: F403 - all of them are meant
    from mattermost_pluginapi.v1.hooks_command_pb2 import *  # noqa: F403 - all of them are meant
    from mattermost_pluginapi.v1.hooks_file_pb2 import *  # noqa: F403 - all of them are meant
    from mattermost_pluginapi.v1.hooks_http_pb2 import *  # noqa: F403 - all of them are meant
    from mattermost_pluginapi.v1.hooks_lifecycle_pb2 import *  # noqa: F403 - all of them are meant
    from mattermost_pluginapi.v1.hooks_message_pb2 import *  # noqa: F403 - all of them are meant
    from mattermost_pluginapi.v1.hooks_notification_pb2 import *  # noqa: F403 - all of them are meant
    from mattermost_pluginapi.v1.hooks_server_pb2 import *  # noqa: F403 - all of them are meant
    from mattermost_pluginapi.v1.hooks_shared_channel_pb2 import *  # noqa: F403 - all of them are meant
    from mattermost_pluginapi.v1.hooks_team_pb2 import *  # noqa: F403 - all of them are meant
    from mattermost_pluginapi.v1.hooks_user_pb2 import *  # noqa: F403 - all of them are meant
    from mattermost_pluginapi.v1.hooks_websocket_pb2 import *  # noqa: F403 - all of them are meant
else:
    _MODULES: Final = (
        "api_access_control_pb2",
        "api_bot_pb2",
        "api_channel_member_pb2",
        "api_channel_pb2",
        "api_channel_sidebar_pb2",
        "api_command_pb2",
        "api_config_pb2",
        "api_emoji_pb2",
        "api_file_pb2",
        "api_frontend_pb2",
        "api_group_pb2",
        "api_group_syncable_pb2",
        "api_kv_pb2",
        "api_log_pb2",
        "api_notification_pb2",
        "api_oauth_pb2",
        "api_permission_pb2",
        "api_plugin_pb2",
        "api_post_pb2",
        "api_preference_pb2",
        "api_property_field_pb2",
        "api_property_value_pb2",
        "api_server_pb2",
        "api_session_pb2",
        "api_shared_channel_pb2",
        "api_team_member_pb2",
        "api_team_pb2",
        "api_user_pb2",
        "api_user_status_pb2",
        "hooks_channel_pb2",
        "hooks_command_pb2",
        "hooks_file_pb2",
        "hooks_http_pb2",
        "hooks_lifecycle_pb2",
        "hooks_message_pb2",
        "hooks_notification_pb2",
        "hooks_server_pb2",
        "hooks_shared_channel_pb2",
        "hooks_team_pb2",
        "hooks_user_pb2",
        "hooks_websocket_pb2",
    )

    def __getattr__(name: str) -> object:
        # Loaded when asked for: they are many, and a test names a few.
        if name.endswith(("Request", "Response", "RequestInit", "ResponseInit")):
            for module in _MODULES:
                found = getattr(import_module(f"mattermost_pluginapi.v1.{module}"), name, None)
                if found is not None:
                    globals()[name] = found
                    return found
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
