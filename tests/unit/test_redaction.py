"""Messages in the log show none of the fields that the contract marks as secret."""

import json
import logging
from typing import Any

import pytest
from google.protobuf import descriptor_pb2, descriptor_pool, message_factory

from mattermost_plugin._hclog import format_record
from mattermost_plugin._redaction import exception_text, redacted_text
from mattermost_pluginapi import options_pb2


def logged(msg: object = "text", /, *args: object, **extra: object) -> str:
    record = logging.LogRecord("name", logging.INFO, __file__, 1, msg, args, None)
    vars(record).update(extra)
    line = format_record(record).decode()
    json.loads(line)
    return line


def message_class() -> Any:
    """A message type with secrets, made as protoc would: the field options travel in its descriptor."""
    file = descriptor_pb2.FileDescriptorProto(name="test_hclog.proto", package="test.hclog", syntax="proto3")
    file.dependency.append(options_pb2.DESCRIPTOR.name)
    message = file.message_type.add(name="Account")
    kinds = descriptor_pb2.FieldDescriptorProto
    for number, (name, kind, label) in enumerate(
        [
            ("name", kinds.TYPE_STRING, kinds.LABEL_OPTIONAL),
            ("password", kinds.TYPE_STRING, kinds.LABEL_OPTIONAL),
            ("tokens", kinds.TYPE_STRING, kinds.LABEL_REPEATED),
            ("content", kinds.TYPE_BYTES, kinds.LABEL_OPTIONAL),
            ("friends", kinds.TYPE_MESSAGE, kinds.LABEL_REPEATED),
            ("parent", kinds.TYPE_MESSAGE, kinds.LABEL_OPTIONAL),
            ("by_name", kinds.TYPE_MESSAGE, kinds.LABEL_REPEATED),
        ],
        start=1,
    ):
        field = message.field.add(name=name, number=number, type=kind, label=label)
        if kind == kinds.TYPE_MESSAGE:
            field.type_name = ".test.hclog.Account" + (".ByNameEntry" if name == "by_name" else "")
        if name in ("password", "tokens"):
            field.options.Extensions[options_pb2.field].secret = True
    entry = message.nested_type.add(name="ByNameEntry")
    entry.options.map_entry = True
    entry.field.add(name="key", number=1, type=kinds.TYPE_STRING, label=kinds.LABEL_OPTIONAL)
    entry.field.add(
        name="value", number=2, type=kinds.TYPE_MESSAGE, label=kinds.LABEL_OPTIONAL, type_name=".test.hclog.Account"
    )
    pool = descriptor_pool.Default()
    try:
        pool.FindFileByName(file.name)
    except KeyError:
        pool.AddSerializedFile(file.SerializeToString())
    return message_factory.GetMessageClass(pool.FindMessageTypeByName("test.hclog.Account"))


Account = message_class()
SECRET = "hunter2"


def account(**fields: object) -> Any:
    return Account(name="ann", password=SECRET, tokens=[SECRET, SECRET], **fields)


def test_secret_fields_are_left_out() -> None:
    text = redacted_text(account(content=b"12345"))
    assert text == 'Account {name: "ann", password: <redacted>, tokens: <redacted>, content: <5 bytes>}'


def test_secrets_inside_other_messages_are_left_out() -> None:
    outer = account(friends=[account()] * 30, parent=account(parent=account()), by_name={"x": account()})
    text = redacted_text(outer)
    assert SECRET not in text
    assert "\n" not in text
    assert len(text) < 2100


def test_deep_messages_end() -> None:
    message = account()
    for _ in range(50):
        message = account(parent=message)
    assert "Account {...}" in redacted_text(message)


@pytest.mark.parametrize("template", ["%s", "%r", "user %20s logs in"])
def test_messages_as_log_arguments_show_no_secrets(template: str) -> None:
    text = logged(template, account(friends=[account()]))
    assert SECRET not in text
    assert "<redacted>" in text


@pytest.mark.parametrize(
    "value",
    [
        account(),
        [account()],
        {"a": (account(),)},
        account(friends=[account()]).friends,
        account(by_name={"x": account()}).by_name,
    ],
    ids=["message", "list", "dict", "repeated", "map"],
)
def test_messages_inside_other_values_show_no_secrets(value: object) -> None:
    for line in (logged("%s", value), logged("%(v)s", {"v": value}), logged(value=value), logged(value)):
        assert SECRET not in line
        assert "ann" in line


class WordlessError(Exception):
    def __str__(self) -> str:
        raise RuntimeError("no words")


RAISED = (ValueError, OSError, WordlessError, ExceptionGroup)


@pytest.mark.parametrize(
    ("error", "text"),
    [
        (ValueError("bad"), "ValueError: bad"),
        (ValueError(), "ValueError"),
        (KeyError("key"), "KeyError: 'key'"),
        (WordlessError("x"), "WordlessError: <WordlessError without text: RuntimeError>"),
        (ValueError("lone \ud800"), "ValueError: lone \\ud800"),
        (ValueError(Account(name="ann")), 'ValueError: Account {name: "ann"}'),
        (ValueError("no", Account(name="ann"), 3), 'ValueError: no, Account {name: "ann"}, 3'),
    ],
)
def test_any_exception_has_a_text(error: Exception, text: str) -> None:
    assert exception_text(error) == text


@pytest.mark.parametrize(
    "error",
    [
        ValueError(account()),
        ValueError("text", account()),
        ValueError([account()], {"a": account()}),
        ValueError(KeyError(account())),
        WordlessError(account()),
        ExceptionGroup("group", [ValueError(account()), OSError("other")]),
    ],
    ids=["one", "two", "nested", "exception", "wordless", "group"],
)
def test_exceptions_with_messages_show_no_secrets(error: Exception) -> None:
    def with_cause() -> None:
        try:
            raise error
        except RAISED as cause:
            raise OSError("after") from cause

    def in_context() -> None:
        try:
            raise error
        except RAISED:
            raise OSError("after")  # noqa: B904 - the context is what is tested

    def alone() -> None:
        raise error

    assert SECRET not in exception_text(error)
    assert SECRET not in logged("%s %r", error, error) + logged(error=error, errors=[error]) + logged(error)
    for function in (with_cause, in_context, alone):
        with pytest.raises(RAISED) as caught:
            function()
        info = (caught.type, caught.value, caught.tb)
        line = format_record(logging.LogRecord("name", logging.ERROR, __file__, 1, "text", (), info)).decode()
        assert SECRET not in line
        assert f"in {function.__name__}" in line
        assert "ann" in line


def test_a_cycle_of_exceptions_ends() -> None:
    first, second = ValueError(account()), OSError("second")
    first.__cause__, second.__cause__ = second, first
    record = logging.LogRecord("name", logging.ERROR, __file__, 1, "text", (), (OSError, first, None))
    pairs = json.loads(format_record(record))
    assert SECRET not in pairs["traceback"]
    assert pairs["traceback"].index("OSError: second") < pairs["traceback"].index("ValueError: Account")
