"""The KV bytes and the canary among them: perturb anything, and the reader hears of it."""

import numpy as np
import pytest

from radixlab.cache import CanaryError, NumpyKVStore, Transfer
from tests.cache.helpers import SALT, Checked, ids, start, text

# ---- the store


def test_a_slot_holds_what_was_written():
    store = NumpyKVStore(4, 2, value_shape=(3,), dtype=np.float64)
    store.write(ids(5, 0), np.arange(6.0).reshape(2, 3))
    assert store.read(ids(0, 5)).tolist() == [[3.0, 4.0, 5.0], [0.0, 1.0, 2.0]]


def test_a_slot_is_block_and_offset():
    store = NumpyKVStore(4, 2)
    store.write(ids(5), [7])
    assert store.data[2].tolist() == [0, 7]


def test_a_copy_is_a_whole_block_and_leaves_its_source():
    store = NumpyKVStore(3, 2)
    store.write(ids(0, 1), [1, 2])
    store.run([Transfer(0, 2, "copy")])
    assert store.data.tolist() == [[1, 2], [0, 0], [1, 2]]


def test_copies_run_in_order():
    "C7: a later one may read what an earlier one wrote"
    store = NumpyKVStore(3, 1)
    store.write(ids(0), [7])
    store.run([Transfer(0, 1, "copy"), Transfer(1, 2, "copy")])
    assert store.data.ravel().tolist() == [7, 7, 7]


# ---- the canary


def test_what_was_written_reads_clean():
    "M8"
    lab = Checked()
    sequence = start(lab, "ab.")
    lab.canary.read(sequence)
    lab.canary.read(lab.allocate(text("ab")), 4)


def test_what_was_never_written_does_not():
    "T1"
    lab = Checked()
    sequence = lab.allocate(text("a"))
    with pytest.raises(CanaryError, match="never"):
        lab.canary.read(sequence)


@pytest.mark.parametrize(
    ("field", "value"), [("token", 1), ("position", 7), ("prefix", 7), ("namespace", 7)]
)
def test_any_perturbed_field_is_seen_and_its_slot_named(field, value):
    "M8"
    lab = Checked()
    sequence = start(lab, "ab.")
    lab.canary.store.data[1, 2][field] = value
    with pytest.raises(CanaryError, match=r"slot 6\b.*block 1\b"):
        lab.canary.read(sequence)
    lab.canary.read(sequence, 6)


@pytest.mark.parametrize("bit", range(32))
def test_one_flipped_bit_of_a_token_is_seen(bit):
    "M8"
    lab = Checked()
    sequence = start(lab, "a")
    lab.canary.store.data["token"].view(np.uint32)[0, 3] ^= np.uint32(1 << bit)
    with pytest.raises(CanaryError):
        lab.canary.read(sequence)


def test_equal_tokens_after_another_prefix_are_another_kv():
    "K4 M8"
    lab = Checked()
    first, second = start(lab, "ax"), start(lab, "bx")
    second.block_table[1] = first.block_table[1]
    with pytest.raises(CanaryError, match="prefix"):
        lab.canary.read(second)


def test_equal_tokens_of_another_tenant_are_another_kv():
    "K1 M8"
    lab = Checked()
    first, second = start(lab, "a."), start(lab, "a.", SALT)
    second.block_table[0] = first.block_table[0]
    with pytest.raises(CanaryError, match="namespace"):
        lab.canary.read(second)


def test_swapped_blocks_are_seen():
    "M8"
    lab = Checked()
    sequence = start(lab, "aa")
    sequence.block_table[:] = sequence.block_table[::-1].copy()
    with pytest.raises(CanaryError, match="position"):
        lab.canary.read(sequence)


def test_a_use_after_free_is_seen():
    "E6: what a stale block table reads once the block has a new owner"
    lab = Checked(num_blocks=2)
    sequence = start(lab, "a.")
    lab.release(sequence)
    lab.evict(2)
    start(lab, "xy")
    with pytest.raises(CanaryError):
        lab.canary.read(sequence)


def test_a_copy_takes_the_fingerprints_along():
    "C2"
    lab = Checked()
    sequence = start(lab, "ab.")
    copies = lab.prepare_write(sequence, 0, 9)
    lab.canary.read(sequence)
    lab.complete(copies)
    lab.canary.store.data[copies[0].dst] = lab.canary.store.data[copies[1].dst]
    with pytest.raises(CanaryError):
        lab.canary.read(sequence)
