"""A message filter and an upload scanner that fail closed.

Posts and edits with a word of words.txt are refused, and so are programs, whatever their file names say. If a check
itself fails, on_error="reject" refuses too: what was not looked at does not get in. Without it, it would pass.
"""

import re

from mattermost_plugin import HookName, Plugin, Reject, hook, run_plugin
from mattermost_plugin.http import ReplacementFile, UploadedFile
from mattermost_plugin.models import FileInfo, PluginContext, Post

PROGRAM_STARTS = (b"MZ", b"\x7fELF", b"\xcf\xfa\xed\xfe", b"\xca\xfe\xba\xbe", b"#!")
"""How programs begin: Windows, Linux, macOS (two kinds), and scripts."""


class Moderation(Plugin):
    """Checks posts, edits and uploads."""

    words: re.Pattern[str]

    def on_activate(self) -> None:
        """Read the list. An exception here, as without words.txt, keeps the plugin from being enabled."""
        text = (self.config.plugin_path / "words.txt").read_text(encoding="utf-8")
        lines = [line.strip() for line in text.splitlines()]
        words = [re.escape(line) for line in lines if line and not line.startswith("#")]
        if not words:
            raise ValueError("words.txt lists no words")
        self.words = re.compile(rf"\b(?:{'|'.join(words)})\b", re.IGNORECASE)
        self.logger.info("word list read", extra={"words": len(words)})

    @hook(HookName.MessageWillBePosted, on_error="reject")
    def check_post(self, context: PluginContext, post: Post) -> Reject | None:
        """Check a new post."""
        return self._check(post)

    @hook(HookName.MessageWillBeUpdated, on_error="reject")
    def check_edit(self, context: PluginContext, new_post: Post, old_post: Post) -> Reject | None:
        """Check an edit, which is the obvious way round the check of new posts."""
        return self._check(new_post)

    @hook(HookName.FileWillBeUploaded, on_error="reject")
    async def check_upload(
        self, context: PluginContext, info: FileInfo, file: UploadedFile, output: ReplacementFile
    ) -> Reject | None:
        """Refuse programs by their first bytes. Nothing is written to `output`, so the content stays as it is."""
        start = await file.aread(4)
        if start.startswith(PROGRAM_STARTS):
            self.logger.warning("program refused", extra={"file": info.name, "user": info.creator_id})
            return Reject(f"{info.name} is a program. Please share it in another way.")
        return None

    def _check(self, post: Post) -> Reject | None:
        found = self.words.search(post.message)
        return Reject(f'Please find another word for "{found.group()}".') if found else None


if __name__ == "__main__":
    run_plugin(Moderation)
