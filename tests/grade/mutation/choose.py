"""Choosing mutants: evenly over kinds, sources and lines, the same ones for the same seed."""

import ast
import hashlib
import random
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from difflib import unified_diff
from functools import cache

from tests.grade.mutation.kinds import KINDS, Edit, edits


@dataclass(frozen=True, slots=True)
class Mutant:
    """A right solution with one fault."""

    id: str
    """`source:line:kind:hash`, the same in every run."""
    source: str
    """The name of the right solution."""
    kind: str
    line: int
    text: str
    diff: str
    """The lines that differ, with - and +."""


def mutants(sources: Mapping[str, str], num: int, seed: int = 0) -> list[Mutant]:
    """Choose `num` mutants, or as many as there are."""
    found = {name: edits(text) for name, text in sources.items()}
    by_kind = {kind: _spread(sources, found, kind, seed) for kind in KINDS}
    chosen: list[Mutant] = []
    while len(chosen) < num and by_kind:
        for kind in list(by_kind):
            mutant = next(by_kind[kind], None)
            if mutant is None:
                del by_kind[kind]
            elif len(chosen) < num:
                chosen.append(mutant)
    return chosen


def _spread(
    sources: Mapping[str, str], found: Mapping[str, Sequence[Edit]], kind: str, seed: int
) -> Iterator[Mutant]:
    """Go round the sources; take no line of a source twice before all of them had their turn."""
    rounds = {name: _in_turn(name, found[name], kind, seed) for name in sources}
    names, seen = list(rounds), set()
    random.Random(f"{kind} {seed}").shuffle(names)
    while names:
        for name in list(names):
            for edit in rounds[name]:
                mutant = _mutant(name, sources[name], edit)
                if mutant and (name, mutant.text) not in seen:
                    seen.add((name, mutant.text))
                    yield mutant
                    break
            else:
                names.remove(name)


def _in_turn(name: str, found: Sequence[Edit], kind: str, seed: int) -> Iterator[Edit]:
    own = [edit for edit in found if edit.kind == kind]
    random.Random(f"{name} {kind} {seed}").shuffle(own)
    turn: Counter[int] = Counter()
    ranked = []
    for edit in own:
        ranked.append((turn[edit.line], edit))
        turn[edit.line] += 1
    return iter([edit for _, edit in sorted(ranked, key=lambda pair: pair[0])])


def _mutant(name: str, source: str, edit: Edit) -> Mutant | None:
    """Apply an edit; None if nothing changes or no Python is left."""
    text = source[: edit.start] + edit.text + source[edit.end :]
    try:
        if ast.dump(ast.parse(text)) == _dump(source):
            return None
        compile(text, "<mutant>", "exec")
    except SyntaxError:
        return None
    short = hashlib.sha256(text.encode()).hexdigest()[:6]
    id = f"{name}:{edit.line}:{edit.kind}:{short}"
    return Mutant(id, name, edit.kind, edit.line, text, _diff(source, text))


@cache
def _dump(source: str) -> str:
    return ast.dump(ast.parse(source))


def _diff(one: str, other: str) -> str:
    """Show what differs; with its neighbours, if lines only moved or came."""
    bare = _changed(one, other, 0)
    gone, come = ([line[1:].strip() for line in bare if line[0] == sign] for sign in "-+")
    return "\n".join(_changed(one, other, 2) if not gone or sorted(gone) == sorted(come) else bare)


def _changed(one: str, other: str, num_neighbours: int) -> list[str]:
    lines = unified_diff(one.splitlines(), other.splitlines(), n=num_neighbours, lineterm="")
    return [line for line in list(lines)[2:] if not line.startswith("@@")]
