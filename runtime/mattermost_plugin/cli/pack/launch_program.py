"""Starts a plugin's script as `python plugin.py` in its folder would. Written by `mattermost-plugin pack`.

Any Python 3 can read this file, so that one that does not fit can say so.
"""

# ruff: noqa: PTH100, PTH110, PTH112, PTH118, PTH120 - pathlib would take its part of each start

import gc
import os
import sys

SCRIPT = "plugin.py"
VERSIONS = ["3.11"]
AND_LATER = True

# Where servers' systems keep the certificates of authorities that they trust.
CERTIFICATES = (
    "/etc/ssl/certs/ca-certificates.crt",
    "/etc/pki/tls/certs/ca-bundle.crt",
    "/etc/ssl/ca-bundle.pem",
    "/etc/ssl/cert.pem",
)


def check_version() -> None:
    """End with a line in the server's log if this Python does not fit the bundle."""
    version = (sys.version_info[0], sys.version_info[1])
    known = [tuple(int(number) for number in text.split(".")) for text in VERSIONS]
    if version in known or (AND_LATER and version > min(known)):
        return
    import json
    import time

    wanted = min(VERSIONS, key=lambda text: int(text[2:])) + " or newer" if AND_LATER else " or ".join(VERSIONS)
    message = (
        f"The plugin needs Python {wanted}, and {sys.executable} is Python {version[0]}.{version[1]}: install one that "
        "fits, or set MATTERMOST_PLUGIN_PYTHON to its path in the server's environment."
    )
    now = time.strftime("%Y-%m-%dT%H:%M:%S.000000Z", time.gmtime())
    sys.stderr.write(json.dumps({"@level": "error", "@message": message, "@timestamp": now}) + "\n")
    sys.exit(1)


def prepare(here: str) -> str:
    """Make the process what the script expects.

    Args:
        here: the folder of this file.

    Returns:
        The script's path.
    """
    folder = os.path.dirname(here)
    script = os.path.join(folder, SCRIPT)
    packages = os.path.join(here, "packages")
    version = f"{sys.version_info[0]}.{sys.version_info[1]}"
    tagged = f"{packages}-{sys.platform}-{os.uname().machine}-{version}"
    # The order that Python itself has: what is installed never takes the place of the standard library.
    sys.path.insert(0, os.path.dirname(script))
    sys.path.append(tagged if os.path.isdir(tagged) else packages)
    sys.argv = [script]
    os.chdir(folder)
    os.environ["MATTERMOST_PLUGIN_PATH"] = folder
    runtime = os.path.join(here, "runtime")
    if os.path.isdir(runtime):
        settle(here, runtime)
    import site

    # exit() and quit(), which a script may use: -S leaves them out.
    site.setquit()
    return script


def settle(here: str, runtime: str) -> None:
    """Make up for the differences between this machine and the one that the bundle's own Python comes from."""
    # By itself it would not find its libraries.
    sys.executable = os.path.join(here, "start")
    # The loader has read it; other programs that the plugin starts get the libraries of the machine. If the server has
    # set it, too, it is there twice, and Python tells of the first: the server's. Only removal removes both.
    given = os.environ.pop("LD_LIBRARY_PATH", None)
    if given is not None and given != os.path.join(runtime, "shared"):
        os.environ["LD_LIBRARY_PATH"] = given
    if os.environ.get("SSL_CERT_FILE") or os.environ.get("SSL_CERT_DIR"):
        return
    # The paths that are built into OpenSSL are those of that other machine.
    for path in CERTIFICATES:
        if os.path.exists(path):
            os.environ["SSL_CERT_FILE"] = path
            return


def run(script: str) -> None:
    """Run the script as the main module, from its bytecode if it is there."""
    from importlib.machinery import SourceFileLoader

    loader = SourceFileLoader("__main__", script)
    main = type(sys)("__main__")
    main.__dict__.update(__file__=script, __loader__=loader, __builtins__=__builtins__, __package__=None)
    sys.modules["__main__"] = main
    code = loader.get_code("__main__")
    if code is not None:
        exec(code, main.__dict__)  # noqa: S102 - it is the plugin


if __name__ == "__main__":
    # Imports make no garbage, and the host waits. The runtime switches it on again once the plugin serves.
    gc.disable()
    check_version()
    run(prepare(os.path.dirname(os.path.abspath(__file__))))
