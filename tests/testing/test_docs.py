"""The examples of docs/testing.md run as they stand there."""

import re
from pathlib import Path

import pytest

pytest_plugins = ["pytester"]

DOCS = Path(__file__).parents[2] / "docs" / "testing.md"

GREETER = """
from mattermost_plugin import Plugin, Reject
from mattermost_plugin.models import Post

class Greeter(Plugin):
    greeted = 0

    def message_will_be_posted(self, context, post):
        if post.message.isupper():
            return Reject("Please do not shout.")
        if post.message == "hello":
            post.message += " :wave:"
        return post

    def message_has_been_posted(self, context, post):
        if post.message.startswith("hello"):
            self.greeted += 1
            name = self.api.get_user(post.user_id).username
            self.api.create_post(Post(user_id=post.user_id, channel_id=post.channel_id, message=f"Welcome, {name}!"))
"""


def test_the_examples(pytester: pytest.Pytester) -> None:
    blocks = re.findall(r"```python\n(.*?)```", DOCS.read_text(encoding="utf-8"), re.DOTALL)
    assert len(blocks) == 5
    (pytester.path / "plugin.py").write_text(GREETER, encoding="utf-8")
    (pytester.path / "plugin.json").write_text('{"id": "com.example.greeter"}', encoding="utf-8")
    for number, block in enumerate(blocks):
        (pytester.path / f"test_block_{number}.py").write_text(block, encoding="utf-8")
    pytester.runpytest_subprocess("-q", "-W", "error").assert_outcomes(passed=5)
