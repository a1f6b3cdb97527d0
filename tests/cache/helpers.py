"""How the tests of the cache are written: prompts as letters, drawn trees, a manager under oath.

In a prompt a letter stands for one whole block filled with that letter, a dot for a single token:
`text("ab.")` is 9 tokens in blocks of 4. A tree is drawn as `ab(c|d)`: a node of two blocks with
two children of one; a node on the host as `[ab]`.
"""

import re
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from typing import Any

import numpy as np
import pytest

from radixlab.cache import CacheError, KVCacheManager, KVCanary, RadixTree, check
from radixlab.config import CacheConfig
from radixlab.events import BlockStored
from radixlab.observe import State, fold, snapshot

BLOCK_SIZE = 4
SALT, ADAPTER = ("salt", "x"), ("adapter", "x")


NOUNS = "receipt|block|node|token|sequence|request|prompt|pin|answer|owner"
HOW = "whole |locked |cached |"
DISAGREE = re.compile(
    rf"(?<!block )(?<!node )\b1 (?:{HOW})((?:{NOUNS})s|children|leaves|are|hold|run)\b"
    rf"|(?<!of )(?<!block )(?<!node )\b(?:[02-9]|[1-9]\d+) (?:{HOW})"
    rf"(?:{NOUNS}|child|leaf|holds|runs|is held)\b(?! id)"
)


def numbers_agree(said: str) -> bool:
    """Whether nouns and verbs agree with the numbers before them.

    >>> [numbers_agree(each) for each in ("1 block is", "2 blocks", "1 blocks", "2 receipt held")]
    [True, True, False, False]
    """
    return not DISAGREE.search(said)


def text(drawing: str, block_size: int = BLOCK_SIZE) -> list[int]:
    """Return a prompt's tokens: a letter is one block, anything else one token."""
    return [ord(c) for c in drawing for _ in range(block_size if c.isalpha() else 1)]


def ids(*block_ids: int) -> np.ndarray:
    """Return block ids as the cache takes them."""
    return np.array(block_ids, np.int32)


@contextmanager
def refused(error: type[Exception], *says: object) -> Iterator[None]:
    """Expect this error, and a message that names all of these things and numbers."""
    with pytest.raises(error) as caught:
        yield
    message = str(caught.value)
    assert all(re.search(rf"(?<!\d){re.escape(str(s))}(?!\d)", message) for s in says), message


# ---- drawn trees


def tree(drawing: str) -> RadixTree:
    """Build the drawn tree; blocks are numbered in the order of the letters."""
    radix_tree, next_id = RadixTree(BLOCK_SIZE), 0
    blocks: dict[str, int] = {}
    for path in paths(drawing):
        for end in range(1, len(path) + 1):
            if path[:end] not in blocks:
                blocks[path[:end]] = next_id
                next_id += 1
        radix_tree.insert(text(path), ids(*(blocks[path[:end]] for end in range(1, len(path) + 1))))
    return radix_tree


def paths(drawing: str) -> Iterator[str]:
    """Yield the letters from the root to the end of every drawn node, parents first."""
    path, open_paths = "", []
    for i, c in enumerate(drawing):
        if c.isalpha():
            path += c
            if i + 1 == len(drawing) or not drawing[i + 1].isalpha():
                yield path
        elif c == "(":
            open_paths.append(path)
        elif c == "|":
            path = open_paths[-1] if open_paths else ""
        else:
            open_paths.pop()


def drawn(cache: Any, namespace: tuple[str, str] | None = None, locks: bool = False) -> str:
    """Draw a tree, children in alphabetical order; with `locks`, `lock_ref` after the letters."""
    views = list(getattr(cache, "tree", cache).walk())
    block_size = getattr(cache, "tree", cache).block_size
    children: dict[int | None, list[str]] = {}
    for view in reversed(views):  # children before parents
        if view.namespace == namespace:
            name = "".join(map(chr, view.tokens[::block_size])) + str(view.lock_ref) * locks
            name = name if view.resident else f"[{name}]"
            below = "|".join(sorted(children.pop(view.id, [])))
            children.setdefault(view.parent_id, []).append(name + (f"({below})" if below else ""))
    return "|".join(sorted(children.get(None, [])))


def node(radix_tree: Any, path: str) -> Any:
    """Return a handle on the node that ends where `path` does."""
    return radix_tree.match_prefix(text(path)).node


# ---- a manager under oath


class Checked:
    """A manager and its canary; after every call, failed ones too, all oracles speak.

    `check` finds nothing; the fold over the events equals the engine; events are numbered without
    gaps and name known parents; every running sequence reads its own KV; a call that raised has
    changed nothing.
    """

    def __init__(self, num_blocks: int = 16, block_size: int = BLOCK_SIZE, policy=None, **config):
        sizes = CacheConfig(num_blocks, block_size, **config)
        self.manager = KVCacheManager(sizes, self._hear, policy)
        self.canary = KVCanary(num_blocks, block_size, sizes.num_host_blocks)
        self._sizes = {"num_blocks": num_blocks, "block_size": block_size}
        self._sizes["num_host_blocks"] = sizes.num_host_blocks
        self.state = State(**self._sizes)
        self.events: list[Any] = []
        self.written: dict[int, int] = {}
        self.ran: set[Any] = set()
        self.seen: dict[int, tuple[Any, ...]] = {}
        """What was true of each sequence when its KV was last found to be its own."""

    def __getattr__(self, name: str) -> Any:
        value = getattr(self.manager, name)
        return value if not callable(value) or name == "emit" else self._under_oath(value)

    def fork(self, sequence, *args, **kwargs):
        child = self._under_oath(self.manager.fork)(sequence, *args, **kwargs)
        self.written[child.id] = min(self.num_written(sequence), child.num_tokens)
        self.verify()
        return child

    def allocate(self, *args, **kwargs):
        sequence = self._under_oath(self.manager.allocate, verify=False)(*args, **kwargs)
        self.run(sequence.copies)
        self.verify()
        return sequence

    def complete(self, transfers):
        self.run(transfers)
        self._under_oath(self.manager.complete)(transfers)
        self.ran.difference_update(transfers)

    def run(self, transfers) -> None:
        """Run transfers, as late as a caller may: here if not before, and after all before them."""
        while not self.ran.issuperset(transfers) and (late := self._next_to_run()):
            self.canary.run([late])
            self.ran.add(late)

    def _next_to_run(self):
        return next((t for t in self.manager.transfers if t not in self.ran), None)

    def append(self, sequence, tokens):
        return self._copying(self.manager.append, sequence, tokens)

    def prepare_write(self, sequence, start, end):
        return self._copying(self.manager.prepare_write, sequence, start, end)

    def num_written(self, sequence) -> int:
        """How many leading tokens of a sequence have their KV."""
        return self.written.get(sequence.id, sequence.hit_tokens)

    def write(self, sequence, start: int | None = None, end: int | None = None) -> None:
        """Write KV as a forward pass would, by default all that is missing."""
        start = self.num_written(sequence) if start is None else start
        end = sequence.num_tokens if end is None else end
        slots = sequence.slots(start, end, self.config.block_size)
        touched = set((slots // self.config.block_size).tolist())
        owned = {b for view in self.tree.walk() if view.resident for b in view.block_ids}
        for other in self.sequences.values():
            owned |= set(other.block_table.tolist()) if other is not sequence else set()
        assert not touched & owned, f"{sequence} writes to blocks of others: {touched & owned}"
        self.canary.write(sequence, start, end)
        self.written[sequence.id] = max(self.num_written(sequence), end)
        self.verify()

    def verify(self) -> None:
        """Ask every oracle."""
        self.verify_structure()
        for sequence in self.manager.sequences.values():
            self._read(sequence, self.num_written(sequence))

    def _read(self, sequence, end: int) -> None:
        """Read a sequence's KV unless all that the answer depends on is as it was the last time."""
        table, data = sequence.block_table, self.canary.store.data
        facts = (table.tobytes(), data.take(table, 0, mode="clip").tobytes())
        facts += (sequence.token_ids.tobytes(), sequence.namespace, end)
        if self.seen.get(sequence.id) != facts:
            self.canary.read(sequence, end)
            self.seen[sequence.id] = facts

    def verify_structure(self) -> None:
        """Ask those that need no KV."""
        check(self.manager)
        assert self.state == snapshot(self.manager)

    def happened(self, *types: type) -> list[Any]:
        """Return the events of these types so far."""
        return [event for event in self.events if isinstance(event, types)]

    def _hear(self, event: Any) -> None:
        assert event.seq == len(self.events), "a gap in the events"
        if isinstance(event, BlockStored):
            assert event.parent_id is None or event.parent_id in self.state.nodes, "parent unknown"
        self.events.append(event)
        fold(self.state, event)

    def _state_after(self, num_events: int) -> State:
        """Return the state before the newest events: a call that fails may have undone what it did.

        It is the fold over the events before, because `verify` has compared that with the engine.
        """
        if num_events == len(self.events):
            return self.state
        state = State(**self._sizes)
        for event in self.events[:num_events]:
            fold(state, event)
        return state

    def _copying(self, method, sequence, *args):
        transfers = self._under_oath(method, verify=False)(sequence, *args)
        self.run(transfers)
        self.verify()
        return transfers

    def _under_oath(self, method, verify: bool = True):
        def call(*args, **kwargs):
            num_events = len(self.events)
            try:
                result = method(*args, **kwargs)
            except CacheError:
                before = self._state_after(num_events)
                assert snapshot(self.manager) == before, f"{method.__name__} failed with a change"
                self.verify()
                raise
            if verify:
                self.verify()
            return result

        return call


def start(lab: Checked, drawing: str, namespace: tuple[str, str] | None = None):
    """Admit a prompt, write its KV and commit it; the sequence runs on."""
    sequence = lab.allocate(text(drawing, lab.config.block_size), namespace)
    lab.complete(sequence.copies)
    lab.write(sequence)
    lab.commit(sequence, sequence.num_tokens)
    return sequence


def grow(lab: Checked, sequence, tokens: Iterable[int]) -> None:
    """Append tokens, run and complete the copies that takes, write the tokens' KV."""
    first = sequence.num_tokens
    lab.complete(lab.append(sequence, list(tokens)))
    lab.write(sequence, first)


def run_request(lab: Checked, prompt: str, output: str = "", namespace=None):
    """Run a request to its end: prefill, one forward per output token, release; return it."""
    sequence = start(lab, prompt, namespace)
    for token in text(output, lab.config.block_size):
        grow(lab, sequence, [token])
        lab.commit(sequence, sequence.num_tokens)
    lab.release(sequence)
    return sequence


def cached(lab: Checked, *prompts: str) -> Checked:
    """Run these prompts one after the other, so that the tree holds them."""
    for prompt in prompts:
        run_request(lab, prompt)
    return lab
