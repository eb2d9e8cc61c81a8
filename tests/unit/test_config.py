"""The configuration: defaults, the environment, and errors that name every fault."""

import dataclasses
import logging
import pickle
from pathlib import Path
from typing import Any

import pytest

from mattermost_plugin.config import ENVIRONMENT_VARIABLES, RuntimeConfig, load_runtime_config
from mattermost_plugin.errors import ConfigError, HandlerTimeout, HeadersSentError, HookError, PluginError

GOOD = {
    "MATTERMOST_PLUGIN_ID": ("com.example.one", "com.example.one"),
    "MATTERMOST_PLUGIN_PATH": ("/", Path("/")),
    "MATTERMOST_PLUGIN_API_TARGET": ("127.0.0.1:41234", "127.0.0.1:41234"),
    "MATTERMOST_PLUGIN_API_TIMEOUT": ("7.5", 7.5),
    "MATTERMOST_PLUGIN_LOG_LEVEL": ("warning", "warning"),
    "MATTERMOST_PLUGIN_HOOK_TIMEOUT": ("12.5", 12.5),
    "MATTERMOST_PLUGIN_WORKERS": ("1024", 1024),
    "MATTERMOST_PLUGIN_HTTP_WORKERS": ("1", 1),
    "MATTERMOST_PLUGIN_LISTEN": ("TCP", "tcp"),
    "MATTERMOST_PLUGIN_WIRE": ("NetRPC", "netrpc"),
    "MATTERMOST_PLUGIN_REFLECTION": ("Yes", True),
    "MATTERMOST_PLUGIN_DRAIN": ("0", 0.0),
    "MATTERMOST_PLUGIN_DEACTIVATE": ("1.5", 1.5),
    "MATTERMOST_PLUGIN_MAX_MESSAGE_BYTES": ("65536", 65536),
    "MATTERMOST_PLUGIN_LOOP_BLOCK_WARN": ("0.5", 0.5),
    "MATTERMOST_PLUGIN_LOOP_BLOCK_EXIT": ("5", 5.0),
}

BAD = {
    "MATTERMOST_PLUGIN_ID": ["two words", "a/b"],
    "MATTERMOST_PLUGIN_PATH": ["/no/such/folder"],
    "MATTERMOST_PLUGIN_API_TARGET": [
        "localhost",
        ":80",
        "host:0",
        "host:65536",
        "host:x",
        "a b:80",
        "unix:",
        "unix:/a b",
    ],
    "MATTERMOST_PLUGIN_API_TIMEOUT": ["0", "-1", "soon", "nan", "inf"],
    "MATTERMOST_PLUGIN_LOG_LEVEL": ["loud", "10"],
    "MATTERMOST_PLUGIN_HOOK_TIMEOUT": ["0", "-1", "soon", "nan", "inf"],
    "MATTERMOST_PLUGIN_WORKERS": ["0", "1025", "2.5", "many"],
    "MATTERMOST_PLUGIN_HTTP_WORKERS": ["0", "1025", "x"],
    "MATTERMOST_PLUGIN_LISTEN": ["udp"],
    "MATTERMOST_PLUGIN_WIRE": ["http"],
    "MATTERMOST_PLUGIN_REFLECTION": ["maybe"],
    "MATTERMOST_PLUGIN_DRAIN": ["-0.1", "1.6"],
    "MATTERMOST_PLUGIN_DEACTIVATE": ["0", "1.6", "1.1"],  # 1.1 fits alone, not with drain_s
    "MATTERMOST_PLUGIN_MAX_MESSAGE_BYTES": ["65535", "2147483648"],
    "MATTERMOST_PLUGIN_LOOP_BLOCK_WARN": ["0"],
    "MATTERMOST_PLUGIN_LOOP_BLOCK_EXIT": ["0", "1"],  # 1 is the default of the warning
}


def test_every_field_has_one_variable_and_a_good_and_a_bad_case() -> None:
    assert list(ENVIRONMENT_VARIABLES) == [field.name for field in dataclasses.fields(RuntimeConfig)]
    assert set(ENVIRONMENT_VARIABLES.values()) == set(GOOD) == set(BAD)


def test_an_empty_environment_gives_the_defaults(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    config = load_runtime_config({})
    assert config == RuntimeConfig()
    assert config.plugin_path == tmp_path
    assert (config.hook_timeout_s, config.workers, config.listen) == (25.0, 16, "unix")
    assert config.log_level_number == logging.INFO


def test_the_process_environment_is_the_default_source(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("MATTERMOST_PLUGIN_WORKERS", "3")
    assert load_runtime_config().workers == 3


@pytest.mark.parametrize("variable", GOOD)
def test_good_values(variable: str) -> None:
    text, expected = GOOD[variable]
    field = {name: key for key, name in ENVIRONMENT_VARIABLES.items()}[variable]
    base = {"MATTERMOST_PLUGIN_DRAIN": "0"}
    assert getattr(load_runtime_config(base | {variable: f" {text} "}), field) == expected


@pytest.mark.parametrize(("variable", "text"), [(name, text) for name in BAD for text in BAD[name]])
def test_bad_values_are_named_with_what_is_accepted(variable: str, text: str) -> None:
    with pytest.raises(ConfigError) as caught:
        load_runtime_config({variable: text})
    assert caught.value.variable == variable
    assert caught.value.value in (text, str(float(text)) if text.replace(".", "").isdigit() else text)
    assert str(caught.value).startswith(f"{variable}=")
    assert caught.value.reason.startswith("must be")
    assert len(caught.value.faults) == 1


@pytest.mark.parametrize(
    "target", ["localhost:8065", "[::1]:1", "unix:/run/api.sock", "unix:///run/api.sock", "unix-abstract:api"]
)
def test_addresses_of_the_plugin_api(target: str) -> None:
    assert RuntimeConfig(api_target=target).api_target == target


def test_an_empty_variable_counts_as_not_set() -> None:
    assert load_runtime_config({"MATTERMOST_PLUGIN_WORKERS": " "}).workers == 16


def test_all_faults_are_in_one_error() -> None:
    with pytest.raises(ConfigError) as caught:
        load_runtime_config({name: values[0] for name, values in BAD.items()})
    assert {fault.variable for fault in caught.value.faults} == set(BAD)
    for name, values in BAD.items():
        assert f"{name}={values[0]!r}" in str(caught.value)


@pytest.mark.parametrize("level", ["TRACE", "debug", "Info", "WARN", "warning", "error", logging.ERROR])
def test_levels_in_any_case(level: str | int) -> None:
    assert RuntimeConfig(log_level=level).log_level_number in (5, 10, 20, 30, 40)


def test_the_end_fits_into_the_hosts_patience() -> None:
    assert RuntimeConfig(drain_s=0.6, deactivate_s=0.9).deactivate_s == 0.9
    with pytest.raises(ConfigError) as caught:
        RuntimeConfig(drain_s=1.4, deactivate_s=0.59)
    assert caught.value.reason == "must be at most 1.5 together with drain_s (1.4)"


def test_values_given_in_code_are_checked_too() -> None:
    wrong: dict[str, Any] = {"workers": True, "hook_timeout_s": "25", "plugin_path": "/", "drain_s": None}
    with pytest.raises(ConfigError) as caught:
        RuntimeConfig(**wrong)
    names = [fault.variable for fault in caught.value.faults]
    assert names == ["plugin_path", "hook_timeout_s", "workers", "drain_s"]


def test_the_id_comes_from_the_manifest_unless_the_environment_says(tmp_path: Path) -> None:
    (tmp_path / "plugin.json").write_text('{"id": "com.example.manifest"}')
    environ = {"MATTERMOST_PLUGIN_PATH": str(tmp_path)}
    assert load_runtime_config(environ).plugin_id == "com.example.manifest"
    assert load_runtime_config(environ | {"MATTERMOST_PLUGIN_ID": "other"}).plugin_id == "other"


@pytest.mark.parametrize("manifest", [b"", b"{", b"[]", b'{"id": 1}', b'{"id": "a b"}', b"\xff", b"{}", b"[" * 100_000])
def test_a_broken_manifest_is_no_failure(tmp_path: Path, manifest: bytes) -> None:
    (tmp_path / "plugin.json").write_bytes(manifest)
    assert load_runtime_config({"MATTERMOST_PLUGIN_PATH": str(tmp_path)}).plugin_id == ""


def test_a_missing_manifest_is_no_failure(tmp_path: Path) -> None:
    assert load_runtime_config({"MATTERMOST_PLUGIN_PATH": str(tmp_path)}).plugin_id == ""


def test_errors_have_one_base_and_survive_a_process_pool() -> None:
    errors: list[PluginError] = [
        ConfigError("A", "1", "must be 2"),
        HookError("text", id="an.id", status_code=404, params={"n": 1}),
        HandlerTimeout("OnActivate", 25.0),
    ]
    for error in errors:
        copy = pickle.loads(pickle.dumps(error))
        assert (type(copy), str(copy), vars(copy)) == (type(error), str(error), vars(error))
    assert issubclass(HeadersSentError, RuntimeError)
    assert str(errors[2]) == "OnActivate: the handler did not finish within 25 s"
