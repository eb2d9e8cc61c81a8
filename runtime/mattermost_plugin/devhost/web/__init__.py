"""The development host's page: users and channels on one side, what the plugins do on the other.

async with DevHost() as host:
    front = Front(host)
    print(await front.start())
"""

try:
    import aiohttp as _aiohttp
except ImportError as error:  # the library is an extra: a plugin's process never needs it
    raise ImportError("the page needs aiohttp: pip install 'mattermost-plugin-sdk[dev]'") from error
del _aiohttp

from mattermost_plugin.devhost.web.front import Front  # noqa: E402 - what it imports is looked for above

__all__ = ["Front"]
