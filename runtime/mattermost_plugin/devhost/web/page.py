"""The page itself: one file with its style and its script, and the policy that lets nothing else run."""

import base64
import hashlib
import re
from importlib.resources import files

__all__ = ["Page"]

_INLINE = {
    "script-src": re.compile(r"<script>(.*?)</script>", re.DOTALL),
    "style-src": re.compile(r"<style>(.*?)</style>", re.DOTALL),
}


class Page:
    """The page, read once."""

    def __init__(self) -> None:
        self.html = files("mattermost_plugin.devhost.web").joinpath("page.html").read_text(encoding="utf-8")
        """What is served, the same for everybody: no value is ever put into it."""
        self._inline = "; ".join(
            " ".join([directive, *(_hash_source(text) for text in pattern.findall(self.html))])
            for directive, pattern in _INLINE.items()
        )

    def policy(self, address: str) -> str:
        """The Content-Security-Policy.

        The script is known by its hash, so text that got into the page by mistake could not run, and it reaches
        nothing but the host. Trusted types keep the script itself from making HTML of text.

        Args:
            address: host and port by which the page was asked for.
        """
        return (
            f"default-src 'none'; {self._inline}; connect-src 'self' ws://{address}; img-src data:; base-uri 'none'; "
            "form-action 'none'; frame-ancestors 'none'; require-trusted-types-for 'script'; trusted-types 'none'"
        )


def _hash_source(text: str) -> str:
    return f"'sha256-{base64.b64encode(hashlib.sha256(text.encode()).digest()).decode()}'"
