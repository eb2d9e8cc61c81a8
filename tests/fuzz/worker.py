"""The process that runs inputs, under atheris: libFuzzer, guided by the branches of the code under test.

    python -m tests.fuzz.worker TARGET FOLDER LIBFUZZER_OPTION...

It goes on after a finding; one input of each kind is kept. Not for use by hand: see `__main__`.
"""

from __future__ import annotations

import hashlib
import os
import sys
import traceback
from importlib import import_module
from pathlib import Path
from random import Random
from typing import Any, Final

from tests.fuzz.bounds import bounded_time
from tests.fuzz.target import FuzzTarget

__all__: list[str] = []

_GUIDED_BY: Final = ["mattermost_plugin._gob", "mattermost_plugin._yamux", "mattermost_plugin._netrpc"]
atheris: Final[Any] = import_module("atheris")
"""Not at hand where nobody fuzzes, and without types."""

_COMPILED: Final = "gob-compiled-"
_STACK: Final = "mattermost_plugin._stock"
_TESTS: Final = f"{os.sep}tests{os.sep}fuzz{os.sep}"


class Findings:
    """Keeps an input for each place that something came from which must not happen."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._known: set[str] = set()

    def keep(self, data: bytes, error: BaseException) -> None:
        frames = traceback.extract_tb(error.__traceback__)
        inner = [frame for frame in frames if _TESTS not in frame.filename] or frames
        # Compiled functions are many, and what is wrong is not in them.
        inner = [frame for frame in inner if not frame.filename.startswith(_COMPILED)] or inner
        places = f"{type(error).__name__} {frames[-1].lineno} {inner[-1].filename}:{inner[-1].lineno}"
        if places in self._known:
            return
        self._known.add(places)
        name = hashlib.sha256(data).hexdigest()[:16]
        (self._folder / name).write_bytes(data)
        text = "".join(traceback.format_exception(error))
        (self._folder / f"{name}.txt").write_text(text, encoding="utf-8")
        print(f"\nFINDING {name}\n{text}", file=sys.stderr, flush=True)


def main() -> None:
    name, folder, *options = sys.argv[1:]
    from tests.fuzz import targets  # the code under test must not be there before

    with atheris.instrument_imports(include=[*_GUIDED_BY, *([_STACK] if name == "stock" else [])]):
        target: FuzzTarget = targets.load(name)
    inputs = Path(folder, "corpus")
    for data in target.corpus():
        (inputs / hashlib.sha256(data).hexdigest()[:16]).write_bytes(data)
    findings = Findings(Path(folder, "findings"))

    def one_input(data: bytes) -> None:
        try:
            with bounded_time():
                target.run(data)
        except BaseException as error:
            if isinstance(error, (KeyboardInterrupt, SystemExit)):
                raise
            findings.keep(data, error)

    def mutate(data: bytes, max_size: int, seed: int) -> bytes:
        return target.mutate(data, Random(seed), atheris.Mutate)[:max_size]

    atheris.Setup(
        [sys.argv[0], *options, f"-max_len={target.max_bytes}", str(inputs)], one_input, custom_mutator=mutate
    )
    atheris.Fuzz()


if __name__ == "__main__":
    main()
