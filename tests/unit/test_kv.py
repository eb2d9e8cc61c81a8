"""The key-value store: what it stores, reads, lists and refuses, through both clients."""

import asyncio
import inspect
import math
from collections.abc import Iterator
from datetime import timedelta
from typing import Any

import pytest

from mattermost_plugin import Plugin
from mattermost_plugin.api import PluginAPI
from mattermost_plugin.kv import DELETE, AsyncKVStore, KVStore, KVValueError
from tests.unit.memory_api import AsyncMemoryAPI, Memory, MemoryAPI, Store
from tests.unit.test_layers import NEVER_LOADED, is_within, loaded

LIMIT = 150


@pytest.fixture(params=["threads", "coroutines"])
def kv(request: pytest.FixtureRequest) -> Store:
    return Store(request.param)


class TestOneValue:
    def test_nothing_there(self, kv: Store) -> None:
        assert kv("get", "k") is None
        assert kv("get", "k", int) is None
        assert kv("get", "k", int, default=7) == 7
        assert kv("get", "k", default="d") == "d"

    @pytest.mark.parametrize("value", ["", "né\n", 0, 2**70, 1.5, True, [], [1, None], {}, {"a": {"b": []}}])
    def test_what_is_stored_is_read(self, kv: Store, value: object) -> None:
        kv("set", "k", value)
        read = kv("get", "k", default="other")
        assert (read, type(read)) == (value, type(value))
        assert kv("get", "k", type(value)) == value

    def test_values_are_compact_json_in_utf_8(self, kv: Store) -> None:
        kv("set", "k", {"b": [1, "né"], "a": None})
        assert kv.memory.values == {"k": '{"b":[1,"né"],"a":null}'.encode()}

    def test_a_null_of_another_program_is_none(self, kv: Store) -> None:
        kv.memory.values["k"] = b" null\n"
        assert kv("get", "k", int, default=1) == 1

    def test_a_delete_is_repeatable(self, kv: Store) -> None:
        kv("set", "k", 1)
        kv("delete", "k")
        kv("delete", "k")
        assert kv.memory.values == {}

    @pytest.mark.parametrize(
        ("expires_in", "seconds"),
        [(1, 1), (0.001, 1), (1.001, 2), (timedelta(minutes=1), 60), (timedelta(microseconds=1), 1)],
    )
    def test_a_part_of_a_second_counts_as_one(self, kv: Store, expires_in: Any, seconds: int) -> None:
        kv("set", "k", 1, expires_in=expires_in)
        kv("set_if_absent", "l", 1, expires_in=expires_in)
        kv("compare_and_set", "k", 1, 2, expires_in=expires_in)
        kv("update", "k", lambda value: value, expires_in=expires_in)
        first, second, third, _, fourth = kv.memory.requests
        assert first.expire_in_seconds == seconds
        assert {request.options.expire_in_seconds for request in (second, third, fourth)} == {seconds}

    def test_without_expiry_nothing_is_said_of_it(self, kv: Store) -> None:
        kv("set", "k", 1)
        assert kv.memory.called == ["KVSet"]

    @pytest.mark.parametrize("expires_in", [0, -1, math.inf, math.nan, timedelta(0), 1e14])
    def test_other_times_are_refused(self, kv: Store, expires_in: Any) -> None:
        with pytest.raises(ValueError, match="expires_in must be above 0"):
            kv("set", "k", 1, expires_in=expires_in)

    @pytest.mark.parametrize("expires_in", [True, "5"])
    def test_what_is_no_time_is_refused(self, kv: Store, expires_in: Any) -> None:
        with pytest.raises(TypeError, match="expires_in must be a timedelta or a number of seconds, not "):
            kv("set", "k", 1, expires_in=expires_in)

    def test_the_timeout_goes_with_each_call(self, kv: Store) -> None:
        kv("set", "k", 1, timeout=1)
        kv("set_if_absent", "k", 1, timeout=1)
        kv("compare_and_set", "k", [1], 2, timeout=1)
        kv("update", "k", lambda _: 3, timeout=1)
        kv("update", "k", lambda _: DELETE, timeout=1)
        kv("set", "k", 1, expires_in=1, timeout=1)
        for method, arguments in {"get": "k", "items": "", "keys": "", "delete_all": "", "delete": "k"}.items():
            kv(method, arguments, timeout=1)
        assert set(kv.memory.timeouts) == {1}
        assert len(kv.memory.timeouts) > 15
        kv("get", "k")
        assert kv.memory.timeouts[-1] is None


WITH_A_KEY = {
    "get": (),
    "set": (1,),
    "set_if_absent": (1,),
    "compare_and_set": (1, 2),
    "update": (lambda value: value,),
    "delete": (),
}


class TestKeys:
    @pytest.mark.parametrize("method", WITH_A_KEY)
    @pytest.mark.parametrize(
        ("key", "error", "text"),
        [
            ("", ValueError, "a key must not be empty"),
            ("x" * (LIMIT + 1), ValueError, "has 151 characters; servers take 150 at most"),
            ("mmi_botid", ValueError, "'mmi_botid' is the server's own: choose one that does not begin with 'mmi_'"),
            ("pysdk:x", ValueError, "'pysdk:x' is of a mutex or a job: choose one that does not begin with 'pysdk:'"),
            ("a\0", ValueError, "has a NUL character"),
            (b"k", TypeError, "a key must be str, not bytes"),
        ],
    )
    def test_keys_that_no_server_takes(self, kv: Store, method: str, key: Any, error: Any, text: str) -> None:
        with pytest.raises(error, match=text):
            kv(method, key, *WITH_A_KEY[method])
        assert kv.memory.requests == []

    def test_the_longest_key(self, kv: Store) -> None:
        kv("set", "é" * LIMIT, 1)
        assert kv("keys") == ["é" * LIMIT]

    def test_they_are_listed_page_by_page_without_the_servers_own(self, kv: Store) -> None:
        kv.memory.values.update({f"k{number:05}": b"1" for number in range(2500)}, mmi_botid=b"id", other=b"1")
        assert kv("keys", "k") == [f"k{number:05}" for number in range(2500)]
        assert kv("keys")[-1] == "other"
        assert kv("keys", "mmi_") == []
        assert kv("keys", "missing") == []

    def test_only_an_empty_page_ends_them(self, kv: Store) -> None:
        pages = [["a"], ["b", "c"], ["d"], [], ["e"]]
        kv.memory.answers["KVList"] = lambda request: {"keys": pages[request.page]}
        assert kv("keys") == ["a", "b", "c", "d"]

    def test_a_key_that_moved_to_the_next_page_is_listed_once(self, kv: Store) -> None:
        pages = [["b", "c"], ["c", "d"], []]
        kv.memory.answers["KVList"] = lambda request: {"keys": pages[request.page]}
        assert kv("keys") == ["b", "c", "d"]

    @pytest.mark.parametrize("method", ["keys", "items", "delete_all"])
    def test_a_prefix_must_be_text(self, kv: Store, method: str) -> None:
        with pytest.raises(TypeError, match="a prefix must be str, not NoneType"):
            kv(method, None)


class TestItems:
    def test_keys_and_values(self, kv: Store) -> None:
        kv.memory.values.update(a1=b"1", a2=b"[2]", b1=b"3", mmi_x=b"4")
        assert kv("items") == [("a1", 1), ("a2", [2]), ("b1", 3)]
        assert kv("items", "a") == [("a1", 1), ("a2", [2])]
        assert kv("items", "b", int) == [("b1", 3)]
        with pytest.raises(KVValueError, match="the value of the key 'a2' is a list, not int"):
            kv("items", as_type=int)

    def test_what_was_deleted_meanwhile_is_left_out(self, kv: Store) -> None:
        kv.memory.values.update(a=b"1", b=b"2", c=b"null", d=b"4")

        def act(method: str) -> None:
            if method == "KVGet":
                kv.memory.values.pop("b", None)

        kv.memory.before = act
        assert kv("items") == [("a", 1), ("d", 4)]

    def test_each_value_is_read_when_it_is_asked_for(self) -> None:
        memory = Memory({"a": b"1", "b": b"2"})
        store = KVStore(MemoryAPI(memory))
        items = store.items()
        assert memory.requests == []
        assert next(items) == ("a", 1)
        assert memory.called == ["KVList", "KVList", "KVGet"]
        store.set("b", 3)
        store.set("c", 4)
        assert list(items) == [("b", 3)]

    def test_arguments_are_checked_at_once(self) -> None:
        store: Any = KVStore(MemoryAPI(Memory()))
        with pytest.raises(TypeError, match="as_type must be"):
            store.items("", bytes)
        with pytest.raises(TypeError, match="as_type must be"):
            store.aio.items("", bytes)


class TestDeleteAll:
    def test_it_deletes_what_begins_with_the_prefix(self, kv: Store) -> None:
        kv.memory.values.update(a1=b"1", a2=b"no JSON", b=b"1", mmi_botid=b"id")
        kv.memory.values["pysdk:lock:a"] = b"held"
        assert kv("delete_all", "a") == 2
        assert sorted(kv.memory.values) == ["b", "mmi_botid", "pysdk:lock:a"]
        assert kv("delete_all", "") == 1
        assert sorted(kv.memory.values) == ["mmi_botid", "pysdk:lock:a"]
        assert kv("delete_all", "") == 0


def public(store: type) -> Iterator[tuple[str, Any]]:
    for name, function in inspect.getmembers(store, inspect.isfunction):
        if not name.startswith("_"):
            yield name, function


def test_the_stores_differ_by_await_alone() -> None:
    threads, coroutines = dict(public(KVStore)), dict(public(AsyncKVStore))
    assert threads.keys() == coroutines.keys()
    assert len(threads) == 9
    for name, function in threads.items():
        twin = coroutines[name]
        assert function.__doc__ == twin.__doc__, name
        assert inspect.signature(function).parameters == inspect.signature(twin).parameters, name
        assert inspect.iscoroutinefunction(twin) == (name != "items"), name


def test_a_plugin_has_a_store() -> None:
    class Keeper(Plugin):
        def on_activate(self) -> None:
            self.kv.set("k", 1)

    memory = Memory()
    plugin = Keeper(api=MemoryAPI(memory))
    plugin.on_activate()
    assert asyncio.run(plugin.kv.aio.get("k", int)) == 1
    with pytest.raises(RuntimeError, match="The plugin API is there once the plugin is served"):
        _ = Keeper().kv


def test_nothing_of_it_is_loaded_before_it_is_used() -> None:
    own = {"mattermost_plugin._kv_store", "mattermost_plugin.bots", "mattermost_pluginapi.api.pages"}
    assert not loaded("import mattermost_plugin, mattermost_plugin.models, mattermost_plugin.api") & own


def test_its_import_loads_no_client() -> None:
    modules = loaded("from mattermost_plugin.kv import DELETE, KVStore\nfrom mattermost_plugin.bots import ensure_bot")
    assert "mattermost_plugin._kv_store" in modules
    assert not modules & {"mattermost_pluginapi.api.client", "mattermost_plugin._api_client", "pydantic"}
    assert [name for name in sorted(modules) if is_within(name, NEVER_LOADED)] == []


def test_a_client_for_coroutines_in_the_place_of_the_other() -> None:
    api: Any = AsyncMemoryAPI(Memory())
    with pytest.raises(RuntimeError, match="The client for threads gave something to await"):
        KVStore(api).get("k")


def test_a_substitute_may_override_single_methods() -> None:
    class Fixed(MemoryAPI):
        def kv_get(self, key: str, *, timeout: float | None = None) -> bytes | None:
            return b"7"

    api: PluginAPI = Fixed(Memory())
    assert KVStore(api).get("anything", int) == 7
