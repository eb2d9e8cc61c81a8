"""What a plugin that calls one method loads and compiles of the struct codec."""

import subprocess
import sys

SCRIPT = """
import sys
from mattermost_plugin._gob.readers import READERS
from mattermost_plugin._gob.writers import WRITERS
from mattermost_plugin._stock import patch, struct_sources, struct_targets

def loaded():
    return {name for name in sys.modules if name.startswith("mattermost_pluginapi.v1.api_")}

name = "plugin.Z_GetUserReturns"
assert loaded() == set()
target, source = struct_targets.struct_target(name), struct_sources.struct_source(name)
assert loaded() == {"mattermost_pluginapi.v1.api_user_pb2"}, loaded()
assert not READERS._functions and not WRITERS._functions
assert "mattermost_pluginapi.stock.json_types" not in sys.modules

from mattermost_plugin._gob import Decoder, Encoder
from mattermost_plugin._stock.go_types import go_type
from mattermost_pluginapi.v1.api_user_pb2 import GetUserResponse

response = GetUserResponse()
response.user.id = "u"
decoder = Decoder()
decoder.feed(Encoder(struct_sources.registry()).encode(response, go_type(name), source))
assert decoder.next_value(target) == response
assert loaded() == {"mattermost_pluginapi.v1.api_user_pb2"}
print(len(READERS._functions), len(WRITERS._functions))
assert "mattermost_pluginapi.stock.json_types" not in sys.modules
assert target is struct_targets.struct_target(name)
assert source is struct_sources.struct_source(name)
assert patch.object_source("model.Post") is patch.object_source("model.Post")
"""


def test_only_what_a_method_needs_is_loaded_and_compiled() -> None:
    done = subprocess.run([sys.executable, "-c", SCRIPT], capture_output=True, text=True, check=False, timeout=60)
    assert done.stderr == ""
    assert done.stdout.split() == ["2", "2"]
