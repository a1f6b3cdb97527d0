"""Pairs of runs for tests of what compares them, and a slow comparison of whole states."""

import random
from collections.abc import Iterator
from dataclasses import fields, replace
from itertools import zip_longest
from typing import Any

import numpy as np

from radixlab import events as ev
from radixlab.cache import KVCacheManager, OutOfBlocksError, RadixTree
from radixlab.cache.eviction import POLICIES
from radixlab.config import CacheConfig
from radixlab.events import Event
from radixlab.observe import State, copy_state, fold, watch
from radixlab.observe.divergence import Run
from radixlab.observe.state import expand


def served(policy: str, seed: int, hosts: int = 0, explain: bool = False) -> Run:
    """Run requests that share prefixes through a pool too small for them, under one policy."""
    draw, events, running = random.Random(seed), list[Event](), list[Any]()
    config = CacheConfig(24, 2, explain=explain, num_host_blocks=hosts)
    cache = KVCacheManager(config, policy=POLICIES[policy](), emit=events.append)
    for _ in range(25):
        prompt = [draw.randrange(2) for _ in range(draw.randrange(4, 16))]
        try:
            sequence = cache.allocate(prompt)
        except OutOfBlocksError:
            continue
        cache.complete(sequence.copies)
        cache.commit(sequence, sequence.num_tokens)
        running.append(sequence)
        while running and draw.random() < 0.6:
            cache.release(running.pop(0))
    return Run(policy, State(24, 2, num_host_blocks=hosts), events)


def tree_run(seed: int, name: str = "tree") -> Run:
    """Drive a tree alone, under watch."""
    draw, events = random.Random(seed), list[Event]()
    tree = watch(RadixTree(block_size=2), 2, 40, emit=events.append)
    receipts, free = [], list(range(40))
    for _ in range(20):
        tokens = [draw.randrange(2) for _ in range(2 * draw.randrange(1, 5))]
        if len(free) < 4:
            free += tree.evict(6).tolist()
            continue
        ids = np.array([free.pop(0) for _ in range(len(tokens) // 2)], np.int32)
        result = tree.insert(tokens, ids)
        free += result.duplicate_block_ids.tolist()
        if draw.random() < 0.3:
            receipts.append(tree.lock(result.node))
        if receipts and draw.random() < 0.5:
            tree.unlock(receipts.pop())
    return Run(name, State(40, 2), events)


def pairs(seeds: range) -> Iterator[tuple[str, Run, Run]]:
    """Yield `(kind, a, b)`: pairs that part, and pairs that are the same in other words."""
    names = [*POLICIES]
    for seed in seeds:
        draw = random.Random(seed)
        hosts = draw.choice((0, 0, 6))
        a = served(draw.choice(names), seed, hosts)
        yield "policies", a, served(draw.choice(names), seed, hosts)
        yield "same", a, a
        yield "explained", a, served(a.name, seed, hosts, explain=True)
        yield "renamed", a, replace(a, name="b", events=[_renamed(e) for e in a.events])
        cut = draw.randrange(len(a.events))
        yield "cut", a, replace(a, name="b", events=a.events[:cut])
        yield "other traffic", a, served(a.name, seed + 1000, hosts)
        yield "another fact", a, replace(a, name="b", events=_with_another_fact(a.events, draw))
        yield "other pool", a, replace(a, start=replace(a.start, num_blocks=99))
        late = served(draw.choice(names), seed, hosts)
        yield "in mid-run", _from(a, cut), _from(late, cut)
        tree = tree_run(seed)
        yield "trees", tree, replace(tree, events=[_renamed(e) for e in tree.events])
        yield "other trees", tree, tree_run(seed + 1000)
        yield "resynced", tree, replace(tree, events=_resynced(tree, draw))


def _from(run: Run, cut: int) -> Run:
    """Begin in the middle: the first state holds nodes and sequences."""
    state = copy_state(run.start)
    for event in run.events[:cut]:
        fold(state, event)
    return replace(run, start=state, events=run.events[cut:])


def _renamed(event: Event) -> Event:
    """Number nodes and sequences otherwise."""
    ids = ("node_id", "upper_id", "host_node_id", "parent_id", "sequence_id")
    new = {n: 7 * v + 3 for n in ids if (v := getattr(event, n, None)) is not None}
    return replace(event, **new)


def _with_another_fact(events: list[Event], draw: random.Random) -> list[Event]:
    """Change one fact that no state shows."""
    order = list(range(len(events)))
    draw.shuffle(order)
    for at in order:
        event = events[at]
        if isinstance(event, ev.BlocksFreed):
            changed: Event = replace(event, block_runs=((0, 23),))
        elif isinstance(event, ev.RequestFinished):
            changed = replace(event, reason="aborted")
        elif isinstance(event, ev.OutOfBlocks):
            changed = replace(event, num_free=event.num_free + 1)
        else:
            continue
        return [*events[:at], changed, *events[at + 1 :]]
    return events


def _resynced(run: Run, draw: random.Random) -> list[Event]:
    """Let a lock get lost on the way to an ancestor, as in a learner's tree."""
    at = draw.randrange(len(run.events))
    state = _from(run, at).start
    rows = tuple(
        (n.id, n.parent_id, n.namespace, tuple(n.tokens), tuple(n.block_ids), n.lock_ref + 1, 0, 0)
        for n in state.nodes.values()
    )
    return [*run.events[:at], ev.TreeResynced(at, 0, rows)]


def slow_divergence(a: Run, b: Run) -> int | None:
    """Compare whole states and outcomes after every event; nothing is counted or remembered."""
    for at, (left, right) in enumerate(zip_longest(_moments(a), _moments(b))):
        if left != right:
            return max(0, at - 1)
    return None


def _moments(run: Run) -> Iterator[Any]:
    """Yield the first state, then each event's outcome with the state after it."""
    state = copy_state(run.start)
    began = {id: -1 - k for k, id in enumerate(sorted(state.sequences))}
    yield _whole(state, began)
    for at, event in enumerate(run.events):
        before = copy_state(state)
        fold(state, event)
        if isinstance(event, (ev.SequenceStarted, ev.SequenceForked)):
            began[event.sequence_id] = at
        yield _outcome(event, before, state, began), _whole(state, began)


def _whole(state: State, began: dict[int, int]) -> Any:
    nodes = [
        (_content(state, n.id), n.block_ids, n.resident, n.lock_ref) for n in state.nodes.values()
    ]
    sequences = [
        (
            began[s.id],
            s.namespace,
            s.tokens,
            s.block_table,
            s.hit_tokens,
            _content(state, s.node_id),
        )
        for s in state.sequences.values()
    ]
    sizes = (state.num_blocks, state.block_size, state.num_host_blocks)
    return sizes, sorted(nodes, key=repr), sorted(sequences, key=repr), state.transfers


def _content(state: State, node_id: int | None) -> Any:
    """Name a node by what it holds, from the top of the tree on."""
    if node_id not in state.nodes:
        return None
    path = list(state.path(node_id))[::-1]
    return path[0].namespace, [token for node in path for token in node.tokens]


_TOLD = {"seq", "step", "site", "tick", "evicted_tick", "miss_reason", "nodes"}


def _outcome(event: Event, before: State, after: State, began: dict[int, int]) -> Any:
    facts: list[Any] = [type(event).__name__]
    for f in fields(event):
        value = getattr(event, f.name)
        if f.name in _TOLD:
            continue
        if f.name.endswith("node_id") or f.name == "upper_id":
            value = _content(before, value), _content(after, value)
        elif f.name == "parent_id":
            fork = isinstance(event, ev.SequenceForked)
            value = began.get(value) if fork else _content(after, value)
        elif f.name == "sequence_id":
            value = began.get(value)
        elif f.name.endswith("_runs"):
            value = expand(value)
        elif f.name == "reason" and not isinstance(event, ev.RequestFinished):
            value = [w for w in ("host full", "corrupt KV") if w in value] * hasattr(event, "tick")
            value = value if isinstance(event, ev.BlockRemoved) else []
        facts.append((f.name, value))
    return facts
