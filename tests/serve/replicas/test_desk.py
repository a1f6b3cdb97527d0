"""The rule's thread: in time, or not at all; and nothing that it is told gets lost unseen."""

import asyncio
import threading
from contextlib import suppress

import pytest

from radixlab.observe.kv.wire import Stored
from radixlab.route import Fleet, LongestPrefix, NoReplicaError, Prompt
from radixlab.serve.replicas import desk as desks
from radixlab.serve.replicas.desk import Desk, RestingRuleError, SlowRuleError

PROMPT = Prompt((1, 2, 3), num_tokens=48)


class Held(LongestPrefix):
    """A rule that waits at a gate before it chooses."""

    gate = None

    def choose(self, prompt):
        if self.gate is not None:
            self.gate.wait(60)
        return super().choose(prompt)


@pytest.fixture
def rule():
    return Held(Fleet(["a", "b"]), feed="events")


@pytest.fixture
def desk(rule):
    desk = Desk(rule, limit_s=0.2, rest_s=1000)
    yield desk
    if rule.gate:
        rule.gate.set()
    desk.close()


def ask(desk, prompt=lambda: PROMPT):
    return asyncio.run(desk.ask(prompt))


def settle(desk):
    """Wait until the thread has taken all that it was told."""
    done = threading.Event()
    desk.tell(lambda rule: done.set())
    assert done.wait(60)


def test_a_choice_counts_for_the_replica(desk, rule):
    patient = Desk(rule, limit_s=60)
    choice = ask(patient)
    assert rule.fleet.load(choice.replica) > 0 and choice.num_owed == 48
    patient.tell(lambda rule: rule.fleet.finish(choice.replica, choice.num_owed))
    settle(patient)
    assert rule.fleet.mean_load == 0


def test_a_slow_rule_is_given_up_and_then_left_alone(desk, rule):
    rule.gate = threading.Event()
    with pytest.raises(SlowRuleError):
        ask(desk)
    with pytest.raises(RestingRuleError):
        ask(desk)
    rule.gate.set()
    settle(desk)
    assert rule.fleet.mean_load == 0  # nobody waited for the late choice


@pytest.mark.parametrize("fails", ["rule", "prompt"])
def test_an_exception_is_the_askers(rule, fails):
    patient = Desk(rule, limit_s=60)
    if fails == "rule":
        patient.tell(lambda rule: [rule.fleet.remove(each) for each in list(rule.fleet)])
        with pytest.raises(NoReplicaError):
            ask(patient)
    else:
        with pytest.raises(ZeroDivisionError):
            ask(patient, lambda: 1 // 0)


def test_a_note_that_raises_ends_nothing(rule):
    patient = Desk(rule, limit_s=60)
    patient.tell(lambda rule: 1 // 0)
    assert ask(patient).replica in ("a", "b") and patient.num_faults == 1


def test_dropped_events_make_the_rule_forget(desk, rule, monkeypatch):
    monkeypatch.setattr(desks, "MOST_WAITING", 3)
    rule.heard("a", [Stored([1, 2, 3], None, [0] * 48, block_size=16)])
    gate = threading.Event()
    desk.tell(lambda rule: gate.wait(60))
    for number in range(10):
        desk.tell(
            lambda rule, number=number: rule.heard(
                "b", [Stored([number], None, [0] * 16, block_size=16)]
            ),
            is_event=True,
        )
    gate.set()
    settle(desk)
    settle(desk)
    assert rule.known.levels((1, 2, 3), 0b11) == rule.known.levels((9,), 0b11) == []


def test_a_client_that_leaves_while_the_rule_thinks_leaves_no_load(rule):
    """Whenever it leaves: before the choice, at it, or after it."""
    patient = Desk(rule, limit_s=60)

    async def leave(num_turns):
        asking = asyncio.create_task(patient.ask(lambda: PROMPT))
        for _ in range(num_turns):
            await asyncio.sleep(0)
        if num_turns == 3:  # the rule has chosen, and nobody has heard of it yet
            settle(patient)
        asking.cancel()
        with suppress(asyncio.CancelledError):
            choice = await asking  # it was in time after all, so it is the asker's to end
            patient.tell(lambda rule: rule.fleet.finish(choice.replica, choice.num_owed))

    for num_turns in (1, 2, 3) * 5:
        asyncio.run(leave(num_turns))
    settle(patient)
    settle(patient)
    assert [rule.fleet.load(each) for each in rule.fleet] == [0, 0]


def fill(desk, rule, last):
    """Let events be dropped, with a note of ours as the last one that waits."""
    gate = threading.Event()
    desk.tell(lambda rule: gate.wait(60))
    for _ in range(4):
        desk.tell(lambda rule: rule.heard("b", [stored(9)]), is_event=True)
    desk.tell(last)
    return gate


def stored(*keys):
    return Stored(list(keys), None, [0] * 16 * len(keys), block_size=16)


def test_the_rule_forgets_even_if_the_last_note_raises(rule, monkeypatch):
    monkeypatch.setattr(desks, "MOST_WAITING", 3)
    patient = Desk(rule, limit_s=60)
    rule.heard("a", [stored(1, 2, 3)])
    fill(patient, rule, lambda rule: 1 // 0).set()
    ask(patient)
    assert rule.known.is_empty and patient.num_faults == 1


def test_a_choice_with_a_hole_in_the_knowledge_is_made_without_it(rule, monkeypatch):
    monkeypatch.setattr(desks, "MOST_WAITING", 3)
    patient = Desk(rule, limit_s=60)
    seen = []
    choose = rule.choose
    rule.choose = lambda prompt: seen.append(rule.known.is_empty) or choose(prompt)
    rule.heard("a", [stored(1, 2, 3)])
    gate = fill(patient, rule, lambda rule: None)

    async def ask_with_more_to_come():
        asking = asyncio.create_task(patient.ask(lambda: PROMPT))
        await asyncio.sleep(0)
        patient.tell(lambda rule: None)
        gate.set()
        await asking

    asyncio.run(ask_with_more_to_come())
    assert seen == [True]


def test_feeds_hear_that_all_was_forgotten(desk, rule, monkeypatch):
    monkeypatch.setattr(desks, "MOST_WAITING", 3)
    lost = []
    desk.on_lost.append(lambda: lost.append(rule.known.is_empty))
    fill(desk, rule, lambda rule: None).set()
    settle(desk)
    settle(desk)
    assert lost == [True]
