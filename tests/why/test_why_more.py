"""Faults that a reviewer found: small logs, each beside its twin, whose values stay the first ones.

The fault is named, its values are shown whole, and the advice gains what the twin has.
"""

import random
import re
import uuid
import zlib
from datetime import timedelta

import pytest

from radixlab.why.judge import _SPEAKER
from tests.why.logs import START, WORDS, Writer, chats
from tests.why.replayed import by_cause, explained

__all__ = ["explained"]


def clock(index):
    return f"{START + timedelta(seconds=47 * index):%H:%M:%S}"


def drawn_uuid(rng):
    return str(uuid.UUID(int=rng.getrandbits(128), version=4))


def system_and_question(system, question):
    messages = [{"role": "system", "content": system}, {"role": "user", "content": question}]
    return {"model": "m", "messages": messages}


def one_text(system, question):
    return {"prompt": f"{system}\n\nHuman: {question}\nAssistant:"}


def questions(make, body=system_and_question, sentences=20, num=12):
    """Requests that share one instruction except for what `make(index, rng)` writes into it."""
    rng = random.Random(0)
    write = Writer(0)
    head, rest = write.sentence(), write.prose(sentences)
    values = [make(index, rng) for index in range(num)]
    asked = [write.prose(2) for _ in range(num)]
    pairs = list(zip(values, asked, strict=True))
    log = [body(f"{head}\n{value}\n{rest}", each) for value, each in pairs]
    twin = [body(f"{head}\n{values[0]}\n{rest}", each) for _, each in pairs]
    return log, twin


def check(explained, log, twin, *causes, tolerance=0.01, **settings):
    """Only these causes are named, and all advice together gains what the twin has."""
    report, without = explained(log, **settings), explained(twin)
    assert set(by_cause(report)) - {"never_seen"} == set(causes)
    assert abs(report.possible_hit_rate - without.hit_rate) <= tolerance
    return report


def ids(text):
    """Token ids of a text: each word is one, and so is each character of a value."""
    pieces = re.findall(r" ?[A-Za-z]{2,}|.", text, re.DOTALL)
    return [100 + zlib.crc32(piece.encode()) % 50_000 for piece in pieces]


TWO_VALUES = {
    "lines": lambda i, rng: f"Current time: {clock(i)}\nRequest id: {drawn_uuid(rng)}",
    "one line": lambda i, rng: (
        f"Time {clock(i)}, at the office of the customer. Request {drawn_uuid(rng)}."
    ),
    "three": lambda i, rng: (
        f"Temperature outside: {rng.randrange(99)}\nWind: {rng.randrange(99)}\n"
        f"Humidity: {rng.randrange(99)}"
    ),
    "names": lambda i, rng: (
        f"You talk to {rng.choice(WORDS)} {rng.choice(WORDS)}, whose nickname is "
        f"{rng.choice(WORDS)}."
    ),
    "stock": lambda i, rng: (
        f"Stock: {rng.choice(WORDS)} pumps in the house, {rng.choice(WORDS)} valves in transit."
    ),
}


@pytest.mark.parametrize("body", [system_and_question, one_text])
@pytest.mark.parametrize("name", TWO_VALUES)
def test_values_that_stand_close_together_are_kept_constant_together(explained, name, body):
    report = check(explained, *questions(TWO_VALUES[name], body), "volatile_value")
    assert report.fixes[0].gain > 0.5
    assert report.causes[0].requests == 11


def ids_in_many_places(seed, replaced):
    """Prompts of token ids that go on, with some ids put in or replaced at several places."""
    rng = random.Random(seed)
    draw = lambda num: [rng.randint(100_000, 199_999) for _ in range(num)]  # noqa: E731
    shared, history, log = draw(300), [], []
    for _ in range(8):
        prompt = list(shared)
        for place in sorted(rng.sample(range(20, 280), 4), reverse=True):
            prompt[place : place + replaced * rng.randint(0, 5)] = draw(rng.randint(0, 22))
        history += draw(40)
        log.append({"token_ids": prompt + history, "session": "s"})
    return log


@pytest.mark.parametrize("replaced", [0, 1])
@pytest.mark.parametrize("seed", range(4))
def test_ids_from_two_prompts_are_not_glued_together(explained, seed, replaced):
    report = explained(ids_in_many_places(seed, replaced))
    assert report.possible_hit_rate > report.hit_rate
    assert next(iter(by_cause(report))) == "volatile_value"


def test_a_line_that_only_begins_like_a_speaker_is_no_history(explained):
    def mood(index, rng):
        return f"User mood: {rng.choice(WORDS)} {rng.choice(WORDS)}"

    log, twin = questions(mood, one_text, sentences=10)
    log, twin = ([body | {"session": "s"} for body in each] for each in (log, twin))
    check(explained, log, twin, "volatile_value")


@pytest.mark.parametrize(
    ("line", "speaks"),
    [
        ("User: hello", True), ("Human 2: hello", True), ("**Assistant:** hello", True),
        ("<|user|> hello", True), ("[agent] hello", True), ("### Customer: hello", True),
        ("User mood: quiet", False), ("A total of 3", False), ("Question everything", False),
    ],
)  # fmt: skip
def test_lines_of_speakers(line, speaks):
    assert (_SPEAKER.match(line) is not None) is speaks


@pytest.mark.parametrize("named", [True, False])
@pytest.mark.parametrize("form", ["chat", "anthropic"])
def test_a_conversation_that_lost_messages_is_known_again(explained, form, named):
    log, twin = [], []
    for turn in chats(1, num_tenants=1, sessions=3, turns=9):
        turn.tenant.form = form
        twin.append(turn.body())
        if len(turn.history) >= 9:
            turn.history = turn.history[:2] + turn.history[6:]
        log.append(turn.body())
    if not named:
        log, twin = ([without(body, "session") for body in each] for each in (log, twin))
    check(explained, log, twin, "history_edited", tolerance=0.005)


def without(body, field):
    return {key: value for key, value in body.items() if key != field}


def clocks(change):
    """Chats with a clock in the instruction, and `change(turn)` made to each turn."""
    log = []
    for turn in chats(2, num_tenants=1, sessions=2, turns=4):
        turn.value_line = f"It is {turn.time:%H:%M:%S} now."
        change(turn)
        log.append(turn.body())
    return log


def test_another_model_is_named_where_a_clock_differs_too(explained):
    def change(turn):
        turn.model = "pq"[turn.number % 2]

    report = explained(clocks(change))
    (changed,) = (row for row in report.causes if row.cause == "model_changed")
    assert (changed.where, {changed.before, changed.after}) == ("model", {"p", "q"})
    assert {each.where for each in report.breaks if each.cause == "model_changed"} == {"model"}


def test_the_age_is_named_where_a_clock_differs_too(explained):
    def change(turn):
        turn.time = START + (turn.time - START) * 20

    rows = {row.cause: row for row in explained(clocks(change), ttl=600).causes}
    assert rows["expired"].where.startswith("the prefix of")
    assert rows["expired"].before.startswith("last used")
    assert rows["expired"].after == "kept for 600 s"


@pytest.mark.parametrize("named", [True, False])
def test_a_value_of_many_token_ids_is_volatile(explained, named):
    values = {}
    rng = random.Random(3)
    log, twin = [], []
    for turn in chats(3, num_tenants=1, sessions=5, turns=4):
        own = values.setdefault(turn.session, drawn_uuid(rng))
        said = "".join(text for _, text in turn.history)
        for bodies, value in ((log, own), (twin, next(iter(values.values())))):
            text = f"{turn.head} It is session {value} now. {turn.system_text()}{said}"
            session = {"session": turn.session} if named else {}
            bodies.append({"token_ids": ids(text)} | session)
    check(explained, log, twin, "volatile_value")


@pytest.mark.parametrize("seed", range(3))
def test_spaces_and_a_clock_on_one_long_line_are_told_apart(explained, seed):
    rng = random.Random(seed)
    turns = chats(seed, num_tenants=1, sessions=3, turns=4)
    line = Writer(seed).prose(60)
    log = []
    for turn in turns:
        text = f"The office is open. The time is {turn.time:%H:%M:%S} now. {line}"
        turn.system = text.replace(". ", ".  ") if rng.random() < 0.5 else text
        log.append(turn.body())
    for turn in turns:
        turn.system = f"The office is open. The time is {turns[0].time:%H:%M:%S} now. {line}"
    check(explained, log, [turn.body() for turn in turns], "volatile_value", "whitespace")


def ctime(index):
    return f"{START + timedelta(seconds=47 * index):%a %b %d %H:%M:%S %Y}"


SHOWN = {
    "uuid in a url": (
        lambda i, rng: f"Post to https://api.acme.example/v2/sessions/{drawn_uuid(rng)}/events.",
        r"[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}",
    ),
    "ctime": (lambda i, rng: f"Date: {ctime(i)}", r"Mon Mar 02 09:\d\d:\d\d 2026"),
}


@pytest.mark.parametrize("body", [system_and_question, one_text])
@pytest.mark.parametrize("name", SHOWN)
def test_the_value_is_shown_whole_and_nothing_more(explained, name, body):
    make, shown = SHOWN[name]
    (row, _) = check(explained, *questions(make, body), "volatile_value").causes
    assert re.fullmatch(shown, row.before)
    assert re.fullmatch(shown, row.after)


@pytest.mark.parametrize(("form", "field"), [("chat", "system ("), ("anthropic", "system, ")])
def test_white_space_that_was_removed_is_placed_where_it_stood(explained, form, field):
    turns = chats(4, num_tenants=1, sessions=2, turns=4)
    for turn, end in zip(turns, ["  ", "", "", "", "", "", "", "", "", ""], strict=False):
        turn.tenant.form = form
        turn.tools, turn.system = [], turn.system_text() + end
    rows = explained([turn.body() for turn in turns]).causes
    (row,) = (row for row in rows if row.cause == "whitespace")
    line = turns[0].system.count("\n") + 1
    column = len(turns[0].system.rpartition("\n")[2].rstrip()) + 1
    assert row.where.startswith(field)
    assert row.where.endswith(f", line {line}, character {column}")


TOOLS = {
    "openai": lambda name, words: {
        "type": "function",
        "function": {"name": name, "description": words},
    },
    "anthropic": lambda name, words: {"name": name, "description": words, "input_schema": {}},
}


@pytest.mark.parametrize("form", TOOLS)
def test_an_order_of_tools_is_told_by_their_names(explained, form):
    rng, write = random.Random(3), Writer(3)
    names = [f"{word}_tool" for word in ("read", "write", "find", "send", "draw")]
    tools = [TOOLS[form](name, write.prose(4)) for name in names]
    log = [
        system_and_question("Use the tools.", write.prose(2))
        | {"tools": rng.sample(tools, len(tools))}
        for _ in range(12)
    ]
    row = explained(log).causes[0]
    assert (row.cause, row.where) == ("order_changed", "tools (order)")
    orders = row.before.split(", "), row.after.split(", ")
    assert orders[0] != orders[1] and all(sorted(order) == sorted(names) for order in orders)
