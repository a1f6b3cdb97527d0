"""Handles of elsewhere, handles that are spent, copies of handles, and listeners that call back.

Each is refused by name, or right; nothing is ever half done.
"""

import copy
import pickle
import warnings

import numpy as np
import pytest

from radixlab.cache import (
    CacheConfig,
    CacheError,
    KVCacheManager,
    LockError,
    OutOfBlocksError,
    RadixTree,
    SequenceError,
    TokenError,
    Tokens,
    TransferError,
    check,
)
from radixlab.cache.errors import ListenerError
from radixlab.cache.node import Node, Receipt
from radixlab.observe import attach, fold_all, snapshot
from radixlab.observe.state import State
from tests.cache.helpers import Checked, cached, drawn, ids, node, refused, start, text, tree

# ---- nodes and receipts


def test_a_node_of_another_tree_is_refused():
    "L8: its id may be that of a node here"
    here, there = tree("ab(c|d)"), tree("ab(c|d)")
    before = drawn(here, locks=True), drawn(there, locks=True)
    theirs = node(there, "abc")
    for call in (here.lock, lambda n: here.trim(n, 1), lambda n: here.ancestor_at(n, 1)):
        with refused(LockError, theirs.id):
            call(theirs)
    assert before == (drawn(here, locks=True), drawn(there, locks=True))


def test_a_root_of_another_tree_is_refused():
    here, there = tree("ab"), tree("ab")
    with refused(LockError):
        here.lock(there.match_prefix([]).node)
    here.unlock(here.lock(here.match_prefix([]).node))


def test_a_receipt_of_another_tree_is_refused():
    "L2"
    here, there = tree("ab"), tree("ab")
    mine, theirs = here.lock(node(here, "ab")), there.lock(node(there, "ab"))
    with refused(LockError, theirs.node.id):
        here.unlock(theirs)
    assert (mine.released, theirs.released, drawn(here, locks=True)) == (False, False, "ab1")
    here.unlock(mine)
    there.unlock(theirs)


@pytest.mark.parametrize("wrong", [None, 7, "node 1", object(), [], np.int64(1)])
def test_what_is_no_handle_is_refused(wrong):
    here = tree("ab")
    for call in (here.lock, here.unlock, lambda n: here.trim(n, 1)):
        with pytest.raises(LockError):
            call(wrong)
    assert drawn(here, locks=True) == "ab0"


def test_a_receipt_of_something_else_is_refused():
    here, elsewhere = tree("ab"), Node(0, None, None, b"", b"", ids())
    with pytest.raises(LockError):
        here.unlock(Receipt(elsewhere))
    assert drawn(here, locks=True) == "ab0"


def test_a_receipt_that_nobody_gave_out_is_refused():
    "L2: there is no lock to release"
    here = tree("ab(c|d)")
    for path in ("ab", "abc"):
        forged = Receipt(node(here, path))
        with refused(LockError, forged.node.id):
            here.unlock(forged)
        assert not forged.released
    assert drawn(here, locks=True) == "ab0(c0|d0)"


@pytest.mark.parametrize("how", [copy.copy, copy.deepcopy, pickle.dumps])
def test_a_receipt_cannot_be_copied(how):
    here = tree("ab")
    with pytest.raises(LockError, match="cannot be copied"):
        how(here.lock(node(here, "ab")))


@pytest.mark.parametrize("goes", ["clear", "evict"])
def test_a_node_that_is_gone_is_refused(goes):
    here = tree("ab")
    gone = node(here, "ab")
    here.clear() if goes == "clear" else here.evict(2)
    for call in (here.lock, lambda n: here.trim(n, 1), lambda n: here.ancestor_at(n, 1)):
        with refused(LockError, gone.id):
            call(gone)


def test_a_tree_may_be_cleared_and_filled_again():
    here = tree("ab")
    here.clear()
    here.insert(text("cd"), ids(0, 1))
    receipt = here.lock(node(here, "cd"))
    here.unlock(receipt)
    assert here.evict(2).tolist() == [0, 1]


# ---- sequences


@pytest.mark.parametrize("double", [copy.copy, copy.deepcopy, pickle.dumps])
def test_a_sequence_cannot_be_copied(double):
    "L8: its copy would free the blocks of one request twice"
    lab = Checked()
    sequence = start(lab, "ab.")
    with refused(SequenceError, sequence.id):
        double(sequence)
    lab.release(sequence)


def test_a_sequence_of_another_manager_is_not_the_sequence():
    "L8: though all that it says of itself is the same"
    lab, other = Checked(), Checked()
    sequence, double = start(lab, "ab."), start(other, "ab.")
    for call in (lab.release, lab.fork, lambda s: lab.append(s, [1]), lambda s: lab.commit(s, 1)):
        with refused(CacheError, sequence.id):
            call(double)
    lab.release(sequence)


# ---- transfers


def evicting():
    lab = cached(Checked(8, num_host_blocks=8), "ab", "cd")
    lab.evict(3)
    return lab


def test_any_iterable_of_transfers_is_completed():
    "a generator is gone through once"
    for make in (list, tuple, iter, lambda ts: (t for t in ts), dict.fromkeys, set):
        lab = evicting()
        assert len(lab.transfers) == 3
        lab.run(lab.transfers)
        lab.manager.complete(make(lab.transfers))
        assert lab.transfers == []
        lab.verify()


@pytest.mark.parametrize(
    "wrong", [None, 7, [7], [None], [[1, 2]], "copy", [(0, 1, "copy")], {3: 4}]
)
def test_what_is_no_transfer_is_refused(wrong):
    lab = evicting()
    before = snapshot(lab.manager)
    with pytest.raises(TransferError):
        lab.manager.complete(wrong)
    assert snapshot(lab.manager) == before


def test_one_wrong_transfer_completes_none():
    lab, other = evicting(), evicting()
    lab.run(lab.transfers)
    lab.complete(lab.transfers[:1])
    other.run(other.transfers)
    with pytest.raises(TransferError):
        lab.manager.complete([*lab.transfers, other.transfers[0]])
    with pytest.raises(TransferError):
        lab.manager.complete([lab.transfers[0], lab.transfers[0]])
    assert len(lab.transfers) == 2


def test_an_equal_transfer_of_another_manager_is_refused():
    "C7: the same blocks, but not the same bytes"
    lab, other = evicting(), evicting()
    assert lab.transfers == other.transfers
    with pytest.raises(TransferError, match="not pending here"):
        lab.manager.complete(other.transfers)
    assert len(lab.transfers) == len(other.transfers) == 3


# ---- tokens


@pytest.mark.parametrize(
    "how",
    [copy.copy, copy.deepcopy, lambda tokens: pickle.loads(pickle.dumps(tokens))],
    ids=["copy", "deepcopy", "pickle"],
)
@pytest.mark.parametrize("taken", [True, False])
def test_a_copy_of_tokens_shares_no_memory(how, taken):
    tokens = Tokens([1, 2, 3], reserve_tokens=9)
    if taken:
        sequence = KVCacheManager(CacheConfig(4, 4)).allocate(tokens)
        assert sequence.tokens is tokens
    double = how(tokens)
    double.append([7])
    assert not np.shares_memory(double.token_ids, tokens.token_ids)
    assert (tokens.token_ids.tolist(), double.token_ids.tolist()) == ([1, 2, 3], [1, 2, 3, 7])


BASE = np.arange(1, 25, dtype=np.int64).reshape(4, 6)
FORMS = {
    "a column": BASE[:, 1],
    "backwards": BASE[0][::-1],
    "strided": np.arange(20, dtype=np.int32)[3:15:3],
    "backwards int32": np.arange(5, dtype=np.int32)[::-1],
    "big-endian": np.array([1, 2**20], ">i4"),
    "big-endian int64": np.array([1, 2**20], ">i8"),
    "unsigned": np.array([1, 2**31 - 1], np.uint32),
    "uint64": np.array([1, 5], np.uint64),
    "int8": np.array([-1, 127], np.int8),
    "expanded": np.broadcast_to(np.int32(7), 5),
    "read-only": np.frombuffer(b"\x01\x00\x00\x00" * 3, np.int32),
    "unaligned": np.frombuffer(b"\x00" + b"\x05\x00\x00\x00" * 3, np.dtype("<i4"), 3, 1),
    "a memory view": memoryview(np.arange(4, dtype=np.int32)),
    "a range": range(3, 9, 2),
    "numpy numbers": [np.int64(4), np.uint8(5)],
    "Tokens": Tokens([3, 4]),
}
NO_TOKENS = {
    "float32": np.array([1, 2], np.float32),
    "float64": np.array([1.0, 2.0]),
    "float16": np.array([1, 2], np.float16),
    "complex": np.array([1 + 0j]),
    "bools": np.array([True]),
    "int64 out of range": np.array([1, 2**31]),
    "uint32 out of range": np.array([2**31], np.uint32),
    "int64 below": np.array([-(2**31) - 1]),
    "uint64 out of range": np.array([2**64 - 1], np.uint64),
    "two dimensions": BASE.astype(np.int32),
    "none": np.array(7, np.int32),
    "masked": np.ma.array([1, 2], mask=[0, 1]),
    "objects": np.array([1, None], object),
    "text": np.array(["1"]),
    "bytes": b"\x01\x00\x00\x00",
    "records": np.zeros(2, [("a", np.int32)]),
    "dates": np.array([1, 2], "datetime64[s]"),
    "missing": None,
    "a number": 3,
}
DOORS = {
    "Tokens": lambda given: Tokens(given).token_ids,
    "Tokens.append": lambda given: _grown(Tokens, "append", given),
    "Tokens.grow": lambda given: _grown(Tokens, "grow", given),
    "allocate": lambda given: KVCacheManager(CacheConfig(9, 4)).allocate(given).token_ids,
    "append": lambda given: _appended(given),
}


def _grown(make, name, given):
    tokens = make([])
    getattr(tokens, name)(given)
    return tokens.token_ids


def _appended(given):
    manager = KVCacheManager(CacheConfig(9, 4))
    sequence = manager.allocate([1])
    manager.append(sequence, given)
    return sequence.token_ids[1:]


@pytest.mark.parametrize("door", DOORS)
@pytest.mark.parametrize("name", FORMS)
def test_ids_in_any_layout_are_the_ids(name, door):
    given = FORMS[name]
    expected = [int(token) for token in getattr(given, "token_ids", given)]
    assert DOORS[door](given).tolist() == expected


@pytest.mark.parametrize("door", DOORS)
@pytest.mark.parametrize("name", NO_TOKENS)
def test_what_is_no_ids_is_refused_at_each_door(name, door):
    with pytest.raises(TokenError):
        DOORS[door](NO_TOKENS[name])


# ---- listeners that call back

CALLS = {
    "allocate": lambda manager, sequence: manager.allocate([1, 2, 3]),
    "append": lambda manager, sequence: manager.append(sequence, [1]),
    "prepare_write": lambda manager, sequence: manager.prepare_write(sequence, 0, 1),
    "complete": lambda manager, sequence: manager.complete(manager.transfers),
    "fork": lambda manager, sequence: manager.fork(sequence),
    "commit": lambda manager, sequence: manager.commit(sequence, 1),
    "release": lambda manager, sequence: manager.release(sequence),
    "abort": lambda manager, sequence: manager.abort(sequence),
    "preempt": lambda manager, sequence: manager.preempt(sequence),
    "pin": lambda manager, sequence: manager.pin(text("ab"), 9),
    "unpin": lambda manager, sequence: manager.unpin(None),
    "evict": lambda manager, sequence: manager.evict(1),
    "reset": lambda manager, sequence: manager.reset(),
}


def life(manager: KVCacheManager) -> None:
    """Do something of everything, in a pool that is too small for it."""
    for prompt in ("abc.", "abd.", "efgh.", "ab."):
        sequence = manager.allocate(text(prompt))
        manager.complete(sequence.copies)
        fork = manager.fork(sequence)
        manager.complete(manager.append(fork, [1, 2]))
        manager.commit(sequence, sequence.num_tokens)
        manager.release(fork)
        manager.preempt(sequence)
        manager.evict(1)
        manager.complete(manager.transfers)


def small() -> KVCacheManager:
    return KVCacheManager(CacheConfig(8, 4, num_host_blocks=3, pin_budget_blocks=2))


@pytest.mark.parametrize("how", ["bare", "caught", "attached"])
@pytest.mark.parametrize("name", CALLS)
def test_a_listener_that_calls_back_is_refused_and_harms_nobody(name, how, capsys):
    "whatever the event in whose middle it calls"
    manager, quiet, heard, errors = small(), small(), [], []
    running = manager.allocate([5])
    quiet.allocate([5])
    before = snapshot(manager)

    def calls_back(event):
        heard.append(event)
        try:
            CALLS[name](manager, running)
        except ListenerError as error:
            errors.append(error)
            if how != "caught":
                raise

    if how == "attached":
        attach(manager, calls_back)
    else:
        manager.emit = calls_back
    with warnings.catch_warnings(record=True) as said:
        warnings.simplefilter("always")
        life(manager)
    life(quiet)
    check(manager)
    assert snapshot(manager) == snapshot(quiet)
    assert len(errors) == len(heard) if how == "caught" else len(errors) == 1
    assert len(said) == (how == "bare")
    if how == "caught":
        assert fold_all(before, heard) == snapshot(manager)


def test_a_listener_may_read():
    manager, seen = small(), []

    def reads(event):
        seen.append((manager.stats(), manager.peek(text("ab")), snapshot(manager), manager.emit))

    manager.emit = reads
    life(manager)
    assert len(seen) > 30 and seen[0][3] is reads


def test_a_listener_may_take_itself_off():
    manager, heard = small(), []

    def once(event):
        heard.append(event)
        manager.emit = None

    manager.emit = once
    life(manager)
    assert len(heard) == 1


def test_a_listener_that_raises_leaves_the_door_open():
    "it must not raise; but if it did, the manager is not shut for ever"
    manager = small()

    def fails(event):
        raise RuntimeError("no more")

    manager.emit = fails
    with pytest.raises(RuntimeError):
        manager.allocate([1])
    manager.emit = None
    with pytest.raises(OutOfBlocksError):
        manager.allocate([1] * 99)


def test_the_state_is_that_of_the_events_when_another_manager_is_called():
    "a listener may well drive another manager"
    manager, other = small(), small()
    heard = []

    def drives(event):
        heard.append(event)
        other.release(other.allocate([1, 2]))

    manager.emit = drives
    life(manager)
    assert fold_all(State(8, 4, num_host_blocks=3), heard) == snapshot(manager)
    check(other)
    assert isinstance(other.tree, RadixTree)
