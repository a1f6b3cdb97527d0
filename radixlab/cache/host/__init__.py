"""The room of the host tier: evicted blocks are copied out, and copied in again when needed.

Read `tier.py` for the idea, `moves.py` for what changes in the tree, and `transfers.py` for the
copies of bytes that are under way, whose ends are held by references (`held.py`). A cache without a
host tier has transfers too: those of copy-on-write.
"""
