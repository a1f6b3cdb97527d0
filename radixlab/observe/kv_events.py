"""KV events: publish what our cache holds in vLLM's format, and read what any engine publishes.

`Publisher` tells routers such as Dynamo and llm-d of our cache. `RemoteTree` rebuilds the prefix
tree of a running vLLM, SGLang or radixlab from its events. This file is the door; `observe/kv/` has
the parts. It needs `msgpack`, and to publish or to watch also `pyzmq`: the extra `serve`.
"""

from importlib import import_module
from typing import TYPE_CHECKING, Any

from radixlab.observe.kv.errors import EndpointError, KVEventError
from radixlab.observe.kv.outgoing import Outgoing
from radixlab.observe.kv.remote import Gap, RemoteTree
from radixlab.observe.kv.wire import Cleared, Removed, Stored, decode, encode

if TYPE_CHECKING:
    from radixlab.observe.kv.publisher import Publisher, publish

__all__ = [
    "Cleared",
    "EndpointError",
    "Gap",
    "KVEventError",
    "Outgoing",
    "Publisher",
    "RemoteTree",
    "Removed",
    "Stored",
    "decode",
    "encode",
    "publish",
]


def __getattr__(name: str) -> Any:
    """Import the publisher when it is asked for: only it needs ZeroMQ."""
    if name in ("Publisher", "publish"):
        return getattr(import_module("radixlab.observe.kv.publisher"), name)
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
