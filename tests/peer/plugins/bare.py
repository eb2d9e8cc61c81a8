"""The smallest plugin."""

from mattermost_plugin import Plugin, run_plugin


class Bare(Plugin):
    """Handles nothing."""


if __name__ == "__main__":
    run_plugin(Bare)
