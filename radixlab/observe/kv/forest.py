"""The prefix trees that another engine's events describe: blocks by name, in runs, with orphans.

A node is a run of blocks, as in our own tree, and a block is found by its hash or by its tokens.
Unlike in our own tree, a block may lose the one before it: an event was missed, or an engine
evicted it alone. Its followers are orphans then. They stay in the tree, below a root that is named
after the missing hash, and are adopted when that block is stored again.

This file is the structure. It does not know bytes, sequence numbers or ranks; `shards.py` says
where blocks belong, and `telling.py` tells our own listeners what has changed. An operation costs
as much as the blocks that it names and one node. Events about a large subtree are told once, at the
end of a payload.
"""

from collections.abc import Iterator
from typing import Any

from radixlab.events import Namespace
from radixlab.observe.kv.pool import Pool
from radixlab.observe.kv.telling import Telling
from radixlab.observe.kv.wire import Hash

MAX_RUN = 512
"""Most blocks of a node, so that a split is never dear."""
MAX_STEPS = 2**20
"""Most steps that a payload may take from a block towards its root."""
ORPHAN = "orphan of"
"""The kind of namespace in which orphans are shown."""
NOWHERE: frozenset[str] = frozenset()


class Block:
    """One block: its names, its content, and the media that have it."""

    __slots__ = ("copies", "hashes", "id", "index", "key", "media", "node")

    def __init__(self, name: Hash, key: bytes, id: int) -> None:
        self.hashes = [name]
        self.key = key
        """Token ids, int32, as memory; behind them, what else sets it apart."""
        self.id = id
        """Its number in the pool of the device, or of the host."""
        self.copies = 0
        """How often the device has it: vLLM keeps duplicates."""
        self.media = NOWHERE
        """The other media that have it."""
        self.node: Node = None  # type: ignore[assignment]  # set when it is placed
        self.index = 0
        """Its index in the node."""


class Node:
    """A run of blocks that follow one another. A root has none."""

    __slots__ = ("blocks", "children", "home", "id", "namespace", "parent", "resident", "tick")

    def __init__(
        self, id: int, parent: "Node | None", namespace: Namespace | None, resident: bool, tick: int
    ) -> None:
        self.id = id
        self.parent = parent
        self.namespace = namespace
        self.resident = resident
        self.tick = tick
        self.blocks: list[Block] = []
        self.children: dict[bytes, Node] = {}
        self.home: tuple[dict[Any, Node], Any] | None = None
        """Where a root is kept, and under which key, for as long as anything is below it."""

    @property
    def key(self) -> bytes:
        """The first block's content, by which the parent knows this node."""
        return self.blocks[0].key


class Forest:
    """All trees of one publisher, over one pool for the device and one for what is not on it."""

    def __init__(self, num_blocks: int, num_host_blocks: int, telling: Telling) -> None:
        self.device, self.host = Pool(num_blocks), Pool(num_host_blocks)
        self.telling = telling
        self.tick = 0
        self.steps_left = MAX_STEPS
        """Of the payload that is being read."""
        self._next_id = 0

    def root(self, home: dict[Any, Node], key: Any, namespace: Namespace | None) -> Node:
        """Return the root that is kept in `home` under this key; make it if there is none."""
        if key not in home:
            home[key] = Node(-1, None, namespace, True, 0)
            home[key].home = home, key
        return home[key]

    def forget_if_empty(self, node: Node) -> None:
        """Let a root go that has nothing below it."""
        if node.home is not None and not node.children:
            home, key = node.home
            home.pop(key, None)

    # ---- look-up

    def after(self, node: Node, index: int, key: bytes) -> Block | None:
        """Return the block with this content that follows block `index` of a node."""
        if index + 1 < len(node.blocks):
            block = node.blocks[index + 1]
            return block if block.key == key else None
        child = node.children.get(key)
        return child.blocks[0] if child else None

    # ---- growth

    def place(self, before: Block | Node, name: Hash, key: bytes) -> Block | None:
        """Put a new block behind another one, or first below a root; None if the pool is full.

        It is on the device. `change_tier` moves it on if it is not.
        """
        number = self.device.take()
        if number is None:
            return None
        node = before if isinstance(before, Node) else self._ending_at(before)
        is_leaf = bool(node.blocks) and not node.children
        if not (is_leaf and node.resident and len(node.blocks) < MAX_RUN):
            leaf = Node(self._new_id(), node, node.namespace, True, self.tick)
            node.children[key] = leaf
            node = leaf
        block = Block(name, key, number)
        block.node, block.index = node, len(node.blocks)
        node.blocks.append(block)
        self.telling.stored(node, block)
        return block

    def _ending_at(self, block: Block) -> Node:
        """Return the node whose last block this is; split it if there are more."""
        node = block.node
        return node if block is node.blocks[-1] else self.split(node, block.index + 1)

    def split(self, lower: Node, num_blocks: int) -> Node:
        """Make the first blocks of a node a node of their own, above it."""
        self.telling.flush()
        parent = lower.parent
        assert parent is not None
        upper = Node(self._new_id(), parent, lower.namespace, lower.resident, lower.tick)
        upper.blocks, lower.blocks = lower.blocks[:num_blocks], lower.blocks[num_blocks:]
        for block in upper.blocks:
            block.node = upper
        for index, block in enumerate(lower.blocks):
            block.index = index
        parent.children[upper.key] = upper
        upper.children[lower.key] = lower
        lower.parent = upper
        self.telling.split(lower, upper)
        return upper

    def _new_id(self) -> int:
        self._next_id += 1
        return self._next_id - 1

    # ---- removal

    def take_off(self, blocks: list[Block]) -> list[Block]:
        """Remove the last blocks of leaves, and what comes before them if it is named too.

        Returns those that others still follow: they must be let go by `orphans` first.
        """
        gone = set(map(id, blocks))
        for block in blocks:
            last: Block | None = block
            while last is not None and id(last) in gone and self._is_last(last):
                gone.discard(id(last))
                last = self._drop(last)
        return [block for block in blocks if id(block) in gone]

    def _is_last(self, block: Block) -> bool:
        return block is block.node.blocks[-1] and not block.node.children

    def _drop(self, block: Block) -> Block | None:
        """Remove the last block of a leaf; return the one before it."""
        node = block.node
        self.telling.removed(node, block)
        if len(node.blocks) == 1 and node.parent is not None:
            del node.parent.children[block.key]
            before = node.parent.blocks[-1] if node.parent.blocks else None
            self.forget_if_empty(node.parent)
        else:
            before = node.blocks[-2]
        node.blocks.pop()
        (self.device if node.resident else self.host).give(block.id)
        return before

    def orphan(self, block: Block, root: Node) -> list[Block]:
        """Move everything that follows a block below `root`; return what must go instead."""
        return self._move_children(self._ending_at(block), root)

    def adopt(self, block: Block, root: Node) -> list[Block]:
        """Move the orphans below `root` behind this block; return what must go instead."""
        return self._move_children(root, self._ending_at(block))

    def is_below(self, block: Block, root: Node) -> bool:
        """Whether a block is below this root, or so deep that the payload must not ask."""
        node: Node | None = block.node
        while node is not None and node is not root and self.steps_left > 0:
            node, self.steps_left = node.parent, self.steps_left - 1
        return node is not None

    def _move_children(self, source: Node, target: Node) -> list[Block]:
        """Move subtrees; return the blocks of those that have a twin where they should go."""
        twins = [child for child in list(source.children.values()) if not self._move(child, target)]
        return [block for twin in twins for below in walk(twin) for block in below.blocks]

    def _move(self, node: Node, parent: Node) -> bool:
        """Move a subtree below another node, behind its last block; False if there is one like it.

        A small one is told as removed and stored again; a large one when the payload ends.
        """
        assert node.parent is not None
        if node.key in parent.children:
            return False
        subtree = self.telling.affordable(node)
        self.telling.subtree_removed(subtree)
        del node.parent.children[node.key]
        self.forget_if_empty(node.parent)
        parent.children[node.key] = node
        node.parent = parent
        for below in subtree:
            below.namespace = parent.namespace
        self.telling.subtree_stored(subtree)
        return True

    # ---- the tiers

    def change_tier(self, blocks: list[Block], resident: bool) -> list[Block]:
        """Move blocks to the device or away from it; return those for which there is no room."""
        self.telling.flush()
        by_node: dict[Node, list[Block]] = {}
        for block in blocks:
            by_node.setdefault(block.node, []).append(block)
        failed: list[Block] = []
        for node, members in by_node.items():
            members.sort(key=lambda block: block.index)
            for first, last in _runs(members)[::-1]:
                if last + 1 < len(node.blocks):
                    node = self.split(node, last + 1)
                whole = node
                if first > 0:
                    node = self.split(node, first)
                if not self._change_node(whole, resident):
                    failed += whole.blocks
        return failed

    def _change_node(self, node: Node, resident: bool) -> bool:
        old, new = (self.host, self.device) if resident else (self.device, self.host)
        if new.limit - new.num_used < len(node.blocks):
            return False
        before = [block.id for block in node.blocks]
        for block in node.blocks:
            old.give(block.id)
            number = new.take()
            assert number is not None
            block.id = number
        node.resident = resident
        self.telling.changed_tier(node, before)
        return True


def _runs(blocks: list[Block]) -> list[tuple[int, int]]:
    """Return first and last index of each run of neighbours, for blocks of one node, in order."""
    runs: list[tuple[int, int]] = []
    for block in blocks:
        if runs and runs[-1][1] == block.index - 1:
            runs[-1] = runs[-1][0], block.index
        else:
            runs.append((block.index, block.index))
    return runs


def walk(top: Node) -> Iterator[Node]:
    """Yield a node and those below it, parents first; a root is not yielded."""
    stack = [top]
    while stack:
        node = stack.pop()
        if node.blocks:
            yield node
        stack += list(node.children.values())[::-1]
