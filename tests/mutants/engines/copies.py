"""Broken copy-on-write: siblings write into each other, or into the cache."""

from radixlab.cache.cow import CopyOnWrite
from radixlab.cache.fork import Fork
from tests.mutants.edits import Edit, breaks


@breaks("C1")
def a_fork_counts_no_second_holder():
    """The first of two siblings to end frees the blocks of both."""
    return [
        Edit(
            Fork.start,
            {"    self._allocator.share(child.block_table[node.end :])\n": ""},
        )
    ]


@breaks("C2")
def a_shared_block_is_written_in_place():
    """A sibling's next token lands in the last block of the others."""
    return [
        Edit(
            CopyOnWrite.needed,
            {"num_tables(block) > 1": "num_tables(block) > 9"},
        )
    ]


@breaks("C4")
def a_cached_block_with_one_reader_is_written():
    """One reader now; but the next match may hand the block out.

    vLLM writes a block in place only if it has one holder *and* no hash.
    """
    return [
        Edit(
            CopyOnWrite.needed,
            {"*registered, ": "*(registered if sequence.node.num_receipts > 1 else ()), "},
        )
    ]
