"""A small host that does to a plugin what the Mattermost server does: start it, call its hooks, stop it.

    python -m demo [folder]

The plugin is examples/greeter, or a changed copy of it in another folder: try what the demo says to that.

Read `scenario.py` for what is asked and expected, `process.py` and `handshake.py` for how a plugin starts and ends,
`client.py` and `http_stream.py` for how hooks are called. The host knows the generated packages only, not the runtime
that the plugin runs on: what it expects is what any server expects.
"""
