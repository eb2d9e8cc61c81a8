"""The handshake line and the host's environment."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from mattermost_plugin import _handshake
from mattermost_plugin._handshake import (
    APP_PROTOCOL_VERSION,
    COOKIE_KEY,
    COOKIE_VALUE,
    HostEnvironment,
    claim_environment,
    explain_not_a_plugin,
    format_handshake_line,
    read_host_environment,
    require_supported_host,
    version_problem,
)
from mattermost_plugin.errors import HandshakeError

HOST = {
    COOKIE_KEY: COOKIE_VALUE,
    "PLUGIN_MIN_PORT": "10000",
    "PLUGIN_MAX_PORT": "25000",
    "PLUGIN_PROTOCOL_VERSIONS": "1",
}


def test_what_a_normal_host_says() -> None:
    assert read_host_environment(HOST) == HostEnvironment(
        started_by_host=True,
        cookie_present_but_wrong=False,
        offered_versions=(1,),
        bad_versions=(),
        client_cert_wanted=False,
        unix_socket_dir="",
        unix_socket_group="",
    )


def test_what_a_demanding_host_says() -> None:
    env = read_host_environment(
        HOST
        | {
            "PLUGIN_CLIENT_CERT": "-----BEGIN CERTIFICATE-----\n",
            "PLUGIN_UNIX_SOCKET_DIR": "/tmp/plugin-dir1",
            "PLUGIN_UNIX_SOCKET_GROUP": "mm",
        }
    )
    assert env.client_cert_wanted
    assert (env.unix_socket_dir, env.unix_socket_group) == ("/tmp/plugin-dir1", "mm")


@pytest.mark.parametrize(
    ("cookie", "started", "wrong"),
    [(None, False, False), (COOKIE_VALUE, True, False), ("", False, True), (COOKIE_VALUE + " ", False, True)],
)
def test_the_cookie(cookie: str | None, started: bool, wrong: bool) -> None:
    env = read_host_environment({} if cookie is None else {COOKIE_KEY: cookie})
    assert (env.started_by_host, env.cookie_present_but_wrong) == (started, wrong)


@pytest.mark.parametrize(
    ("text", "offered", "bad"),
    [
        ("", (), ()),
        ("2,1", (2, 1), ()),
        ("1, 2", (1, 2), ()),
        ("x,1,-1,", (1,), ("x", "-1")),
        ("99999999999999999999", (), ("99999999999999999999",)),
        ("²", (), ("²",)),
    ],
)
def test_offered_versions(text: str, offered: tuple[int, ...], bad: tuple[str, ...]) -> None:
    env = read_host_environment({"PLUGIN_PROTOCOL_VERSIONS": text})
    assert (env.offered_versions, env.bad_versions) == (offered, bad)


@given(st.dictionaries(st.sampled_from([*HOST, "PLUGIN_CLIENT_CERT", "PLUGIN_UNIX_SOCKET_DIR"]), st.text()))
def test_no_environment_makes_reading_fail(environ: dict[str, str]) -> None:
    env = read_host_environment(environ)
    version_problem(env)
    explain_not_a_plugin(env, "plugin.py")


def test_a_version_problem_is_told_and_no_common_version_is_no_crash() -> None:
    assert version_problem(read_host_environment(HOST)) is None
    assert version_problem(read_host_environment({})) is None
    text = version_problem(read_host_environment({"PLUGIN_PROTOCOL_VERSIONS": "7,8,nine"}))
    assert text is not None
    assert "7, 8" in text
    assert "nine" in text
    assert str(APP_PROTOCOL_VERSION) in text


def test_auto_mtls_is_refused_with_the_reason() -> None:
    require_supported_host(read_host_environment(HOST))
    with pytest.raises(HandshakeError, match="P-521"):
        require_supported_host(read_host_environment({"PLUGIN_CLIENT_CERT": "cert"}))


def test_claiming_leaves_nothing_that_makes_a_child_a_plugin(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(_handshake, "_claimed", None)
    environ = HOST | {
        "PLUGIN_CLIENT_CERT": "cert",
        "PLUGIN_MULTIPLEX_GRPC": "true",
        "PLUGIN_UNIX_SOCKET_DIR": "/tmp",
        "PLUGIN_UNIX_SOCKET_GROUP": "mm",
        "PLUGIN_OF_SOMEBODY_ELSE": "stays",
        "MATTERMOST_PLUGIN_API_TARGET": "127.0.0.1:1",
    }
    first = claim_environment(environ)
    assert first.started_by_host
    assert environ == {"PLUGIN_OF_SOMEBODY_ELSE": "stays", "MATTERMOST_PLUGIN_API_TARGET": "127.0.0.1:1"}
    assert claim_environment(environ) is first


def test_a_process_that_no_host_started_keeps_its_environment(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(_handshake, "_claimed", None)
    environ = {COOKIE_KEY: "wrong", "PLUGIN_PROTOCOL_VERSIONS": "1"}
    assert claim_environment(environ).cookie_present_but_wrong
    assert environ == {COOKIE_KEY: "wrong", "PLUGIN_PROTOCOL_VERSIONS": "1"}


@pytest.mark.parametrize(
    ("address", "network", "protocol", "line"),
    [
        (50051, "tcp", "grpc", "1|1|tcp|127.0.0.1:50051|grpc"),
        ("127.0.0.1:1", "tcp", "netrpc", "1|1|tcp|127.0.0.1:1|netrpc|"),
        ("[::1]:65535", "tcp", "grpc", "1|1|tcp|[::1]:65535|grpc"),
        ("/tmp/plugin1", "unix", "grpc", "1|1|unix|/tmp/plugin1|grpc"),
        ("/tmp/with blank", "unix", "grpc", "1|1|unix|/tmp/with blank|grpc"),
    ],
)
def test_lines(address: str | int, network: str, protocol: str, line: str) -> None:
    assert format_handshake_line(address, network=network, protocol=protocol) == line


@pytest.mark.parametrize(
    ("address", "network", "protocol"),
    [
        (0, "tcp", "grpc"),
        (-1, "tcp", "grpc"),
        (65536, "tcp", "grpc"),
        (50051, "unix", "grpc"),
        (50051, "udp", "grpc"),
        (50051, "tcp", "http"),
        ("", "tcp", "grpc"),
        ("localhost", "tcp", "grpc"),
        (":50051", "tcp", "grpc"),
        ("127.0.0.1:port", "tcp", "grpc"),
        ("", "unix", "grpc"),
        ("/tmp/a|b", "unix", "grpc"),
        ("/tmp/a\nb", "unix", "grpc"),
        ("/tmp/a\rb", "unix", "grpc"),
        (" /tmp/a", "unix", "grpc"),
        ("/tmp/a ", "unix", "grpc"),
    ],
)
def test_addresses_that_the_host_would_misread(address: str | int, network: str, protocol: str) -> None:
    with pytest.raises(ValueError, match=r"must|needs"):
        format_handshake_line(address, network=network, protocol=protocol)


def test_the_text_for_somebody_who_runs_a_plugin_by_hand() -> None:
    text = explain_not_a_plugin(read_host_environment({}), "plugin.py")
    assert "plugin.py is a plugin of the Mattermost server" in text
    for way in ("mattermost-plugin dev FOLDER", "mattermost-plugin deploy FOLDER", "mattermost-plugin pack FOLDER"):
        assert way in text
    assert "System Console" in text
    wrong = explain_not_a_plugin(read_host_environment({COOKIE_KEY: "1"}), "plugin.py")
    assert wrong != text
    assert COOKIE_KEY in wrong
