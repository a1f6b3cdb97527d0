"""Block tables of paper: who holds which block, so that every copy is one that had to be made.

As in the engine, a write copies the last block if somebody else holds it too. It knows no time.
"""

from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass
from itertools import count

from radixlab.exercise.cow import Copies
from radixlab.grade.ex2.traffic import Workload


@dataclass(slots=True, eq=False)
class Branch:
    """One running sequence."""

    num_tokens: int
    table: list[int]


class PaperTables:
    """The sequences of one manager; `KeyError` for one that does not run."""

    def __init__(self, kind: str, block_size: int, workload: Workload) -> None:
        self.kind, self.block_size, self.workload = kind, block_size, workload
        self.running: dict[int, Branch] = {}
        self._holders: Counter[int] = Counter()
        self._block_ids: Iterator[int] = count()
        self._names: Iterator[int] = count()

    def start(self) -> int:
        """Give a prompt its blocks."""
        num_tokens = self.workload.prompt_tokens(self.block_size)
        table = [self._block() for _ in range(-(-num_tokens // self.block_size))]
        if self.workload.in_tree and self.kind == "cow":
            self._holders[table[-1]] += 1
        return self._add(Branch(num_tokens, table))

    def fork(self, sequence: int) -> tuple[int, Copies]:
        """Share all blocks or copy all."""
        parent = self.running[sequence]
        copies: Copies = []
        if self.kind == "eager":
            copies = [(block, self._block()) for block in parent.table]
            table = [dst for _, dst in copies]
        else:
            table = list(parent.table)
            self._holders.update(table)
        return self._add(Branch(parent.num_tokens, table)), copies

    def append(self, sequence: int) -> Copies:
        """Write one token, into a block that nobody else holds."""
        branch = self.running[sequence]
        branch.num_tokens += 1
        if branch.num_tokens % self.block_size == 1:
            branch.table.append(self._block())
        last = branch.table[-1]
        if self._holders[last] == 1:
            return []
        self._holders[last] -= 1
        branch.table[-1] = self._block()
        return [(last, branch.table[-1])]

    def release(self, sequence: int) -> None:
        """Let go of all its blocks."""
        self._holders.subtract(self.running.pop(sequence).table)

    def _add(self, branch: Branch) -> int:
        name = next(self._names)
        self.running[name] = branch
        return name

    def _block(self) -> int:
        block = next(self._block_ids)
        self._holders[block] = 1
        return block
