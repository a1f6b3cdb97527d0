"""The model over blocks beside the model without a cache: the same logits, whatever happened.

`Served` compares every row that it computes, so a test need only make something happen.
"""

from typing import ClassVar

import pytest

torch = pytest.importorskip("torch", reason="torch is not installed: the extra `model` brings it")
pytest.importorskip("safetensors", reason="safetensors is not installed: the extra `model` has it")

from hypothesis import strategies as st  # noqa: E402
from hypothesis.stateful import (  # noqa: E402
    RuleBasedStateMachine,
    initialize,
    precondition,
    rule,
    run_state_machine_as_test,
)

from radixlab.cache import OutOfBlocksError, PromptTooLargeError  # noqa: E402
from radixlab.model.runner import dense_logits  # noqa: E402
from tests.model.checkpoints import tiny_model  # noqa: E402
from tests.model.served import Served, prompt  # noqa: E402

MODEL = tiny_model()
DOCUMENTS = [prompt(seed, 40) for seed in range(3)]
NAMESPACES = [None, ("adapter", "a"), ("salt", "a")]


# ---- one thing at a time


@pytest.mark.parametrize("block_size", [1, 3, 4, 16])
def test_a_prompt_in_chunks_ends_with_the_same_logits(block_size):
    served = Served(MODEL, 64, block_size)
    sequence = served.allocate(prompt(0, 50))
    for end in (1, 2, 17, 32, 50):
        served.compute(sequence, ends=[end])
    served.decode(sequence, 5)
    assert served.worst > 0  # something was compared


def test_ragged_prompts_and_decodes_in_any_order_are_one_step():
    served = Served(MODEL, 64)
    running = [served.allocate(prompt(seed, num)) for seed, num in enumerate((9, 1, 14))]
    served.compute(*running)
    new = [served.allocate(prompt(seed, num)) for seed, num in ((7, 1), (8, 23))]
    for sequence in running:
        served.append(sequence, [5])
    served.compute(running[2], new[0], running[0], new[1], running[1])


def test_a_cached_prefix_is_read_and_not_computed_again():
    served = Served(MODEL)
    served.run(prompt(0, 30))
    again = served.allocate([*prompt(0, 30), 1, 2])
    assert again.hit_tokens == 28
    served.compute(again)


def test_the_same_tokens_in_another_namespace_are_computed_anew():
    served = Served(MODEL)
    for namespace in NAMESPACES:
        sequence = served.allocate(prompt(0, 30), namespace)
        assert sequence.hit_tokens == 0
        served.compute(sequence)


def test_forks_that_part_copy_the_block_they_part_in():
    served = Served(MODEL)
    parent = served.allocate(prompt(0, 10))
    served.compute(parent)
    children = [served.fork(parent), served.fork(parent, 6), served.fork(parent)]
    assert served.kinds == set()
    for token, sequence in enumerate([parent, *children]):
        served.append(sequence, [token, 7])
    assert served.kinds == {"copy"}
    served.compute(parent, *children)
    served.append(children[0], [9])
    served.compute(children[0])


def test_a_fork_of_a_prompt_that_is_half_computed():
    served = Served(MODEL)
    parent = served.allocate(prompt(0, 30))
    served.compute(parent, ends=[13])
    child = served.fork(parent)
    served.compute(parent)
    served.compute(child)
    assert served.kinds == {"copy"}


def test_a_prompt_that_parts_inside_a_block_reuses_the_part():
    served = Served(MODEL, partial_reuse_tokens=1)
    served.run(prompt(0, 24))
    other = served.allocate([*prompt(0, 22), 60, 60, 60])
    assert (other.hit_tokens, served.kinds) == (22, {"copy"})
    served.compute(other)


def test_what_was_written_back_to_the_host_is_loaded_and_right():
    served = Served(MODEL, num_blocks=10, num_host_blocks=20)
    served.run(prompt(0, 32))
    served.run(prompt(1, 36))
    assert served.kinds == {"write_back"}
    again = served.allocate(prompt(0, 32))
    assert again.host_hit_tokens > 0
    assert served.kinds == {"write_back", "load_back"}
    served.compute(again)


def test_what_was_evicted_is_computed_anew():
    served = Served(MODEL, num_blocks=10)
    served.run(prompt(0, 32))
    served.run(prompt(1, 36))
    again = served.allocate(prompt(0, 32))
    assert again.hit_tokens < 28
    served.compute(again)


def test_the_logits_come_from_what_the_blocks_hold():
    """The comparison can fail: one wrong number in a cached block changes the logits."""
    served = Served(MODEL)
    served.run(prompt(0, 30))
    again = served.allocate([*prompt(0, 30), 1])
    served.runner.store.layers[1].v[again.block_table[2], 1] += 1
    with pytest.raises(AssertionError, match="off"):
        served.compute(again)


def test_a_transfer_that_is_not_run_is_noticed():
    served = Served(MODEL)
    parent = served.allocate(prompt(0, 10))
    served.compute(parent)
    child = served.fork(parent)
    served.manager.complete(served.manager.append(child, [3]))
    with pytest.raises(AssertionError, match="nan off"):
        served.compute(child)


@pytest.mark.parametrize("dtype", [torch.bfloat16, torch.float16], ids=str)
def test_narrow_dtypes_are_as_near_to_the_truth_over_blocks_as_without(dtype):
    model, text = tiny_model().to(dtype), prompt(0, 60)
    served = Served(model)
    served.tolerance = torch.inf
    served.run(text)
    sequence = served.allocate(text)
    logits = served.compute(sequence)[0]
    truth = dense_logits(MODEL, text)[-1]
    dense_error = (dense_logits(model, text)[-1] - truth).abs().max()
    assert (logits - truth).abs().max() <= 2 * dense_error


@pytest.mark.parametrize(
    "changes",
    [
        {"num_kv_heads": 4},
        {"num_kv_heads": 1},
        {"qkv_bias": True, "output_bias": True, "mlp_bias": True},
        {"qk_norm": True, "head_dim": 8, "tied_embeddings": True},
    ],
    ids=str,
)
def test_every_switch_of_the_architecture(changes):
    served = Served(tiny_model(**changes))
    served.run(prompt(0, 20))
    sequence = served.allocate(prompt(0, 25))
    served.compute(sequence, ends=[21])
    served.compute(sequence)
    served.decode(sequence, 3)


# ---- anything in any order


class PagedMachine(RuleBasedStateMachine):
    """Requests that share documents, in chunks, forked and released; the pool is too small."""

    happened: ClassVar = set()
    """What transfers ran and what else there was, over all examples."""

    @initialize(
        block_size=st.sampled_from([1, 2, 4, 5]),
        num_tokens=st.integers(50, 120),
        host=st.booleans(),
        partial=st.sampled_from([0, 1, 2]),
    )
    def build(self, block_size, num_tokens, host, partial):
        num_blocks = num_tokens // block_size
        self.served = Served(
            MODEL,
            num_blocks,
            block_size,
            num_host_blocks=num_blocks * host,
            partial_reuse_tokens=min(partial, block_size - 1),
        )
        self.running = []

    @rule(
        document=st.sampled_from(DOCUMENTS),
        cut=st.integers(0, 40),
        tail=st.lists(st.integers(0, 2), min_size=1, max_size=4),
        namespace=st.sampled_from([None, *NAMESPACES]),
    )
    def allocate(self, document, cut, tail, namespace):
        try:
            sequence = self.served.allocate([*document[:cut], *tail], namespace)
        except (OutOfBlocksError, PromptTooLargeError):
            return
        self.happened.update(["hit"] * (sequence.hit_tokens > 0))
        self.running.append(sequence)

    @rule(document=st.sampled_from(DOCUMENTS), cut=st.integers(20, 40))
    def serve(self, document, cut):
        """A whole request; where there is no room, the others are released for it."""
        while True:
            try:
                self.served.run(document[:cut])
                return
            except OutOfBlocksError:
                self.served.release(self.running.pop())

    @precondition(lambda self: self.unfinished())
    @rule(data=st.data(), commit=st.booleans())
    def compute(self, data, commit):
        """One step of some requests, each up to anywhere in what is missing."""
        some = st.lists(st.sampled_from(self.unfinished()), min_size=1, max_size=4, unique=True)
        who = data.draw(some)
        starts = [self.served.computed[sequence.id] for sequence in who]
        ends = [
            data.draw(st.integers(start + 1, sequence.num_tokens) | st.just(sequence.num_tokens))
            for start, sequence in zip(starts, who, strict=True)
        ]
        try:
            self.served.compute(*who, ends=ends, commit=commit)
        except OutOfBlocksError:
            self.served.settle()

    @precondition(lambda self: self.running)
    @rule(which=st.integers(0, 9), tokens=st.lists(st.integers(0, 2), min_size=1, max_size=3))
    def append(self, which, tokens):
        sequence = self.running[which % len(self.running)]
        try:
            self.served.append(sequence, tokens)
        except OutOfBlocksError:
            self.served.settle()

    @precondition(lambda self: self.running)
    @rule(which=st.integers(0, 9), part=st.sampled_from([1, 1, 0.6, 0.3]))
    def fork(self, which, part):
        sequence = self.running[which % len(self.running)]
        num_tokens = max(1, int(sequence.num_tokens * part))
        self.running.append(self.served.fork(sequence, num_tokens))
        self.happened.add("fork")

    @precondition(lambda self: self.running)
    @rule(which=st.integers(0, 9))
    def release(self, which):
        self.served.release(self.running.pop(which % len(self.running)))

    def unfinished(self):
        return [s for s in self.running if self.served.computed[s.id] < s.num_tokens]

    def teardown(self):
        if hasattr(self, "served"):
            self.happened.update(self.served.kinds)
            self.happened.update(["eviction"] * (self.served.manager.stats().evicted_blocks > 0))


def test_random_lives_compute_what_a_dense_run_does():
    PagedMachine.happened.clear()
    run_state_machine_as_test(PagedMachine)
    everything = {"hit", "fork", "copy", "write_back", "load_back", "eviction"}
    assert PagedMachine.happened == everything
