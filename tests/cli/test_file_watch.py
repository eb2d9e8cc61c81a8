"""Which files are a plugin's, and which changes are told."""

import asyncio
from pathlib import Path

import pytest

from mattermost_plugin.cli.dev.file_watch import FileWatch, counts
from mattermost_plugin.devhost import DevHost
from mattermost_plugin.devhost.events import LogWritten
from tests.cli.dev_process import TIMEOUT_S


@pytest.mark.parametrize(
    "name", ["plugin.py", "plugin.json", "lib/deep/x.py", "page.html", "data.json", "builder.py", "logs.py", "a~b"]
)
def test_files_that_count(tmp_path: Path, name: str) -> None:
    assert counts(tmp_path, tmp_path / name)


@pytest.mark.parametrize(
    "name",
    [
        "__pycache__/plugin.cpython-311.pyc",
        "lib/__pycache__",
        "x.pyc",
        ".git/index",
        ".venv/lib/x.py",
        ".env",
        "venv/x.py",
        "my-own-venv/lib/x.py",
        "node_modules/x/index.js",
        "dist/plugin.tar.gz",
        "build/x",
        "sample.egg-info/PKG-INFO",
        "data.db.plugins/com.example.other/plugin.py",
        "plugin.py~",
        "#plugin.py#",
        ".#plugin.py",
        ".plugin.py.swp",
        "4913",
        "app.log",
        "state.sqlite",
        "state.sqlite3-wal",
        "cache.db-journal",
        "x.tmp",
    ],
)
def test_files_that_do_not_count(tmp_path: Path, name: str) -> None:
    (tmp_path / "my-own-venv").mkdir()
    (tmp_path / "my-own-venv" / "pyvenv.cfg").touch()
    assert not counts(tmp_path, tmp_path / name)


def test_what_is_around_the_folder_does_not_matter(tmp_path: Path) -> None:
    folder = tmp_path / "venv" / ".hidden" / "dist" / "plugin"
    folder.mkdir(parents=True)
    (tmp_path / "venv" / "pyvenv.cfg").touch()
    (folder / "pyvenv.cfg").touch()
    assert counts(folder, folder / "plugin.py")


def test_changes_are_told_to_the_innermost_folder(tmp_path: Path) -> None:
    inner = tmp_path / "inner"
    inner.mkdir()

    async def watch() -> list[tuple[Path, list[Path]]]:
        told: asyncio.Queue[tuple[Path, list[Path]]] = asyncio.Queue()
        async with DevHost() as host:
            ignored = tmp_path / "state"
            watch = FileWatch(
                host, [tmp_path, inner], ignored, lambda *change: told.put_nowait((change[0], [*change[1]]))
            )
            await watch.start()
            try:
                for name in ("state", "state-wal", "state.lock", "inner/b.py", "inner/a.py"):
                    (tmp_path / name).touch()
                found: list[tuple[Path, list[Path]]] = []
                async with asyncio.timeout(TIMEOUT_S):
                    while sum(len(files) for _, files in found) < 2:
                        found.append(await told.get())
                    new = tmp_path / "statement.new"
                    new.touch()
                    new.rename(tmp_path / "statement.py")
                    found.append(await told.get())
            finally:
                await watch.stop()
                await watch.stop()
        return found

    *first, last = asyncio.run(watch())
    assert {folder for folder, _ in first} == {inner}
    assert {file for _, files in first for file in files} == {Path("a.py"), Path("b.py")}
    assert last == (tmp_path, [Path("statement.py")])


def test_a_folder_that_cannot_be_watched_is_told(tmp_path: Path) -> None:
    async def watch() -> str:
        async with DevHost() as host:
            watch = FileWatch(host, [tmp_path / "gone"], None, lambda folder, files: None)
            await watch.start()
            await watch.stop()
            (line,) = host.events.history(LogWritten)
            return f"{line.level}: {line.message}"

    assert asyncio.run(watch()).startswith("error: the plugins' files cannot be watched: ")
