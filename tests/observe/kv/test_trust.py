"""Where the picture cannot be trusted is part of the picture: folded, recorded and shown."""

import random

import pytest

from radixlab.events import StreamReported
from radixlab.observe import State
from radixlab.observe.doubt import REASONS, doubt_line
from radixlab.observe.kv.terminal import tree_lines
from radixlab.observe.kv_events import Cleared, Removed, encode
from tests.observe.kv.consistent import Followed
from tests.observe.kv.frames import name_of, packed, stored


def feed(followed: Followed, *numbered, rank: int = 0, source: str = "") -> None:
    for number, event in numbered:
        payload = encode(number, [event], rank)
        followed.tree.feed(payload, number, source)
        followed.check()


def told(followed: Followed) -> tuple[int, int]:
    return followed.state.missing_payloads, followed.state.lost_payloads


@pytest.mark.parametrize("seed", range(12))
def test_what_is_missing_is_told_as_it_comes_and_goes(seed):
    "a fifth is late, some are given up, resets make older ones void"
    rng, followed = random.Random(seed), Followed(num_blocks=200)
    frames, late, num_lost, void_below, top = packed(rng, 80), set(), 0, 0, -1
    for number in range(len(frames)):
        if rng.random() < 0.2:
            late.add(number)
            continue
        for each in [number, *(n for n in late if rng.random() < 0.3)]:
            followed.tree.feed(frames[each][1], each)
            if any(isinstance(event, Cleared) for event in frames[each][0]):
                num_lost = 0 if each > top else num_lost
                void_below = max(void_below, each)
            late.discard(each)
            top = max(top, each)
        if followed.tree.gaps and rng.random() < 0.1:
            gap = rng.choice(followed.tree.gaps)
            followed.tree.give_up(gap)
            gone = set(range(gap.first, gap.last + 1))
            num_lost += sum(n >= void_below for n in gone)
            late -= gone
        followed.check()
        missing = sum(void_below <= n < top for n in late)
        assert followed.tree.stream["missing_payloads"] == missing
        assert (told(followed)[0] > 0) == (missing > 0)
        assert followed.tree.stream["lost_payloads"] == num_lost == told(followed)[1]


def test_a_reset_makes_the_picture_whole_again():
    followed = Followed()
    feed(followed, (0, stored((1,))), (4, stored((2,))))
    assert doubt_line(followed.state) == "This picture may be wrong: 3 payloads missing"
    followed.tree.give_up(followed.tree.gaps[0])
    followed.check()
    assert doubt_line(followed.state) == "This picture may be wrong: 3 payloads lost"
    feed(followed, (5, Cleared()))
    assert doubt_line(followed.state) == "" and followed.tree.num_lost == 3


def test_a_publisher_that_begins_again_is_told_and_old_losses_are_void():
    followed = Followed()
    feed(followed, (0, stored((1,))), (9, stored((2,))))
    followed.tree.feed(encode(100.0, [stored((3,))]), 0)
    followed.check()
    assert doubt_line(followed.state) == "" and followed.state.publisher_restarts == 1


def test_a_flood_of_bad_payloads_is_no_flood_of_events():
    followed, heard = Followed(), []
    hear = followed.tree.emit
    followed.tree.emit = lambda event: (hear(event), heard.append(event))
    for number in range(5000):
        followed.tree.feed(b"\xc1", number)
    followed.check()
    assert followed.tree.faults["malformed"] == 5000
    assert len(heard) < 20 and {type(event) for event in heard} == {StreamReported}
    assert 2500 < followed.state.refused_messages <= 5000


def test_blocks_that_do_not_fit_are_told_until_the_tree_is_empty():
    followed = Followed(num_blocks=2, num_host_blocks=0)
    feed(followed, (0, stored((1, 2, 3, 4))))
    assert doubt_line(followed.state) == "This picture may be wrong: 1 block left out"
    feed(followed, (1, Cleared()), (2, Cleared()))
    assert followed.tree.stream["left_out_blocks"] == 0


@pytest.mark.parametrize("name", REASONS)
@pytest.mark.parametrize("number", [1, 1234])
def test_each_reason_is_said(name, number):
    line = doubt_line(State(4, 4, **{name: number}))
    assert (
        f"{number:,} {REASONS[name].split()[0]}" in line and REASONS[name].split(" ", 1)[1] in line
    )


# ---- several publishers

ORIGINS = {
    "ranks of one engine": ([("", 0), ("", 1)], ["rank 0", "rank 1"]),
    "a rank at each port": ([("h:1", 0), ("h:2", 1)], ["rank 0", "rank 1"]),
    "two engines": ([("a:1", 0), ("b:1", 0)], ["a:1", "b:1"]),
    "two engines of two ranks": (
        [("a:1", 0), ("a:2", 1), ("b:1", 0), ("b:2", 1)],
        ["a:1", "a:2, rank 1", "b:1", "b:2, rank 1"],
    ),
    "one that begins at rank 3": ([("", 3)], ["rank 3"]),
    "one alone": ([("h:1", 0)], [None]),
}


@pytest.mark.parametrize(("origins", "names"), ORIGINS.values(), ids=ORIGINS)
def test_each_publisher_has_a_tree_of_its_own_with_a_name(origins, names):
    followed = Followed()
    for source, rank in origins:
        feed(followed, (0, stored((1, 2))), (2, stored((2, 1, 2), 2)), rank=rank, source=source)
    trees = {view.namespace for view in followed.tree.walk()}
    orphan = f"{name_of((2, 1)):016x}"
    kinds = [f"{name}, orphan of" if name else "orphan of" for name in names]
    assert trees == {name and (name, "") for name in names} | {(kind, orphan) for kind in kinds}
    lines = tree_lines(followed.tree)
    assert sum("orphan of" in line for line in lines) == len(origins)
    assert all(any(f"[{name}" in line for line in lines) for name in names if name)
    assert followed.state.missing_payloads == len(origins)


def test_one_publishers_reset_leaves_the_others_tree_and_gaps():
    followed = Followed()
    for source in ("a:1", "b:1"):
        feed(followed, (0, stored((1, 2))), (2, stored((2,))), source=source)
    feed(followed, (3, Cleared()), source="a:1")
    assert followed.tree.num_cached_blocks == 3 and followed.tree.stream["missing_payloads"] == 1
    followed.tree.restart("b:1")
    followed.check()
    assert not followed.tree.num_cached_blocks and doubt_line(followed.state) == ""


def test_another_content_in_a_replay_is_a_new_publisher():
    "which had published more than the old one before anybody heard it"
    followed = Followed()
    feed(followed, *((number, stored((number,))) for number in range(5)))
    new = {number: encode(100 + number, [stored((10 + number,))]) for number in range(9)}
    followed.tree.feed(new[8], 8)
    for number in range(4, 9):
        followed.tree.feed(new[number], number, "", True)
        followed.check()
    assert followed.tree.num_restarts == 1 and followed.tree.num_cached_blocks == 5
    assert [(gap.first, gap.last) for gap in followed.tree.gaps] == [(0, 3)]
    for number in range(9):
        followed.tree.feed(new[number], number, "", True)
    followed.check()
    assert followed.tree.num_cached_blocks == 9 and doubt_line(followed.state) == ""


def test_what_is_replayed_twice_is_no_fault():
    followed = Followed()
    feed(followed, (0, stored((1,))), (1, Removed([name_of((1,))])))
    followed.tree.feed(encode(0, [stored((1,))]), 0, "", True)
    followed.check()
    assert not followed.tree.faults and not followed.tree.num_cached_blocks
