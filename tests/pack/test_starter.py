"""The program that starts a self-contained bundle: its machine code, and what it does."""

import json
import os
import platform
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from mattermost_plugin.cli.pack import starter
from mattermost_plugin.cli.pack.starter import MACHINE_CODE, make_starter

SOURCES = Path(starter.__file__).parent
MACHINES = {"amd64": "x86_64", "arm64": "aarch64"}
REPORT = """
import json, os, sys
names = ("LD_LIBRARY_PATH", "GIVEN")
print(json.dumps([sys.argv, sys.orig_argv[1:], os.getcwd(), [os.environ.get(name) for name in names], len(os.environ)]))
"""


@pytest.mark.parametrize("architecture", MACHINES)
def test_the_machine_code_is_that_of_the_sources(architecture: str, tmp_path: Path) -> None:
    prefix = "" if platform.machine() == MACHINES[architecture] else f"{MACHINES[architecture]}-linux-gnu-"
    tools = [shutil.which(f"{prefix}{tool}") for tool in ("as", "objcopy")]
    if sys.platform != "linux" or None in tools:
        pytest.skip(f"there is no assembler for {architecture} here")
    source = (SOURCES / f"{architecture}.s").read_text() + (SOURCES / "strings.s").read_text()
    subprocess.run([str(tools[0]), "-o", tmp_path / "code.o", "-"], input=source, text=True, check=True)
    subprocess.run([str(tools[1]), "-O", "binary", "-j", ".text", tmp_path / "code.o", tmp_path / "code"], check=True)
    assert (tmp_path / "code").read_bytes().hex() == "".join(MACHINE_CODE[architecture].split())


@pytest.fixture
def bundle(tmp_path: Path) -> Path:
    """A folder with the program for this machine, or for the other one where that can be run."""
    architecture = next((name for name, machine in MACHINES.items() if machine == platform.machine()), None)
    if sys.platform != "linux" or architecture is None:
        pytest.skip("self-contained bundles are for Linux")
    folder = tmp_path / "plug in" / "python"
    (folder / "runtime" / "bin").mkdir(parents=True)
    (folder / "launch.py").write_text(REPORT)
    (folder / "runtime" / "bin" / "python3").symlink_to(sys.executable)
    (folder / "start").write_bytes(make_starter(architecture))
    (folder / "start").chmod(0o755)
    return folder


def run(command: list[str], cwd: Path, env: dict[str, str]) -> list[object]:
    done = subprocess.run(command, cwd=cwd, env=env, capture_output=True, text=True)
    assert (done.returncode, done.stderr) == (0, "")
    report: list[object] = json.loads(done.stdout)
    return report


def test_what_it_starts(bundle: Path) -> None:
    argv, options, cwd, environment, size = run(["python/start"], bundle.parent, {"GIVEN": "a b=c"})
    assert argv == [f"{bundle}/launch.py"]
    assert options == ["-I", "-S", "-X", "utf8", f"{bundle}/launch.py"]
    assert cwd == str(bundle.parent)
    assert environment == [f"{bundle}/runtime/shared", "a b=c"]
    # Python adds LC_CTYPE where the locale is that of C.
    assert size in (2, 3)


@pytest.mark.parametrize("arguments", [[], ["x"], ["a b", "", "-S"], [str(number) for number in range(3000)]])
def test_with_arguments_it_is_python(bundle: Path, arguments: list[str]) -> None:
    command = [str(bundle / "start"), "launch.py", *arguments]
    argv, options, cwd, environment, _ = run(command, bundle, {})
    assert argv == options == ["launch.py", *arguments]
    assert cwd == str(bundle)
    assert environment == [f"{bundle}/runtime/shared", None]


def test_without_an_environment(bundle: Path) -> None:
    *_, environment, _ = run([str(bundle / "start")], Path("/"), {})
    assert environment == [f"{bundle}/runtime/shared", None]


def test_with_a_large_environment(bundle: Path) -> None:
    env = {f"VARIABLE_{number}": "x" * 50 for number in range(5000)}
    *_, environment, size = run([str(bundle / "start")], Path("/"), {**env, "GIVEN": "last"})
    assert environment == [f"{bundle}/runtime/shared", "last"]
    assert size in (5002, 5003)


def test_the_server_s_libraries_stay_those_of_what_the_plugin_starts(bundle: Path) -> None:
    """The loader takes the last of two, which is the bundle's; Python the first."""
    *_, environment, _ = run([str(bundle / "start")], Path("/"), {"LD_LIBRARY_PATH": "/given"})
    assert environment == ["/given", None]


def test_there_is_no_python_in_the_bundle(bundle: Path) -> None:
    (bundle / "runtime" / "bin" / "python3").unlink()
    done = subprocess.run([bundle / "start"], capture_output=True, text=True)
    assert (done.returncode, done.stdout) == (127, "")
    line = json.loads(done.stderr)
    assert line == {"@level": "error", "@message": "The Python in the plugin's bundle cannot be started."}


@pytest.mark.parametrize("length", [1000, 3900])
def test_deep_folders(bundle: Path, length: int) -> None:
    """Up to the longest path that Linux has, 4095; the last folder is entered by steps."""
    deep = bundle.parent
    names = []
    while len(str(deep)) < length:
        deep /= "d" * 50
        names.append("d" * 50)
    where = Path.cwd()
    try:
        os.chdir(bundle.parent)
        for name in names:
            Path(name).mkdir()
            os.chdir(name)
        shutil.copytree(bundle, "python", symlinks=True)
        argv, _, cwd, environment, _ = run(["python/start"], Path(), {})
        assert argv == [f"{deep}/python/launch.py"]
        assert cwd == str(deep)
        assert environment == [f"{deep}/python/runtime/shared", None]
    finally:
        os.chdir(where)


@pytest.mark.skipif(not shutil.which("qemu-aarch64-static"), reason="needs an emulator of arm64")
@pytest.mark.skipif(platform.machine() == "aarch64", reason="it is not emulated here")
def test_the_program_for_arm64(bundle: Path) -> None:
    (bundle / "start").write_bytes(make_starter("arm64"))
    command = [str(shutil.which("qemu-aarch64-static")), str(bundle / "start")]
    argv, options, cwd, environment, _ = run(command, Path("/"), {"GIVEN": "x"})
    assert argv == [f"{bundle}/launch.py"]
    assert options == ["-I", "-S", "-X", "utf8", f"{bundle}/launch.py"]
    assert cwd == "/"
    assert environment == [f"{bundle}/runtime/shared", "x"]
    argv, options, *_ = run([*command, "-I", str(bundle / "launch.py"), "a b"], Path("/"), {})
    assert argv == [f"{bundle}/launch.py", "a b"]
    assert options == ["-I", f"{bundle}/launch.py", "a b"]
