"""The example as a bundle: packed, unpacked and started as a stock server does it."""

import hashlib
import json
import os
import shutil
import socket
import subprocess
import sys
import tarfile
from concurrent.futures import ThreadPoolExecutor
from functools import partial
from pathlib import Path

import pytest

from mattermost_plugin.cli.bundle.bundle_rules import check_archive
from mattermost_plugin.cli.bundle.findings import Severity
from mattermost_plugin.cli.pack.bytecode import compile_modules
from tests.pack.bundles import SCRIPT, make_source
from tests.pack.conftest import run_command
from tests.pack.server_side import StartedPlugin, executable_of, unpack

HOOKS = "ExecuteCommand, FileWillBeUploaded, MessageWillBePosted, OnActivate, OnDeactivate, ServeHTTP, UserWillLogIn"


@pytest.fixture(scope="module")
def unpacked(greeter_bundle: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    return unpack(greeter_bundle, tmp_path_factory.mktemp("server") / "plugins")


def assert_handshake(line: str) -> None:
    core, app, network, address, protocol = line.rstrip("|\n").split("|")
    assert (core, app, network, protocol) == ("1", "1", "unix", "netrpc")
    assert address.endswith(".sock")


@pytest.mark.parametrize("relative", [False, True])
def test_it_starts_from_the_server_s_folder(unpacked: Path, tmp_path: Path, relative: bool) -> None:
    started = StartedPlugin(executable_of(unpacked), tmp_path / "server", relative=relative)
    assert_handshake(started.line)
    address = started.line.split("|")[3]
    with socket.socket(socket.AF_UNIX) as connection:
        connection.connect(address)
    assert started.end() == ""
    assert not Path(address).exists()


def test_its_environment_does_not_get_through(unpacked: Path, tmp_path: Path) -> None:
    (tmp_path / "grpc.py").write_text("raise SystemExit('the wrong module')")
    (tmp_path / "sitecustomize.py").write_text("raise SystemExit('the wrong site')")
    env = {
        "PYTHONPATH": str(tmp_path),
        "PYTHONHOME": "/nowhere",
        "PYTHONSTARTUP": str(tmp_path / "grpc.py"),
        "PYTHONUNBUFFERED": "1",
        "PYTHONNOUSERSITE": "",
        "HOME": str(tmp_path),
        "LC_ALL": "C",
        "MATTERMOST_PLUGIN_PATH": "/tmp",
    }
    started = StartedPlugin(executable_of(unpacked), tmp_path, env)
    assert_handshake(started.line)
    assert started.end() == ""


def test_unpacking_leaves_the_checksum_and_the_bytecode_as_they_were(
    greeter_bundle: Path, unpacked: Path, tmp_path: Path
) -> None:
    again = unpack(greeter_bundle, tmp_path / "plugins", umask=0o077)
    first = StartedPlugin(executable_of(unpacked), tmp_path / "server")
    second = StartedPlugin(executable_of(again), tmp_path / "server")
    assert first.checksum == second.checksum
    for started in (first, second):
        assert_handshake(started.line)
        started.end()
    # Nothing was compiled: the bytecode that is there was taken, whatever the sources' times are.
    assert tree(again) == tree(unpacked) == archived(greeter_bundle)
    assert "plugin.cpython" in " ".join(tree(again))
    modes = {path.relative_to(again).as_posix(): oct(path.stat().st_mode & 0o777) for path in again.rglob("*")}
    assert (modes["python/start"], modes["plugin.py"], modes["python"]) == ("0o700", "0o600", "0o700")


def tree(folder: Path) -> dict[str, str]:
    files = [path for path in folder.rglob("*") if path.is_file()]
    return {path.relative_to(folder).as_posix(): hashlib.sha256(path.read_bytes()).hexdigest() for path in files}


def archived(bundle: Path) -> dict[str, str]:
    found = {}
    with tarfile.open(bundle) as archive:
        for entry in archive:
            content = archive.extractfile(entry)
            if content is not None:
                found[entry.name.partition("/")[2]] = hashlib.sha256(content.read()).hexdigest()
    return found


def test_the_same_files_make_the_same_archive(greeter_bundle: Path, greeter: Path, tmp_path: Path) -> None:
    copy = tmp_path / "elsewhere"
    shutil.copytree(greeter, copy, ignore=shutil.ignore_patterns("dist"))
    for path in copy.rglob("*"):
        os.utime(path, (1_000_000_000, 1_000_000_000))
    done = run_command(
        "pack", copy, "--output", tmp_path / "again.tar.gz", env={"PYTHONHASHSEED": "7", "TZ": "Asia/Tokyo"}
    )
    assert done.returncode == 0, done.stderr
    assert (tmp_path / "again.tar.gz").read_bytes() == greeter_bundle.read_bytes()


def test_what_is_in_the_archive(greeter_bundle: Path) -> None:
    with tarfile.open(greeter_bundle) as archive:
        entries = {entry.name: entry for entry in archive}
    assert all(entry.isfile() or entry.isdir() for entry in entries.values())
    assert {(entry.uid, entry.gid, entry.uname, entry.gname, entry.mtime) for entry in entries.values()} == {
        (0, 0, "", "", 315532800)
    }
    names = [name.split("/", 1) for name in entries]
    assert {name[0] for name in names} == {"com.example.greeter"}
    assert entries["com.example.greeter/python/start"].mode == 0o755
    assert entries["com.example.greeter/plugin.py"].mode == 0o644
    parts = {name.split("/")[3] for name in entries if name.startswith("com.example.greeter/python/packages/")}
    assert {"mattermost_plugin", "mattermost_pluginapi", "google"} <= parts
    assert not any(name.endswith(("/RECORD", "/direct_url.json")) for name in entries)
    assert not any("/mattermost_plugin" in name and name.endswith(".pyi") for name in entries)
    for_authors = ("mattermost_plugin/cli", "mattermost_plugin/devhost", "mattermost_plugin/testing", "packages/bin")
    assert not any(part in name for name in entries for part in for_authors)


def test_the_manifest_in_the_archive(unpacked: Path, greeter: Path) -> None:
    packed = json.loads((unpacked / "plugin.json").read_text())
    source = json.loads((greeter / "plugin.json").read_text())
    assert packed.pop("server") == {"executables": {"linux-amd64": "python/start"}} or sys.platform != "linux"
    source.pop("server")
    assert packed == source


def test_what_pack_tells(wheels: Path, greeter: Path, tmp_path: Path) -> None:
    done = run_command("pack", greeter, "--output", tmp_path / "new" / "bundle.tar.gz")
    assert (done.returncode, done.stderr) == (0, "")
    assert f"hooks  {HOOKS}\n" in done.stdout
    assert str(tmp_path) in done.stdout
    assert "needs  Python 3." in done.stdout
    size = (tmp_path / "new" / "bundle.tar.gz").stat().st_size
    assert f"bundle.tar.gz  {size / 1_000_000:.1f} MB\n" in done.stdout


def test_its_own_check_finds_nothing(greeter_bundle: Path) -> None:
    assert [each for each in check_archive(greeter_bundle) if each.severity is not Severity.NOTE] == []
    done = run_command("check", greeter_bundle, "--strict")
    assert (done.returncode, done.stderr) == (0, "")
    assert done.stdout.endswith("no errors, no warnings\n")


def test_requirements_are_installed(wheels: Path, tmp_path: Path) -> None:
    script = """
import sys
import sample_helper
from mattermost_plugin import Plugin, run_plugin

print(f"{sample_helper.WORD} {__name__} {__file__} {sys.argv}")

class Sample(Plugin):
    def on_install(self, context, event): ...

if __name__ == "__main__":
    run_plugin(Sample)
"""
    folder = make_source(tmp_path / "my plugin", script)
    for name, text in (
        ("requirements.txt", "sample_helper\nmattermost-plugin-sdk\n"),
        ("pyproject.toml", '[project]\nname = "x"\nversion = "1"\ndependencies = ["sample-helper>=1"]\n'),
    ):
        (folder / name).write_text(text)
        done = run_command("pack", folder, "--output", tmp_path / f"{name}.tar.gz")
        assert done.returncode == 0, done.stdout + done.stderr
        assert "hooks  OnInstall\n" in done.stdout
        plugin = unpack(tmp_path / f"{name}.tar.gz", tmp_path / f"{name}.d")
        started = StartedPlugin(executable_of(plugin), tmp_path / "server")
        assert_handshake(started.line)
        said = started.end()
        assert f"helped __main__ {plugin}/plugin.py ['{plugin}/plugin.py']" in said
        (folder / name).unlink()
    done = run_command("pack", folder)
    assert done.returncode == 1
    assert "No module named 'sample_helper'" in done.stderr
    advice = "the bundle has what requirements.txt names, and nothing else that is installed here: name what"
    assert done.stderr.splitlines()[-1].startswith(advice)


def test_a_handler_that_cannot_handle(wheels: Path, tmp_path: Path) -> None:
    done = run_command("pack", make_source(tmp_path / "plugin", SCRIPT.replace("(self)", "(self, x)")))
    assert done.returncode == 1
    said = done.stderr[done.stderr.index("Traceback") :].splitlines()
    assert said[1:3] == ['  File "plugin.py", line 4, in <module>', "    class Sample(Plugin):"]
    assert [line for line in said if line.startswith("  File")] == said[1:2]


def test_requirements_that_cannot_be_had(wheels: Path, tmp_path: Path) -> None:
    folder = make_source(tmp_path / "plugin")
    (folder / "requirements.txt").write_text("no-such-package-anywhere\n")
    done = run_command("pack", folder)
    assert done.returncode == 1
    assert "pip could not install the dependencies for Python 3." in done.stderr
    assert "no-such-package-anywhere" in done.stderr
    assert not (folder / "dist").exists()


def test_a_script_in_a_package_s_folder(wheels: Path, tmp_path: Path) -> None:
    folder = make_source(tmp_path / "plugin", server={"executable": "server/main.py"})
    (folder / "plugin.py").unlink()
    (folder / "server").mkdir()
    (folder / "server" / "parts.py").write_text("from mattermost_plugin import Plugin\nclass Sample(Plugin): ...\n")
    (folder / "server" / "main.py").write_text(
        "from mattermost_plugin import run_plugin\nfrom parts import Sample\n"
        "if __name__ == '__main__':\n    run_plugin(Sample)\n"
    )
    done = run_command("pack", folder, "--output", tmp_path / "bundle.tar.gz")
    assert done.returncode == 0, done.stdout + done.stderr
    assert "warning: the plugin handles no hook" in done.stdout
    started = StartedPlugin(executable_of(unpack(tmp_path / "bundle.tar.gz", tmp_path / "d")), tmp_path / "server")
    assert_handshake(started.line)
    started.end()


CHILDREN = """
import subprocess, sys
from pathlib import Path
(Path(__file__).parent / "made" / "at_import").mkdir(parents=True, exist_ok=True)
(Path(__file__).parent / "made" / "at_import" / "log").write_text("x")
code = "import bz2, ctypes, lzma, sqlite3, ssl, sys, zoneinfo; print('python', sys.argv[1], ssl.HAS_SNI, flush=True)"
subprocess.run([sys.executable, "-c", code, sys.path[-1]])
subprocess.run(["/bin/sh", "-c", "echo shell $LD_LIBRARY_PATH"])
"""


@pytest.mark.slow
@pytest.mark.skipif(sys.platform != "linux", reason="servers run on Linux")
def test_a_self_contained_bundle(wheels: Path, tmp_path: Path) -> None:
    first, second = tmp_path / "first.tar.gz", tmp_path / "second.tar.gz"
    greeter = make_source(tmp_path / "source", SCRIPT.replace("if __name__", f"{CHILDREN}\nif __name__"))
    with ThreadPoolExecutor() as both:
        pack = partial(run_command, "pack", greeter, "--self-contained", "--output")
        for done in both.map(pack, (first, second)):
            assert done.returncode == 0, done.stdout + done.stderr
            assert "and no Python\n" in done.stdout
    assert first.read_bytes() == second.read_bytes()
    plugin = unpack(first, tmp_path / "plugins")
    assert not (plugin / "made").exists()
    env = {"PATH": "/nowhere", "LD_LIBRARY_PATH": "/somewhere", "PYTHONPATH": "/nowhere"}
    started = StartedPlugin(executable_of(plugin), tmp_path / "server", env, relative=True)
    assert_handshake(started.line)
    maps = Path(f"/proc/{started.process.pid}/maps").read_text()
    loaded = {line.split()[-1] for line in maps.splitlines() if ".so" in line}
    said = started.end()
    assert f"python {plugin}/python/packages True" in said
    assert '"shell /somewhere"' in said
    # What is not the C library's comes from the bundle.
    foreign = [path for path in loaded if not path.startswith(str(plugin))]
    assert all(Path(path).name.startswith(("ld-", "lib")) and "/libpython" not in path for path in foreign), foreign
    c_library = ("ld-", "libc.", "libm.", "libdl.", "libpthread.", "librt.", "libutil.", "libresolv.")
    assert [path for path in foreign if not Path(path).name.startswith(c_library)] == []
    done = run_command("check", first, "--strict")
    assert done.returncode == 0, done.stdout


def test_modules_that_cannot_be_compiled_are_told(tmp_path: Path) -> None:
    (tmp_path / "good.py").write_text("x = 1\n")
    assert compile_modules(sys.executable, tmp_path, [tmp_path / "good.py"]) == []
    (tmp_path / "bad.py").write_text("x =\n")
    assert "bad.py" in " ".join(compile_modules(sys.executable, tmp_path, [tmp_path / "bad.py"]))
    code = subprocess.run(
        [sys.executable, "-c", "import good; print(good.__cached__)"], cwd=tmp_path, capture_output=True
    )
    assert b"good.cpython" in code.stdout
