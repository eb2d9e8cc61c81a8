"""Names of users of remotes."""

import re

from hypothesis import given
from hypothesis import strategies as st

from mattermost_plugin.devhost.app.remote_users import remote_username

NAMES = st.text("abcdefghijklmnopqrstuvwxyz0123456789._-", min_size=1, max_size=64)


def test_names() -> None:
    assert remote_username("eve", "bridge") == "eve:bridge"
    assert remote_username("eve", "bridge", 2) == "eve-2:bridge"
    assert remote_username("eve:home", "bridge") == "eve:home"
    assert remote_username("e" * 64, "bridge") == "e" * 54 + "...:bridge"
    assert remote_username("eve", "b" * 64) == "eve:" + "b" * 57 + "..."


@given(NAMES, NAMES, st.integers(1, 25))
def test_a_name_fits_and_tells_users_apart(username: str, remote: str, number: int) -> None:
    name = remote_username(username, remote, number)
    assert len(name) <= 64
    assert re.fullmatch(r"[a-z0-9._-]+:[a-z0-9._-]+", name)
    assert name != remote_username(username, remote, number + 1)
