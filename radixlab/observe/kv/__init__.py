"""KV events: a cache told to routers in vLLM's format, and the same told by other engines, read.

    our events ─► outgoing ─► publisher ══ ZeroMQ, wire ══► intake, order ─► forest ─► our events

`radixlab.observe.kv_events` is the door.
"""
