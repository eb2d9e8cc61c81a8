"""The name under which pip knows this package."""

from typing import Final

__all__ = ["DISTRIBUTION"]

DISTRIBUTION: Final = "mattermost-plugin-sdk"
