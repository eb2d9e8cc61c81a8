"""What `mattermost-plugin pack` is asked for, and bundles for several machines."""

import importlib.metadata
import json
import sys
import zipfile
from collections.abc import Sequence
from pathlib import Path

import pytest

from mattermost_plugin.cli.command_line import main
from mattermost_plugin.cli.errors import CommandError
from mattermost_plugin.cli.pack.native_files import find_native
from mattermost_plugin.cli.pack.platforms import PLATFORMS, Target, python_here
from mattermost_plugin.cli.pack.requirements import requirements_file
from mattermost_plugin.cli.pack.sdk_wheel import make_sdk_wheel
from tests.pack.bundles import make_source
from tests.pack.server_side import unpack
from tests.pack.wheelhouse import make_plain_wheel, make_wheel

HERE = python_here()
OTHER = "3.99"


def pack(capsys: pytest.CaptureFixture[str], *arguments: str | Path) -> tuple[int, str]:
    code = main(["pack", *map(str, arguments)])
    captured = capsys.readouterr()
    return code, captured.out + captured.err


@pytest.mark.parametrize(
    "arguments",
    [[], ["--python", "none"], ["--platform", "plan9-amd64"], ["--python-version", "3.10"], ["--python-version", "3"]],
)
def test_a_wrong_command_line(arguments: list[str], capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit) as end:
        main(["pack", *arguments, *(["."] if arguments else [])])
    assert end.value.code == 2
    assert "usage: mattermost-plugin pack" in capsys.readouterr().err


def test_folders_that_are_no_plugins(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert "gone does not exist" in pack(capsys, tmp_path / "gone")[1]
    assert "there is no plugin.json in it" in pack(capsys, tmp_path)[1]
    make_source(tmp_path, id="x")
    code, out = pack(capsys, tmp_path)
    assert code == 1
    assert out.splitlines()[0] == "error: plugin.json: id: 'x' is no plugin id"
    assert out.splitlines()[-1] == "mattermost-plugin pack: error: the plugin has faults, and nothing was made of it"


def test_what_a_self_contained_bundle_cannot_carry(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    folder = make_source(tmp_path / "plugin")
    for arguments in (["--platform", "darwin-arm64"], ["--python-version", OTHER], ["--python-version", HERE, OTHER]):
        code, out = pack(capsys, folder, "--self-contained", *arguments)
        assert code == 1
        assert f"carries the Python that runs this, {HERE}" in out
    monkeypatch.setattr(sys, "platform", "darwin")
    assert pack(capsys, folder, "--python", "self-contained")[0] == 1


def test_requirements(tmp_path: Path) -> None:
    scratch = tmp_path / "scratch"
    scratch.mkdir()
    assert requirements_file(tmp_path, scratch) is None
    project = tmp_path / "pyproject.toml"
    for text, lines in (('[project]\ndependencies = ["a>=1", "b"]\n', "a>=1\nb\n"), ("[tool.x]\n", "")):
        project.write_text(text)
        file = requirements_file(tmp_path, scratch)
        assert file is not None
        assert file.read_text() == lines
    for text in ('[project]\ndynamic = ["dependencies"]\n', "[project]\ndependencies = [1]\n", "[", "project = 1\n"):
        project.write_text(text)
        with pytest.raises(CommandError, match=r"pyproject\.toml"):
            requirements_file(tmp_path, scratch)
    (tmp_path / "requirements.txt").write_text("c\n")
    assert requirements_file(tmp_path, scratch) == tmp_path / "requirements.txt"


def test_tags_of_wheels() -> None:
    amd64, arm64, mac = (list(PLATFORMS[name].wheel_tags()) for name in ("linux-amd64", "linux-arm64", "darwin-arm64"))
    assert amd64[0] == "manylinux_2_28_x86_64"
    assert {"manylinux_2_17_x86_64", "manylinux2014_x86_64", "manylinux1_x86_64"} < set(amd64)
    assert "manylinux_2_17_aarch64" in arm64
    assert "manylinux1_aarch64" not in arm64
    assert {"macosx_11_0_arm64", "macosx_14_0_universal2"} < set(mac)


def write_native(path: Path, *versions: str, magic: bytes = b"\x7fELF") -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    texts = b"\0".join(f"GLIBC_{version}".encode() for version in versions)
    path.write_bytes(magic + bytes(60) + texts + b"\0")


def test_native_files(tmp_path: Path) -> None:
    (tmp_path / "pure.py").write_text("x = 1")
    assert find_native(tmp_path).packages == []
    write_native(tmp_path / "fast" / "_fast.abi3.so", "2.9", "2.17", "2.2.5")
    found = find_native(tmp_path)
    assert (list(found.packages), found.one_version, found.glibc) == (["fast"], False, 17)
    write_native(tmp_path / "fast.libs" / "libx.so.1", "2.34", "PRIVATE")
    write_native(tmp_path / "other" / "_x.cpython-311-x86_64-linux-gnu.so")
    found = find_native(tmp_path)
    assert (list(found.packages), found.one_version, found.glibc) == (["fast", "fast.libs", "other"], True, 34)


def test_native_files_of_other_systems(tmp_path: Path) -> None:
    write_native(tmp_path / "z" / "start.exe", magic=b"MZ\x90\x00")
    write_native(tmp_path / "x" / "y.so", "2.99", magic=b"\xcf\xfa\xed\xfe")
    found = find_native(tmp_path)
    assert (list(found.packages), found.glibc) == (["x"], None)


def test_the_wheel_of_this_package(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    with zipfile.ZipFile(make_sdk_wheel(tmp_path)) as wheel:
        names = wheel.namelist()
        metadata = wheel.read(next(name for name in names if name.endswith("/METADATA"))).decode()
    assert "mattermost_plugin/__init__.py" in names
    assert "mattermost_pluginapi/hooks/adapters.py" in names
    assert not [name for name in names if name.split("/")[1] in ("cli", "devhost", "testing") or name.endswith(".pyi")]
    assert "Requires-Dist: protobuf" in metadata

    def gone(name: str) -> None:
        raise importlib.metadata.PackageNotFoundError(name)

    monkeypatch.setattr(importlib.metadata, "distribution", gone)
    with pytest.raises(CommandError, match="is not installed"):
        make_sdk_wheel(tmp_path)


@pytest.fixture
def pure_wheels(tmp_path: Path, wheels: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Wheels without native parts: gRPC by name only, and protobuf as it runs without its own."""
    folder = tmp_path / "pure"
    folder.mkdir()
    for name, version in (("grpcio", "99"), ("grpcio_health_checking", "99"), ("typing_extensions", "99")):
        make_plain_wheel(folder, name, "", version)
    make_wheel(folder, importlib.metadata.distribution("protobuf"), tag="py3-none-any", without=".so")
    monkeypatch.setenv("PIP_FIND_LINKS", str(folder))
    return folder


def server_of(bundle: Path, folder: Path) -> tuple[Path, object]:
    plugin = unpack(bundle, folder)
    return plugin, json.loads((plugin / "plugin.json").read_text())["server"]


def test_a_bundle_without_native_parts_runs_anywhere(
    pure_wheels: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    folder, bundle = make_source(tmp_path / "plugin"), tmp_path / "bundle.tar.gz"
    targets = ["--python-version", HERE, OTHER, "--platform", "darwin-arm64", "linux-amd64"]
    code, out = pack(capsys, folder, "--output", bundle, *targets)
    assert code == 0, out
    assert f"needs  Python {HERE} or newer on any machine\n" in out
    assert f"there is no python{OTHER} here" in out
    plugin, server = server_of(bundle, tmp_path / "d")
    expected: Sequence[str] = ["darwin-arm64", "linux-amd64", "linux-arm64"]
    assert server == {"executables": dict.fromkeys(expected, "python/start")}
    assert sorted(path.name for path in (plugin / "python").iterdir()) == [
        "bundle.json",
        "launch.py",
        "packages",
        "start",
    ]
    assert f"in {HERE} {OTHER} " in (plugin / "python" / "start").read_text()
    assert 'SCRIPT = "plugin.py"\n' in (plugin / "python" / "launch.py").read_text()


@pytest.mark.skipif(sys.platform != "linux", reason="the wheels that are installed here are renamed")
def test_a_bundle_for_several_machines(pure_wheels: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    protobuf = importlib.metadata.distribution("protobuf")
    for path in pure_wheels.glob("protobuf*"):
        path.unlink()
    for machine in ("x86_64", "aarch64"):
        make_wheel(pure_wheels, protobuf, tag=f"cp310-abi3-manylinux2014_{machine}")
    folder, bundle = make_source(tmp_path / "plugin"), tmp_path / "bundle.tar.gz"
    code, out = pack(capsys, folder, "--output", bundle, "--platform", "linux-arm64", "linux-amd64")
    assert code == 0, out
    assert f"google have parts for one kind of machine: the bundle needs exactly Python {HERE} on linux-amd64 or" in out
    plugin, server = server_of(bundle, tmp_path / "d")
    assert server == {"executables": dict.fromkeys(["linux-amd64", "linux-arm64"], "python/start")}
    assert sorted(path.name for path in (plugin / "python").iterdir()) == [
        "bundle.json",
        "launch.py",
        f"packages-linux-aarch64-{HERE}",
        f"packages-linux-x86_64-{HERE}",
        "start",
    ]
    # One machine, and parts that fit later versions of Python, too.
    code, out = pack(capsys, folder, "--output", bundle, "--platform", "linux-arm64", "--python-version", OTHER)
    assert code == 0, out
    assert f"needs  Python {OTHER} or newer on linux-arm64, with glibc 2." in out
    assert "note: the plugin was imported with the packages that are installed here" in out
    assert "warning: " in out


def test_what_is_not_there_for_another_machine(
    wheels: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    folder = make_source(tmp_path / "plugin")
    code, out = pack(capsys, folder, "--python-version", OTHER)
    assert code == 1
    assert f"pip could not install the dependencies for Python {OTHER} on " in out


def test_targets() -> None:
    target = Target(PLATFORMS["linux-arm64"], "3.12")
    assert str(target) == "Python 3.12 on linux-arm64"
    assert target.folder == "python/packages-linux-aarch64-3.12"


def test_the_archive_of_the_last_time_is_not_packed(
    pure_wheels: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    folder = make_source(tmp_path / "plugin", id="com.Example.Sample")
    bundle = folder / "bundle.tar.gz"
    code, out = pack(capsys, folder, "--output", bundle)
    assert code == 0, out
    first = bundle.read_bytes()
    assert pack(capsys, folder, "--output", bundle)[0] == 0
    assert bundle.read_bytes() == first
    plugin, _ = server_of(bundle, tmp_path / "d")
    assert json.loads((plugin / "plugin.json").read_text())["id"] == plugin.name == "com.example.sample"


def test_times(
    pure_wheels: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    folder = make_source(tmp_path / "plugin")
    monkeypatch.setenv("SOURCE_DATE_EPOCH", "yesterday")
    assert "SOURCE_DATE_EPOCH must be seconds since 1970, not 'yesterday'" in pack(capsys, folder)[1]
    assert list(folder.glob("dist/*")) == list(folder.glob("dist/.*")) == []
