"""The command line: `python -m demo [folder]`."""

import argparse
import asyncio
import sys
from pathlib import Path

from demo.scenario import run_scenario
from demo.transcript import Transcript

_GREETER = Path(__file__).parents[1] / "examples" / "greeter"
_EXIT_INTERRUPTED = 130


def main() -> int:
    """Run the demo. Returns the exit code: 0 if everything came back as expected."""
    parser = argparse.ArgumentParser(prog="python -m demo", description="Start the greeter example and call its hooks.")
    parser.add_argument(
        "folder", nargs="?", type=Path, default=_GREETER, help="folder of a changed copy of the greeter"
    )
    folder: Path = parser.parse_args().folder
    transcript = Transcript(sys.stdout)
    try:
        asyncio.run(run_scenario(folder.resolve(), transcript))
    except KeyboardInterrupt:
        return _EXIT_INTERRUPTED
    return 0 if transcript.summarize() else 1


if __name__ == "__main__":
    sys.exit(main())
