"""The plug into Ray Serve: a `RequestRouter` that asks a rule of `radixlab.route`.

    choose_replicas ─► the rule's replica, then the others     (or two at random, by their queues)
    update_replicas, on_replica_actor_died ─► who is there, and who is forgotten at once
    on_request_routed, on_request_completed ─► what is in flight

Ray keeps a request waiting for ever if its router raises. So whatever the rule does, a replica is
chosen: if the rule raises, is slow, or names a replica that is gone, it is power of two. The API is
alpha in Ray 2.60, for which this file is written.
"""

import asyncio
import logging
import random
import time
from collections.abc import Sequence
from contextlib import suppress
from functools import partial
from typing import Any

from ray.serve.request_router import PendingRequest, ReplicaID, RequestRouter, RunningReplica

from radixlab.route import Fleet, LongestPrefix, Prompt, Rule
from radixlab.serve.replicas.desk import (
    LIMIT_S,
    REST_S,
    Choice,
    Desk,
    RestingRuleError,
    SlowRuleError,
)
from radixlab.serve.replicas.event_feed import EventFeed
from radixlab.serve.replicas.question import Question, Why

HUNG_S = 10.0
"""Seconds for which a replica that has left a prompt waiting gets no other one."""
logger = logging.getLogger(__name__)


class PrefixRouter(RequestRouter):
    """Routes each request to the replica whose cache has the longest prefix of its prompt."""

    def initialize_state(
        self, route_by: str = "events", limit_s: float = LIMIT_S, rest_s: float = REST_S
    ) -> None:
        """Make the rule and its feed; Ray calls this with the router's settings."""
        self.desk = Desk(self.make_rule(route_by), limit_s, rest_s)
        self._feed = EventFeed(self.desk) if route_by == "events" else None
        self._block_size = 0
        self._num_resets = 0
        self._in_flight: dict[str, Choice] = {}
        """By Ray's id of the request: what the fleet counts for it."""
        self._known: set[str] = set()
        """The replicas that the rule knows."""
        self._hung: dict[str, float] = {}
        """Replicas that have left a prompt waiting, and until when they get no other one."""

    def make_rule(self, route_by: str) -> Rule:
        """Return the rule; a subclass may have another one."""
        return LongestPrefix(Fleet(), feed=route_by)

    # ---- who is there

    def update_replicas(self, replicas: list[RunningReplica]) -> None:
        """Take note of new replicas and of those that are gone."""
        names = {_name(each.replica_id): each for each in replicas}
        for name in self._known - names.keys():
            self._leave(name)
        for name in names.keys() - self._known:
            self._join(name, names[name].replica_metadata)
        super().update_replicas(replicas)

    def on_replica_actor_died(self, replica_id: ReplicaID) -> None:
        """Forget a replica at once; Ray's controller would tell only later."""
        super().on_replica_actor_died(replica_id)
        self._leave(_name(replica_id))

    def _join(self, name: str, metadata: dict[str, Any]) -> None:
        self._known.add(name)
        self._block_size = metadata["block_size"]
        self.desk.tell(lambda rule: rule.fleet.add(name))
        if self._feed is not None:
            try:
                self._feed.follow(name, metadata)
            except Exception:  # the replica can be asked, even if nothing is known of its cache
                logger.warning("The KV events of a replica are not followed.", exc_info=True)

    def _leave(self, name: str) -> None:
        if name in self._known:
            self._known.discard(name)
            self._hung.pop(name, None)
            if self._feed is not None:
                self._feed.leave(name)
            self.desk.tell(lambda rule: rule.fleet.remove(name))

    # ---- one request

    async def choose_replicas(
        self,
        candidate_replicas: list[RunningReplica],
        pending_request: PendingRequest | None = None,
    ) -> list[list[RunningReplica]]:
        """Return the replicas in ranks, the best one first."""
        if pending_request is None or not pending_request.args:
            return _two_of(candidate_replicas)
        pending_request.routing_context.should_backoff = True
        question = pending_request.args[0]
        question.chosen = None
        able = self._able(candidate_replicas, question)
        # Ray may ask again for one request; the new choice replaces the old one
        self._finish(pending_request.metadata.internal_request_id)
        try:
            chosen, question.choice = await self._ask_rule(question, pending_request)
        except SlowRuleError:
            chosen, question.choice = None, "slow"
        except RestingRuleError:
            chosen, question.choice = None, "resting"
        except Exception:
            logger.warning("The router's rule raised; power of two chooses.", exc_info=True)
            chosen, question.choice = None, "failed"
        first = [each for each in able if _name(each.replica_id) == chosen]
        if not first:
            if chosen is not None and chosen in self._hung:
                question.choice = "hung"
            return _two_of(able)
        if chosen not in question.avoid:
            question.chosen, question.chosen_at = chosen, time.monotonic()
        return [first, [each for each in able if each not in first]]

    def _able(self, candidates: list[RunningReplica], question: Question) -> list[RunningReplica]:
        """Return the candidates without those that leave prompts waiting; all, if all do."""
        now = time.monotonic()
        self._hung.update(dict.fromkeys(question.avoid & self._known, now + HUNG_S))
        hung = {name for name, until in self._hung.items() if now < until}
        return [each for each in candidates if _name(each.replica_id) not in hung] or candidates

    async def _ask_rule(
        self, question: Question, pending: PendingRequest
    ) -> tuple[str | None, Why]:
        """Return the rule's choice, and count the request for it."""
        self._forget_if_reset(question)
        size = self._block_size
        choice = await self.desk.ask(
            lambda: Prompt.of_tokens(question.tokens, size, question.namespace, question.session)
        )
        number, chosen = pending.metadata.internal_request_id, str(choice.replica)
        self._in_flight[number] = choice
        question.ending.then(partial(self._finish_soon, number, asyncio.get_running_loop()))
        return (chosen, "rule") if chosen in self._known else (None, "stale")

    def on_request_routed(
        self, pending_request: PendingRequest, replica_id: ReplicaID, result: object
    ) -> None:
        """Tell the rule where a request went, which may not be where the rule wanted it."""
        name = _name(replica_id)
        choice = self._in_flight.get(pending_request.metadata.internal_request_id)
        if choice is None:
            return

        def note(rule: Rule) -> None:
            if choice.replica != name and name in rule.fleet:
                rule.fleet.finish(choice.replica, choice.num_owed)
                rule.fleet.start(name, choice.num_owed)
                choice.replica = name
            rule.routed(choice.prompt, name)

        self.desk.tell(note)

    def on_request_completed(self, replica_id: ReplicaID, internal_request_id: str) -> None:
        """Tell the rule that a request is over, well or not."""
        self._finish(internal_request_id)

    def _finish(self, number: str) -> None:
        if choice := self._in_flight.pop(number, None):

            def note(rule: Rule) -> None:
                rule.fleet.finish(choice.replica, choice.num_owed)
                rule.finished(choice.prompt, choice.replica)

            self.desk.tell(note)

    def _finish_soon(self, number: str, loop: asyncio.AbstractEventLoop) -> None:
        with suppress(RuntimeError):  # the loop has ended, and the router with it
            loop.call_soon_threadsafe(self._finish, number)

    def _forget_if_reset(self, question: Question) -> None:
        """Forget all prefixes once after the caches were emptied."""
        if question.num_resets > self._num_resets:
            self._num_resets = question.num_resets
            if self._feed is None:  # KV events tell of it themselves
                self.desk.tell(_forget_all)


def _forget_all(rule: Rule) -> None:
    for replica in list(rule.fleet):
        rule.forget(replica)


def _name(replica_id: ReplicaID) -> str:
    return str(replica_id.unique_id)


def _two_of(replicas: Sequence[RunningReplica]) -> list[list[RunningReplica]]:
    """Return two at random in one rank; Ray takes the one with the shorter queue."""
    return [random.sample(replicas, min(2, len(replicas)))]
