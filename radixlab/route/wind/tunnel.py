"""The simulation: arrivals, prompts computed, answers complete, KV events delivered, in order.

A replica takes the request at the head of its queue when it computes no other prompt, has a slot
free, and finds blocks for the whole prompt and answer. It looks up the cache at that moment, so a
prompt that waits can still gain from the one before it. The blocks can be found by others once the
prompt is computed; at the end the answer's blocks are cached too.

Time goes from event to event; two events at one time are handled in the order in which they were
made, so a run depends on its arguments alone.
"""

import time
from collections import deque
from collections.abc import Callable
from heapq import heappop, heappush

import numpy as np

from radixlab.observe.kv.wire import Removed, Stored, WireEvent
from radixlab.route.fleet import Fleet
from radixlab.route.prompt import Key, Keys
from radixlab.route.protocol import Rule
from radixlab.route.wind.cache import SimCache
from radixlab.route.wind.model import ReplicaModel
from radixlab.route.wind.outcome import Outcome
from radixlab.route.wind.traffic import Arrival, Traffic

TIMED = 64
"""One choice in this many is timed on this machine's clock."""
PROGRESS_EVERY = 1000
"""Requests from one report of progress to the next."""
_ANSWER_KEYS = 2**62
"""New names of answers' blocks begin here: nobody asks for them."""


class SimReplica:
    """One replica: who waits, who runs, and the cache."""

    __slots__ = ("cache", "is_computing", "num_running", "waiting")

    def __init__(self, num_blocks: int) -> None:
        self.cache = SimCache(num_blocks)
        self.waiting: deque[Job] = deque()
        self.num_running = 0
        self.is_computing = False


class Job:
    """A request on its way."""

    __slots__ = ("arrival", "index", "keys", "num_blocks", "num_hit", "num_owed", "replica")

    def __init__(self, arrival: Arrival, index: int, replica: int, num_blocks: int) -> None:
        self.arrival, self.index, self.replica = arrival, index, replica
        self.num_blocks = num_blocks
        """For the whole prompt and answer."""
        self.keys: Keys = arrival.prompt.keys
        self.num_hit = 0
        self.num_owed = 0
        """Prompt tokens that the router believes are to be computed."""


class Tunnel:
    """One run of one traffic through one rule."""

    def __init__(self, traffic: Traffic, rule: Rule, fleet: Fleet, model: ReplicaModel) -> None:
        self.traffic, self.rule, self.fleet, self.model = traffic, rule, fleet, model
        self.block_size = traffic.block_size
        num_blocks = max(1, model.cache_tokens // self.block_size)
        self.replicas = [SimReplica(num_blocks) for _ in range(len(fleet))]
        self.now = 0.0
        self.num_rejected = self.prompt_tokens = self.hit_tokens = 0
        self.counts = np.zeros(len(fleet), np.int64)
        self.wait_s = np.full(traffic.num_requests, np.nan, np.float32)
        self.first_token_s = np.full(traffic.num_requests, np.nan, np.float32)
        self._choices_ns: list[int] = []
        self._heap: list[tuple[float, int, bool, Job]] = []
        self._num_made = 0
        self._told: deque[tuple[float, int, WireEvent]] = deque()

    def run(self, progress: Callable[[int], object]) -> None:
        """Let all requests arrive and be answered."""
        for index, arrival in enumerate(self.traffic.arrivals()):
            self._catch_up(arrival.time_s)
            self._arrive(arrival, index)
            if index % PROGRESS_EVERY == PROGRESS_EVERY - 1:
                progress(PROGRESS_EVERY)
        progress(self.traffic.num_requests % PROGRESS_EVERY)
        self._catch_up(float("inf"))

    def _catch_up(self, until_s: float) -> None:
        """Handle everything that happens before a time."""
        heap = self._heap
        while heap and heap[0][0] <= until_s:
            self.now, _, is_end, job = heappop(heap)
            if is_end:
                self._end(job)
            else:
                self._computed(job)
        self.now = until_s if until_s != float("inf") else self.now
        self._deliver(until_s)

    def _deliver(self, until_s: float) -> None:
        """Let the router hear what it can have heard by now."""
        told = self._told
        while told and told[0][0] <= until_s:
            _, replica, event = told.popleft()
            self.rule.heard(replica, (event,))

    # ---- the life of a request

    def _arrive(self, arrival: Arrival, index: int) -> None:
        """Choose a replica, and queue the request there."""
        prompt = arrival.prompt
        num_blocks = -(-(prompt.num_tokens + arrival.num_output_tokens) // self.block_size)
        if num_blocks > self.replicas[0].cache.num_blocks:
            self.num_rejected += 1
            return
        if index % TIMED:
            chosen = self.rule.choose(prompt)
        else:
            start = time.perf_counter_ns()
            chosen = self.rule.choose(prompt)
            self._choices_ns.append(time.perf_counter_ns() - start)
        assert isinstance(chosen, int)
        job = Job(arrival, index, chosen, num_blocks)
        job.num_owed = self.rule.num_to_compute(prompt, chosen)
        self.fleet.start(chosen, job.num_owed)
        self.rule.routed(prompt, chosen)
        self.counts[chosen] += 1
        replica = self.replicas[chosen]
        replica.waiting.append(job)
        self._begin(replica)

    def _begin(self, replica: SimReplica) -> None:
        """Begin the prompt at the head of the queue, if nothing is in its way."""
        if replica.is_computing or not replica.waiting:
            return
        if replica.num_running >= self.model.num_slots:
            return
        job = replica.waiting[0]
        prompt = job.arrival.prompt
        usable = job.keys[: max(0, prompt.num_tokens - 1) // self.block_size]
        num_hit = replica.cache.num_cached(usable)
        evicted = replica.cache.admit(job.keys, num_hit, job.num_blocks - num_hit)
        if evicted is None:
            return
        replica.waiting.popleft()
        job.num_hit = num_hit
        replica.num_running += 1
        replica.is_computing = True
        num_left = prompt.num_tokens - num_hit * self.block_size
        self.hit_tokens += num_hit * self.block_size
        self.prompt_tokens += prompt.num_tokens
        self.wait_s[job.index] = self.now - job.arrival.time_s
        self._schedule(self.now + num_left / self.model.prefill_tokens_per_s, False, job)
        if evicted and self.rule.hears_events:
            self._tell(job.replica, Removed(list(evicted)))

    def _computed(self, job: Job) -> None:
        """Let others find the prompt's blocks, and begin the answer."""
        replica, arrival = self.replicas[job.replica], job.arrival
        replica.cache.commit(job.keys, job.num_hit)
        self.first_token_s[job.index] = self.now - arrival.time_s
        self._tell_stored(job.replica, job.keys, job.num_hit)
        self.fleet.computed(job.replica, job.num_owed)
        self.rule.computed(arrival.prompt, job.replica)
        duration = arrival.num_output_tokens * self.model.decode_s_per_token
        self._schedule(self.now + duration, True, job)
        replica.is_computing = False
        self._begin(replica)

    def _end(self, job: Job) -> None:
        """Cache the answer, and make room."""
        replica, arrival = self.replicas[job.replica], job.arrival
        num_tokens = arrival.prompt.num_tokens + arrival.num_output_tokens
        num_whole = num_tokens // self.block_size
        answer = arrival.answer_keys
        if answer is None:
            answer = self._new_names(job.index, num_whole - len(job.keys))
        keys = (*job.keys, *answer)
        replica.cache.commit(keys, len(job.keys))
        replica.cache.finish(keys, job.num_blocks - num_whole)
        self._tell_stored(job.replica, keys, len(job.keys))
        replica.num_running -= 1
        self.fleet.finish(job.replica)
        self.rule.finished(arrival.prompt, job.replica)
        self._begin(replica)

    def _new_names(self, index: int, num_blocks: int) -> range:
        """Return names that no prompt and no other answer has."""
        start = _ANSWER_KEYS + index * 2**20
        return range(start, start + num_blocks)

    def _schedule(self, when_s: float, is_end: bool, job: Job) -> None:
        self._num_made += 1
        heappush(self._heap, (when_s, self._num_made, is_end, job))

    # ---- KV events

    def _tell_stored(self, replica: int, keys: Keys, start: int) -> None:
        if start < len(keys) and self.rule.hears_events:
            above: Key | None = keys[start - 1] if start else None
            self._tell(replica, Stored(list(keys[start:]), above, [], self.block_size))

    def _tell(self, replica: int, event: WireEvent) -> None:
        self._told.append((self.now + self.model.event_delay_s, replica, event))


def blow(
    traffic: Traffic,
    make_rule: Callable[[Fleet], Rule],
    num_replicas: int,
    model: ReplicaModel,
    name: str = "",
    progress: Callable[[int], object] = lambda number: None,
) -> Outcome:
    """Send a traffic through a rule to `num_replicas` replicas; `progress` hears of requests."""
    fleet = Fleet(range(num_replicas))
    tunnel = Tunnel(traffic, make_rule(fleet), fleet, model)
    tunnel.run(progress)
    is_served = ~np.isnan(tunnel.wait_s)
    return Outcome(
        rule=name,
        num_requests=int(is_served.sum()),
        num_rejected=tunnel.num_rejected,
        prompt_tokens=tunnel.prompt_tokens,
        hit_tokens=tunnel.hit_tokens,
        requests_by_replica=tunnel.counts,
        wait_s=tunnel.wait_s[is_served],
        first_token_s=tunnel.first_token_s[is_served],
        end_s=tunnel.now,
        choice_us=float(np.median(tunnel._choices_ns)) / 1000 if tunnel._choices_ns else 0.0,
    )
