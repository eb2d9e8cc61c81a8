"""What a plugin prints and logs, as the host classified it; nothing of it may disturb the host or block the plugin."""

from collections.abc import Iterator

import pytest

from tests.peer.conftest import StartPlugin, log_end, start_plugin
from tests.peer.gohost import GoHost, GoPlugin, LogRecord

LONG_LINE_BYTES = 200 * 1024
# With it, what is printed before the SDK is imported goes straight to the host and ends the start.
BUFFERED: dict[str, str | None] = {"PYTHONUNBUFFERED": None}

MANY_LINES = 20_000  # two MiB: more than all pipes on the way hold together


@pytest.fixture(scope="module")
def noisy(host: GoHost) -> Iterator[GoPlugin]:
    plugin = start_plugin(host, "noisy.py", env=BUFFERED | {"MATTERMOST_PLUGIN_LOG_LEVEL": "TRACE"})
    yield plugin
    assert plugin.ping().ok
    assert plugin.kill().graceful


def run(plugin: GoPlugin, command: str) -> int:
    """Runs a command; gives where the records of it begin."""
    before = log_end(plugin)
    result = plugin.call("ExecuteCommand", {"args": {"command": command}})
    assert result.response == {"response": {"text": "done"}}, result
    return before


def test_what_is_printed_at_import_is_in_the_log_and_not_in_the_handshake(noisy: GoPlugin) -> None:
    for text in ("printed before the SDK is imported", "printed after the SDK is imported"):
        record = noisy.wait_log(text, source="plugin")
        assert (record.level, record.pairs["@module"]) == ("info", "stdout")
    assert noisy.wait_log("written to stderr at import").level == "warn"
    assert noisy.wait_log("logged at import").pairs["@module"] == "noisy.module"


def test_print_is_logged_line_by_line(noisy: GoPlugin) -> None:
    before = run(noisy, "print one\ntwo\n\nthrée")

    for text in ("one", "two", "thrée"):
        assert noisy.wait_log(text, source="plugin", after=before).message == text


def test_a_line_without_end_neither_blocks_nor_gets_lost(noisy: GoPlugin) -> None:
    before = run(noisy, f"long {LONG_LINE_BYTES}")
    run(noisy, "print the end")

    end = noisy.wait_log("the end", source="plugin", after=before)

    pieces = [record for record in noisy.logs(after=before) if record.index <= end.index and "xx" in record.message]
    assert sum(record.message.count("x") for record in pieces) == LONG_LINE_BYTES
    assert {record.level for record in pieces} == {"info"}


def test_many_lines_neither_block_nor_get_lost(noisy: GoPlugin) -> None:
    before = run(noisy, f"lines {MANY_LINES}")

    noisy.wait_log(f"line {MANY_LINES - 1} ", source="plugin", after=before)

    lines = [record for record in noisy.logs(after=before) if record.message.startswith("line ")]
    assert [int(record.message.split()[1]) for record in lines] == list(range(MANY_LINES))


def test_any_text_can_be_printed_whatever_the_locale(start: StartPlugin) -> None:
    plain = {"LC_ALL": "C", "PYTHONUTF8": "0", "PYTHONCOERCECLOCALE": "0", "PYTHONIOENCODING": "ascii"}
    plugin = start("noisy.py", env=BUFFERED | plain)

    before = run(plugin, "print thrée 😀")

    assert plugin.wait_log("thr", source="plugin", after=before).message == "thrée 😀"


def test_what_bypasses_python_is_logged(noisy: GoPlugin) -> None:
    before = run(noisy, "raw text")

    assert noisy.wait_log("raw text", after=before).source == "plugin"
    assert noisy.wait_log("from C text", after=before).source == "plugin"


def test_bytes_that_are_no_text_are_logged(noisy: GoPlugin) -> None:
    before = run(noisy, "bytes")

    assert noisy.wait_log("not UTF-8", after=before).message == r"not UTF-8: \xff\xfe"


@pytest.mark.parametrize(
    ("text", "level"),
    [
        ("at trace", "trace"),
        ("at debug", "debug"),
        ("at info", "info"),
        ("at warning", "warn"),
        ("at error", "error"),
        ("at critical", "error"),
    ],
)
def test_levels_and_values_are_the_hosts(noisy: GoPlugin, text: str, level: str) -> None:
    before = run(noisy, "levels")

    record = noisy.wait_log(text, source="plugin", after=before)

    assert record.level == level
    values = {name: record.pairs[name] for name in ("number", "nothing", "list", "text")}
    assert values == {"number": 7, "nothing": None, "list": [1, "two"], "text": "é"}
    assert record.pairs["@module"] == "Noisy"


@pytest.mark.parametrize(
    ("setting", "first"), [("DEBUG", "at debug"), ("warning", "at warning"), ("ERROR", "at error")]
)
def test_the_level_is_a_setting(start: StartPlugin, setting: str, first: str) -> None:
    plugin = start("noisy.py", env=BUFFERED | {"MATTERMOST_PLUGIN_LOG_LEVEL": setting})
    before = run(plugin, "levels")

    last = plugin.wait_log("at critical", after=before)

    logged = [record.message for record in plugin.logs(after=before) if record.message.startswith("at ")]
    assert logged[0] == first
    assert logged[-1] == last.message


def test_info_is_the_level_by_default(start: StartPlugin) -> None:
    plugin = start("noisy.py", env=BUFFERED)
    before = run(plugin, "levels")
    plugin.wait_log("at critical", after=before)

    assert [record.level for record in plugin.logs(after=before) if record.message.startswith("at ")] == [
        "info",
        "warn",
        "error",
        "error",
    ]


def test_no_value_can_harm_the_host(noisy: GoPlugin) -> None:
    before = run(noisy, "bad-extra")

    record = noisy.wait_log("with bad values", source="plugin", after=before)
    assert record.level == "info"
    assert record.pairs["extra_level"] == 5
    assert record.pairs["big"] == str(2**70)
    assert "object object" in str(record.pairs["odd"])
    assert "do not fit" in str(noisy.wait_log("with %d arguments", after=before).pairs["log_format_error"])
    assert "bytes cut" in noisy.wait_log("xxxx", source="plugin", after=before).message


def test_an_exception_is_one_record(noisy: GoPlugin) -> None:
    before = run(noisy, "exception")

    record = noisy.wait_log("an exception\nwith a second line", level="error", after=before)

    assert record.pairs["error"] == "ValueError: inner\nwith a second line"
    assert "in do_exception" in str(record.pairs["traceback"])


def test_an_exception_in_a_thread_is_logged(noisy: GoPlugin) -> None:
    before = run(noisy, "thread")

    record = noisy.wait_log("author", level="error", source="plugin", after=before)

    assert "RuntimeError: in a thread" in str(record.pairs["traceback"])


def test_a_warning_is_logged(noisy: GoPlugin) -> None:
    before = run(noisy, "warning")

    assert noisy.wait_log("use something else", source="plugin", after=before).level == "warn"


def test_a_line_that_would_end_the_host_does_not_reach_it_as_it_is(noisy: GoPlugin) -> None:
    before = run(noisy, "bad-line")
    run(noisy, "print the end")
    end = noisy.wait_log("the end", source="plugin", after=before)

    def is_bad_line(record: LogRecord) -> bool:
        return before <= record.index < end.index and record.message.startswith('{"@level": 5')

    assert [record.level for record in noisy.logs(after=before) if is_bad_line(record)].count("warn") == 1
    assert [record.level for record in noisy.logs(after=before) if is_bad_line(record)].count("info") == 2


def test_a_childs_lines_keep_their_level(noisy: GoPlugin) -> None:
    before = run(noisy, "child")

    record = noisy.wait_log("the child warns", source="plugin", after=before)
    assert (record.level, record.pairs["@module"], record.pairs["n"]) == ("warn", "child", 1)
    assert noisy.wait_log("plain from the child", source="plugin", after=before).level == "warn"


def test_a_plugin_may_close_its_output(start: StartPlugin) -> None:
    plugin = start("noisy.py", env=BUFFERED)
    run(plugin, "close")

    before = run(plugin, "levels")

    plugin.wait_log("at error", source="plugin", after=before)
    assert plugin.kill().graceful


@pytest.mark.parametrize("set_up", ["none", "dict", "dict-root", "basic", "basic-force"])
def test_a_failed_handler_is_logged_whatever_logging_is_set_up(start: StartPlugin, set_up: str) -> None:
    plugin = start("set_up.py", set_up)

    plugin.call("MessageHasBeenPosted")

    record = plugin.wait_log("message_has_been_posted", level="error", source="plugin")
    assert record.pairs["error"] == "RuntimeError: the handler fails"


@pytest.mark.parametrize("set_up", ["basic", "basic-force"])
def test_a_logging_set_up_before_the_sdk_gives_no_line_twice(start: StartPlugin, set_up: str) -> None:
    plugin = start("set_up.py", set_up, "early")

    plugin.call("ChannelHasBeenCreated")

    plugin.kill()
    lines = [record for record in plugin.logs() if "the author warns" in record.message]
    assert [(record.level, record.pairs["@module"]) for record in lines] == [("warn", "author")]
