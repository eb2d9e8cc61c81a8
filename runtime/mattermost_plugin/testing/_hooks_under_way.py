"""Which tasks of the host wait for hooks that go on.

The host sees a hook from its call to its reply, and the runtime names what runs a handler by the handler. What the host
has called and no handler runs is on its way, there or back. What sleeps on the clock goes on when the test lets it.
"""

from __future__ import annotations

import asyncio
from collections import Counter, defaultdict
from collections.abc import Collection
from typing import Any, Final, NamedTuple

from mattermost_plugin.devhost import DevHost
from mattermost_plugin.devhost.hook_rounds import HookRounds
from mattermost_plugin.testing._control import Control
from mattermost_plugin.testing._sleep import coroutine_frames, jobs_in_threads, sleeps
from mattermost_pluginapi.hooks.names import HookName

__all__ = ["hooks_under_way"]

__tracebackhide__ = True  # pytest shows the line of the test

_BESIDE: Final = HookRounds._told.__code__
_ASK: Final = HookRounds.ask.__code__
_ASK_HTTP: Final = HookRounds.serve_http.__code__


class _Asking(NamedTuple):
    """A task of the host that waits for a hook, or does something else beside what goes on."""

    task: asyncio.Task[Any]
    label: str
    """What the runtime calls that which runs the handler; "" if it does not run in this process."""
    is_beside: bool
    """Whether nobody but `settle` waits for it."""


def hooks_under_way(host: DevHost) -> set[asyncio.Task[Any]]:
    """The tasks that wait for hooks which go on by themselves, or are on their way."""
    found: set[asyncio.Task[Any]] = set()
    asked: defaultdict[str, list[_Asking]] = defaultdict(list)
    for asking in filter(None, (_asking(host, task) for task in asyncio.all_tasks())):
        if asking.label:
            asked[asking.label].append(asking)
        elif asking.is_beside:
            found.add(asking.task)
    if asked:
        running, asleep = _handlers(asked.keys())
        for label, group in asked.items():
            beside = [each for each in group if each.is_beside]
            if len(group) > running[label]:
                found.update(each.task for each in group)
            elif len(beside) > asleep[label]:
                found.update(each.task for each in beside)
    return found


def _asking(host: DevHost, task: asyncio.Task[Any]) -> _Asking | None:
    is_beside, label, asks = False, "", False
    for frame in coroutine_frames(task.get_coro()):
        is_beside = is_beside or frame.f_code is _BESIDE
        if frame.f_code is _ASK:
            asks, label = True, _label(host, frame.f_locals["plugin"].plugin_id, frame.f_locals["request"])
        elif frame.f_code is _ASK_HTTP:
            asks, label = True, f"{HookName.ServeHTTP} handler"
    return _Asking(task, label, is_beside) if asks or is_beside else None


def _label(host: DevHost, plugin_id: str, request: Any) -> str:
    control = host.world.control
    resident = control.resident(plugin_id) if isinstance(control, Control) else None
    if resident is None:
        return ""
    spec = resident.plugin.hook_handlers.get(HookName(host.world.hooks.hook_of(request)))
    return "" if spec is None else spec.label


def _handlers(labels: Collection[str]) -> tuple[Counter[str], Counter[str]]:
    """How many handlers run of each label, and how many of these sleep."""
    running, asleep = Counter[str](), Counter[str]()
    for task in asyncio.all_tasks():
        if task.get_name() in labels:
            running[task.get_name()] += 1
            asleep[task.get_name()] += sleeps(task.get_coro())
    for label, jobs in jobs_in_threads().items():
        running[label] += len(jobs)
        asleep[label] += sum(jobs)
    return running, asleep
