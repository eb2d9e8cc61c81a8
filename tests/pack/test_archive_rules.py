"""What a server does with an archive, told before it is uploaded."""

import gzip
import tarfile
from pathlib import Path

import pytest

from mattermost_plugin.cli.bundle import archive
from mattermost_plugin.cli.bundle.bundle_rules import check_archive
from mattermost_plugin.cli.bundle.findings import Severity
from mattermost_plugin.cli.bundle.record import BundleRecord, read_record, write_record
from mattermost_plugin.cli.bundle.versions import ServerVersion
from mattermost_plugin.cli.errors import CommandError
from tests.pack.bundles import MANIFEST, PROGRAM, Entry, entry, make_archive, sound_entries

ELF_AMD64 = b"\x7fELF" + bytes(14) + (62).to_bytes(2, "little") + bytes(40)


def errors(path: Path, *entries: Entry, server: ServerVersion | None = None) -> list[str]:
    findings = check_archive(make_archive(path / "bundle.tar.gz", entries), server)
    return [f"{each.where}: {each.what}" for each in findings if each.severity is Severity.ERROR]


@pytest.mark.parametrize("top", ["", "./", "com.example.sample/", "./com.example.sample/"])
def test_a_sound_archive(tmp_path: Path, top: str) -> None:
    assert errors(tmp_path, *sound_entries(top)) == []


def test_links_and_the_like_are_left_out(tmp_path: Path) -> None:
    kinds = {
        tarfile.SYMTYPE: "a symbolic link",
        tarfile.LNKTYPE: "a hard link",
        tarfile.FIFOTYPE: "a pipe",
        tarfile.CONTTYPE: "no regular file",
    }
    for kind, words in kinds.items():
        assert errors(tmp_path, *sound_entries(), entry("odd", kind=kind)) == [
            f"odd: is {words}, and the server leaves it out"
        ]


def test_a_program_that_is_a_link_is_not_there(tmp_path: Path) -> None:
    manifest, _ = sound_entries()
    found = errors(tmp_path, manifest, entry("start", kind=tarfile.SYMTYPE))
    assert "plugin.json: server.executables.linux-amd64: 'start' is not there" in found


@pytest.mark.parametrize("name", ["../evil", "a/../../evil", "..", "a/b/../../.."])
def test_paths_that_lead_out(tmp_path: Path, name: str) -> None:
    (found,) = errors(tmp_path, *sound_entries(), entry(name, b"x"))
    assert "leads out of the plugin's folder" in found


def test_a_path_from_the_root_stays_inside(tmp_path: Path) -> None:
    assert errors(tmp_path, *sound_entries(), entry("/etc/passwd", b"x")) == []
    assert errors(tmp_path, *sound_entries(), entry("a/../b", b"x")) == []


def test_two_things_at_the_top(tmp_path: Path) -> None:
    found = errors(tmp_path, *sound_entries("sample/"), entry("._sample", b"x"))
    assert found == ["plugin.json: is not at the top, where there is: ._sample, sample"]


def test_a_file_at_the_top_alone_is_no_folder(tmp_path: Path) -> None:
    assert errors(tmp_path, entry("plugin.txt", b"{}")) == [
        "plugin.json: is not at the top, where there is: plugin.txt"
    ]
    assert errors(tmp_path) == ["plugin.json: is not at the top, where there is: nothing"]


def test_a_folder_before_the_one_it_is_in(tmp_path: Path) -> None:
    folder = entry("a/b", kind=tarfile.DIRTYPE, mode=0o755)
    (found,) = errors(tmp_path, *sound_entries(), folder)
    assert "comes before the folder that it is in" in found
    assert errors(tmp_path, *sound_entries(), entry("a", kind=tarfile.DIRTYPE, mode=0o755), folder) == []
    assert errors(tmp_path, *sound_entries(), entry("a/file", b"x"), folder) == []


def test_a_file_where_a_folder_is(tmp_path: Path) -> None:
    for entries in ([entry("a/b", b"x"), entry("a", b"x")], [entry("a", b"x"), entry("a/b", b"x")]):
        (found,) = errors(tmp_path, *sound_entries(), *entries)
        assert "a folder in another" in found


def test_a_file_that_cannot_be_read(tmp_path: Path) -> None:
    (found,) = errors(tmp_path, *sound_entries(), entry("secret", b"x", mode=0))
    assert found == "secret: has the mode 0000: the server cannot read it"


PROGRAMS = {
    "no execute bit": (PROGRAM, 0o644, "it is no program, and the server does not make it one"),
    "only others may run it": (PROGRAM, 0o655, "it is no program"),
    "Windows line ends": (b"#!/bin/sh\r\nexit\r\n", 0o755, "Windows line ends"),
    "no whole path": (b"#!python3\n", 0o755, "names no program by its whole path"),
    "no program's name": (b"#!\n", 0o755, "names no program by its whole path"),
    "neither script nor program": (b"print(1)\n", 0o755, "neither a program nor a script"),
    "nothing": (b"", 0o755, "neither a program nor a script"),
}


@pytest.mark.parametrize("case", PROGRAMS)
def test_programs_that_do_not_start(tmp_path: Path, case: str) -> None:
    content, mode, words = PROGRAMS[case]
    manifest, _ = sound_entries()
    first, second = errors(tmp_path, manifest, entry("start", content, mode))
    assert words in first
    assert words in second


def test_a_program_for_another_machine(tmp_path: Path) -> None:
    manifest, _ = sound_entries()
    (found,) = errors(tmp_path, manifest, entry("start", ELF_AMD64, 0o755))
    assert found == (
        "plugin.json: server.executables.linux-arm64: 'start' is a program for another machine than linux-arm64"
    )


@pytest.mark.parametrize("path", ["../start", "a/../../start", "/start", "..start"])
def test_a_program_elsewhere(tmp_path: Path, path: str) -> None:
    manifest = {**MANIFEST, "server": {"executable": path}}
    (found,) = errors(tmp_path, *sound_entries(manifest=manifest))
    assert "leads out of the plugin's folder" in found


def test_a_folder_for_a_program(tmp_path: Path) -> None:
    manifest = {**MANIFEST, "server": {"executable": "server"}}
    (found,) = errors(tmp_path, *sound_entries(manifest=manifest), entry("server/start", PROGRAM, 0o755))
    assert "'server' is a folder" in found


def test_a_web_app_that_is_not_there(tmp_path: Path) -> None:
    manifest = {**MANIFEST, "webapp": {"bundle_path": "webapp/dist/main.js"}}
    assert errors(tmp_path, *sound_entries(manifest=manifest)) == [
        "plugin.json: webapp.bundle_path: there is no file 'webapp/dist/main.js'"
    ]
    assert errors(tmp_path, *sound_entries(manifest=manifest), entry("webapp/dist/main.js", b"x")) == []


def test_a_yaml_manifest_hides_the_other(tmp_path: Path) -> None:
    assert errors(tmp_path, *sound_entries(), entry("plugin.yaml", b"id: x")) == [
        "plugin.yaml: the server reads this file, and plugin.json never"
    ]


def test_hooks_that_the_record_names(tmp_path: Path) -> None:
    record = BundleRecord("0.1.0", "system", ["ChannelWillBeArchived", "OnActivate"], ["linux-amd64"], "3.11")
    entries = [*sound_entries(), entry("python/bundle.json", write_record(record))]
    bundle = make_archive(tmp_path / "bundle.tar.gz", entries)
    assert [(each.severity, each.what) for each in check_archive(bundle)] == [
        (
            Severity.WARNING,
            "is 10.0.0, but the plugin handles ChannelWillBeArchived, which servers before 11.7 never call",
        ),
        (Severity.NOTE, "the plugin starts on linux-amd64, linux-arm64 and nowhere else"),
    ][::-1]
    (found,) = [each for each in check_archive(bundle, ServerVersion(11, 6)) if each.severity is Severity.ERROR]
    assert found.what.endswith("never call; the server is 11.6.0")
    assert [each.severity for each in check_archive(bundle, ServerVersion(11, 7))] == [Severity.NOTE]
    (found,) = [each for each in check_archive(bundle, ServerVersion(9, 11)) if "min_server" in each.where]
    assert found.severity is Severity.ERROR


def test_records_that_are_none() -> None:
    record = BundleRecord("0.1.0", "system", ["OnActivate"], ["linux-amd64"], "3.11")
    assert read_record(write_record(record)) == record
    for text in (b"", b"[]", b"{}", b"[" * 100_000, write_record(record).replace(b'"3.11"', b"3.11"), b'{"hooks": 1}'):
        assert read_record(text) is None


def test_archives_that_are_none(tmp_path: Path) -> None:
    path = tmp_path / "bundle.tar.gz"
    with pytest.raises(CommandError, match="cannot be read as"):
        check_archive(path)
    for content in (b"", b"text", gzip.compress(b"text" * 1000), gzip.compress(b"")[:5]):
        path.write_bytes(content)
        with pytest.raises(CommandError, match=r"tar\.gz"):
            check_archive(path)
    whole = make_archive(path, [*sound_entries(), entry("noise", bytes(range(256)) * 999)]).read_bytes()
    path.write_bytes(whole[:-200])
    with pytest.raises(CommandError, match=r"cannot be read as a tar\.gz"):
        check_archive(path)


def test_archives_without_bounds(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path = make_archive(tmp_path / "bundle.tar.gz", sound_entries())
    monkeypatch.setattr(archive, "MOST_ENTRIES", 1)
    with pytest.raises(CommandError, match="this is no plugin"):
        check_archive(path)
    monkeypatch.undo()
    monkeypatch.setattr(archive, "MOST_BYTES", 100)
    with pytest.raises(CommandError, match="this is no plugin"):
        check_archive(path)
