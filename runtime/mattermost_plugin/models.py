"""The messages that hooks carry: `Post`, `User`, `Channel`, `PluginContext`, ...

They are protobuf messages. `HasField` tells whether an optional field is set; `CopyFrom` and `MergeFrom` copy; fields
that a newer server added survive reading, changing and returning a message.
"""

from mattermost_pluginapi.models import *  # noqa: F403 - the generated list is the public list
from mattermost_pluginapi.models import __all__ as __all__  # noqa: PLC0414 - said twice so that type checkers take it as public
