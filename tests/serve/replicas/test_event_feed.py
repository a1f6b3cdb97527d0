"""The thread that follows a replica: whatever happens, the rule knows what is cached again."""

import numpy as np
import pytest

zmq = pytest.importorskip("zmq", reason="pyzmq is not installed: the extra `serve` brings it")

from radixlab.cache import KVCacheManager  # noqa: E402
from radixlab.config import CacheConfig  # noqa: E402
from radixlab.observe.kv_events import publish  # noqa: E402
from radixlab.route import Fleet, LongestPrefix, Prompt  # noqa: E402
from radixlab.serve.replicas import desk as desks  # noqa: E402
from radixlab.serve.replicas import event_feed  # noqa: E402
from radixlab.serve.replicas.desk import Desk  # noqa: E402
from radixlab.serve.replicas.event_feed import EventFeed  # noqa: E402
from tests.serve.helpers import wait_until  # noqa: E402

HERE = "tcp://127.0.0.1:0"


@pytest.fixture
def cache():
    return KVCacheManager(CacheConfig(num_blocks=64, block_size=4))


@pytest.fixture
def rule():
    return LongestPrefix(Fleet(["a"]), feed="events")


@pytest.fixture
def desk(rule):
    desk = Desk(rule)
    yield desk
    desk.close()


@pytest.fixture
def follow(cache, desk, monkeypatch):
    """Begin to follow the cache as replica "a"."""
    monkeypatch.setattr(event_feed, "REST_S", 0.01)
    feed = EventFeed(desk)
    with publish(cache, HERE, HERE) as publisher:
        where = {"kv_events": publisher.endpoint, "kv_events_replay": publisher.replay_endpoint}
        sizes = {"block_size": 4, "num_blocks": 64, "num_host_blocks": 0}
        yield lambda: feed.follow("a", where | sizes)
        feed.leave("a")


def use(cache, tokens):
    sequence = cache.allocate(np.array(tokens, np.int32))
    cache.commit(sequence, len(tokens))
    cache.release(sequence)


def knows(rule, tokens):
    found = rule.known.levels(Prompt.of_tokens(tokens, 4).keys, rule.fleet.alive)
    return found == [(len(tokens) // 4, 1)]


FIRST, SECOND = list(range(20)), list(range(100, 112))
ERRORS = [ValueError("odd"), zmq.ZMQError(), MemoryError(), KeyError("x"), OSError("no files")]


@pytest.mark.parametrize("where", ["__init__", "poll"])
@pytest.mark.parametrize("error", ERRORS, ids=lambda error: type(error).__name__)
def test_after_a_fault_it_is_followed_again(cache, rule, follow, monkeypatch, where, error):
    real, calls = getattr(event_feed.EventWatch, where), []

    def failing(*given, **named):
        calls.append(where)
        if len(calls) in (1, 3):
            raise error
        return real(*given, **named)

    monkeypatch.setattr(event_feed.EventWatch, where, failing)
    use(cache, FIRST)
    follow()
    assert wait_until(lambda: knows(rule, FIRST), 60)
    assert wait_until(lambda: len(calls) >= (2 if where == "__init__" else 4), 60)
    use(cache, SECOND)
    assert wait_until(lambda: knows(rule, FIRST) and knows(rule, SECOND), 60)


def test_what_was_dropped_is_told_again(cache, rule, desk, follow, monkeypatch):
    follow()
    use(cache, FIRST)
    assert wait_until(lambda: knows(rule, FIRST), 60)
    monkeypatch.setattr(desks, "MOST_WAITING", 0)  # every event is too much
    use(cache, SECOND)
    assert wait_until(lambda: desk._has_lost, 60)
    monkeypatch.undo()
    desk.tell(lambda rule: None)
    assert wait_until(lambda: knows(rule, FIRST) and knows(rule, SECOND), 60)
