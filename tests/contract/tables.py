"""The contract's tables, and the comparison of an API with them."""

import csv
import re
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

TABLES = Path(__file__).parent

# Our own additions to a contract message start here, out of reach of what the contract may still assign.
FIRST_ADDED_NUMBER = 1000


@dataclass(frozen=True)
class Field:
    """A field of a message, or a value of an enum (which has an empty type)."""

    name: str
    number: int
    type: str = ""


@dataclass(frozen=True)
class Rpc:
    """An rpc with "stream " before the type that is a stream."""

    name: str
    request: str
    response: str


@dataclass(frozen=True)
class Api:
    """What a host and a plugin must agree on."""

    messages: dict[str, tuple[Field, ...]]
    enums: dict[str, tuple[Field, ...]]
    rpcs: dict[str, Rpc]

    def reached(self) -> "Api":
        """Leave out what no rpc reaches."""
        found: set[str] = set()
        queue = [t.removeprefix("stream ") for rpc in self.rpcs.values() for t in (rpc.request, rpc.response)]
        while queue:
            name = queue.pop()
            if name not in found and (name in self.messages or name in self.enums):
                found.add(name)
                queue += [re.split(r"[ ,<>]+", field.type.rstrip(">"))[-1] for field in self.messages.get(name, ())]
        return Api(
            {name: fields for name, fields in self.messages.items() if name in found},
            {name: values for name, values in self.enums.items() if name in found},
            self.rpcs,
        )


@dataclass(frozen=True)
class Method:
    """A row of api.tsv."""

    name: str
    since: str
    in_contract: bool


@dataclass(frozen=True)
class Hook:
    """A row of hooks.tsv."""

    name: str
    since: str
    in_contract: bool
    has_context: bool


def table(name: str) -> list[list[str]]:
    with (TABLES / name).open(encoding="utf-8", newline="") as table:
        return list(csv.reader(table, delimiter="\t", quoting=csv.QUOTE_NONE))[1:]


def contract(rows: Sequence[Sequence[str]], service: str = "PluginHooks") -> Api:
    """What grpc.tsv says about one of the services."""
    messages: dict[str, tuple[Field, ...]] = {}
    enums: dict[str, tuple[Field, ...]] = {}
    rpcs: dict[str, Rpc] = {}
    for kind, owner, name, first, second, _file in rows:
        match kind:
            case "message":
                messages.setdefault(owner, ())
            case "field":
                messages[owner] = (*messages.get(owner, ()), Field(name, int(first), second))
            case "enum":
                enums[owner] = (*enums.get(owner, ()), Field(name, int(first)))
            case "rpc" if owner == service:
                rpcs[name] = Rpc(name, first, second)
            case "rpc":
                pass
            case _:
                raise AssertionError(f"grpc.tsv has a row of an unknown kind: {kind}")
    return Api(messages, enums, rpcs).reached()


def hooks() -> dict[str, Hook]:
    """What hooks.tsv says."""
    return {
        row[0]: Hook(row[0], since=row[1], in_contract=row[2] == "yes", has_context=row[4].startswith("c:*Context"))
        for row in table("hooks.tsv")
    }


def methods() -> dict[str, Method]:
    """What api.tsv says."""
    return {row[0]: Method(row[0], since=row[1], in_contract=row[2] == "yes") for row in table("api.tsv")}


def differences(expected: Api, actual: Api) -> list[str]:
    """Where the protos break the contract; additions from number 1000 up do not."""
    found: list[str] = []
    for kind, theirs, ours in (("message", expected.messages, actual.messages), ("enum", expected.enums, actual.enums)):
        for owner, members in theirs.items():
            if owner not in ours:
                found.append(f"{kind} {owner} is missing")
                continue
            by_name = {member.name: member for member in ours[owner]}
            found += [
                f"{owner}.{member.name}: {by_name.get(member.name)} is not {member}"
                for member in members
                if by_name.get(member.name) != member
            ]
            known = {member.name for member in members}
            found += [
                f"{owner}.{name} is an addition with number {member.number}"
                for name, member in by_name.items()
                if name not in known and (kind == "enum" or member.number < FIRST_ADDED_NUMBER)
            ]
    found += [
        f"rpc {name}: {actual.rpcs.get(name)} is not {rpc}"
        for name, rpc in expected.rpcs.items()
        if actual.rpcs.get(name) != rpc
    ]
    return found
