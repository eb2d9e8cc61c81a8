# pyright: strict
"""Calls of the plugin API as authors may write them. Both type checkers must accept every line."""

from collections.abc import Mapping
from typing import assert_type

from mattermost_plugin import HookName, Plugin, hook
from mattermost_plugin.api import (
    APIDeadlineExceeded,
    APITransportError,
    AsyncPluginAPI,
    NotFoundError,
    NotImplementedByServerError,
    PluginAPI,
    PluginAPIError,
)
from mattermost_plugin.config import RuntimeConfig
from mattermost_plugin.models import Bot, FileInfo, PluginContext, Post, SearchParams, Team, UploadSession, User


class Caller(Plugin):
    """Both clients in handlers."""

    def on_activate(self) -> None:
        assert_type(self.api, PluginAPI)
        assert_type(self.api.aio, AsyncPluginAPI)
        assert_type(self.api.get_user("u"), User)
        assert_type(self.api.get_user(user_id="u", timeout=5), User)
        assert_type(self.api.get_users_in_team("t", per_page=200), list[User])
        assert_type(self.api.get_users_by_ids(("a", "b")), list[User])
        assert_type(self.api.search_posts_in_team("t", [SearchParams()]), list[Post])
        assert_type(self.api.kv_get("k"), bytes | None)
        assert_type(self.api.kv_compare_and_set("k", b"", b"new"), bool)
        assert_type(self.api.kv_list(), list[str])
        assert_type(self.api.upload_data(UploadSession(), b""), FileInfo | None)
        assert_type(self.api.get_ldap_user_attributes("u", ["a"]), dict[str, str])
        assert_type(self.api.get_plugin_config(), dict[str, object])
        settings: Mapping[str, object] = {"a": [1, None]}
        self.api.save_plugin_config(settings)
        self.api.create_bot(Bot(username="helper"))
        image, kind = self.api.get_emoji_image("e")
        assert_type(image, bytes)
        assert_type(kind, str)
        answer = self.api.plugin_http("GET", "/other/", headers={"a": "b"})
        assert_type(answer.status_code, int)
        assert_type(answer.headers, dict[str, str])

    @hook(HookName.MessageHasBeenPosted)
    async def posted(self, context: PluginContext, post: Post) -> None:
        assert_type(await self.api.aio.get_user(post.user_id), User)
        assert_type(await self.api.aio.kv_get("k"), bytes | None)
        await self.api.aio.delete_post(post.id, timeout=0.5)
        try:
            assert_type(await self.api.aio.get_teams(), list[Team])
        except NotFoundError as error:
            self.logger.info("%s %s %d", error.method, error.id, error.status_code)
        except NotImplementedByServerError as error:
            self.logger.info("needs %s", error.minimum_server_version)
        except PluginAPIError as error:
            self.logger.info("%s", error.params.get("name"))
        except APIDeadlineExceeded as error:
            self.logger.info("%s", error.elapsed_s)
        except APITransportError as error:
            self.logger.info("%s", error.may_have_taken_effect)


def other(api: PluginAPI) -> str:
    return api.create_post(Post(message="hi")).id


async def other_async(api: AsyncPluginAPI) -> str:
    return (await api.create_post(Post(message="hi"))).id


def substitute(api: PluginAPI) -> Caller:
    return Caller(api=api, config=RuntimeConfig(api_timeout_s=5))
