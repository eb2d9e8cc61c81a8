"""Bundles of plugins: what is unpacked, and what never is."""

import stat
import tarfile
from pathlib import Path

import pytest

from mattermost_plugin.devhost import bundle as bundles
from mattermost_plugin.devhost.bundle import BundleError, unpack_bundle
from tests.devhost.archives import archive, entry, tar_gz


def paths(folder: Path) -> set[str]:
    return {str(path.relative_to(folder)) for path in folder.rglob("*")}


def test_where_the_plugin_is(tmp_path: Path) -> None:
    flat, nested = tmp_path / "flat", tmp_path / "nested"
    flat.mkdir()
    nested.mkdir()
    assert unpack_bundle(tar_gz({"plugin.json": b"1", "a/b/c": b"2"}), flat) == flat
    assert paths(flat) == {"plugin.json", "a", "a/b", "a/b/c"}
    assert unpack_bundle(tar_gz({"x/plugin.json": b"1", "x/y": b""}), nested) == nested / "x"
    assert (nested / "x" / "plugin.json").read_bytes() == b"1"


def test_what_files_are_for(tmp_path: Path) -> None:
    unpack_bundle(archive([(entry("run", mode=0o6777), b""), (entry("no", mode=0), b"")]), tmp_path)
    assert stat.S_IMODE((tmp_path / "run").stat().st_mode) == 0o755
    assert stat.S_IMODE((tmp_path / "no").stat().st_mode) == 0o600


def test_links_and_devices_are_left_out(tmp_path: Path) -> None:
    outside, inside = tmp_path / "outside", tmp_path / "inside"
    outside.mkdir()
    inside.mkdir()
    kinds = (tarfile.SYMTYPE, tarfile.LNKTYPE, tarfile.FIFOTYPE, tarfile.CHRTYPE, tarfile.BLKTYPE)
    odd = [(entry(f"odd{number}", kind, target=str(outside)), b"") for number, kind in enumerate(kinds)]
    through = [(entry("odd0/file", size=1), b"x")]
    unpack_bundle(archive([*odd, (entry("up", tarfile.SYMTYPE, target=".."), b""), *through]), inside)
    assert paths(inside) == {"odd0", "odd0/file"}
    assert not list(outside.iterdir())


@pytest.mark.parametrize("name", ["/etc/x", "../x", "a/../../x", "..", "//x"])
@pytest.mark.parametrize("kind", [tarfile.REGTYPE, tarfile.DIRTYPE])
def test_no_name_leads_out(tmp_path: Path, name: str, kind: bytes) -> None:
    inside = tmp_path / "inside"
    inside.mkdir()
    with pytest.raises(BundleError, match="leads out"):
        unpack_bundle(archive([(entry(name, kind), b"")]), inside)
    assert paths(tmp_path) == {"inside"}


def test_what_is_no_bundle(tmp_path: Path) -> None:
    good = tar_gz({"a": bytes(100_000)})
    flipped = bytearray(good)
    flipped[len(good) // 2] ^= 0xFF
    collision = archive([(entry("a"), b""), (entry("a/b"), b"")])
    too_long = tar_gz({"x" * 300: b""})
    for broken in (b"", b"text", good[:-30], bytes(flipped), collision, too_long):
        with pytest.raises(BundleError):
            unpack_bundle(broken, tmp_path)


def test_limits(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(bundles, "LARGEST_ARCHIVE", 100_000)
    with pytest.raises(BundleError, match="more than 100000 bytes"):
        unpack_bundle(tar_gz({"zeros": bytes(200_000)}), tmp_path)
    # What is left out counts too, and a header that wants more than there may be.
    header = entry("h", tarfile.XHDTYPE, size=300_000)
    for long in (entry("skipped", b"Z", size=200_000), header):
        with pytest.raises(BundleError, match="more than 100000 bytes"):
            unpack_bundle(archive([(long, bytes(long.size)), (entry("b"), b"")]), tmp_path)
    monkeypatch.setattr(bundles, "MOST_ENTRIES", 3)
    unpack_bundle(tar_gz({str(number): b"" for number in range(3)}), tmp_path)
    with pytest.raises(BundleError, match="more than 3 entries"):
        unpack_bundle(tar_gz({str(number): b"" for number in range(4)}), tmp_path)
