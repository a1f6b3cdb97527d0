"""Several engines behind one server: Ray Serve's replicas, and a router that knows their caches.

    client ─► HTTP server ─► Front ─► Ray's handle ─► PrefixRouter ─► Replica 0, 1, 2 …
              (this process)                              ▲                  │
                                                          └── KV events ◄────┘

The HTTP server is the one of `radixlab.serve`, with the same bodies, limits and errors. `front.py`
stands where one engine stood: it passes each prompt on, and asks another replica if one dies.
`router.py` is the plug into Ray Serve, and `replica.py` is what runs in each process. Ray is an
extra: only `cluster.py`, `replica.py` and `router.py` import it.
"""
