"""The map of prefixes says what a dictionary of sets says, whatever it was fed."""

import os
from random import Random

import pytest

from radixlab.route import PrefixMap, RouteError
from tests.route.twins import NaiveMap, Names, check, random_path

SEEDS = range(200 if os.environ.get("RADIXLAB_SOAK") == "1" else 6)
NUM_SLOTS = 5


@pytest.mark.parametrize("seed", SEEDS)
def test_the_map_equals_its_naive_twin(seed):
    rng, names = Random(seed), Names()
    known, naive = PrefixMap(), NaiveMap()
    for _ in range(150):
        slot, keys = rng.randrange(NUM_SLOTS), names.of(random_path(rng))
        deed = rng.choice(["add", "add", "add", "behind", "tail", "some", "some", "forget"])
        start = rng.randrange(len(keys) + 1)
        if deed in ("add", "behind"):
            part = keys if deed == "add" else keys[start:]
            known.add(slot, part), naive.add(slot, part)
        elif deed == "forget" and rng.random() < 0.3:
            known.forget(slot), naive.forget(slot)
        elif deed in ("tail", "some"):
            part = keys[start:][::-1] if deed == "tail" else rng.sample(keys, start)
            assert known.remove(slot, part) == naive.remove(slot, part)
        check(known)
        asked, alive = names.of(random_path(rng)), rng.getrandbits(NUM_SLOTS)
        assert known.levels(asked, alive) == naive.levels(asked, alive)
        assert known.num_blocks(slot) == len(naive.held.get(slot, ()))


@pytest.mark.parametrize("seed", SEEDS)
def test_a_map_without_single_blocks_says_the_same_of_prompts(seed):
    rng, names = Random(seed), Names()
    known, naive = PrefixMap(by_block=False), NaiveMap()
    for _ in range(150):
        slot, keys = rng.randrange(NUM_SLOTS), names.of(random_path(rng))
        if rng.random() < 0.9:
            known.add(slot, keys), naive.add(slot, keys)
        else:
            known.forget(slot), naive.forget(slot)
        check(known)
        asked, alive = names.of(random_path(rng)), rng.getrandbits(NUM_SLOTS)
        assert known.levels(asked, alive) == naive.levels(asked, alive)
        anybody = naive.levels(asked, (1 << NUM_SLOTS) - 1)
        length, owner = known.deepest(asked)
        assert length == (anybody[-1][0] if anybody else 0)
        assert owner == -1 if not anybody else anybody[-1][1] >> owner & 1


@pytest.mark.parametrize("by_block", [True, False])
@pytest.mark.parametrize("seed", SEEDS)
def test_a_capacity_is_kept_and_what_is_remembered_are_whole_prefixes(seed, by_block):
    rng, names = Random(seed), Names()
    capacity = rng.randrange(1, 16)
    known, naive = PrefixMap(capacity, by_block), NaiveMap()
    for _ in range(150):
        slot, keys = rng.randrange(NUM_SLOTS), names.of(random_path(rng))
        known.add(slot, keys), naive.add(slot, keys)
        check(known)
        assert all(known.num_blocks(other) <= capacity for other in range(NUM_SLOTS))
        told = known.levels(keys, 1 << slot)
        assert (told[-1][0] if told else 0) == min(len(keys), capacity), "the last one is known"
        for node in known.nodes():
            (path,) = (p for p, key in names._known.items() if key == node.keys[-1])
            for other in range(NUM_SLOTS):
                if node.holders >> other & 1:
                    assert known.levels(names.of(path), 1 << other)[-1][0] == len(path)
                    assert set(node.keys) <= naive.held[other], "nobody is credited with more"


def test_the_least_recently_used_prefix_is_forgotten_first():
    names, known = Names(), PrefixMap(capacity_blocks=6)
    for path in ("xab", "yab", "xab", "zab"):
        known.add(0, names.of(path))
    assert [bool(known.levels(names.of(path), 1)) for path in ("xab", "yab", "zab")] == [1, 0, 1]


def test_names_that_circle_or_repeat_do_no_harm():
    "Events come from outside: the map must survive any order of names."
    for seed in range(50):
        rng, known = Random(seed), PrefixMap()
        for _ in range(40):
            keys = [rng.randrange(6) for _ in range(rng.randrange(8))]
            slot = rng.randrange(3)
            (known.add if rng.random() < 0.6 else known.remove)(slot, keys)
            known.levels(keys, 7)
            check(known)
        for slot in range(3):
            known.forget(slot)
        assert known.is_empty


def test_a_thousand_replicas_are_told_apart():
    names, known = Names(), PrefixMap()
    for slot in range(1000):
        known.add(slot, names.of("ab" if slot % 2 else "ac"))
    length, holders = known.levels(names.of("ab"), (1 << 1000) - 1)[-1]
    assert length == 2 and holders.bit_count() == 500 and holders >> 999 & 1
    known.forget(999)
    assert not known.levels(names.of("ab"), 1 << 999)


def test_blocks_are_removed_only_where_they_are_known_one_by_one():
    with pytest.raises(RouteError, match="by_block=True"):
        PrefixMap(by_block=False).remove(0, [1])
