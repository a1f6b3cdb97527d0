"""A broken host tier: other bytes come back, or none."""

from radixlab.cache.host.tier import HostTier
from radixlab.cache.transfer import Run
from tests.mutants.edits import Edit, breaks


@breaks("H1")
def blocks_come_to_the_host_in_another_order():
    """A write-back of several blocks swaps them: what is loaded back is another block's KV."""
    return [
        Edit(
            HostTier._write_back,
            {"device_ids, host_ids)": "device_ids, host_ids[::-1])"},
        )
    ]


@breaks("H2")
def a_block_is_free_before_it_was_read():
    """The source of a write-back has no holder: its next owner writes, then its bytes are saved.

    SGLang locks it until the write is acknowledged.
    """
    return [Edit(Run.written_after.fget, {'== "load_back"': '!= "copy"'})]


@breaks("H3")
def a_load_back_drops_what_it_loads():
    """Nothing holds the host's blocks while room is made for them, which takes room on the host.

    SGLang 27631: an eviction inside a load-back freed the pages that were being loaded.
    """
    return [
        Edit(
            HostTier.hold, {"        add_references(self.allocator, node.block_ids.tolist())\n": ""}
        ),
        Edit(
            HostTier._load_back,
            {"        drop_references(self.allocator, host_ids.tolist())\n": ""},
        ),
    ]
