"""What a server's plugin API answers in a test, and what it was asked, the same for each wire."""

from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field
from typing import Any, TypeAlias

from google.protobuf.message import Message

from mattermost_pluginapi.api.methods import METHODS

Answer: TypeAlias = Message | Callable[[Any], Awaitable[Message]]
"""A response, or what makes one of the request."""


@dataclass
class ServerApi:
    """The plugin API of a host: an empty response for each call, unless told otherwise.

    Attributes:
        answers: by method.
        calls: methods and requests, in order.
        has_methods: False for a server that has none.
    """

    answers: dict[str, Answer] = field(default_factory=dict)
    calls: list[tuple[str, Any]] = field(default_factory=list)
    has_methods: bool = True

    async def answer(self, name: str, request: Any) -> Message:
        """Take a call."""
        self.calls.append((name, request))
        answer = self.answers.get(name)
        if answer is None:
            empty: Message = METHODS[name].response_type()
            return empty
        return answer if isinstance(answer, Message) else await answer(request)
