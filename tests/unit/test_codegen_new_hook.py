"""The proto files are the only source: a hook that is added there, and nowhere else, is typed, served and called."""

import os
import re
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from codegen.__main__ import generate

ROOT = Path(__file__).parents[2]

RPC = """
  // Called before a teapot is declared ready.
  //
  // None: it is ready.
  rpc OnTeapotIsReady(OnTeapotIsReadyRequest) returns (OnTeapotIsReadyResponse) {
    option (mattermost.pluginapi.options.hook) = {
      minimum_server_version: "12.0"
      on_error: ON_ERROR_REJECT
    };
  }
"""

MESSAGES = """
// Arguments of OnTeapotIsReady.
message OnTeapotIsReadyRequest {
  // The session, request and client that caused the call.
  PluginContext plugin_context = 1;

  // The teapot.
  Teapot teapot = 2;
}

// Answer of OnTeapotIsReady.
message OnTeapotIsReadyResponse {
  // Teapot in its place.
  Teapot modified_teapot = 1;

  // Why it is not ready.
  string rejection_reason = 2;
}

// A teapot.
message Teapot {
  // What is in it.
  string tea = 1;
}
"""

SERVE = """
import asyncio

import grpc

from mattermost_plugin import Plugin, Reject
from mattermost_plugin.models import Teapot
from mattermost_plugin.server import PluginServer
from mattermost_pluginapi.v1 import hooks_lifecycle_pb2 as lifecycle
from mattermost_pluginapi.v1 import hooks_pb2


class Kitchen(Plugin):
    def on_teapot_is_ready(self, context, teapot):
        if teapot.tea == "coffee":
            return Reject(f"{context.user_agent} asked a teapot for coffee.")
        if teapot.tea == "milk":
            raise ValueError("no milk in the pot")
        return None if teapot.tea else Teapot(tea="Assam")


async def main():
    server = PluginServer(Kitchen)
    address = (await server.start()).split("|")[3]
    async with grpc.aio.insecure_channel(f"unix:{address}") as channel:

        async def call(rpc, request, response_type):
            path = f"/mattermost.pluginapi.v1.PluginHooks/{rpc}"
            stub = channel.unary_unary(path, type(request).SerializeToString, response_type.FromString)
            return await stub(request)

        async def ready(tea):
            request = hooks_pb2.OnTeapotIsReadyRequest(plugin_context={"user_agent": "Ada"}, teapot={"tea": tea})
            return await call("OnTeapotIsReady", request, hooks_pb2.OnTeapotIsReadyResponse)

        implemented = await call("Implemented", lifecycle.ImplementedRequest(), lifecycle.ImplementedResponse)
        assert "OnTeapotIsReady" in implemented.hooks, implemented
        assert Kitchen.implemented_hooks() == ["OnTeapotIsReady"]
        await call("OnActivate", lifecycle.OnActivateRequest(), lifecycle.OnActivateResponse)

        assert await ready("Darjeeling") == hooks_pb2.OnTeapotIsReadyResponse()
        assert (await ready("")).modified_teapot.tea == "Assam"
        assert (await ready("coffee")).rejection_reason == "Ada asked a teapot for coffee."
        failed = (await ready("milk")).rejection_reason
        assert failed and "milk" not in failed, failed
    await server.stop()


asyncio.run(main())
"""

GOOD = """
from mattermost_plugin import HookName, Plugin, Reject, hook
from mattermost_plugin.models import PluginContext, Teapot


class Kitchen(Plugin):
    async def on_teapot_is_ready(self, context: PluginContext, teapot: Teapot) -> Teapot | Reject | None:
        return Reject("It is cold.") if not teapot.tea else None


class Bar(Plugin):
    @hook(HookName.OnTeapotIsReady, on_error="allow", timeout=2)
    def refuse(self, context: PluginContext, teapot: Teapot) -> Reject:
        return Reject("This is a bar.")
"""

BAD = """
from mattermost_plugin import HookName, Plugin, hook
from mattermost_plugin.models import PluginContext, Post


class Kitchen(Plugin):
    def on_teapot_is_ready(self, context: PluginContext, teapot: Post) -> None: ...


class Bar(Plugin):
    @hook(HookName.OnTeapotIsReady)
    def refuse(self, context: PluginContext, teapot: Post) -> None: ...
"""


@pytest.fixture(scope="module")
def generated(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Code of the real proto files with one hook more."""
    scratch = tmp_path_factory.mktemp("teapot")
    protos = shutil.copytree(ROOT / "protos", scratch / "protos")
    hooks = protos / "mattermost_pluginapi/v1/hooks.proto"
    head, brace, rest = hooks.read_text(encoding="utf-8").partition("service PluginHooks {\n")
    lines = f"{head}{brace}{RPC}\n{rest}{MESSAGES}"
    common = 'import "mattermost_pluginapi/v1/common.proto";\n'
    hooks.write_text(lines if common in lines else lines.replace("\nimport", f"\n{common}import", 1), encoding="utf-8")
    out = scratch / "generated"
    out.mkdir()
    assert generate(protos, out).startswith("52 hooks, ")
    return out


def run(generated: Path, variable: str, *arguments: str) -> "subprocess.CompletedProcess[str]":
    return subprocess.run(
        [sys.executable, *arguments],
        env={**os.environ, variable: os.pathsep.join([str(generated), str(ROOT / "runtime")])},
        cwd=generated.parent,
        capture_output=True,
        text=True,
        check=False,
    )


def test_a_new_hook_is_served(generated: Path) -> None:
    done = run(generated, "PYTHONPATH", "-c", SERVE)
    assert done.returncode == 0, done.stderr


@pytest.mark.slow
def test_a_new_hook_is_typed(generated: Path) -> None:
    for name, text in (("good.py", GOOD), ("bad.py", BAD)):
        (generated.parent / name).write_text(text, encoding="utf-8")
    done = run(generated, "MYPYPATH", "-m", "mypy", "--strict", "--config-file=", "good.py", "bad.py")
    errors = [line for line in done.stdout.splitlines() if ": error: " in line]
    assert len(errors) == 2, done.stdout + done.stderr
    override, decorated = errors
    assert re.match(r'bad\.py:7: error: Argument 2 of "on_teapot_is_ready" is incompatible', override)
    assert re.match(r"bad\.py:11: error: .*OnTeapotIsReadyHandler", decorated)
