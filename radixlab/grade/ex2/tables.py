"""Block tables of paper: who holds which block, so that only necessary copies are made.

As in the engine, a write copies the last block if it has another holder too. This file knows no
time.
"""

from collections import Counter
from collections.abc import Iterator
from itertools import count

from radixlab.exercise.cow import Copies
from radixlab.grade.ex2.door import RefusedError
from radixlab.grade.ex2.traffic import Workload

MAX_BLOCKS = 500_000
"""In one run; no careful one needs a third of it."""


class PaperTables:
    """The sequences of one manager; `KeyError` for one that does not run."""

    def __init__(
        self, kind: str, block_size: int, workload: Workload, block_ids: Iterator[int]
    ) -> None:
        self.kind, self.block_size, self.workload = kind, block_size, workload
        self.running: dict[int, list[int]] = {}
        """The block table of each sequence."""
        self._num_tokens: dict[int, int] = {}
        self._holders: Counter[int] = Counter()
        self._block_ids = block_ids  # of the machine
        self._names: Iterator[int] = count()

    def start(self) -> int:
        """Give a prompt its blocks."""
        num_tokens = self.workload.prompt_tokens(self.block_size)
        table = [self._block() for _ in range(-(-num_tokens // self.block_size))]
        if self.workload.in_tree and self.kind == "cow":
            self._holders[table[-1]] += 1
        return self._add(num_tokens, table)

    def fork(self, sequence: int) -> tuple[int, Copies]:
        """Share all blocks or copy all."""
        parent = self.running[sequence]
        copies: Copies = []
        if self.kind == "eager":
            copies = [(block, self._block()) for block in parent]
            table = [dst for _, dst in copies]
        else:
            table = list(parent)
            self._holders.update(table)
        return self._add(self._num_tokens[sequence], table), copies

    def append(self, sequence: int) -> Copies:
        """Write one token, into a block that nobody else holds."""
        table = self.running[sequence]
        self._num_tokens[sequence] += 1
        if self._num_tokens[sequence] % self.block_size == 1:
            table.append(self._block())
        last = table[-1]
        if self._holders[last] == 1:
            return []
        self._holders[last] -= 1
        table[-1] = self._block()
        return [(last, table[-1])]

    def release(self, sequence: int) -> None:
        """Let go of all its blocks."""
        self._holders.subtract(self.running.pop(sequence))

    def _add(self, num_tokens: int, table: list[int]) -> int:
        sequence = next(self._names)
        self.running[sequence], self._num_tokens[sequence] = table, num_tokens
        return sequence

    def _block(self) -> int:
        block = next(self._block_ids)
        if block >= MAX_BLOCKS:
            raise RefusedError(f"over {MAX_BLOCKS:,} blocks in one run")
        self._holders[block] = 1
        return block
