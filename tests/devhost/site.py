"""A host with a team, people and channels, and the API as a plugin calls it: plain gRPC, methods by name."""

import inspect
from collections import Counter
from collections.abc import AsyncIterator, Awaitable, Callable, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass
from typing import Any, TypeVar

import grpc.aio
import pytest
from google.protobuf.message import Message
from google.protobuf.message_factory import GetMessageClass

from mattermost_plugin.devhost import DevHost, ManualClock
from mattermost_plugin.devhost.disclosure import shown
from mattermost_plugin.devhost.service import API_METHODS
from mattermost_pluginapi.v1.channel_pb2 import Channel
from mattermost_pluginapi.v1.common_pb2 import AppError
from mattermost_pluginapi.v1.plugin_pb2 import Manifest, PluginSetting, PluginSettingsSchema
from mattermost_pluginapi.v1.team_pb2 import Team
from mattermost_pluginapi.v1.user_pb2 import User

TESTER = "com.example.tester"
NOBODY = "nobodynobodynobodynobodyno"  # the shape of an id that nothing has
PNG = b"\x89PNG\r\n\x1a\n rest"


MessageT = TypeVar("MessageT", bound=Message)


def made(kind: type[MessageT], *fields: Mapping[str, Any]) -> MessageT:
    """A message with the given fields, the later ones before the earlier ones."""
    return kind(**{name: value for each in fields for name, value in each.items()})


class Refused(Exception):  # noqa: N818 - reads as what happened
    """The answer has an error."""

    def __init__(self, error: AppError) -> None:
        super().__init__(f"{error.status_code} {error.id}: {error.detailed_error}")
        self.error = error


class Api:
    """Calls methods over the wire."""

    def __init__(self, target: str) -> None:
        self.channel = grpc.aio.insecure_channel(
            target, options=[("grpc.max_receive_message_length", -1), ("grpc.max_send_message_length", -1)]
        )
        self.sent: Counter[tuple[str, bytes]] = Counter()
        self.succeeded: set[str] = set()

    async def send(self, name: str, request: Any, metadata: tuple[tuple[str, str], ...] = ()) -> Any:
        method = API_METHODS[name]
        call: Any = self.channel.unary_unary(
            f"/{method.containing_service.full_name}/{name}",
            request_serializer=type(request).SerializeToString,
            response_deserializer=GetMessageClass(method.output_type).FromString,
        )
        self.sent[name, shown(request).SerializeToString(deterministic=True)] += 1
        return await call(request, timeout=20, metadata=metadata)

    async def __call__(self, method_name: str, /, **fields: Any) -> Any:
        request = GetMessageClass(API_METHODS[method_name].input_type)(**fields)
        response = await self.send(method_name, request)
        if response.HasField("error"):
            raise Refused(response.error)
        self.succeeded.add(method_name)
        return response

    async def error(self, method_name: str, status: int, error_id: str = "", /, **fields: Any) -> AppError:
        """The error that a call must have."""
        with pytest.raises(Refused) as caught:
            await self(method_name, **fields)
        error = caught.value.error
        assert error.status_code == status, caught.value
        assert error_id in error.id, caught.value
        assert error.id
        assert error.where
        return error


@dataclass
class Site:
    host: DevHost
    clock: ManualClock
    api: Api
    ada: User
    bob: User
    team: Team
    lobby: Channel


@asynccontextmanager
async def site() -> AsyncIterator[Site]:
    clock = ManualClock()
    settings = [PluginSetting(key="Greeting", type="text"), PluginSetting(key="Token", type="text", secret=True)]
    settings[0].default.string_value = "hello"
    schema = PluginSettingsSchema(settings=settings)
    manifest = Manifest(id=TESTER, name="Tester", version="1.2.3", settings_schema=schema)
    async with DevHost(clock=clock) as host:
        api = Api(await host.open_api(TESTER, manifest=manifest))
        try:
            ada, bob = await host.act.create_user("ada"), await host.act.create_user("bob")
            ada.roles = "system_admin system_user"
            host.store.users.put(ada)
            team = await host.act.create_team("core")
            for user in (ada, bob):
                await host.act.join_team(team.id, user.id)
            lobby = await host.act.create_channel(team.id, "lobby", creator_id=ada.id)
            await host.settle()
            yield Site(host, clock, api, ada, bob, team, lobby)
        finally:
            await api.channel.close()


CaseFunction = Callable[[Site], Awaitable[None]]
CASES: dict[str, tuple[CaseFunction, frozenset[str]]] = {}


def covers(*methods: str) -> Callable[[CaseFunction], CaseFunction]:
    """Mark what a case calls successfully."""

    def register(case: CaseFunction) -> CaseFunction:
        name = getattr(case, "__name__", "")
        assert name not in CASES
        assert inspect.iscoroutinefunction(case)
        CASES[name] = (case, frozenset(methods))
        return case

    return register
