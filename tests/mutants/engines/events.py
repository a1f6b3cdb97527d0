"""Broken time: registered too early, freed too early, told wrongly, replayed wrongly."""

from radixlab.cache.manager import KVCacheManager
from radixlab.cache.node import Node
from radixlab.cache.tree import RadixTree
from radixlab.engine import Engine
from radixlab.log import Log
from radixlab.observe import state
from tests.mutants.edits import Edit, breaks


@breaks("T1")
def blocks_are_matchable_when_they_are_scheduled():
    """Registered at admission: abort before the forward pass, and the next prompt hits nothing.

    Engines that register early share within a batch, which is why some do it. The exposed case is
    vLLM 43569: aborted or preempted before the KV was written.
    """
    return [
        Edit(
            KVCacheManager.allocate,
            {
                "    return self.admission.admit(": "    sequence = self.admission.admit(",
                "keep_blocks, resumed, match\n    )\n": (
                    "keep_blocks, resumed, match\n    )\n"
                    "    self.commit(sequence, sequence.num_tokens)\n"
                    "    return sequence\n"
                ),
            },
        )
    ]


@breaks("T2")
def an_abort_frees_in_mid_step():
    """The blocks of a request are free while the step under way still writes to them.

    vLLM 45357: the scheduler ran ahead of the GPU, and another request got the blocks.
    """
    return [Edit(Engine._check_caller, {"if self._stepping:": "if False:"})]


@breaks("T2")
def a_dropped_stream_frees_at_once():
    """What should wait for the next step is done now, and that may be in the middle of one."""
    return [
        Edit(
            Engine.abort_soon,
            {
                'self._given_up.append(check_id("request_id", request_id))': (
                    'self._abort(self.requests[request_id], "abort")'
                )
            },
        )
    ]


@breaks("T5")
def a_split_is_not_told():
    """A consumer of the stream keeps one node where the engine has two."""
    return [Edit(RadixTree.split, {"if emit := self.log.emit:": "if emit := None:"})]


@breaks("T5")
def a_stored_block_names_a_parent_nobody_knows():
    """At the top of the tree the parent is a root, which no event ever told of."""
    return [
        Edit(
            Node.parent_id.fget,
            {"if self.parent and self.parent.parent else": "if self.parent else"},
        )
    ]


@breaks("T5")
def the_numbers_have_gaps():
    """A router cannot tell a lost event from none.

    llm-d 372: events were lost, and the children of the missing block dropped.
    """
    return [Edit(Log.stamp, {"seq + 1": "seq + 1 + (seq % 9 == 8)"})]


@breaks("T5")
def the_replay_loses_a_parent():
    """The fold keeps the lower half of a split where it was: the replayed tree has a loose end."""
    return [Edit(state._node_split, {"    lower.parent_id = e.upper_id\n": ""})]
