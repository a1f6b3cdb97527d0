"""Faults as agents and their frameworks make them: each log beside its twin without the fault."""

import random

import pytest

from tests.why.logs import Writer, chats
from tests.why.replayed import by_cause, explained

__all__ = ["explained"]


def system(turn, text):
    turn.system = f"You are an agent.\n{text}\n{turn.head}\n{Writer(turn.tenant.name).prose(30)}"


def changed_files(turn, rng):
    """A list of files and a commit, both of other lengths and other indentation each time."""
    files = [
        f" M src/{rng.choice('abcdef')}{rng.randint(1, 9)}.py" for _ in range(rng.randint(1, 4))
    ]
    system(turn, "\n".join([*files, f"last commit {rng.getrandbits(28):07x}"]))


def memory(turn, rng):
    system(turn, f"What you remember: {Writer(rng.random()).prose(rng.randint(1, 3))}")


def time_of_day(turn, rng):
    system(turn, f'Begin with "{["Good morning", "Good evening"][turn.time.minute // 4 % 2]}".')


def tool_list(turn, rng):
    turn.tools = turn.tools[rng.random() < 0.5 :]


def response_format(turn, rng):
    turn.extra = {"response_format": {"type": rng.choice(["json_object", "text"])}}


FAULTS = {
    "changed files": (changed_files, "volatile_value"),
    "memory": (memory, "volatile_value"),
    "time of day": (time_of_day, "volatile_value"),
    "tool list": (tool_list, "model_changed"),
    "response format": (response_format, "model_changed"),
}


@pytest.mark.parametrize("seed", range(2))
@pytest.mark.parametrize("name", FAULTS)
def test_what_agents_change_is_named_and_measured(explained, name, seed):
    change, cause = FAULTS[name]
    logs = []
    for still in (False, True):
        rng = random.Random(seed)
        log = chats(seed, num_tenants=1, sessions=3, turns=4)
        first = log[0]
        for turn in log:
            turn.tenant.form = "chat"
            change(turn, rng)
            if still:
                turn.system, turn.tools, turn.extra = first.system, first.tools, first.extra
        logs.append([turn.body() for turn in log])
    report, twin = (explained(bodies) for bodies in logs)
    lost = by_cause(report)
    assert next(iter(lost)) == cause
    assert lost[cause] >= 0.9 * (sum(lost.values()) - lost["never_seen"])
    assert abs(report.possible_hit_rate - twin.hit_rate) <= 0.01


@pytest.mark.parametrize("seed", range(3))
def test_examples_in_another_order_before_another_question(explained, seed):
    rng, write = random.Random(seed), Writer(seed)
    rules, log, twin = write.prose(12), [], []
    examples = [f"Q: {write.prose(1)}\nA: {write.prose(1)}" for _ in range(6)]
    for _ in range(16):
        asked = f"Q: {write.prose(2)}\nA:"
        for bodies, chosen in ((log, rng.sample(examples, 6)), (twin, examples)):
            bodies.append({"prompt": "\n\n".join([rules, *chosen, asked])})
    report = explained(log)
    assert set(by_cause(report)) == {"order_changed", "never_seen"}
    assert abs(report.possible_hit_rate - explained(twin).hit_rate) <= 0.02
