"""The torch store beside the NumPy one, under the transfers of a real cache with a host tier."""

import numpy as np
import pytest

torch = pytest.importorskip("torch", reason="torch is not installed: the extra `model` brings it")

from hypothesis import given  # noqa: E402
from hypothesis import strategies as st  # noqa: E402

from radixlab.attention import AttentionError, TorchKVStore  # noqa: E402
from radixlab.cache import CacheConfig, KVCacheManager, NumpyKVStore, Transfer  # noqa: E402
from radixlab.config import ConfigError  # noqa: E402

SHAPE = (2, 3, 2, 4)  # K and V, layers, KV heads, head_dim


def stores(num_blocks, num_host_blocks):
    own = TorchKVStore(3, num_blocks, 4, 2, 4, num_host_blocks=num_host_blocks)
    return own, NumpyKVStore(num_blocks, 4, SHAPE, num_host_blocks=num_host_blocks)


def compute(manager, sequence, both, rng):
    """Run what was ordered, and write KV for what the sequence did not find."""
    transfers = manager.transfers
    slots = sequence.slots(sequence.hit_tokens, sequence.num_tokens, 4)
    values = rng.standard_normal((len(slots), *SHAPE)).astype(np.float32)
    both[0].run(transfers)
    both[1].run(transfers)
    manager.complete(transfers)
    both[0].write(slots, torch.from_numpy(values.transpose(1, 2, 0, 3, 4).copy()))
    both[1].write(slots, values)
    manager.commit(sequence, sequence.num_tokens)


def same(both):
    for own, plain in ((both[0].data, both[1].data), (both[0].host, both[1].host)):
        assert np.array_equal(own.permute(2, 3, 0, 1, 4, 5).numpy(), plain)


@given(st.lists(st.integers(0, 5), min_size=1, max_size=20))
def test_transfers_to_the_host_and_back_move_the_same_bytes(documents):
    manager = KVCacheManager(CacheConfig(12, 4, num_host_blocks=20))
    both, rng = stores(12, 20), np.random.default_rng(0)
    for document in documents:
        sequence = manager.allocate(list(range(50 * document, 50 * document + 30)))
        compute(manager, sequence, both, rng)
        manager.release(sequence)
        same(both)


def test_the_layers_are_views_of_one_allocation():
    store, _ = stores(5, 0)
    store.layers[2].v[4, 3, 1, 0] = 7
    assert store.data[1, 2, 4, 3, 1, 0] == 7
    assert all(pool.k.is_contiguous() and pool.v.is_contiguous() for pool in store.layers)


def test_what_is_written_is_read():
    store, _ = stores(5, 0)
    values = torch.randn(2, 3, 2, 2, 4)
    store.write(np.array([19, 3]), values)
    assert torch.equal(store.read(np.array([19, 3])), values)
    assert store.data[:, :, 4, 3].equal(values[:, :, 0])


def test_a_later_transfer_reads_what_an_earlier_wrote():
    store, _ = stores(5, 1)
    store.write(np.arange(4), torch.ones(2, 3, 4, 2, 4))
    store.run([Transfer(0, 0, "write_back"), Transfer(0, 3, "load_back"), Transfer(3, 4, "copy")])
    assert store.data[:, :, 4].eq(1).all() and not store.data[:, :, 1].any()


@pytest.mark.parametrize("slot", [-1, 20])
def test_a_slot_outside_the_store_is_refused(slot):
    store, _ = stores(5, 0)
    with pytest.raises(AttentionError, match=rf"slot {slot}: the pool has 0 to 19"):
        store.read(np.array([0, slot]))


@pytest.mark.parametrize("slots", [[1.7], [True], np.array([0.0]), [[1]], ["1"]], ids=str)
def test_slots_that_are_no_ints_are_refused(slots):
    store, _ = stores(5, 0)
    with pytest.raises(AttentionError, match="must be ints"):
        store.read(slots)


def test_host_blocks_below_zero_are_refused():
    with pytest.raises(ConfigError, match="num_host_blocks must be an integer, 0 or more, not -1"):
        TorchKVStore(3, 5, 4, 2, 4, num_host_blocks=-1)


def test_a_store_without_blocks_is_refused():
    with pytest.raises(ConfigError, match="num_blocks"):
        TorchKVStore(3, 0, 4, 2, 4)
