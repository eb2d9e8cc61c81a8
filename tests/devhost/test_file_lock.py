"""Two hosts do not use the same file."""

import os
import signal
import subprocess
import sys
from pathlib import Path

import pytest

from mattermost_plugin.devhost import DevHost, DevHostError
from mattermost_plugin.devhost.store.file_lock import FileLock

HOLDER = """
import sys
from pathlib import Path
from mattermost_plugin.devhost.store.file_lock import FileLock

lock = FileLock(Path(sys.argv[1]))
print("held", flush=True)
sys.stdin.read()
"""


def test_a_file_has_one_host_at_a_time(tmp_path: Path) -> None:
    path, link = tmp_path / "state", tmp_path / "link"
    first = DevHost(path)
    link.symlink_to(path)
    for other in (path, link):
        with pytest.raises(DevHostError, match=f"is in use by another development host, process {os.getpid()}$"):
            DevHost(other)
    first.store.close()
    first.store.close()
    second = DevHost(path)
    second.store.close()
    assert sorted(each.name for each in tmp_path.iterdir()) == ["link", "state"]


def test_the_lock_ends_with_its_process(tmp_path: Path) -> None:
    path = tmp_path / "state"
    command = [sys.executable, "-c", HOLDER, str(path)]
    with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True) as holder:
        assert holder.stdout is not None
        assert holder.stdout.readline() == "held\n"
        with pytest.raises(DevHostError, match=f"process {holder.pid}$"):
            FileLock(path)
        holder.send_signal(signal.SIGKILL)
    FileLock(path).release()


def test_a_lock_whose_file_was_removed_meanwhile_is_taken_anew(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Between opening and locking, the host before may end: then the file that is locked has no name any more."""
    path, beside = tmp_path / "state", tmp_path / "state.lock"
    opened: list[int] = []

    def open_and_lose(*arguments: object, **options: object) -> int:
        descriptor = os_open(*arguments, **options)  # type: ignore[arg-type]  # passed on as they came
        if not opened:
            beside.unlink()
        opened.append(descriptor)
        return descriptor

    os_open = os.open
    monkeypatch.setattr(os, "open", open_and_lose)
    lock = FileLock(path)
    assert len(opened) == 2
    assert beside.exists()
    with pytest.raises(DevHostError, match="in use"):
        FileLock(path)
    lock.release()
    lock.release()
    assert not beside.exists()


def test_a_folder_that_is_not_there(tmp_path: Path) -> None:
    with pytest.raises(DevHostError, match=r"state cannot be used: .*No such file"):
        DevHost(tmp_path / "gone" / "state")
