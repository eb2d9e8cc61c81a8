"""Every method of the contract's table, called over the wire: what it does, what it refuses, what it survives."""

import asyncio
from collections import Counter
from typing import Any

import grpc
import grpc.aio
import pytest
from google.protobuf.descriptor import FieldDescriptor
from google.protobuf.message import Message
from google.protobuf.message_factory import GetMessageClass

from mattermost_plugin.devhost import implemented_methods
from mattermost_plugin.devhost.events import ApiCalled
from mattermost_plugin.devhost.service import API_METHODS, NOT_IMPLEMENTED
from tests.contract.tables import methods
from tests.devhost import (
    cases_commands,
    cases_content,
    cases_files,
    cases_groups,
    cases_people,
    cases_places,
    cases_plugins,
    cases_properties,
    cases_remotes,
)
from tests.devhost.site import CASES, TESTER, Refused, Site, site

# Imported for the cases that they register.
CASE_MODULES = (
    cases_commands,
    cases_content,
    cases_files,
    cases_groups,
    cases_people,
    cases_places,
    cases_plugins,
    cases_properties,
    cases_remotes,
)

TABLE = methods()
REAL = frozenset(implemented_methods())
LEAST_REAL = 249

# Started as processes only, which the tests of the host's life do.
ELSEWHERE = {"EnablePlugin"}


@pytest.mark.parametrize("name", CASES)
def test_a_case(name: str) -> None:
    case, covered = CASES[name]

    async def scenario() -> None:
        async with site() as here:
            await case(here)
            await here.host.settle()
            assert covered <= here.api.succeeded
            assert_requests_stay_as_they_are(here)

    asyncio.run(scenario())


def assert_requests_stay_as_they_are(s: Site) -> None:
    """Events tell of the very requests that were sent: no method has changed its own."""
    calls = [event for event in s.host.events.history(ApiCalled) if event.plugin_id == TESTER]
    assert Counter((call.method, call.request.SerializeToString(deterministic=True)) for call in calls) <= s.api.sent


def test_every_real_method_has_a_case() -> None:
    covered = {method for _, methods_of_case in CASES.values() for method in methods_of_case}
    assert covered == REAL - ELSEWHERE
    assert covered <= set(TABLE)
    assert len(covered) >= LEAST_REAL


def test_the_service_is_the_contracts_table() -> None:
    assert set(API_METHODS) == set(TABLE)


@pytest.mark.parametrize("name", sorted(set(TABLE) - REAL))
def test_what_the_host_lacks_says_so(name: str) -> None:
    async def scenario() -> None:
        async with site() as here:
            with pytest.raises(Refused) as caught:
                await here.api(name)
            error = caught.value.error
            assert (error.status_code, error.id, error.where) == (501, NOT_IMPLEMENTED, name)
            assert name in error.message

    asyncio.run(scenario())


def nonsense(message: Message, text: str, number: int, depth: int = 0) -> None:
    """Fill every field with the same value."""
    for field in message.DESCRIPTOR.fields:
        target: Any = message
        if field.message_type is not None and field.message_type.GetOptions().map_entry:
            continue
        value: Any = text
        if field.type == FieldDescriptor.TYPE_MESSAGE:
            kind = field.message_type
            if kind is None or depth > 2 or kind.full_name.startswith("google."):
                continue
            made = getattr(target, field.name).add() if field.is_repeated else getattr(target, field.name)
            nonsense(made, text, number, depth + 1)
            continue
        if field.type in (FieldDescriptor.TYPE_INT64, FieldDescriptor.TYPE_INT32):
            value = number if field.type == FieldDescriptor.TYPE_INT64 else max(min(number, 2**31 - 1), -(2**31))
        elif field.type == FieldDescriptor.TYPE_BOOL:
            value = True
        elif field.type == FieldDescriptor.TYPE_BYTES:
            value = text.encode()
        elif field.type != FieldDescriptor.TYPE_STRING:
            continue
        if field.is_repeated:
            getattr(target, field.name).append(value)
        else:
            setattr(target, field.name, value)


NONSENSE = [("", 0), ("ä'\"\0;--%_\U0001f600", -1), ("x" * 70_000, 2**63 - 1), ("nobodynobodynobodynobodyno", -(2**63))]


def test_nonsense_is_answered_by_every_method() -> None:
    async def scenario() -> None:
        async with site() as here:
            for name in TABLE:
                for text, number in NONSENSE:
                    request = GetMessageClass(API_METHODS[name].input_type)()
                    nonsense(request, text, number)
                    response = await here.api.send(name, request)
                    error = response.error
                    assert error.id != "dev.internal_error", (name, text[:30], error.detailed_error)
                    if response.HasField("error"):
                        assert error.id, name
                        assert 400 <= error.status_code <= 599, name
                        assert error.where, name
            assert_requests_stay_as_they_are(here)

    asyncio.run(scenario())


def test_an_error_names_the_request() -> None:
    async def scenario() -> None:
        async with site() as here:
            request = GetMessageClass(API_METHODS["GetUser"].input_type)()
            response = await here.api.send("GetUser", request, (("x-request-id", "r1"),))
            assert response.error.request_id == "r1"

    asyncio.run(scenario())


def test_what_is_no_call_of_the_api() -> None:
    async def scenario() -> None:
        async with site() as here:

            async def status(path: str, request: bytes) -> grpc.StatusCode:
                call: Any = here.api.channel.unary_unary(path)
                with pytest.raises(grpc.aio.AioRpcError) as caught:
                    await call(request, timeout=20)
                return caught.value.code()

            service = "/mattermost.pluginapi.v1.PluginAPI"
            assert await status(f"{service}/Fly", b"") is grpc.StatusCode.UNIMPLEMENTED
            assert await status("/other/GetUser", b"") is grpc.StatusCode.UNIMPLEMENTED
            # A text that is no UTF-8, and bytes that are no message.
            number = API_METHODS["GetUser"].input_type.fields_by_name["user_id"].number
            for broken in (bytes([number << 3 | 2, 2]) + b"\xff\xfe", b"\xff\xff\xff"):
                assert await status(f"{service}/GetUser", broken) is grpc.StatusCode.INTERNAL
            assert (await here.api("GetUser", user_id=here.ada.id)).user.username == "ada"

    asyncio.run(scenario())


def test_a_file_of_64_mib() -> None:
    async def scenario() -> None:
        async with site() as here:
            content = bytes(64 * 1024 * 1024)
            info = (await here.api("UploadFile", data=content, channel_id=here.lobby.id, filename="big")).file_info
            assert (await here.api("GetFile", file_id=info.id)).data == content

    asyncio.run(scenario())
