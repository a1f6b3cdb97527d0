"""Logs for the lamp: of sound caches, of broken ones, and of sound ones with an event changed."""

import random
from collections.abc import Callable, Iterator
from contextlib import suppress
from dataclasses import replace
from typing import Any

from radixlab.events import Event, field_names
from radixlab.grade.ex1.adapter import TreeAdapter
from radixlab.lesson.props.autopsy import CASES, investigate, suspect
from radixlab.observe import attach, copy_state, fold, snapshot, watch
from radixlab.observe.fits import growth
from radixlab.observe.state import State
from tests.grade.zoo import ZOOS
from tests.observe.lives import live, small_cache

TREES = ZOOS["8.5.1"]
BLOCK_SIZE, NUM_BLOCKS = 2, 48
MISFITS = (LookupError, ValueError, TypeError, AssertionError, AttributeError)

SOME = ("master", "columns", "lazy_properties", "leaf_only", "overwrites", "loses_the_suffix")
SOME += ("stores_a_ragged_tail", "keyed_by_first_token", "one_id_too_many", "evicts_locked_leaves")
SOME_TREES = {name: (TREES.right | TREES.wrong)[name] for name in SOME}

Log = tuple[State, list[Event]]


def life(seed: int, num_calls: int = 60, **config: Any) -> Log:
    """A random life of the engine."""
    cache, events = small_cache(**config), list[Event]()
    start = snapshot(cache)
    attach(cache, events.append)
    for _ in live(cache, seed, num_calls):
        pass
    return start, events


def suspect_log(letter: str | None) -> Log:
    """The traffic of lesson 03's autopsy on a suspect, as far as it goes without an oracle."""
    engine, events = suspect(letter), list[Event]()
    start = snapshot(engine)
    attach(engine, events.append)
    investigate(engine, canary=False)
    return start, events


def tree_log(text: str, play: Callable[[Any], object]) -> Log:
    """A learner's tree, watched while `play` calls it; a call may raise."""
    tree = TREES.loaded(text).RadixTree(BLOCK_SIZE)
    events: list[Event] = []
    watched = watch(TreeAdapter(tree, BLOCK_SIZE), BLOCK_SIZE, NUM_BLOCKS, events.append)
    with suppress(Exception):  # a learner's code may raise anything; then the log ends there
        play(watched)
    return State(NUM_BLOCKS, BLOCK_SIZE), events


def random_play(seed: int, num_calls: int = 40) -> Callable[[Any], None]:
    """Random calls, as a sound caller makes them: no block is handed in twice."""

    def play(tree: Any) -> None:
        draw, free, receipts = random.Random(seed), list(range(NUM_BLOCKS)), []
        for _ in range(num_calls):
            key = [draw.randrange(2) for _ in range(draw.randrange(2, 11))]
            kind = draw.random()
            num = len(key) // BLOCK_SIZE
            if kind < 0.4 and num <= len(free):
                mine = [free.pop() for _ in range(num)]
                back = tree.insert(key, mine).duplicate_block_ids.tolist()
                free += [block for block in back if block in mine]
            elif kind < 0.6:
                tree.match_prefix(key)
            elif kind < 0.75:
                receipts.append(tree.lock(tree.match_prefix(key).node))
            elif kind < 0.9 and receipts:
                tree.unlock(receipts.pop(draw.randrange(len(receipts))))
            else:
                free += tree.evict(draw.randrange(1, 4)).tolist()

    return play


def damaged(log: Log, seed: int) -> Log:
    """One event of a log dropped, repeated, moved or changed; up to where it does not fit."""
    draw = random.Random(seed)
    start, events = log[0], list(log[1])
    at = draw.randrange(len(events))
    match draw.randrange(4):
        case 0:
            del events[at]
        case 1:
            events.insert(at, events[at])
        case 2:
            events.insert(draw.randrange(len(events)), events.pop(at))
        case 3:
            events[at] = _changed(events[at], draw)
    return start, list(_readable(start, events))


def _changed(event: Event, draw: random.Random) -> Event:
    """The event with another number in one of its fields."""
    names = [name for name in field_names(type(event))[2:-1] if _is_number(getattr(event, name))]
    if not names:
        return event
    name = draw.choice(names)
    value = getattr(event, name)
    if isinstance(value, tuple):
        (first, count), *rest = value
        return replace(event, **{name: ((max(0, first + draw.choice((-1, 1))), count), *rest)})
    return replace(event, **{name: max(0, value + draw.choice((-1, 1, 2)))})


def _is_number(value: Any) -> bool:
    is_runs = isinstance(value, tuple) and value and isinstance(value[0], tuple)
    return type(value) is int or bool(is_runs and len(value[0]) == 2)


def _readable(start: State, events: list[Event]) -> Iterator[Event]:
    """The events up to the first that does not fit, as in a recording."""
    state = copy_state(start)
    for event in events:
        try:
            growth(state, event)
            fold(state, event)
        except MISFITS:
            return
        yield event


def all_logs(num_lives: int, num_damaged: int, trees: dict[str, str]) -> dict[str, Log]:
    """Logs of every kind by name."""
    logs = {f"life {seed}": life(seed) for seed in range(num_lives)}
    logs |= {f"suspect {letter}": suspect_log(letter) for letter in CASES}
    logs |= {f"tree {name}": tree_log(text, random_play(1)) for name, text in trees.items()}
    for seed in range(num_damaged):
        whole = logs[f"life {seed % num_lives}"]
        logs[f"damaged {seed}"] = damaged(whole, seed)
    return logs
