"""The program that the server runs, where Python comes from the server's machine: a script for the shell there.

go-plugin takes its checksum; what it starts is not covered.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final

__all__ = ["launch_script"]

_SCRIPT: Final = r"""#!/bin/sh
# Starts the plugin with a Python of this machine. Written by `mattermost-plugin pack`.
case $0 in */*) here=${0%/*} ;; *) here=. ;; esac

# -I: nothing of PYTHONPATH and its like, and nothing from home folders. -S: nothing that is installed on this machine.
start() {
    exec "$1" -I -S -X utf8 "$here/launch.py"
}

# look_for NAME VERSION: set $found to the program of that name.
look_for() {
    found=
    IFS=:
    for folder in ${PATH-} /usr/local/bin /usr/bin /bin /opt/homebrew/bin; do
        case $folder in
        */shims)
            # A version manager's stand-in takes longer to start than Python itself, and fails without a version set.
            [ -n "$2" ] || continue
            root=${folder%/shims}
            for found in "$root"/versions/"$2".*/bin/"$1" "$root"/installs/python/"$2".*/bin/"$1"; do
                [ -x "$found" ] && break 2
            done
            ;;
        *)
            found=$folder/$1
            [ -x "$found" ] && [ ! -d "$found" ] && break
            ;;
        esac
        found=
    done
    unset IFS
    [ -n "$found" ]
}

[ -n "${MATTERMOST_PLUGIN_PYTHON-}" ] && [ -x "$MATTERMOST_PLUGIN_PYTHON" ] && start "$MATTERMOST_PLUGIN_PYTHON"
for version in @VERSIONS@; do
    look_for "python$version" "$version" && start "$found"
done
# launch.py says so if its version does not fit.
look_for python3 "" && start "$found"

time=$(date -u +%Y-%m-%dT%H:%M:%S.000000Z 2>/dev/null) && time=",\"@timestamp\":\"$time\""
echo "{\"@level\":\"error\",\"@message\":\"@MESSAGE@\"$time}" >&2
exit 1
"""


def launch_script(versions: Sequence[str], wanted: str) -> bytes:
    """The script.

    Args:
        versions: the versions of Python that are looked for, the best first.
        wanted: what fits, for people, such as "Python 3.11".
    """
    message = (
        f"There is no {wanted} on this server, which the plugin needs: install it, set MATTERMOST_PLUGIN_PYTHON to its "
        "path in the server's environment, or pack the plugin with --self-contained."
    )
    return _SCRIPT.replace("@VERSIONS@", " ".join(versions)).replace("@MESSAGE@", message).encode()
