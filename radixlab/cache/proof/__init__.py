"""The room of proof: how one knows that the cache is right, and what it would be without sharing.

`invariants.py` says what must always hold, `canary.py` writes into every slot who owns it and
notices every wrong read, `kvstore.py` is the memory of bytes under it, and `naive.py` is the
control. Nothing here runs while a request is served.
"""
