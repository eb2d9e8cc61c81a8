import functools
from pathlib import Path

import pytest

from tests.golden.fragment import Generated, generate_fragment


@pytest.fixture(scope="session")
def generated(tmp_path_factory: pytest.TempPathFactory) -> Generated:
    """Generates each fragment once. Leave the output as it is."""

    @functools.cache
    def generate(name: str) -> Path:
        return generate_fragment(name, tmp_path_factory.mktemp(name))

    return generate
