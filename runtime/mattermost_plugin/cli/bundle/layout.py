"""Where things are in a bundle that `mattermost-plugin pack` made."""

from typing import Final

__all__ = ["FOLDER", "LAUNCH", "PACKAGES", "RECORD", "RUNTIME", "SHARED", "START", "packages_folder"]

FOLDER: Final = "python"
"""The folder of everything that the plugin's author did not write. The author's files stay where they were."""

START: Final = f"{FOLDER}/start"
"""What the server runs."""

LAUNCH: Final = f"{FOLDER}/launch.py"
"""What Python runs: it starts the plugin's script."""

PACKAGES: Final = f"{FOLDER}/packages"
"""The dependencies, if they are the same for every machine that the bundle is for."""

RUNTIME: Final = f"{FOLDER}/runtime"
"""The Python of a self-contained bundle."""

SHARED: Final = f"{RUNTIME}/shared"
"""The shared libraries that this Python and the dependencies need."""

RECORD: Final = f"{FOLDER}/bundle.json"
"""What is in the bundle, for `mattermost-plugin check`."""


def packages_folder(system: str, machine: str, version: str) -> str:
    """The dependencies for one kind of machine and one version of Python.

    Args:
        system: `sys.platform` there, such as "linux".
        machine: `os.uname().machine` there, such as "x86_64".
        version: the version's first two numbers, such as "3.11".
    """
    return f"{PACKAGES}-{system}-{machine}-{version}"
