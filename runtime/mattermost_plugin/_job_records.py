"""What is stored of jobs: small JSON objects, which are never changed but replaced on the condition that they are as
they were read. The server may read from a copy of its database that lags behind; such a condition never does."""

from __future__ import annotations

import json
import secrets
from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Final, Self

from mattermost_plugin._schedule import is_time

MAX_PAYLOAD_BYTES: Final = 64 * 1024
"""Of a one-shot job's payload as JSON: every node reads all jobs again and again."""

_MAX_RECORD_BYTES: Final = MAX_PAYLOAD_BYTES + 1024


@dataclass(frozen=True, slots=True)
class RecurringRecord:
    """How far a recurring job is."""

    last_ms: int
    """The last due time that is done with; at first, when the job was first seen."""
    has_run: bool = False
    """Whether a run was due then."""
    tries: int = 0
    """How many runs were begun since then that have not ended."""
    by: str = ""
    """Who began the latest: random, so that no two claims are alike."""

    @classmethod
    def decode(cls, raw: bytes) -> Self | None:
        """Read it; None if it is not readable."""
        match _decode_object(raw):
            case {
                "last": int(last_ms),
                "ran": bool(has_run),
                "tries": int(tries),
                "by": str(by),
            } if is_time(last_ms):
                return cls(last_ms, has_run, tries, by)
        return None

    def encode(self) -> bytes:
        """Write it."""
        return _encode(
            {
                "last": self.last_ms,
                "ran": self.has_run,
                "tries": self.tries,
                "by": self.by,
            }
        )

    def claimed(self) -> Self:
        """The record while a run goes on."""
        return replace(self, tries=self.tries + 1, by=secrets.token_hex(8))

    def done(self, due_ms: int) -> Self:
        """The record after that due time."""
        return replace(self, last_ms=due_ms, has_run=True, tries=0, by="")


@dataclass(frozen=True, slots=True)
class OneShotRecord:
    """A one-shot job."""

    due_ms: int
    """When it is to run, or to run again."""
    payload: Mapping[str, object]
    """What its author gave it."""
    plan: str
    """Which planning of the job this is: random, so that a new one is never taken for the one that it replaces."""
    attempt: int = 0
    """How many runs were begun."""
    has_failed: bool = False
    """Whether it is kept only to be looked at: it has failed too often."""
    by: str = ""
    """Who began the latest run: random, so that no two claims are alike."""

    @classmethod
    def planned(cls, due_ms: int, payload: object) -> Self:
        """A new job.

        Raises:
            TypeError: the payload is no JSON object.
            ValueError: it cannot be written as JSON, or is too large.
        """
        return cls(due_ms, checked_payload(payload), secrets.token_hex(8))

    @classmethod
    def decode(cls, raw: bytes) -> Self | None:
        """Read it; None if it is not readable."""
        match _decode_object(raw):
            case {
                "due": int(due_ms),
                "payload": dict(payload),
                "plan": str(plan),
                "attempt": int(attempt),
                "failed": bool(has_failed),
                "by": str(by),
            } if is_time(due_ms):
                return cls(due_ms, payload, plan, attempt, has_failed, by)
        return None

    def encode(self) -> bytes:
        """Write it."""
        return _encode(
            {
                "due": self.due_ms,
                "payload": self.payload,
                "plan": self.plan,
                "attempt": self.attempt,
                "failed": self.has_failed,
                "by": self.by,
            }
        )

    def claimed(self) -> Self:
        """The job while a run goes on. Should its node die, it stays due."""
        return replace(self, attempt=self.attempt + 1, by=secrets.token_hex(8))

    def postponed(self, due_ms: int) -> Self:
        """The job after a run that has failed."""
        return replace(self, due_ms=due_ms)

    def given_up(self) -> Self:
        """The job after the last run."""
        return replace(self, has_failed=True)


def checked_payload(payload: object) -> dict[str, object]:
    """The payload as a run will get it.

    Raises:
        TypeError: it is no JSON object.
        ValueError: it cannot be written as JSON, or is too large.
    """
    if payload is None:
        return {}
    if not isinstance(payload, Mapping) or not all(isinstance(key, str) for key in payload):
        raise TypeError("the payload of a job must be a mapping with str keys, a JSON object")
    try:
        raw = _encode(dict(payload))
    except TypeError as error:
        raise TypeError(f"the payload of a job must hold JSON values only: {error}") from None
    except (ValueError, RecursionError):
        raise ValueError(
            "the payload of a job cannot be written as JSON: a number is not finite, or it is endless"
        ) from None
    if len(raw) > MAX_PAYLOAD_BYTES:
        raise ValueError(f"the payload of a job is {len(raw)} bytes of JSON, and {MAX_PAYLOAD_BYTES} are taken")
    copy: dict[str, object] = json.loads(raw)
    return copy


def _encode(value: Mapping[str, object]) -> bytes:
    return json.dumps(value, allow_nan=False, separators=(",", ":")).encode()


def _decode_object(raw: bytes) -> dict[str, object]:
    """The JSON object; an empty one if it is something else."""
    if len(raw) > _MAX_RECORD_BYTES:
        return {}
    try:
        value = json.loads(raw)
    except (ValueError, RecursionError):
        return {}
    return value if isinstance(value, dict) else {}
