"""The server: OpenAI's API over HTTP, in front of one engine with one cache.

    client ─► limits ─► route ─► AsyncLLM ═ queue ═► the engine's thread
    client ◄── SSE ◄── route ◄── mailbox ◄═ loop.call_soon_threadsafe ═┘

Read `async_llm.py` for the two threads, `counting.py` for how the metrics are counted from events,
and `server.py` for the application. `local.serving` runs a server inside this process.
"""
