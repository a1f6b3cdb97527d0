"""A learner's own parts in the real cache, engine and server, watched at every call.

The parts are the tree of exercise 8.5.1, the policy of 8.5.4 and the plan of 8.5.3. `parts.py`
finds them, `manager.py` and `planned.py` plug them in, and `board.py` keeps the score. Whatever a
part answers is compared with the ledger, the cache's own tree, before it is used, so a wrong part
is taken out of service, and the answers stay right.
"""
