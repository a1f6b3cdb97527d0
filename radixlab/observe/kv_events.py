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
    from radixlab.observe.kv.subscriber import watch_events

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
    "watch_events",
]

_HOMES = {"Publisher": "publisher", "publish": "publisher", "watch_events": "subscriber"}


def __getattr__(name: str) -> Any:
    """Import what needs ZeroMQ when it is asked for."""
    if name in _HOMES:
        return getattr(import_module(f"radixlab.observe.kv.{_HOMES[name]}"), name)
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
