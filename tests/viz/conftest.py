"""A log in which every type of event occurs, written by hand, and the state it folds to."""

import pytest

from radixlab import events as ev
from radixlab.events import Event
from radixlab.observe.state import State, fold_all

PROMPT = tuple(map(ord, "shared prompt"))[:12]  # three blocks of four
_RESYNCED = (
    (2, None, None, PROMPT[:4], (0,), 1, 2, 2),
    (3, 2, None, (*map(ord, "else"), 1, 2, 3, 4), (5, 8), 0, 0, 2),
    (9, None, ("salt", "x"), (7, 7, 7, 7), (9,), 0, 0, 3),
    (1, 2, None, PROMPT[4:8], (1,), 0, 1, 3),
)


@pytest.fixture
def events() -> list[Event]:
    """Two requests share a block of their prompts; the first one's own tail is evicted later."""
    other = (*PROMPT[:4], *map(ord, "else"), ord("!"))
    log = [
        lambda *s: ev.CacheRestarted(*s, 0, 0, 0, 0),
        lambda *s: ev.SequenceStarted(*s, 0, None, PROMPT),
        lambda *s: ev.PrefixMatched(*s, 0, None, 0, 12, "never_seen", None, 1),
        lambda *s: ev.BlocksAllocated(*s, 0, ((0, 3),)),
        lambda *s: ev.BlockStored(*s, 1, None, None, 0, 0, ((0, 3),), 1),
        lambda *s: ev.NodeLocked(*s, 1, 0),
        lambda *s: ev.SequenceStarted(*s, 1, None, other),
        lambda *s: ev.NodeSplit(*s, 1, 2, 1),
        lambda *s: ev.PrefixMatched(*s, 1, 2, 4, 9, "below_block", None, 2),
        lambda *s: ev.NodeLocked(*s, 2, 1),
        lambda *s: ev.BlocksAllocated(*s, 1, ((5, 2),)),
        lambda *s: ev.SequenceForked(*s, 2, 1, 9),
        lambda *s: ev.NodeLocked(*s, 2, 2),
        lambda *s: ev.BlocksAllocated(*s, 2, ((7, 1),)),
        lambda *s: ev.BlockCopied(*s, 2, 2, 6, 7),
        lambda *s: ev.TokensAppended(*s, 2, 9, tuple(map(ord, "abc"))),
        lambda *s: ev.TransfersCompleted(*s, ((6, 7, "copy"),)),
        lambda *s: ev.BlockStored(*s, 3, 2, None, 1, 4, ((5, 1),), 2),
        lambda *s: ev.BlocksDeduplicated(*s, 2, 1, ((5, 1),), ((5, 1),)),
        lambda *s: ev.BlockStored(*s, 3, 2, None, None, 8, ((8, 1),), 2, (1, 2, 3, 4)),
        lambda *s: ev.RequestFinished(*s, 0, "released", 3),
        lambda *s: ev.NodeUnlocked(*s, 1, 0),
        lambda *s: ev.BlockStored(*s, 9, None, ("salt", "x"), None, 0, ((9, 1),), 3, (7, 7, 7, 7)),
        lambda *s: ev.OutOfBlocks(*s, 9, 1, 3),
        lambda *s: ev.RequestPreempted(*s, 2),
        lambda *s: ev.RequestFinished(*s, 2, "preempted", 4),
        lambda *s: ev.NodeUnlocked(*s, 2, 2),
        lambda *s: ev.BlocksFreed(*s, 2, ((7, 1),)),
        lambda *s: ev.BlockRemoved(*s, 1, ((2, 1),), "least recent", 3),
        lambda *s: ev.WrittenBack(*s, 9, 9, ((9, 1),), ((2, 1),), "least recent", 3),
        lambda *s: ev.LoadedBack(*s, 9, ((2, 1),), ((10, 1),)),
        lambda *s: ev.TransfersCompleted(*s, ((9, 2, "write_back"), (2, 10, "load_back"))),
        lambda *s: ev.BlocksQuarantined(*s, ((10, 1),)),
        lambda *s: ev.TreeResynced(*s, _RESYNCED),
        lambda *s: ev.PartBroke(*s, "E6", "match_prefix(9 tokens)", "block 3 is gone"),
        lambda *s: ev.StreamReported(*s, "rank 1", "missing", 4, 6, 3, 1200, 1, 0, 2),
    ]
    return [make(k, 0) for k, make in enumerate(log)]


@pytest.fixture
def state(events: list[Event]) -> State:
    return fold_all(State(num_blocks=16, block_size=4), events)
