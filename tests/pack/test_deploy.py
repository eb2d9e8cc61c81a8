"""Uploads to a server: what is sent, what is said when the server refuses, what becomes of the token."""

import os
from collections.abc import Iterator
from pathlib import Path

import pytest

from mattermost_plugin.cli.command_line import main
from mattermost_plugin.cli.deploy import status_watch
from mattermost_plugin.cli.deploy.server_client import ServerClient
from mattermost_plugin.cli.deploy.status_watch import watch
from mattermost_plugin.cli.errors import CommandError
from tests.pack.bundles import entry, make_archive, make_source, sound_entries
from tests.pack.rest_server import TOKEN, FakeServer, app_error, serving, status

DISABLED = app_error(501, "app.plugin.upload_disabled.app_error", "Plugins and/or plugin uploads have been disabled.")


@pytest.fixture
def server(monkeypatch: pytest.MonkeyPatch) -> Iterator[FakeServer]:
    for name in [name for name in os.environ if name.lower().endswith("_proxy")]:
        monkeypatch.delenv(name)
    monkeypatch.setattr(status_watch, "INTERVAL_S", 0)
    with serving() as (fake, url):
        monkeypatch.setenv("MM_SERVICESETTINGS_SITEURL", url)
        monkeypatch.setenv("MM_ADMIN_TOKEN", TOKEN)
        yield fake


@pytest.fixture
def bundle(tmp_path: Path) -> Path:
    return make_archive(tmp_path / "bundle.tar.gz", [*sound_entries(), entry("noise", os.urandom(300_000))])


def deploy(capsys: pytest.CaptureFixture[str], *arguments: str | Path) -> tuple[int, str, str]:
    code = main(["deploy", *map(str, arguments)])
    captured = capsys.readouterr()
    assert TOKEN not in captured.out + captured.err
    return code, captured.out, captured.err


def test_a_plugin_that_runs(server: FakeServer, bundle: Path, capsys: pytest.CaptureFixture[str]) -> None:
    server.states = iter([[], [status(0)], [status(1), status(3, plugin_id="com.example.other")]])
    code, out, err = deploy(capsys, bundle)
    assert (code, err) == (0, "")
    assert out.splitlines()[0].startswith("uploading com.example.sample 1.2.3 (30")
    assert out.splitlines()[1:] == ["com.example.sample runs"]
    assert server.uploaded == bundle.read_bytes()
    assert server.form == {"force": "true"}
    assert server.requests == [
        "POST /plugins",
        "POST /plugins/com.example.sample/enable",
        *["GET /plugins/statuses"] * 4,
    ]


def test_a_plugin_that_fails(server: FakeServer, bundle: Path, capsys: pytest.CaptureFixture[str]) -> None:
    server.last = [status(3, error="fork/exec plugins/com.example.sample/start: no such file or directory")]
    code, out, err = deploy(capsys, bundle)
    assert (code, err) == (1, "")
    assert out.splitlines()[1:] == [
        "error: com.example.sample failed to start",
        "    fork/exec plugins/com.example.sample/start: no such file or directory",
        f"    {status_watch.ADVICE['no such file or directory']}",
        "the server's log says:",
        '    {"level":"error","msg":"boom","plugin_id":"com.example.sample"}',
        "    \\x1b[31mcom.example.sample is red",
    ]


def test_a_failure_without_a_log(server: FakeServer, bundle: Path, capsys: pytest.CaptureFixture[str]) -> None:
    server.last = [status(4)]
    for answer in ((403, {"id": "x", "message": "No."}), (200, {"lines": 1}), (200, [1, None])):
        server.answers["GET /logs?page=0&logs_per_page=200"] = answer
        code, out, _ = deploy(capsys, bundle)
        assert code == 1
        assert out.splitlines()[1:] == ["error: com.example.sample failed to stay running"]


def test_nodes_of_a_cluster(server: FakeServer, bundle: Path, capsys: pytest.CaptureFixture[str]) -> None:
    server.states = iter([[status(2, node="one"), status(2, node="two", version="1.0.0")]])
    server.last = [status(2, node="one"), status(3, node="two", error="no room")]
    code, out, _ = deploy(capsys, bundle)
    assert code == 1
    assert out.splitlines()[1:4] == [
        "com.example.sample runs on one",
        "error: com.example.sample failed to start on two",
        "    no room",
    ]


def test_a_start_that_takes_too_long(server: FakeServer, bundle: Path, capsys: pytest.CaptureFixture[str]) -> None:
    server.last = [status(0)]
    code, _, err = deploy(capsys, bundle, "--wait", "0")
    assert code == 1
    assert err == (
        "mattermost-plugin deploy: error: com.example.sample is not running after 0 s: see the server's log\n"
    )
    server.last = [{"plugin_id": 1}, {"state": "x"}]
    assert "is not installed after 0 s" in deploy(capsys, bundle, "--wait", "0")[2]


def test_the_time_between_two_looks(server: FakeServer) -> None:
    client, now = ServerClient(os.environ["MM_SERVICESETTINGS_SITEURL"], TOKEN), [100.0]

    def sleep(seconds: float) -> None:
        now[0] += seconds + 0.25

    server.last = [status(0)]
    with pytest.raises(CommandError, match="is not running after 1 s"):
        watch(client, "com.example.sample", "1.2.3", 1, sleep, lambda: now[0])
    assert len(server.requests) == 5


REFUSALS = {
    "a strange token": (app_error(401, "api.context.session_expired.app_error", "Invalid."), "does not know the token"),
    "no rights": (
        app_error(403, "api.context.permissions.app_error", "No rights."),
        "No rights.\n    the token's user may",
    ),
    "no API": ((404, b"<html>not here</html>"), "answers 404 Not Found\n    there is no Mattermost server's API"),
    "a proxy": ((413, b"<html>too large</html>"), "client_max_body_size"),
    "a broken bundle": (
        app_error(400, "app.plugin.extract.app_error", "Bad."),
        "400: Bad.\n    `mattermost-plugin check`",
    ),
    "a broken server": ((500, b"oops"), "answers 500 Internal Server Error\n"),
    "an odd answer": ((500, [1]), "answers 500 Internal Server Error\n"),
}


@pytest.mark.parametrize("case", REFUSALS)
def test_refusals(server: FakeServer, bundle: Path, capsys: pytest.CaptureFixture[str], case: str) -> None:
    server.answers["POST /plugins"], words = REFUSALS[case]
    code, _, err = deploy(capsys, bundle)
    assert code == 1
    assert words in err
    assert server.requests == ["POST /plugins"]


SETTINGS = {
    "Enable": (False, "plugins are switched off"),
    "EnableUploads": (False, "uploads are switched off"),
    "RequirePluginSignature": (True, "takes signed plugins only"),
}


@pytest.mark.parametrize("name", SETTINGS)
def test_settings_in_the_way(server: FakeServer, bundle: Path, capsys: pytest.CaptureFixture[str], name: str) -> None:
    server.answers["POST /plugins"] = DISABLED
    server.settings[name] = SETTINGS[name][0]
    code, _, err = deploy(capsys, bundle)
    assert code == 1
    assert [words in err for _, words in SETTINGS.values()] == [each == name for each in SETTINGS]


def test_settings_that_nobody_may_see(server: FakeServer, bundle: Path, capsys: pytest.CaptureFixture[str]) -> None:
    server.answers["POST /plugins"] = DISABLED
    for answer in (app_error(403, "x", "No."), (200, []), (200, {"PluginSettings": 1})):
        server.answers["GET /config"] = answer
        _, _, err = deploy(capsys, bundle)
        assert all(words in err for _, words in SETTINGS.values())


def test_redirects_are_not_followed(server: FakeServer, bundle: Path, capsys: pytest.CaptureFixture[str]) -> None:
    server.headers["Location"] = "https://elsewhere.example.com/"
    for code in (301, 302, 303, 307, 308):
        server.answers["POST /plugins"] = (code, b"")
        _, _, err = deploy(capsys, bundle)
        assert "sends its callers to https://elsewhere.example.com/: give the server's own address" in err
    assert server.requests == ["POST /plugins"] * 5


def test_a_server_that_is_none(server: FakeServer, bundle: Path, capsys: pytest.CaptureFixture[str]) -> None:
    server.answers["POST /plugins"] = (200, b"<html>hello</html>")
    assert "does not answer as a Mattermost server does" in deploy(capsys, bundle)[2]
    server.closes_at_upload = True
    code, _, err = deploy(capsys, bundle)
    assert code == 1
    assert "cannot be reached" in err
    assert "cannot be reached: " in deploy(capsys, bundle, "--server", "http://127.0.0.1:9")[2]


def test_a_server_below_a_path(
    server: FakeServer, bundle: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    url = os.environ["MM_SERVICESETTINGS_SITEURL"]
    assert deploy(capsys, bundle, "--server", f"{url}/chat/")[0] == 0
    monkeypatch.delenv("MM_SERVICESETTINGS_SITEURL")
    assert "which server?" in deploy(capsys, bundle)[2]


@pytest.mark.parametrize(
    "url", ["chat.example.com", "ftp://chat.example.com", "https://", "https://x:99999", "https://x?a=b", "http://[::1"]
)
def test_addresses_that_are_none(
    server: FakeServer, bundle: Path, capsys: pytest.CaptureFixture[str], url: str
) -> None:
    code, _, err = deploy(capsys, bundle, "--server", url)
    assert code == 1
    assert "is no address" in err


def test_an_address_with_a_password_is_not_repeated(
    bundle: Path, server: FakeServer, capsys: pytest.CaptureFixture[str]
) -> None:
    _, _, err = deploy(capsys, bundle, "--server", "https://me:hunter2@chat.example.com")
    assert "must not hold a name or password" in err
    assert "hunter2" not in err


def test_a_token_in_the_open() -> None:
    assert ServerClient("http://chat.example.com", TOKEN).is_open
    assert not ServerClient("http://localhost:8065", TOKEN).is_open
    assert not ServerClient("https://chat.example.com", TOKEN).is_open


def test_tokens_from_files(
    server: FakeServer,
    bundle: Path,
    capsys: pytest.CaptureFixture[str],
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    file = tmp_path / "token"
    server.token = TOKEN[::-1]
    file.write_text(f"{server.token}\n")
    assert deploy(capsys, bundle, "--token-file", file)[0] == 0
    assert server.token not in str(server.requests)
    for text, words in (("\n", "is empty"), ("two words", "is no access token"), ("\x00", "is no access token")):
        file.write_text(text)
        assert words in deploy(capsys, bundle, "--token-file", file)[2]
    file.write_bytes(b"tok\xffen")
    _, _, err = deploy(capsys, bundle, "--token-file", file)
    assert err.endswith(f"no token can be read from {file}: UnicodeDecodeError\n")
    assert "gone: No such file or directory" in deploy(capsys, bundle, "--token-file", tmp_path / "gone")[2]
    monkeypatch.delenv("MM_ADMIN_TOKEN")
    assert "set MM_ADMIN_TOKEN, or say --token-file" in deploy(capsys, bundle)[2]


def test_a_broken_bundle_is_not_uploaded(
    server: FakeServer, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    bundle = make_archive(tmp_path / "bundle.tar.gz", sound_entries()[:1])
    code, out, err = deploy(capsys, bundle)
    assert code == 1
    assert "'start' is not there" in out
    assert err.endswith("has faults, and nothing was uploaded\n")
    assert server.requests == []
    assert "does not exist" in deploy(capsys, tmp_path / "gone")[2]


@pytest.mark.usefixtures("wheels")
def test_a_folder_is_packed(server: FakeServer, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    folder = make_source(tmp_path / "plugin")
    code, out, _ = deploy(capsys, folder)
    assert code == 0
    assert out.splitlines()[-1] == "com.example.sample runs"
    assert server.uploaded[:2] == b"\x1f\x8b"
    assert sorted(path.name for path in folder.iterdir()) == ["plugin.json", "plugin.py"]
