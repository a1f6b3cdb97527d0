"""The front without Ray: a handle that answers as Ray's does, well, late, or not at all."""

import asyncio
import threading

import pytest

from radixlab.cache.errors import CacheError
from radixlab.serve.mailbox import EngineError
from radixlab.serve.replicas.front import Front
from radixlab.serve.replicas.roster import Look
from radixlab.serve.routes_tools import as_told
from radixlab.serve.snapshot import Snapshot


def of_ray(name):
    return type(name, (Exception,), {"__module__": "ray.exceptions"})("gone")


class Handle:
    """Answers each broadcast with what the test has laid out."""

    def __init__(self, answers=()):
        self.answers = answers
        self.called = []

    def broadcast(self, method, *given):
        if isinstance(self.answers, Exception):
            raise self.answers
        self.called.append(method)
        return self

    async def results_async(self, timeout_s, return_exceptions):
        return list(self.answers)


class Cluster:
    def __init__(self, handle):
        self.handle = handle

    def stop(self):
        pass


def front_in(state, handle=None):
    front = Front(lambda: None, lambda facts: facts)
    front.state = state
    front._cluster = Cluster(handle) if handle else None
    return front


@pytest.mark.parametrize("state", ["loading", "ready", "draining", "failed", "stopped"])
@pytest.mark.parametrize("answers", [None, of_ray("ActorDiedError"), of_ray("RayActorError")])
def test_the_numbers_can_be_asked_for_in_every_state(state, answers):
    has_cluster = answers or state in ("ready", "draining")
    front = front_in(state, Handle(answers or ()) if has_cluster else None)
    asyncio.run(front.refresh())
    assert front.snapshot.num_blocks == 0


def test_the_numbers_can_be_asked_for_while_the_replicas_start():
    gate = threading.Event()

    async def scrape():
        front = Front(lambda: gate.wait(60), lambda facts: facts)
        front.start()
        await front.refresh()
        gate.set()
        await front._starting

    asyncio.run(scrape())


ANSWERS = [
    ([None, None], None),
    ([None, CacheError("one sequence runs")], CacheError),
    ([None, of_ray("ActorUnavailableError")], EngineError),
    ([of_ray("RayTaskError(ValueError)")], EngineError),
    ([of_ray("ActorDiedError"), None], None),
    (of_ray("DeploymentUnavailableError"), None),
    (of_ray("RaySystemError"), EngineError),
]


@pytest.mark.parametrize(("answers", "raises"), ANSWERS)
def test_a_reset_is_told_to_the_router_even_if_one_replica_refuses(answers, raises):
    front = front_in("ready", Handle(answers))
    if raises:
        with pytest.raises(raises):
            asyncio.run(front.reset())
    else:
        asyncio.run(front.reset())
    assert front.num_resets == 1


def test_looking_into_the_caches_is_no_reset():
    front = front_in("ready", Handle(["a", "b"]))
    assert asyncio.run(front.call_each(str)) == ["a", "b"] and front.num_resets == 0


@pytest.mark.parametrize("num_alive", [0, 1, 2, 3])
def test_the_caches_of_a_fleet_are_told_in_one_shape_however_many_live(num_alive):
    caches = [{"summary": str(number)} for number in range(num_alive)]
    front = front_in("ready", Handle(caches))
    found = asyncio.run(front.call_each(str))
    assert as_told(found, num_wanted=3) == {"replicas": caches}


def test_an_older_look_that_comes_late_counts_nothing():
    later, front = [], front_in("ready", Handle())

    class Slow(Handle):
        async def results_async(self, timeout_s, return_exceptions):
            number = len(self.called)
            if number == 1:
                front._cluster.handle.answers = [Look("x", Snapshot(num_blocks=2), 1)]
                await front.look()  # a second one begins and ends meanwhile
                later.append(front.snapshot.num_blocks)
                return [Look("x", Snapshot(num_blocks=1), 1)]
            return self.answers

    front._cluster = Cluster(Slow())
    asyncio.run(front.look())
    assert later == [2] and front.snapshot.num_blocks == 2
