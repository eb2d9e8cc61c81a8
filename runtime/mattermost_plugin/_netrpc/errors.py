"""What ends a stream."""

__all__ = ["RpcStreamError"]


class RpcStreamError(Exception):
    """The peer has sent what is no net/rpc. Nothing more can be read from the stream.

    Args:
        reason: what is wrong.
    """

    def __init__(self, reason: str) -> None:
        super().__init__(f"the peer's net/rpc stream cannot be read: {reason}")
