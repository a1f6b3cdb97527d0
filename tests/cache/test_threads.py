"""One thread owns a manager: any other is refused before it can corrupt the cache."""

import threading

from radixlab.cache import KVCacheManager, ThreadError
from radixlab.config import CacheConfig
from radixlab.observe import snapshot
from tests.cache.helpers import Checked, cached, refused, start, text


def test_a_second_thread_is_refused_by_every_method_that_changes_the_cache():
    "T3: the thread that calls first owns the manager"
    lab = cached(Checked(pin_budget_blocks=2), "ab")
    manager, sequence, pin = lab.manager, start(lab, "ab."), lab.pin(text("ab"), ttl_ticks=99)
    before, caught = snapshot(manager), []
    calls = {
        "allocate": lambda: manager.allocate([1]),
        "append": lambda: manager.append(sequence, [1]),
        "prepare_write": lambda: manager.prepare_write(sequence, 0, 1),
        "complete": lambda: manager.complete([]),
        "fork": lambda: manager.fork(sequence),
        "commit": lambda: manager.commit(sequence, 9),
        "release": lambda: manager.release(sequence),
        "abort": lambda: manager.abort(sequence),
        "preempt": lambda: manager.preempt(sequence),
        "pin": lambda: manager.pin(text("ab"), 1),
        "unpin": lambda: manager.unpin(pin),
        "evict": lambda: manager.evict(1),
        "reset": manager.reset,
    }

    def visit():
        for name, call in calls.items():
            with refused(ThreadError, "'visitor'"):
                call()
            caught.append(name)

    thread = threading.Thread(target=visit, name="visitor")
    thread.start()
    thread.join()
    assert caught == list(calls)
    assert snapshot(manager) == before
    lab.verify()


def test_a_manager_may_be_made_in_one_thread_and_used_in_another():
    manager, served = KVCacheManager(CacheConfig(8)), []
    thread = threading.Thread(target=lambda: served.append(manager.allocate([1, 2])))
    thread.start()
    thread.join()
    assert len(served) == 1
    with refused(ThreadError, "another"):
        manager.allocate([1])
