"""The rule of Dynamo's KV router, with its defaults and without its temperature.

Each replica has a price in blocks, and the cheapest one takes the request:

    price = max(0, prompt tokens being computed there ÷ block size + blocks of this prompt
                   - 1.0 · its blocks on the device - 0.75 · further ones on the host
                   - 0.25 · further ones on disk)
            + blocks of the requests that run there, this one included

KV events tell what each replica holds, tier by tier. The running requests are those that this
router has sent; blocks that several of them share are counted once, and so are those that this
prompt shares with them.
"""

from collections.abc import Iterable, Mapping

import numpy as np

from radixlab.config import MAX_BLOCK_SIZE, positive
from radixlab.observe.kv.wire import CPU, GPU, Cleared, Stored, WireEvent
from radixlab.route.errors import NoReplicaError
from radixlab.route.fleet import FEW, Fleet, Floats, ReplicaId, Slots, as_flags, slots_in
from radixlab.route.kv_feed import names_as_numbers
from radixlab.route.prefix_map import PrefixMap
from radixlab.route.prompt import Key, Keys, Prompt
from radixlab.route.protocol import Rule

CREDITS: Mapping[str, float] = {"device": 1.0, "host": 0.75, "disk": 0.25}
"""What a cached block saves, by tier: what has to be copied first saves less."""
TIERS = {GPU: "device", CPU: "host", "CPU_PINNED": "host"}
"""The tier of a medium; others are disks."""


class Dynamo(Rule):
    """The least sum of prompt blocks to compute and blocks in use."""

    hears_events = True

    def __init__(
        self, fleet: Fleet, block_size: int, credits: Mapping[str, float] = CREDITS
    ) -> None:
        self.fleet = fleet
        self.block_size = positive("block_size", block_size, MAX_BLOCK_SIZE)
        self.credits = credits
        self.known = {tier: PrefixMap() for tier in credits}
        self.active = PrefixMap()
        """The blocks of the running requests."""
        self._uses: dict[int, dict[Key, int]] = {}
        """How many running requests have a block, by slot."""
        self._running: dict[Prompt, tuple[ReplicaId, float]] = {}
        """Where each request runs, and how many of its tokens are not computed yet."""
        self._in_use: Floats = np.zeros(0)
        """Blocks of the running requests, by slot."""
        self._computing: Floats = np.zeros(0)
        """Prompt tokens that are not computed yet, by slot."""
        fleet.on_leave.append(self._forget)

    # ---- the rule

    def choose(self, prompt: Prompt) -> ReplicaId:
        """Return the cheapest replica; of equal ones the first."""
        if not self.fleet.live:
            raise NoReplicaError("no replica is alive")
        prices = self.prices(prompt)
        if len(self.fleet) < len(prices):
            prices[np.isinf(self.fleet.requests)] = np.inf
        return self.fleet.id(int(prices.argmin()))

    def prices(self, prompt: Prompt) -> Floats:
        """Return the price by slot, in blocks; [num_slots]."""
        self._grow()
        prompt_blocks = prompt.num_tokens / self.block_size
        to_compute = self._computing / self.block_size + prompt_blocks
        to_compute -= self._credit(prompt.keys, self.fleet.alive)
        new = len(prompt.keys) - self._lengths(self.active, prompt.keys, self.fleet.alive)
        return np.maximum(to_compute, 0.0) + self._in_use + new

    def _credit(self, keys: Keys, slots: Slots) -> Floats:
        """Return what the cached blocks save, by slot: a tier goes on where the last one ends."""
        device, *others = self.credits
        reached = self._lengths(self.known[device], keys, slots)
        total = self.credits[device] * reached
        for tier in others:
            if not self.known[tier].is_empty:
                longer = self._go_on(self.known[tier], keys, reached, slots)
                total += self.credits[tier] * (longer - reached)
                reached = longer
        return total

    def _go_on(self, known: PrefixMap, keys: Keys, reached: Floats, among: Slots) -> Floats:
        """Return how far each slot's blocks reach if this tier follows those `reached`."""
        longer = reached.copy()
        for start in np.unique(reached):
            slots = sum(1 << int(slot) for slot in np.flatnonzero(reached == start))
            longer += self._lengths(known, keys[int(start) :], slots & among)
        return longer

    def _lengths(self, known: PrefixMap, keys: Keys, slots: Slots) -> Floats:
        """Return how many leading blocks each slot holds."""
        lengths = np.zeros(len(self._in_use))
        for length, holders in known.levels(keys, slots):
            if holders.bit_count() <= FEW:
                for slot in slots_in(holders):
                    lengths[slot] = length
            else:
                lengths[as_flags(holders, len(lengths))] = length
        return lengths

    # ---- what it learns

    def routed(self, prompt: Prompt, replica: ReplicaId) -> None:
        """Count the request's blocks, and the tokens that are not cached."""
        if replica not in self.fleet:
            return
        self._grow()
        slot = self.fleet.slot(replica)
        uses = self._uses.setdefault(slot, {})
        for key in prompt.keys:
            uses[key] = uses.get(key, 0) + 1
        self.active.add(slot, prompt.keys)
        cached = float(self._credit(prompt.keys, 1 << slot)[slot]) * self.block_size
        self._running[prompt] = replica, max(0.0, prompt.num_tokens - cached)
        self._computing[slot] += self._running[prompt][1]
        self._in_use[slot] = len(uses)

    def computed(self, prompt: Prompt, replica: ReplicaId) -> None:
        """Count the prompt as computed."""
        where, num_tokens = self._running.get(prompt, (None, 0.0))
        if where == replica and replica in self.fleet:
            slot = self.fleet.slot(replica)
            self._computing[slot] = max(0.0, self._computing[slot] - num_tokens)
            self._running[prompt] = replica, 0.0

    def finished(self, prompt: Prompt, replica: ReplicaId) -> None:
        """Give up the request's blocks."""
        self.computed(prompt, replica)
        where, _ = self._running.get(prompt, (None, 0.0))
        if where != replica:
            return
        del self._running[prompt]
        if replica in self.fleet and (uses := self._uses.get(self.fleet.slot(replica))):
            slot = self.fleet.slot(replica)
            for key in prompt.keys:
                uses[key] -= 1
            unused = [key for key in prompt.keys if not uses[key]]
            for key in unused:
                uses.pop(key, None)
            self.active.remove(slot, unused)
            self._in_use[slot] = len(uses)

    def heard(self, replica: ReplicaId, events: Iterable[WireEvent]) -> None:
        """Follow what a replica's cache holds, tier by tier."""
        if replica not in self.fleet:
            return
        slot = self.fleet.slot(replica)
        for event in events:
            if isinstance(event, Cleared):
                self.forget(replica)
                continue
            known = self.known[TIERS.get(event.medium or GPU, "disk")]
            keys = names_as_numbers(event.block_hashes)
            if isinstance(event, Stored):
                known.add(slot, keys)
            else:
                known.remove(slot, keys)

    def forget(self, replica: ReplicaId) -> None:
        """Forget what a replica's cache holds."""
        if replica in self.fleet:
            for known in self.known.values():
                known.forget(self.fleet.slot(replica))

    def _forget(self, slot: int) -> None:
        """Forget a replica that has left, with all that it ran."""
        for known in (*self.known.values(), self.active):
            known.forget(slot)
        self._uses.pop(slot, None)
        gone = self.fleet.id(slot)
        self._running = {p: sent for p, sent in self._running.items() if sent[0] != gone}
        if slot < len(self._in_use):
            self._in_use[slot] = self._computing[slot] = 0.0

    def _grow(self) -> None:
        """Make room for replicas that have joined."""
        more = np.zeros(self.fleet.num_slots - len(self._in_use))
        if len(more):
            self._in_use = np.append(self._in_use, more)
            self._computing = np.append(self._computing, more)
