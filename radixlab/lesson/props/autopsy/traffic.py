"""The same small traffic for every suspect: fourteen steps, each followed by reads of all KV.

This file knows an engine's public methods and the canary. It does not know the bugs.
"""

from contextlib import suppress
from dataclasses import dataclass
from typing import Literal

from radixlab.cache import KVCacheManager, KVCanary, Sequence, SequenceError
from radixlab.events import Namespace
from radixlab.lesson.tokens import encode

Verb = Literal["ask", "finish", "fork", "cancel"]


@dataclass(frozen=True, slots=True)
class Step:
    """One step; people in one batch all allocate before any of them commits."""

    verb: Verb
    names: tuple[str, ...]
    text: str = ""
    """The prompt; for a fork, the name of the new sequence."""
    namespace: Namespace | None = None

    def __str__(self) -> str:
        *others, last = self.names
        who, s = " and ".join([", ".join(others), last]) if others else last, "" if others else "s"
        match self.verb:
            case "ask":
                for_whom = f" ({' '.join(self.namespace)})" if self.namespace else ""
                batch = "" if s else ", in one batch"
                return f'{who}{for_whom} ask{s} "{self.text}"{batch}'
            case "fork":
                return f"{who} is forked: {self.text} goes on from the same tokens"
            case "cancel":
                return f"a cancellation of {who} arrives, too late"
        return f"{who} finish{'es' if s else ''}"


SCRIPT = (
    Step("ask", ("Ann", "Bob"), "The sky is blue. Why?"),
    Step("ask", ("Cid",), "The sky is red. No?"),
    Step("finish", ("Cid",)),
    Step("ask", ("Eve",), "Once there was a fox. Then"),
    Step("finish", ("Eve",)),
    Step("fork", ("Ann",), "Dan"),
    Step("finish", ("Dan",)),
    Step("ask", ("Gus",), "Hm?"),
    Step("cancel", ("Eve",)),
    Step("ask", ("Hal",), "The sky is red. No?"),
    Step("finish", ("Ann", "Bob", "Gus", "Hal")),
    Step("ask", ("Iva",), "Who am I?", ("adapter", "acme")),
    Step("ask", ("Joe",), "Who am I?", ("salt", "acme")),
    Step("finish", ("Iva", "Joe")),
)
"""The traffic that every suspect serves."""


class Scene:
    """An engine, the canary instead of its KV, and the running sequences by name."""

    def __init__(self, engine: KVCacheManager, *, canary: bool = True) -> None:
        self.engine = engine
        self.canary = KVCanary(engine.config.num_blocks, engine.config.block_size)
        self.reads = canary
        self.running: dict[str, Sequence] = {}
        self.finished: dict[str, Sequence] = {}

    def play(self, step: Step) -> None:
        """Do one step; then every running sequence reads all of its KV, as in a forward pass."""
        match step.verb:
            case "ask":
                self._ask(step)
            case "fork":
                self.running[step.text] = self.engine.fork(self.running[step.names[0]])
            case "finish":
                for name in step.names:
                    self.finished[name] = self.running.pop(name)
                    self.engine.release(self.finished[name])
            case "cancel":
                with suppress(SequenceError):  # how a sound engine refuses: it finished before
                    self.engine.abort(self.finished[step.names[0]])
        if self.reads:
            for sequence in self.running.values():
                self.canary.read(sequence)

    def _ask(self, step: Step) -> None:
        batch = [self.engine.allocate(encode(step.text), step.namespace) for _ in step.names]
        for sequence in batch:
            self.canary.write(sequence)
        for sequence in batch:
            self.engine.commit(sequence, sequence.num_tokens)
        self.running |= dict(zip(step.names, batch, strict=True))
