"""Conditional writes and updates of the key-value store, through both clients."""

from typing import Any

import pytest

from mattermost_plugin import _kv_operations as operations_module
from mattermost_plugin.kv import DELETE, KVConflictError, KVError
from tests.unit.memory_api import Store


@pytest.fixture(params=["threads", "coroutines"])
def kv(request: pytest.FixtureRequest) -> Store:
    return Store(request.param)


@pytest.fixture(autouse=True)
def pauses(monkeypatch: pytest.MonkeyPatch) -> list[int]:
    """The pauses between attempts, by the number of attempts before; none takes time."""
    taken: list[int] = []

    def pause_s(attempts: int) -> float:
        taken.append(attempts)
        return 0

    monkeypatch.setattr(operations_module, "pause_s", pause_s)
    return taken


class TestConditions:
    def test_set_if_absent(self, kv: Store) -> None:
        assert kv("set_if_absent", "k", 1)
        assert not kv("set_if_absent", "k", 2)
        assert kv("get", "k") == 1
        assert kv.memory.called == ["KVSetWithOptions", "KVSetWithOptions", "KVGet"]

    @pytest.mark.parametrize("method", ["set", "set_if_absent"])
    @pytest.mark.parametrize("value", [None, DELETE])
    def test_what_is_no_value_is_not_stored(self, kv: Store, method: str, value: Any) -> None:
        with pytest.raises(TypeError, match="the value for the key 'k' must"):
            kv(method, "k", value)
        assert kv.memory.requests == []

    def test_compare_and_set(self, kv: Store) -> None:
        assert not kv("compare_and_set", "k", 1, 2)
        assert kv("compare_and_set", "k", None, 1)
        assert not kv("compare_and_set", "k", None, 2)
        assert not kv("compare_and_set", "k", 2, 3)
        assert kv("compare_and_set", "k", 1, {"a": 1})
        assert kv("get", "k") == {"a": 1}

    def test_compare_and_delete(self, kv: Store) -> None:
        kv("set", "k", 1)
        assert not kv("compare_and_set", "k", 2, DELETE)
        assert not kv("compare_and_set", "k", None, DELETE)
        assert kv("compare_and_set", "k", 1, DELETE)
        assert kv("compare_and_set", "k", None, DELETE)
        assert not kv("compare_and_set", "k", 1, DELETE)
        assert kv.memory.values == {}

    @pytest.mark.parametrize("stored", [b'{ "b": [1.0, true],\n "a": "\\u00e9" }', b'{"a":"\xc3\xa9","b":[1,true]}'])
    def test_values_are_compared_as_json(self, kv: Store, stored: bytes) -> None:
        kv.memory.values["k"] = stored
        assert kv("compare_and_set", "k", {"a": "é", "b": [1, True]}, 2)
        assert kv("get", "k") == 2

    @pytest.mark.parametrize("stored", [b"true", b"[1,2]", b'{"a":1}', b'"1"', b"1.5", b"no JSON", b"null"])
    def test_other_values_are_not_the_same(self, kv: Store, stored: bytes) -> None:
        kv.memory.values["k"] = stored
        for other in (1, [2, 1], {"b": 1}, {"a": 2}, [1], "no JSON"):
            assert not kv("compare_and_set", "k", other, 2)
        assert kv.memory.values["k"] == stored

    def test_a_change_between_reading_and_storing_is_seen(self, kv: Store) -> None:
        kv.memory.values["k"] = b" 1"
        gets = iter([None, None, b"3"])

        def act(method: str) -> None:
            if (value := next(gets, None)) is not None:
                kv.memory.values["k"] = value

        kv.memory.before = act
        assert not kv("compare_and_set", "k", 1, 2)
        assert kv.memory.values["k"] == b"3"


class TestUpdate:
    def test_a_counter(self, kv: Store, pauses: list[int]) -> None:
        assert kv("update", "k", lambda count: count + 1, int, initial=0) == 1
        assert kv("update", "k", lambda count: count + 1, int, initial=0) == 2
        assert kv("get", "k") == 2
        assert pauses == []

    def test_without_a_value_the_function_gets_none(self, kv: Store) -> None:
        assert kv("update", "k", lambda value: [value]) == [None]

    def test_the_very_bytes_are_compared(self, kv: Store) -> None:
        kv.memory.values["k"] = b'{ "a" : 1 }'
        assert kv("update", "k", lambda value: value | {"b": 2}) == {"a": 1, "b": 2}
        assert kv.memory.values["k"] == b'{"a":1,"b":2}'

    def test_a_null_is_updated(self, kv: Store) -> None:
        kv.memory.values["k"] = b"null"
        assert kv("update", "k", lambda value: value + 1, int, initial=0) == 1
        assert kv.memory.values["k"] == b"1"

    def test_it_is_tried_again_when_others_were_faster(self, kv: Store, pauses: list[int]) -> None:
        others = iter([b"10", b"20"])
        seen = []

        def act(method: str) -> None:
            if method == "KVSetWithOptions" and (value := next(others, None)):
                kv.memory.values["k"] = value

        def function(count: int) -> int:
            seen.append(count)
            return count + 1

        kv.memory.before = act
        assert kv("update", "k", function, int, initial=0) == 21
        assert seen == [0, 10, 20]
        assert pauses == [1, 2]

    def test_it_gives_up(self, kv: Store, pauses: list[int]) -> None:
        numbers = iter(range(100))

        def act(method: str) -> None:
            kv.memory.values["secret-free"] = b"%d" % next(numbers)

        kv.memory.before = act
        with pytest.raises(KVConflictError) as caught:
            kv("update", "secret-free", lambda count: count, attempts=3)
        assert (caught.value.key, caught.value.attempts) == ("secret-free", 3)
        assert str(caught.value) == "the key 'secret-free' was changed by others in each of 3 attempts to update it"
        assert pauses == [1, 2]
        assert isinstance(caught.value, KVError)

    def test_a_deletion(self, kv: Store) -> None:
        kv.memory.values["k"] = b"1"
        assert kv("update", "k", lambda _: DELETE) is DELETE
        assert kv.memory.values == {}
        assert kv("update", "k", lambda _: DELETE) is DELETE
        assert kv.memory.called == ["KVGet", "KVCompareAndDelete", "KVGet"]

    def test_a_deletion_loses_no_change_either(self, kv: Store) -> None:
        kv.memory.values["k"] = b"1"

        def act(method: str) -> None:
            if method == "KVCompareAndDelete":
                kv.memory.values["k"] = b"2"

        kv.memory.before = act
        assert kv("update", "k", lambda count: DELETE if count == 1 else count + 1) == 3

    def test_the_function_may_change_what_it_gets(self, kv: Store) -> None:
        initial: dict[str, int] = {}
        others = iter([b"{}"])

        def act(method: str) -> None:
            if method == "KVSetWithOptions" and (value := next(others, None)):
                kv.memory.values["k"] = value
                kv.memory.values.pop("k")

        def function(value: dict[str, int]) -> dict[str, int]:
            value["calls"] = value.get("calls", 0) + 1
            return value

        kv.memory.before = act
        assert kv("update", "k", function, dict, initial=initial) == {"calls": 1}
        assert initial == {}

    def test_what_the_function_raises_ends_it(self, kv: Store) -> None:
        def function(value: object) -> int:
            raise LookupError("mine")

        with pytest.raises(LookupError, match="mine"):
            kv("update", "k", function)
        assert kv.memory.called == ["KVGet"]

    @pytest.mark.filterwarnings("error")
    def test_results_that_are_mistakes(self, kv: Store) -> None:
        async def function(value: object) -> int:
            return 1

        def forgets(value: object) -> None:
            return None

        with pytest.raises(TypeError, match="returned None: it must return the new value, or DELETE"):
            kv("update", "k", forgets)
        with pytest.raises(TypeError, match="must not be async"):
            kv("update", "k", function)
        with pytest.raises(TypeError, match="'k' must be JSON or a model and has set in it"):
            kv("update", "k", lambda _: {1})
        assert kv.memory.values == {}

    @pytest.mark.parametrize("attempts", [0, -1, 1.5, True])
    def test_a_number_of_attempts_is_one(self, kv: Store, attempts: Any) -> None:
        with pytest.raises(ValueError, match="attempts must be a whole number from 1 on"):
            kv("update", "k", lambda value: value, attempts=attempts)
