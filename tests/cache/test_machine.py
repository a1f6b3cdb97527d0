"""Random lives of many sequences in a small pool, under any eviction policy, against three oracles.

After every step `check` is silent, the fold over the events equals the engine, every running
sequence reads its own KV (the canary), and every look-up answers what a model of thirty lines does.
A victim that is locked or has children is among what they see. Failures shrink to a few steps.
"""

from contextlib import suppress

import pytest
from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import (
    RuleBasedStateMachine,
    initialize,
    invariant,
    rule,
    run_state_machine_as_test,
)

from radixlab.cache import POLICIES, CacheError, OutOfBlocksError, PinError, TransferError
from radixlab.cache.host.tier import FULL
from radixlab.events import AllBlocksCleared, BlockRemoved, LoadedBack, WrittenBack
from radixlab.observe import snapshot
from radixlab.observe.state import expand
from tests.cache.helpers import ADAPTER, SALT, Checked
from tests.cache.prefix_model import PrefixModel

BLOCK = 2
PROMPTS = st.lists(st.sampled_from([1, 2]), min_size=1, max_size=9)
NAMESPACES = st.sampled_from([None, None, SALT, ADAPTER])
WHO = st.integers(-2, 2)
PART = st.sampled_from([1, 1, 1, 0.7, 0.4, 0])


class CacheMachine(RuleBasedStateMachine):
    """Every call of the manager's door, in any order that a caller may use."""

    pin_budget_blocks = 0
    num_steps = 0
    """Rules run so far, over all examples of this process."""

    @initialize(
        num_blocks=st.integers(5, 20),
        explain=st.booleans(),
        num_host_blocks=st.sampled_from([0, 0, 1, 4, 40]),
        policy=st.sampled_from(["lru", *POLICIES]),
    )
    def build(self, num_blocks: int, explain: bool, num_host_blocks: int, policy: str) -> None:
        sizes = {"explain": explain, "num_host_blocks": num_host_blocks}
        sizes["pin_budget_blocks"] = self.pin_budget_blocks
        self.lab = Checked(num_blocks, BLOCK, POLICIES[policy](), **sizes)
        self.model = PrefixModel(BLOCK)
        self.pending = []
        self.heard = 0

    # ---- requests

    @rule(tokens=PROMPTS, namespace=NAMESPACES, reserve=st.sampled_from([0, 0, 0, 1, 4]))
    def allocate(self, tokens, namespace, reserve):
        self.admit(tokens, namespace, reserve)

    @rule(tokens=PROMPTS, namespace=NAMESPACES)
    def serve(self, tokens, namespace):
        """A whole prefill; where there is no room, the oldest request is preempted for it."""
        while self.admit(tokens, namespace) is None and self.lab.sequences:
            self.finish(0, "preempt")
        self.step(-1)

    @rule(tokens=PROMPTS, namespace=NAMESPACES)
    def peek(self, tokens, namespace):
        before = snapshot(self.lab.manager)
        num_blocks = len(self.lab.peek(tokens, namespace))
        expected = self.model.hit_tokens(namespace, tokens, withhold=0, tiers=["device"])
        assert num_blocks * BLOCK == expected
        assert snapshot(self.lab.manager) == before

    @rule(which=st.integers(0, 99), more=st.lists(st.sampled_from([1, 2]), max_size=3))
    def ask_again(self, which, more):
        """A prompt over a prefix that is on the host, if there is one."""
        self.tell_evictions()
        prefixes = [p for p, (tier, _) in self.model.block_of.items() if tier == "host"]
        if prefixes:
            namespace, tokens = prefixes[which % len(prefixes)]
            if self.admit([*tokens, *more], namespace):
                self.step(-1)

    @rule(who=WHO, tokens=st.lists(st.sampled_from([1, 2, 3]), max_size=4))
    def append(self, who, tokens):
        if sequence := self.pick(who):
            with suppress(OutOfBlocksError):
                self.pending += self.lab.append(sequence, tokens)

    @rule(who=WHO)
    def step(self, who):
        """What an engine does: copies, a forward pass over all that is new, then a commit."""
        self.write(who, 1)
        self.complete(1)
        self.commit(who, 1, None)

    @rule(who=WHO, part=PART)
    def write(self, who, part):
        """A forward pass over the next of what is not written yet."""
        if sequence := self.pick(who):
            start = self.lab.num_written(sequence)
            end = start + round(part * (sequence.num_tokens - start))
            self.write_range(sequence, start, end)

    @rule(
        who=WHO,
        part=st.sampled_from([0, 0, 0.4, 0.7]),
        num_tokens=st.integers(0, 4),
        then_step=st.booleans(),
    )
    def rewrite(self, who, part, num_tokens, then_step):
        """`prepare_write` anywhere: in blocks of the tree, of siblings, of its own."""
        if sequence := self.pick(who):
            start = round(part * self.lab.num_written(sequence))
            self.write_range(sequence, start, min(start + num_tokens, sequence.num_tokens))
            if then_step:
                self.step(who)

    @rule(who=WHO, part=PART, max_tokens=st.sampled_from([None, None, None, 0, 3, 4]))
    def commit(self, who, part, max_tokens):
        if not (sequence := self.pick(who)):
            return
        num_written = round(part * self.lab.num_written(sequence))
        try:
            self.lab.commit(sequence, num_written, max_tokens)
        except TransferError:
            assert self.pending
            return
        limit = num_written if max_tokens is None else min(num_written, max_tokens)
        table = sequence.block_table.tolist()
        self.tell_evictions()
        self.model.commit(sequence.namespace, sequence.token_ids.tolist(), table, limit)

    @rule(who=WHO, part=PART)
    def fork(self, who, part):
        if sequence := self.pick(who):
            child = self.lab.fork(sequence, max(1, round(part * sequence.num_tokens)))
            num_blocks = len(child.block_table)
            assert child.block_table.tolist() == sequence.block_table.tolist()[:num_blocks]

    @rule(who=WHO, part=PART, tokens=st.lists(st.sampled_from([1, 2]), min_size=1, max_size=4))
    def branch(self, who, part, tokens):
        """A second answer; the first of a crowd has to go for it."""
        if len(self.lab.sequences) > 3:
            self.finish(0, "release")
        self.fork(who, part)
        self.append(-1, tokens)
        self.step(-1)

    @rule(tokens=PROMPTS, part=PART)
    def twins(self, tokens, part):
        """Two answers to one prompt: forked when its KV is written, and nothing is committed."""
        if sequence := self.admit(tokens):
            self.lab.write(sequence)
            self.fork(-1, part)

    @rule(part=PART)
    def complete(self, part):
        """Any number of the pending transfers, however late."""
        num = round(part * len(self.pending))
        self.lab.complete(self.pending[:num])
        del self.pending[:num]

    @rule(who=WHO, how=st.sampled_from(["release", "abort", "preempt"]))
    def finish(self, who, how):
        if sequence := self.pick(who):
            tokens = getattr(self.lab, how)(sequence)
            assert how != "preempt" or tokens.tolist() == sequence.token_ids.tolist()

    # ---- the cache as a whole

    @rule(num_blocks=st.integers(0, 6))
    def evict(self, num_blocks):
        before = self.lab.stats()
        expected = min(num_blocks, before.num_evictable_blocks)
        num_pending = len(self.lab.transfers)
        assert self.lab.evict(num_blocks) == expected
        ordered = self.lab.transfers[num_pending:]
        self.pending += ordered
        num_free = self.lab.stats().num_free_blocks + len({t.src for t in ordered})
        assert num_free == before.num_free_blocks + expected

    @rule()
    def reset(self):
        if self.lab.sequences or self.pending:
            with pytest.raises(CacheError):
                self.lab.reset()
        else:
            self.lab.reset()

    # ---- the oracles (`Checked` asks the others after every call)

    @invariant()
    def the_model_holds_what_the_tree_does(self):
        CacheMachine.num_steps += 1
        self.tell_evictions()
        block_of, end_of = {}, {None: ()}
        for view in self.lab.tree.walk():
            above = end_of[view.parent_id]
            end_of[view.id] = above + view.tokens
            for i, block in enumerate(view.block_ids):
                place = "device" if view.resident else "host", block
                block_of[view.namespace, above + view.tokens[: (i + 1) * BLOCK]] = place
        assert block_of == self.model.block_of

    def tell_evictions(self) -> None:
        """Bring the model up to date with what went since the last time."""
        for event in self.lab.events[self.heard :]:
            if isinstance(event, BlockRemoved):
                tier = "host" if event.reason == FULL else "device"
                self.model.evict(tier, expand(event.block_runs))
            elif isinstance(event, WrittenBack | LoadedBack):
                ids = "device", expand(event.block_runs), "host", expand(event.host_runs)
                self.model.move(*(ids if isinstance(event, WrittenBack) else ids[2:] + ids[:2]))
            elif isinstance(event, AllBlocksCleared):
                self.model.block_of.clear()
        self.heard = len(self.lab.events)

    def admit(self, tokens, namespace=None, reserve=0):
        """Admit a prompt if it fits; its hit is what the model says."""
        self.tell_evictions()
        expected = self.model.hit_tokens(namespace, tokens)
        with suppress(OutOfBlocksError):
            sequence = self.lab.allocate(tokens, namespace, reserve)
            assert sequence.hit_tokens == expected
            self.pending += sequence.copies
            return sequence

    def pick(self, who: int):
        """One of the running sequences; a new one if none runs; None if not even that fits."""
        sequences = list(self.lab.sequences.values())
        return sequences[who % len(sequences)] if sequences else self.admit([1, 2, 1, 1, 2])

    def write_range(self, sequence, start: int, end: int) -> None:
        with suppress(OutOfBlocksError):
            self.pending += self.lab.prepare_write(sequence, start, end)
            self.lab.write(sequence, start, end)


class PinMachine(CacheMachine):
    """The same, with pins that come, go and expire."""

    pin_budget_blocks = 4
    pins = ()

    @rule(tokens=PROMPTS, namespace=NAMESPACES, ttl_ticks=st.integers(1, 6))
    def pin(self, tokens, namespace, ttl_ticks):
        with suppress(PinError):
            pin = self.lab.pin(tokens, ttl_ticks, namespace)
            assert (pin.active, pin.expires_tick) == (True, self.lab.tick + ttl_ticks)
            self.pins = (*self.pins, pin)

    @rule(which=st.integers(0, 9))
    def unpin(self, which):
        if self.pins:
            pin = self.pins[which % len(self.pins)]
            if pin.active and pin.expires_tick > self.lab.tick:
                self.lab.unpin(pin)
            else:
                with pytest.raises(PinError):
                    self.lab.unpin(pin)

    @invariant()
    def an_expired_pin_protects_nothing(self):
        "Evictable is what no sequence, no transfer and no live pin protects"
        live = [pin for pin in self.pins if pin.active and pin.expires_tick > self.lab.tick]
        holding = [sequence.node for sequence in self.lab.sequences.values()]
        holding += [*self.lab.transit.locked_nodes(), *(pin.receipt.node for pin in live)]
        protected = {node for held in holding for node in held.path()}
        nodes = [node for node in self.lab.tree.nodes() if node.resident]
        evictable = sum(node.num_blocks for node in nodes if node not in protected)
        assert self.lab.stats().num_evictable_blocks == evictable


TestPins = PinMachine.TestCase
TestPins.settings = settings(max_examples=40)

TestCache = CacheMachine.TestCase
TestCache.settings = settings(max_examples=120)


@pytest.mark.soak
def test_a_million_operations_find_nothing():
    "New seeds in each batch, until a million rules have run, with all oracles after each"
    CacheMachine.num_steps = 0
    while CacheMachine.num_steps < 1_000_000:
        run_state_machine_as_test(CacheMachine, settings=settings(settings.get_profile("soak")))
    print(f"{CacheMachine.num_steps:,} operations, no finding")
