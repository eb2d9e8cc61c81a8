"""`python -m mattermost_plugin.cli`, the same as `mattermost-plugin`."""

import sys

from mattermost_plugin.cli.command_line import main

if __name__ == "__main__":
    sys.exit(main())
