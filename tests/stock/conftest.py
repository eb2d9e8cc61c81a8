"""What tests against the Go host need."""

import os
import shutil
from pathlib import Path

import pytest

from tests.stock.gostock import build


@pytest.fixture(scope="session")
def program() -> Path:
    """The host's executable. Skips where Go is missing; in CI it must not be."""
    if shutil.which("go") is None:
        if os.environ.get("CI"):
            pytest.fail("Go is missing")
        pytest.skip("Go is missing")
    return build()
