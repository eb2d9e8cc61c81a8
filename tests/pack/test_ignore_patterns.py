"""Which files stay out of a bundle."""

from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from mattermost_plugin.cli.errors import CommandError
from mattermost_plugin.cli.pack.ignore_patterns import IgnorePatterns
from mattermost_plugin.cli.pack.source_files import copy_sources, find_sources

MATCHES = [
    ("*.txt", "a.txt", True),
    ("*.txt", "b/a.txt", True),
    ("/*.txt", "b/a.txt", False),
    ("b/*.txt", "b/a.txt", True),
    ("b/*.txt", "c/b/a.txt", False),
    ("*.txt", "a.txt.py", False),
    ("a?c", "abc", True),
    ("a?c", "a/c", False),
    ("a*c", "ab/c", False),
    ("[ab].x", "a.x", True),
    ("[!ab].x", "a.x", False),
    ("[!ab].x", "c.x", True),
    ("[^a].x", "^.x", True),
    ("**/x/y", "a/b/x/y", True),
    ("**/x/y", "x/y", True),
    ("a/**", "a/b/c", True),
    ("a/**/z", "a/z", True),
    ("a/**/z", "a/b/c/z", True),
    ("a.b", "axb", False),
    ("# a", "# a", False),
    ("", "a", False),
    ("a+(b)", "a+(b)", True),
]


@pytest.mark.parametrize(("pattern", "path", "expected"), MATCHES)
def test_patterns(pattern: str, path: str, expected: bool) -> None:
    assert IgnorePatterns([pattern]).ignores(path, is_folder=False) is expected


def test_patterns_for_folders() -> None:
    patterns = IgnorePatterns(["docs/"])
    assert patterns.ignores("docs", is_folder=True)
    assert patterns.ignores("a/docs", is_folder=True)
    assert not patterns.ignores("docs", is_folder=False)


def test_the_last_line_that_matches_counts() -> None:
    assert not IgnorePatterns(["*.txt", "!a.txt"]).ignores("a.txt", is_folder=False)
    assert IgnorePatterns(["!a.txt", "*.txt"]).ignores("a.txt", is_folder=False)
    assert IgnorePatterns().ignores(".env", is_folder=False)
    assert not IgnorePatterns(["!.well-known"]).ignores(".well-known", is_folder=True)


@given(st.text(alphabet="ab/*?[]!^\\.-", max_size=12), st.text(alphabet="ab/.", min_size=1, max_size=8))
def test_any_line_is_a_pattern(line: str, path: str) -> None:
    IgnorePatterns([line]).ignores(path, is_folder=True)


@given(st.text(alphabet="abc/.", min_size=1, max_size=12).map(lambda text: text.strip("/")).filter(bool))
def test_a_path_matches_itself(path: str) -> None:
    assert IgnorePatterns([f"/{path}"]).ignores(path, is_folder=False)


def names(folder: Path, *kept: str) -> list[str]:
    return [file.name for file in find_sources(folder.resolve(), kept)]


def write(folder: Path, *paths: str) -> None:
    for path in paths:
        (folder / path).parent.mkdir(parents=True, exist_ok=True)
        (folder / path).write_text(path)


def test_what_is_packed(tmp_path: Path) -> None:
    packed = ["plugin.json", "plugin.py", "assets/icon.svg", "webapp/dist/main.js", "lib/data.db", "tests/test_x.py"]
    left_out = [
        ".env",
        ".git/config",
        ".venv/bin/python",
        "env/pyvenv.cfg",
        "env/lib/x.py",
        "__pycache__/x.pyc",
        "lib/__pycache__/y.pyc",
        "build/x",
        "dist/sample.tar.gz",
        "webapp/node_modules/x/index.js",
        "debug.log",
        "plugin.py~",
        "x.egg-info/PKG-INFO",
    ]
    write(tmp_path, *packed, *left_out)
    assert names(tmp_path) == sorted(packed)
    write(tmp_path, "notes/todo.md")
    (tmp_path / ".mattermostpluginignore").write_text("# mine\nnotes/\n/tests\n")
    assert names(tmp_path) == sorted(packed[:-1])


def test_what_the_manifest_names_is_packed(tmp_path: Path) -> None:
    write(tmp_path, "plugin.py", "dist/web/main.js", "dist/web/main.css", "dist/other", ".icon.svg")
    assert names(tmp_path, "dist/web/main.js", ".icon.svg") == [
        ".icon.svg",
        "dist/web/main.css",
        "dist/web/main.js",
        "plugin.py",
    ]


def test_links(tmp_path: Path) -> None:
    folder = tmp_path / "plugin"
    write(folder, "real.txt", "sub/real.txt")
    write(tmp_path, "outside.txt")
    (folder / "link.txt").symlink_to("real.txt")
    copy_sources(find_sources(folder.resolve()), tmp_path / "stage")
    assert (tmp_path / "stage" / "link.txt").read_text() == "real.txt"
    assert not (tmp_path / "stage" / "link.txt").is_symlink()
    for target, words in (("../outside.txt", "leads out"), ("gone", "link to nothing"), ("sub", "a link to a folder")):
        (folder / "odd").symlink_to(target)
        with pytest.raises(CommandError, match=words):
            find_sources(folder.resolve())
        (folder / "odd").unlink()
    (folder / ".mattermostpluginignore").write_text("odd")
    (folder / "odd").symlink_to("gone")
    assert names(folder) == ["link.txt", "real.txt", "sub/real.txt"]


def test_modes(tmp_path: Path) -> None:
    folder = tmp_path / "plugin"
    write(folder, "plain", "program", "locked")
    for name, mode in (("plain", 0o666), ("program", 0o700), ("locked", 0o400)):
        (folder / name).chmod(mode)
    assert {file.name: oct(file.mode) for file in find_sources(folder.resolve())} == {
        "locked": "0o644",
        "plain": "0o644",
        "program": "0o755",
    }


def test_a_name_that_is_taken(tmp_path: Path) -> None:
    write(tmp_path, "python/x.py")
    with pytest.raises(CommandError, match="this name is taken"):
        find_sources(tmp_path.resolve())
