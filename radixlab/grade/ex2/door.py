"""The door before a manager: what the learner's code may call, and what the judge notes of it."""

from collections.abc import Callable
from typing import Any

from radixlab.exercise.cow import Copies
from radixlab.grade.ex2.log import Call, RefusedError, Verb


class Door:
    """See `radixlab.exercise.cow.Manager`: the learner's code sees nothing else of a manager."""

    def __init__(
        self,
        number: int,
        tables: Any,
        block_bytes: int,
        note: Callable[[Call], None],
    ) -> None:
        self._number, self._machine = number, note
        self._tables = tables  # of paper or of the engine: the same five names
        self.block_bytes = block_bytes

    def start(self) -> int:
        """Admit the prompt."""
        sequence: int = self._tables.start()
        self._note("start", sequence)
        return sequence

    def fork(self, sequence: int) -> tuple[int, Copies]:
        """Fork, and copy what an eager fork copies."""
        self._check(sequence)
        child, copies = self._tables.fork(sequence)
        self._note("fork", sequence, child, len(copies))
        return child, copies

    def append(self, sequence: int) -> Copies:
        """Write a token, after the copies it takes."""
        self._check(sequence)
        copies: Copies = self._tables.append(sequence)
        self._note("append", sequence, num_copies=len(copies))
        return copies

    def sync(self) -> None:
        """Wait for all that is queued."""
        self._note("sync")

    def release(self, sequence: int) -> None:
        """End a sequence."""
        self._check(sequence)
        self._tables.release(sequence)
        self._note("release", sequence)

    def _check(self, sequence: object) -> None:
        if type(sequence) is not int or sequence not in self._tables.running:
            raise RefusedError(f"sequence {str(sequence)[:40]} is not running")

    def _note(self, verb: Verb, sequence: int = -1, child: int = -1, num_copies: int = 0) -> None:
        what = self._number, self._tables.kind, self._tables.block_size, verb
        num_bytes = num_copies * self.block_bytes
        self._machine(Call(*what, sequence, child, num_copies, num_bytes))
