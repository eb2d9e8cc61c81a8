"""What hooks and API methods share as rpcs: how faults call them, where they are on the wire, how comments are read."""

import re

from codegen.descriptors import Rpc

SERVER_VERSION = re.compile(r"\d+\.\d+(\.\d+)?")


def rpc_symbol(rpc: Rpc) -> str:
    """What a fault calls the rpc."""
    return f"rpc {rpc.descriptor.name}"


def rpc_path(rpc: Rpc) -> str:
    """The rpc's path on the wire."""
    return f"/{rpc.service}/{rpc.descriptor.name}"


def split_doc(comment: str) -> tuple[str, str]:
    """A comment's summary on one line, and the rest."""
    summary, _, rest = comment.partition("\n\n")
    return summary.replace("\n", " "), rest.strip("\n")
