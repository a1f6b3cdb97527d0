"""A scenario: calls on a new tree, as plain data, as code to paste, and as what may be asked.

Operations, with what they mean for a tree:

    ("match", tokens)               tree.match_prefix(tokens)
    ("insert", tokens, block_ids)   tree.insert(tokens, block_ids)
    ("lock", n, tokens)             receipt n = tree.lock(tree.match_prefix(tokens).node)
    ("keep", n, tokens, block_ids)  receipt n = tree.lock(tree.insert(tokens, block_ids).node)
    ("unlock", n)                   tree.unlock(receipt n)
    ("again", n)                    the same once more: it must raise
    ("evict", num_blocks)           tree.evict(num_blocks)
    ("another", block_size)         another = RadixTree(block_size)
    ("stats",)                      tree.stats()
    ("walk",)                       list(tree.walk())
"""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from typing import Any

from radixlab.exercise.tree import Tokens

Operation = tuple[Any, ...]
MAX_LINES = 60
"""Of code that is shown: nobody reads more."""
WALKED = frozenset({"shape", "contents", "locks"})
"""What can be judged by `walk` alone."""
OTHERS = ("found", "kept", "cached", "duplicates", "evicted", "counted", "unchanged")
EVERYTHING = WALKED.union(OTHERS)


@dataclass(frozen=True, slots=True)
class Scenario:
    """Operations, and what of the answers is judged: an item asks for its own rule alone.

    found: the blocks of a match; kept, cached, duplicates: what `insert` says; evicted: what
    `evict` says; shape: nodes hold whole blocks; contents: they hold what was inserted; locks:
    `lock_ref`; counted: how many blocks `walk` shows for `stats`; unchanged: lists that were
    returned stay as they are. What raises, and what `stats` says of `walk`, is always judged.
    """

    block_size: int
    operations: tuple[Operation, ...]
    judged: frozenset[str]

    @property
    def watched(self) -> bool:
        """Whether it takes a walk after each operation to judge it."""
        return bool(self.judged & WALKED) and ("walk",) not in self.operations

    def code(self) -> str:
        """Return lines to paste below one's own `RadixTree`."""
        lines = [f"tree = RadixTree({self.block_size})", *map(_line, self.operations)]
        num_more = len(lines) - MAX_LINES
        if num_more > 0:
            lines[MAX_LINES // 2 : -MAX_LINES // 2] = [f"# and {num_more:,} more calls like these"]
        return "\n".join(lines)


def _line(operation: Operation) -> str:
    name, *arguments = operation
    match operation:
        case ("match", tokens):
            return f"tree.match_prefix({tokens})"
        case ("lock", receipt, tokens):
            return f"receipt_{receipt} = tree.lock(tree.match_prefix({tokens}).node)"
        case ("keep", receipt, tokens, block_ids):
            return f"receipt_{receipt} = tree.lock(tree.insert({tokens}, {block_ids}).node)"
        case ("unlock" | "again", receipt):
            return f"tree.unlock(receipt_{receipt})"
        case ("another", block_size):
            return f"another = RadixTree({block_size})"
        case ("walk",):
            return "list(tree.walk())"
    return f"tree.{name}({', '.join(map(repr, arguments))})"


def key_of(operation: Operation) -> tuple[Tokens, tuple[int, ...] | None]:
    """Return an operation's tokens, empty if it has none, and its block ids, None likewise."""
    match operation:
        case ("insert", tokens, block_ids) | ("keep", _, tokens, block_ids):
            return tokens, block_ids
        case ("match", tokens) | ("lock", _, tokens):
            return tokens, None
    return (), None


def with_key(operation: Operation, tokens: Tokens, block_ids: Any = None) -> Operation:
    """Return the operation with another key, if it has one."""
    match operation:
        case ("match" | "lock", *receipt, _):
            return (operation[0], *receipt, tokens)
        case ("insert" | "keep", *receipt, _, _):
            return (operation[0], *receipt, tokens, tuple(block_ids))
    return operation


def fair(operations: Iterable[Operation]) -> Iterator[Operation]:
    """Leave out what a caller may not do: receipts are used once, after they were given.

    What the text promises about block ids depends on what was evicted: the audit looks after that.
    """
    held, released = set[int](), set[int]()
    for operation in operations:
        match operation:
            case ("lock" | "keep", receipt, *_):
                held.add(receipt)
            case ("unlock", receipt) if receipt not in held:
                continue
            case ("unlock", receipt):
                held.remove(receipt)
                released.add(receipt)
            case ("again", receipt) if receipt not in released:
                continue
        yield operation
