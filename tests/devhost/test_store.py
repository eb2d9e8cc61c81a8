"""The state in its SQLite file: durable, atomic, and of the version that it says."""

import signal
import sqlite3
import subprocess
import sys
from pathlib import Path

import pytest

from mattermost_plugin.devhost import DevHostError, ManualClock
from mattermost_plugin.devhost.ids import is_id, new_id
from mattermost_plugin.devhost.store import DuplicateError, Page, Store
from mattermost_plugin.devhost.store.schema import MIGRATIONS
from mattermost_pluginapi.v1.post_pb2 import Post
from mattermost_pluginapi.v1.user_pb2 import User

WRITER = """
import sys
from pathlib import Path
from mattermost_plugin.devhost import SystemClock
from mattermost_plugin.devhost.store import Store
from mattermost_pluginapi.v1.post_pb2 import Post

store = Store(SystemClock(), Path(sys.argv[1]))
for number in range(10**9):
    with store.transaction():
        store.posts.put(Post(id=f"{number:026}", channel_id="c", message="x" * 500))
        store.kv.set("plugin", "last", str(number).encode())
    print(number, flush=True)
"""


@pytest.fixture
def clock() -> ManualClock:
    return ManualClock()


def test_a_killed_host_loses_nothing(tmp_path: Path, clock: ManualClock) -> None:
    path = tmp_path / "state.sqlite"
    command = [sys.executable, "-c", WRITER, str(path)]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as writer:
        assert writer.stdout is not None
        for line in writer.stdout:
            if int(line) >= 200:
                break
        writer.send_signal(signal.SIGKILL)
        told = [int(number) for number in writer.stdout.read().split()]
    assert writer.returncode == -signal.SIGKILL
    store = Store(clock, path)
    last = int(store.kv.get("plugin", "last") or b"0")
    # What was told is there, and what was under way is there whole or not at all.
    assert last in (max(told, default=200), max(told, default=200) + 1)
    assert store.posts.count() == last + 1
    assert store.database.execute("PRAGMA integrity_check") == [("ok",)]
    store.kv.set("plugin", "after", b"1")
    store.close()
    reopened = Store(clock, path)
    assert reopened.kv.get("plugin", "after") == b"1"
    reopened.close()


def test_a_temporary_file_goes_away_and_a_kept_one_stays(tmp_path: Path, clock: ManualClock) -> None:
    temporary = Store(clock)
    assert temporary.database.path.exists()
    temporary.close()
    temporary.close()
    assert not temporary.database.path.parent.exists()
    kept = Store(clock, tmp_path / "kept.sqlite")
    kept.close()
    assert (tmp_path / "kept.sqlite").exists()


def test_files_that_cannot_be_used(tmp_path: Path, clock: ManualClock) -> None:
    text = tmp_path / "text"
    text.write_bytes(b"not a database, but long enough to look at" * 100)
    with pytest.raises(DevHostError, match="cannot be used"):
        Store(clock, text)
    newer = tmp_path / "newer"
    connection = sqlite3.connect(newer)
    connection.execute(f"PRAGMA user_version = {len(MIGRATIONS) + 1}")
    connection.close()
    with pytest.raises(DevHostError, match="versions up to"):
        Store(clock, newer)


def test_a_failed_transaction_leaves_nothing(clock: ManualClock) -> None:
    store = Store(clock)

    def two_of_a_name() -> None:
        with store.transaction():
            store.users.insert(User(id="1", username="a", email="a@x"))
            with store.transaction():
                store.users.insert(User(id="2", username="a", email="b@x"))

    with pytest.raises(DuplicateError):
        two_of_a_name()
    assert store.users.count() == 0
    store.users.insert(User(id="1", username="a", email="a@x"))
    with pytest.raises(DuplicateError):
        store.users.insert(User(id="1", username="c", email="c@x"))
    assert [user.username for user in store.users.select()] == ["a"]
    store.close()


def test_messages_come_back_as_they_went_in(clock: ManualClock) -> None:
    store = Store(clock)
    post = Post(id=new_id(), channel_id="c", message="\0 ünï 🐈 \u2028 '\";--")
    post.props.update({"deep": {"list": [1, "x", None, True]}})
    store.posts.put(post)
    assert store.posts.get(post.id) == post
    assert store.posts.get("' OR 1=1 --") is None
    assert store.posts.search(["says(message, ?)"], ["ÜNÏ"], 10) == [post]
    assert store.posts.search(["says(message, ?)"], ["ÜN"], 10) == []
    store.close()


def test_pages(clock: ManualClock) -> None:
    store = Store(clock)
    for number in range(5):
        store.posts.put(Post(id=str(number), channel_id="c", create_at=number))
    assert [post.id for post in store.posts.of_channel("c", Page(1, 2))] == ["2", "1"]
    assert store.posts.of_channel("c", Page(0, 0)) == store.posts.of_channel("c", Page(0, -1)) == []
    assert [post.id for post in store.posts.of_channel("c", Page(-3, 1))] == ["4"]
    assert len(store.posts.of_channel("c", Page(0, 2**31 - 1))) == 5
    store.close()


def test_values_expire(clock: ManualClock) -> None:
    kv = (store := Store(clock)).kv
    kv.set("p", "k", b"1", expire_in_seconds=10)
    kv.set("p", "far", b"1", expire_in_seconds=2**63 - 1)
    assert kv.get("p", "k") == b"1"
    clock.advance(seconds=9)
    assert kv.keys("p", Page(0, 10)) == ["far", "k"]
    clock.advance(seconds=1)
    assert kv.get("p", "k") is None
    assert kv.keys("p", Page(0, 10)) == ["far"]
    assert kv.compare_and_set("p", "k", None, b"2")
    clock.advance(seconds=1000)
    assert kv.get("p", "k") == b"2"
    kv.set("p", "k", b"3")
    assert kv.get("other", "k") is None
    store.close()


def test_what_has_expired_takes_no_room(clock: ManualClock, tmp_path: Path) -> None:
    path = tmp_path / "state.sqlite"

    def names(store: Store) -> list[object]:
        return [row[0] for row in store.database.execute("SELECT name FROM kv ORDER BY name")]

    store = Store(clock, path)
    store.kv.set("p", "kept", b"1")
    store.kv.set("p", "short", b"1", expire_in_seconds=1)
    clock.advance(seconds=2)
    store.kv.set("p", "long", b"1", expire_in_seconds=100)
    assert names(store) == ["kept", "long"]
    store.close()
    clock.advance(seconds=200)
    store = Store(clock, path)
    assert names(store) == ["kept"]
    assert store.kv.get("p", "kept") == b"1"
    store.close()


def test_only_the_owner_reads_a_file(clock: ManualClock, tmp_path: Path) -> None:
    Store(clock, tmp_path / "state.sqlite").close()
    assert (tmp_path / "state.sqlite").stat().st_mode & 0o777 == 0o600
    with pytest.raises(DevHostError, match="cannot be used"):
        Store(clock, tmp_path / "nowhere" / "state.sqlite")


def test_a_transaction_that_the_database_has_ended_tells_why(clock: ManualClock) -> None:
    store = Store(clock)

    def ended_within() -> None:
        with store.transaction():
            store.kv.set("p", "k", b"1")
            store.database.execute("ROLLBACK")
            raise RuntimeError("the disk is full")

    with pytest.raises(RuntimeError, match="disk"):
        ended_within()
    assert store.kv.get("p", "k") is None
    store.close()


def test_ids() -> None:
    made = {new_id() for _ in range(1000)}
    assert len(made) == 1000
    assert all(is_id(each) for each in made)
    assert not any(is_id(text) for text in ("", "a" * 25, "A" * 26, "ä" * 26, "a" * 26 + "\n"))
