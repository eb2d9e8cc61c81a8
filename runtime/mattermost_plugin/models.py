"""The messages that hooks and the plugin API carry: `Post`, `User`, `Channel`, `PluginContext`, ...

They are protobuf messages. `HasField` tells whether an optional field is set; `CopyFrom` and `MergeFrom` copy; fields
that a newer server added survive reading, changing and returning a message.
"""

from typing import TYPE_CHECKING

from mattermost_pluginapi import models as _models

if TYPE_CHECKING:
    from mattermost_pluginapi.models import *  # noqa: F403 - the generated list is the public list
    from mattermost_pluginapi.models import __all__ as __all__  # noqa: PLC0414 - said twice so that type checkers take it as public
else:
    __all__ = _models.__all__

    def __getattr__(name: str) -> object:
        # Not imported at the top: most of them travel in API calls only, which many plugins never make.
        if name not in __all__:
            raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
        model = getattr(_models, name)
        globals()[name] = model
        return model

    def __dir__() -> list[str]:
        return sorted({*globals(), *__all__})
