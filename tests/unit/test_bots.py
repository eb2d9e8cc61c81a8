"""ensure_bot with a server in memory: what it asks for, and what it gets over."""

import asyncio
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from mattermost_plugin import bots
from mattermost_plugin.api import NotFoundError, NotImplementedByServerError, ServerError
from mattermost_plugin.bots import BotUsernameTakenError, ensure_bot
from mattermost_plugin.models import Bot, User
from tests.unit.memory_api import AsyncMemoryAPI, Memory, MemoryAPI

Ensure = Callable[..., str]


class Server(Memory):
    """Has one account and perhaps its bot; tests say how they come and go."""

    def __init__(self) -> None:
        super().__init__()
        self.bot: Bot | None = None
        self.user: User | None = None
        self.images: list[bytes] = []
        self.answers = {
            "EnsureBotUser": self._ensure,
            "GetBot": self._get_bot,
            "GetBundlePath": lambda _: {"path": "/nowhere"},
            "GetUserByUsername": self._get_user,
            "PatchBot": self._patch,
            "SetProfileImage": self._set_image,
            "UpdateBotActive": self._switch,
        }

    def _ensure(self, request: Any) -> dict[str, Any]:
        if self.bot is None and self.user is None:
            self.make(request.bot.username, request.bot.display_name, request.bot.description)
        assert self.user is not None
        return {"bot_user_id": self.user.id}

    def make(self, username: str, display_name: str = "", description: str = "") -> None:
        self.user = User(id="b", username=username, is_bot=True)
        self.bot = Bot(user_id="b", username=username, display_name=display_name, description=description)

    def _get_bot(self, request: Any) -> dict[str, Any]:
        assert request.include_deleted
        if self.bot is None or self.bot.user_id != request.bot_user_id:
            raise NotFoundError("get_bot", "none", status_code=404)
        return {"bot": self.bot}

    def _get_user(self, request: Any) -> dict[str, Any]:
        if self.user is None or self.user.username != request.name:
            raise NotFoundError("get_user_by_username", "none", status_code=404)
        return {"user": self.user}

    def _patch(self, request: Any) -> dict[str, Any]:
        assert self.bot is not None
        assert not request.bot_patch.HasField("username")
        self.bot.display_name = request.bot_patch.display_name
        self.bot.description = request.bot_patch.description
        return {"bot": self.bot}

    def _switch(self, request: Any) -> dict[str, Any]:
        assert self.bot is not None
        assert request.active
        self.bot.delete_at = 0
        return {"bot": self.bot}

    def _set_image(self, request: Any) -> dict[str, Any]:
        assert request.user_id == "b"
        self.images.append(request.data)
        return {}


@pytest.fixture
def server(monkeypatch: pytest.MonkeyPatch) -> Server:
    monkeypatch.setattr(bots, "_PAUSES_S", (0, 0, 0))
    return Server()


@pytest.fixture(params=["threads", "coroutines"])
def ensure(request: pytest.FixtureRequest, server: Server) -> Ensure:
    def in_thread(*arguments: Any, **named: Any) -> str:
        return ensure_bot(MemoryAPI(server), *arguments, **named)

    def in_coroutine(*arguments: Any, **named: Any) -> str:
        return asyncio.run(ensure_bot(AsyncMemoryAPI(server), *arguments, **named))

    return in_thread if request.param == "threads" else in_coroutine


def test_a_new_bot(ensure: Ensure, server: Server) -> None:
    assert ensure("greeter", display_name="Greeter", description="Greets.", timeout=5) == "b"
    assert server.bot == Bot(user_id="b", username="greeter", display_name="Greeter", description="Greets.")
    assert server.called == ["EnsureBotUser", "GetBot"]
    assert set(server.timeouts) == {5}


def test_the_second_time_nothing_changes(ensure: Ensure, server: Server) -> None:
    for _ in range(2):
        assert ensure("greeter", display_name="Greeter") == "b"
    assert server.called == ["EnsureBotUser", "GetBot"] * 2


def test_a_bot_that_was_switched_off(ensure: Ensure, server: Server) -> None:
    server.make("greeter")
    assert server.bot is not None
    server.bot.delete_at = 1
    ensure("greeter")
    assert server.bot.delete_at == 0


def test_names_that_others_changed(ensure: Ensure, server: Server) -> None:
    server.make("greeter", "Other", "Other.")
    ensure("greeter", display_name="Greeter")
    assert server.bot == Bot(user_id="b", username="greeter", display_name="Greeter")


def test_a_username_of_a_person(ensure: Ensure, server: Server) -> None:
    server.user = User(id="u", username="greeter")
    with pytest.raises(BotUsernameTakenError, match="'greeter' belongs to an ordinary account \\(u\\)") as caught:
        ensure("greeter")
    assert (caught.value.username, caught.value.user_id) == ("greeter", "u")
    # The server logs each attempt to take the account as an error.
    assert server.called.count("EnsureBotUser") == 1


def test_another_node_is_about_to_make_the_bot(ensure: Ensure, server: Server) -> None:
    server.user = User(id="b", username="greeter")
    looks = []

    def look(method: str) -> None:
        looks.append(method)
        if looks.count("GetBot") == 3:
            server.make("greeter")

    server.before = look
    assert ensure("greeter") == "b"


def test_another_node_was_faster(ensure: Ensure, server: Server) -> None:
    def race(request: Any) -> dict[str, Any]:
        server.make("greeter")
        server.answers["EnsureBotUser"] = server._ensure
        raise ServerError("ensure_bot_user", "failed to create bot: the username is taken")

    server.answers["EnsureBotUser"] = race
    assert ensure("greeter") == "b"
    assert server.called.count("EnsureBotUser") == 2


def test_a_bot_that_was_deleted_for_good(ensure: Ensure, server: Server) -> None:
    """The server remembers the id of its bot, and fails to update what is no more."""
    server.values["mmi_botid"] = b"gone"

    def remembered(request: Any) -> dict[str, Any]:
        if "mmi_botid" in server.values:
            raise NotFoundError("ensure_bot_user", "failed to patch bot")
        return server._ensure(request)

    server.answers["EnsureBotUser"] = remembered
    assert ensure("greeter") == "b"


def test_a_refusal_is_raised(ensure: Ensure, server: Server) -> None:
    def refuse(request: Any) -> dict[str, Any]:
        raise ServerError("ensure_bot_user", "the username has a space")

    server.answers["EnsureBotUser"] = refuse
    with pytest.raises(ServerError, match="the username has a space"):
        ensure("gree ter")
    assert server.called == ["EnsureBotUser", "KVGet", "GetUserByUsername"]


def test_a_username_that_stays_taken(ensure: Ensure, server: Server) -> None:
    """The bot has another name so far, and cannot have that of another account."""
    server.make("other")
    server.values["mmi_botid"] = b"b"

    def refuse(request: Any) -> dict[str, Any]:
        server.user = User(id="u", username="greeter")
        raise ServerError("ensure_bot_user", "failed to patch bot: the username is taken")

    server.answers["EnsureBotUser"] = refuse
    with pytest.raises(ServerError, match="the username is taken"):
        ensure("greeter")
    assert server.values == {"mmi_botid": b"b"}
    assert server.called.count("EnsureBotUser") == 4


def test_a_server_that_is_too_old(ensure: Ensure, server: Server) -> None:
    def refuse(request: Any) -> dict[str, Any]:
        raise NotImplementedByServerError("ensure_bot_user", "unknown")

    server.answers["EnsureBotUser"] = refuse
    with pytest.raises(NotImplementedByServerError):
        ensure("greeter")
    assert server.called == ["EnsureBotUser"]


class TestImage:
    def test_bytes(self, ensure: Ensure, server: Server) -> None:
        ensure("greeter", profile_image=b"png")
        ensure("greeter")
        assert server.images == [b"png"]

    def test_a_path(self, ensure: Ensure, server: Server, tmp_path: Path) -> None:
        file = tmp_path / "icon.png"
        file.write_bytes(b"png")
        ensure("greeter", profile_image=file)
        ensure("greeter", profile_image=str(file))
        assert server.images == [b"png", b"png"]
        assert "GetBundlePath" not in server.called

    def test_a_path_in_the_plugins_folder(self, ensure: Ensure, server: Server, tmp_path: Path) -> None:
        (tmp_path / "icon.png").write_bytes(b"png")
        server.answers["GetBundlePath"] = lambda _: {"path": str(tmp_path)}
        ensure("greeter", profile_image="icon.png")
        assert server.images == [b"png"]

    def test_a_file_that_is_missing(self, ensure: Ensure, server: Server) -> None:
        with pytest.raises(FileNotFoundError, match=r"/nowhere/icon\.png"):
            ensure("greeter", profile_image="icon.png")
        assert server.bot is None

    def test_nothing(self, ensure: Ensure, server: Server) -> None:
        with pytest.raises(ValueError, match="the profile image is empty"):
            ensure("greeter", profile_image=b"")
        assert server.requests == []


def test_a_username_is_needed(ensure: Ensure, server: Server) -> None:
    with pytest.raises(ValueError, match="a bot needs a username"):
        ensure("")
    assert server.requests == []
