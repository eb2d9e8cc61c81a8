"""A development host does to a plugin what the Mattermost server does: it starts it, calls its hooks and stops it.

    python -m demo [folder]

The plugin is examples/greeter, or a changed copy of it in another folder: try what the demo says to that.

Read `expectations.py` for what people do, what the plugin must answer and what everybody must see; `scenario.py` for
the whole of it, from the start of the process to its end. The host is `mattermost_plugin.devhost`; it speaks the
server's protocol to a process that knows nothing of it.
"""
