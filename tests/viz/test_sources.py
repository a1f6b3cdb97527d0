"""The line that the view shows is the line that told: by the site of each event."""

import re
import sys
from pathlib import Path
from types import FrameType
from typing import Any

import numpy as np
import pytest

from radixlab import cache as cache_package
from radixlab.cache import KVCacheManager, OutOfBlocksError, RadixTree
from radixlab.cache.quarantine import quarantine
from radixlab.cache.restart import restart
from radixlab.cache.rules import of
from radixlab.config import CacheConfig
from radixlab.events import EVENT_TYPES, Emit, Event
from radixlab.log import Log
from radixlab.observe import watch
from radixlab.viz.sources import emissions, event_sources

PROMPT = list(map(ord, "The capital of France is Paris. Q: what?"))
PLACE = re.compile(
    r"(?P<file>\S+\.py):(?P<line>\d+) in (?P<function>[\w.]+)(?: \(rules? (?P<rules>.+)\))?"
)


def serve(cache: KVCacheManager, text: str) -> Any:
    sequence = cache.allocate(PROMPT + list(map(ord, text)))
    cache.commit(sequence, len(PROMPT) + len(text))
    return sequence


def test_each_site_names_one_statement_of_the_engine() -> None:
    """T5: a site is a name that one emitting statement has, and no other."""
    folder = Path(cache_package.__file__).parent
    found = [e for path in sorted(folder.rglob("*.py")) for e in emissions(path)]
    sites = [site for site, _, _ in found]
    assert len(sites) >= 20 and all(sites) and len(set(sites)) == len(sites)
    assert set(sites) == event_sources().keys()
    for site, place in event_sources().items():
        at = PLACE.fullmatch(place)
        assert at, place
        code = (folder.parent / at["file"]).read_text("utf-8").splitlines()[int(at["line"]) - 1 :]
        module = at["file"].removesuffix(".py").replace("/", ".")
        enforced = ", ".join(rule.id for rule in of(f"radixlab.{module}.{at['function']}"))
        assert enforced == (at["rules"] or "")
        assert f'site="{site}"' in "".join(code[:4]) and re.search(r"\w+\(", code[0]), place


def test_the_line_of_each_event_is_the_line_that_emitted_it() -> None:
    """The frame that called the listener is the proof; every type is emitted at least once."""
    told: list[tuple[Event, str]] = []

    def listen(event: Event) -> None:
        told.append((event, emitting_line(sys._getframe(1))))

    life_of_everything(listen)
    types = {type(event).__name__ for event, _ in told}
    assert types == EVENT_TYPES.keys() - {"TreeResynced", "PartBroke", "StreamReported"}
    wrong = {(e.site, event_sources()[e.site], line) for e, line in told if not said(e, line)}
    assert not wrong


def emitting_line(frame: FrameType | None) -> str:
    """Say where the engine stood when it told: `cache/tree.py:123 in RadixTree.split`."""
    while frame and (frame.f_code.co_name == "_tell" or "/cache/" not in frame.f_code.co_filename):
        frame = frame.f_back
    assert frame is not None
    file = Path(frame.f_code.co_filename).as_posix().rpartition("/radixlab/")[2]
    return f"{file}:{frame.f_lineno} in {frame.f_code.co_qualname}"


def said(event: Event, line: str) -> bool:
    """Whether the view names this line: `emit(` itself, or the event in the line below it."""
    told, happened = (PLACE.fullmatch(p) for p in (event_sources()[event.site], line))
    assert told and happened
    same = (told["file"], told["function"]) == (happened["file"], happened["function"])
    return same and int(told["line"]) - int(happened["line"]) in (0, 1)


@pytest.mark.parametrize("watched", [False, True], ids=["its own log", "under watch"])
def test_a_tree_called_directly_names_the_same_lines(watched: bool) -> None:
    """`watch` sees only what changed; the sites that it names are those that our tree has."""
    own: list[Event] = []
    tree = RadixTree(block_size=2, log=Log(own.append))
    seen: list[Event] = []
    door = watch(tree, 2, 16, emit=seen.append) if watched else tree
    end = door.insert([1, 2, 3, 4, 5, 6], np.arange(3, dtype=np.int32)).node
    receipt = door.lock(end)
    door.match_prefix([1, 2, 7, 7])
    door.unlock(receipt)
    door.insert([1, 2, 7, 7], np.array([0, 5], np.int32))
    door.evict(4)
    sites = {type(event): event.site for event in own}
    assert len(sites) == 5 and set(sites.values()) <= event_sources().keys()
    assert {type(event): event.site for event in seen} == (sites if watched else {})


def test_imports_annotations_and_comments_are_no_source(tmp_path: Path) -> None:
    lines = ["from x import NodeSplit", "def f(e: NodeSplit) -> 'NodeSplit':", "    # NodeSplit()"]
    path = tmp_path / "a.py"
    path.write_text("\n".join([*lines, '    return ev.NodeSplit(1, site="x.y")', "NodeSplit(2)"]))
    assert list(emissions(path)) == [("x.y", 4, "f"), ("", 5, "")]


def life_of_everything(listen: Emit) -> None:
    """Let a small engine emit all it can."""
    cache = KVCacheManager(CacheConfig(24, 4, num_host_blocks=12), emit=listen)
    first, second = serve(cache, "Name it."), cache.allocate([*PROMPT, 1, 2, 3, 4, 5])
    twin = cache.allocate([*PROMPT, 1, 2, 3, 4, 5])
    for sequence in (second, twin):
        cache.commit(sequence, sequence.num_tokens)
    cache.complete(cache.append(cache.fork(second), [6]))
    with pytest.raises(OutOfBlocksError):
        cache.allocate(range(90))
    cache.preempt(first)
    for sequence in list(cache.sequences.values()):
        cache.release(sequence)
    for num_blocks in (1, 1, 24):
        cache.evict(num_blocks)
        cache.complete(cache.transfers)
    third = cache.allocate([*PROMPT, 1, 2, 3, 4, 5])
    cache.complete(third.copies)
    cache.release(third)
    cache.reset()
    serve(cache, "Name it.")
    cache.release(next(iter(cache.sequences.values())))
    quarantine(cache, [0])
    restart(cache)
