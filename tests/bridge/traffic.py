"""Drawn traffic against `Pages`, with a ledger as the witness of every answer."""

from random import Random

import numpy as np

from radixlab.bridge.ledger import Ledger
from radixlab.bridge.pages import Offer, Pages, Prefix

NAMESPACES = (None, None, ("extra_key", "a"), ("cache_salt", "a"))
IMAGE = 2**40


def told_apart(tokens, namespace):
    """Tokens for the ledger, which has no namespaces."""
    return tuple((namespace, token) for token in tokens)


def drive(pages: Pages, seed: int, num_steps: int, num_pages: int = 30, exact: bool = True) -> int:
    """Serve drawn requests as an engine would; return the blocks found.

    The engine's own rules are kept: a prefix is locked before anything is evicted, ids come from
    the engine's free list, duplicates go back to it, and a request's row has the tree's ids.
    """
    draw, size = Random(seed), pages.block_size
    ledger = Ledger(size)
    free, running, found = list(range(1, num_pages + 1)), [], 0
    stems = [[draw.randrange(9) for _ in range(10 * size)] for _ in range(3)]
    stems.append([IMAGE + token for token in stems[0]])
    for _ in range(num_steps):
        stem, namespace = draw.choice(stems), draw.choice(NAMESPACES)
        tokens = stem[: draw.randrange(1, len(stem))] + [draw.randrange(3) for _ in range(size)]
        kind = draw.choice(("serve", "serve", "match", "lock", "unlock", "evict"))
        key, array = told_apart(tokens, namespace), np.array(tokens, np.int64)
        if kind == "evict":
            free += gone_from(pages, ledger, draw.randrange(1, 9), exact)
        elif kind == "unlock" and running:
            prefix, held = running.pop(draw.randrange(len(running)))
            pages.unlock(prefix)
            ledger.unlock(held)
        else:
            prefix = pages.match(array, namespace)
            assert prefix.block_ids.tolist() == ledger.match(key), kind
            found += len(prefix)
            if kind == "lock" and len(running) < 4:
                pages.lock(prefix)
                running.append((prefix, ledger.lock(key)))
            elif kind == "serve":
                free = serve(pages, ledger, prefix, array, key, namespace, free, exact)
        pages.check()
        assert sorted(free + pages.cached().tolist()) == list(range(1, num_pages + 1))
        unlocked = ledger.num_evictable
        assert (pages.num_blocks, pages.num_evictable_blocks) == (len(ledger.block_of), unlocked)
    while running:
        prefix, held = running.pop()
        pages.unlock(prefix)
        ledger.unlock(held)
    assert pages.num_evictable_blocks == pages.num_blocks
    return found


def serve(pages, ledger, prefix: Prefix, array, key, namespace, free, exact):
    """Lock the prefix, make room, insert all, unlock; return the engine's free list."""
    num_new = len(array) // pages.block_size - len(prefix)
    pages.lock(prefix)
    held = ledger.lock(key)
    free = list(free)
    if num_new > len(free) and num_new - len(free) <= pages.num_evictable_blocks:
        free += gone_from(pages, ledger, num_new - len(free), exact)
    if num_new <= len(free):
        mine = [free.pop() for _ in range(num_new)]
        ids = [*prefix.block_ids.tolist(), *mine]
        whole, num_cached = pages.insert(Offer(array, np.array(ids, np.int32), namespace))
        whole_key = key[: len(ids) * pages.block_size]
        kept, due, duplicates = ledger.insert(whole_key, ids)
        assert (whole.block_ids.tolist(), num_cached) == (kept, due)
        free += duplicates
    pages.unlock(prefix)
    ledger.unlock(held)
    return free


def gone_from(pages, ledger, num_blocks, exact) -> list[int]:
    """Evict, and ask the ledger whether these blocks may go."""
    gone = [int(block) for run in pages.evict(num_blocks) for block in run]
    if not exact:  # whole leaves: at least what was asked for
        num_blocks = max(num_blocks, len(gone))
    assert ledger.why_not(gone, num_blocks) is None
    ledger.remove(gone)
    return gone
