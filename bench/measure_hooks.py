"""Latency and rate of MessageWillBePosted."""

from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass
from functools import partial
from typing import TypeAlias

from bench.client import PluginClient, WrongAnswerError
from bench.compare import Result, Target, interleave, result_of
from bench.effort import Effort
from bench.load import IN_FLIGHT, Load, merge, run_load
from bench.plugin_process import Mode, PluginProcess, Workplace
from bench.workload import post_request
from mattermost_pluginapi.v1.hooks_message_pb2 import MessageWillBePostedResponse

_CASES = {"changed post": False, "None": True}
"""What the handlers return, and whether that means to keep the post."""
_WARM_UP_CALLS = 500
_SLOWER_AT_MOST = Target("<=", 1.10)
_RATE_AT_LEAST = Target(">=", 1 / 1.10)


@dataclass(frozen=True, slots=True)
class _Sample:
    alone: Load
    crowd: Load
    cpu_us: float
    """Processor time of the plugin for one of the calls that came several at once."""


_Rounds: TypeAlias = list[tuple[_Sample, _Sample]]
"""What one pair of processes gave: pairs of (bare, ours)."""


async def measure_hooks(place: Workplace, effort: Effort, mode: Mode) -> list[Result]:
    """Compare handlers of one kind: `async def`, or `def` in a thread."""
    found: dict[str, list[_Rounds]] = {case: [] for case in _CASES}
    for _ in range(effort.processes):
        for case, rounds in (await _measure(place, effort, mode)).items():
            found[case].append(rounds)
    return [
        result
        for case, processes in found.items()
        for result in _results(f"{mode} hook, {case}", processes, judged=mode == "async")
    ]


async def _measure(place: Workplace, effort: Effort, mode: Mode) -> dict[str, _Rounds]:
    found: dict[str, _Rounds] = {}
    async with (
        await PluginProcess.start(place, "bare", mode) as bare,
        await PluginProcess.start(place, "sdk", mode) as ours,
        PluginClient(bare.address) as bare_client,
        PluginClient(ours.address) as our_client,
    ):
        await bare_client.activate()
        await our_client.activate()
        for case, keep in _CASES.items():
            request = post_request(keep=keep)
            for client in (bare_client, our_client):
                await _check(client, request, keep=keep)
                await run_load(partial(client.hook, request), _WARM_UP_CALLS, IN_FLIGHT)
            found[case] = await interleave(
                effort.hook_rounds,
                partial(_sample, bare, partial(bare_client.hook, request), effort),
                partial(_sample, ours, partial(our_client.hook, request), effort),
            )
    return found


async def _check(client: PluginClient, request: bytes, *, keep: bool) -> None:
    response = MessageWillBePostedResponse.FromString(await client.hook(request))
    if response.HasField("modified_post") == keep or (not keep and response.modified_post.hashtags != "#seen"):
        raise WrongAnswerError("the post came back other than the handler should have returned it")


async def _sample(process: PluginProcess, call: Callable[[], Awaitable[bytes]], effort: Effort) -> _Sample:
    alone = await run_load(call, effort.hook_calls, 1)
    cpu_before_s = process.cpu_s()
    crowd = await run_load(call, effort.hook_calls_in_flight, IN_FLIGHT)
    cpu_s = process.cpu_s() - cpu_before_s
    return _Sample(alone, crowd, cpu_s * 1e6 / effort.hook_calls_in_flight)


def _results(name: str, processes: Sequence[_Rounds], *, judged: bool) -> list[Result]:
    slower = _SLOWER_AT_MOST if judged else None
    rate = _RATE_AT_LEAST if judged else None
    rounds = [pair for found in processes for pair in found]
    alone = _merged(processes, lambda sample: sample.alone)
    crowd = _merged(processes, lambda sample: sample.crowd)
    return [
        result_of(f"{name}: p50, 1 in flight", "us", rounds, lambda sample: sample.alone.p50_us, slower),
        result_of(f"{name}: p99, 1 in flight", "us", alone, lambda load: load.p99_us),
        result_of(f"{name}: p50, {IN_FLIGHT} in flight", "us", rounds, lambda sample: sample.crowd.p50_us, slower),
        result_of(f"{name}: p99, {IN_FLIGHT} in flight", "us", crowd, lambda load: load.p99_us),
        result_of(f"{name}: rate, {IN_FLIGHT} in flight", "calls/s", rounds, lambda sample: sample.crowd.rate, rate),
        result_of(f"{name}: plugin's CPU per call", "us", rounds, lambda sample: sample.cpu_us),
    ]


def _merged(processes: Sequence[_Rounds], load: Callable[[_Sample], Load]) -> list[tuple[Load, Load]]:
    return [(merge(load(bare) for bare, _ in rounds), merge(load(ours) for _, ours in rounds)) for rounds in processes]
