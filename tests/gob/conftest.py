"""What the gob tests need: Go's own gob."""

import os
import shutil
from collections.abc import Iterator

import pytest

from tests.gob.gobpeer import GobPeer, build


@pytest.fixture(scope="session")
def peer() -> Iterator[GobPeer]:
    """Skips where Go is missing; in CI it must not be."""
    if shutil.which("go") is None:
        text = "no Go toolchain on the PATH: the peer that these tests compare with is built from Go"
        if os.environ.get("CI"):
            pytest.fail(text)
        pytest.skip(text)
    with GobPeer(build()) as running:
        yield running
