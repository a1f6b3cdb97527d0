"""Two or three values close together: each is placed and shown whole, and all cost together."""

import json
import random
import uuid
from datetime import timedelta
from itertools import pairwise

import pytest

from tests.why.logs import START, WORDS, Writer, hexadecimal
from tests.why.replayed import by_cause, explained

__all__ = ["explained"]


def clock(i):
    return f"{START + timedelta(seconds=47 * i):%H:%M:%S}"


def drawn_uuid(rng):
    return str(uuid.UUID(int=rng.getrandbits(128), version=4))


NAMES = ("Alice", "Bo", "Chao", "Dana", "Erik", "Fatima", "Goran", "Hiro")
CLOSE = {
    "clock, counter": ("It is {}, request {}.", lambda i, rng: [clock(i), str(4711 + i)]),
    "two uuids": ("User {}, session {}.", lambda i, rng: [drawn_uuid(rng), drawn_uuid(rng)]),
    "clock uuid": ("[{}] {}", lambda i, rng: [clock(i), drawn_uuid(rng)]),
    "counter clock": ("Request {} at {}", lambda i, rng: [str(i), clock(i)]),
    "two numbers": (
        "request {} of user {}",
        lambda i, rng: [str(1041 + i), str(rng.randrange(1000))],
    ),
    "clock | hex": ("{} | {}", lambda i, rng: [clock(i), hexadecimal(rng)]),
    "date, number": (
        "Date: {} No. {}",
        lambda i, rng: [f"{START + timedelta(days=i):%Y-%m-%d}", str(i + 17)],
    ),
    "three numbers": (
        "cpu {} mem {} disk {}",
        lambda i, rng: [f"{rng.randrange(10, 99)}%" for _ in range(3)],
    ),
    "keys": (
        "trace={} span={} ts={}",
        lambda i, rng: [hexadecimal(rng), hexadecimal(rng, 8), str(1772442379 + 47 * i)],
    ),
    "json": (
        '{{"t": "{}", "n": {}, "id": "{}"}}',
        lambda i, rng: [clock(i), str(i), hexadecimal(rng)],
    ),
    "name, clock": ("{}, {}", lambda i, rng: [NAMES[i % 8], clock(i)]),
    "word, uuid": ("user {} id {}", lambda i, rng: [rng.choice(WORDS), drawn_uuid(rng)]),
}
SOME = ("clock, counter", "two uuids", "json")


def chat(system, question):
    messages = [{"role": "system", "content": system}, {"role": "user", "content": question}]
    return {"model": "m", "messages": messages}


def one_text(system, question):
    return {"prompt": f"{system}\n\nHuman: {question}\nAssistant:"}


def places_of(line, values):
    """Where each value begins, and the value."""
    at = 0
    for value in values:
        at = line.index(value, at)
        yield f"character {at + 1}", value
        at += len(value)


def check(explained, name, seed, body):
    pattern, make = CLOSE[name]
    rng, write = random.Random(f"{name} {seed}"), Writer(seed)
    head, rest = write.sentence(), write.prose(20)
    values = [make(i, rng) for i in range(14)]
    asked = [write.prose(2) for _ in values]
    lines = [pattern.format(*each) for each in values]
    log = [body(f"{head}\n{line}\n{rest}", q) for line, q in zip(lines, asked, strict=True)]
    twin = [body(f"{head}\n{lines[0]}\n{rest}", q) for q in asked]
    report, without = explained(log), explained(twin)
    assert set(by_cause(report)) == {"volatile_value", "never_seen"}
    assert abs(report.possible_hit_rate - without.hit_rate) <= 0.01
    rows = [row for row in report.causes if row.cause == "volatile_value"]
    assert len(rows) == len(values[0])
    shown = {(b.where.partition("line 2, ")[2], b.after) for b in report.breaks if b.line == 6}
    assert shown <= set(places_of(lines[5], values[5]))
    assert len(shown) == len(values[5])


@pytest.mark.parametrize("name", SOME)
def test_values_near_one_another_are_two_values(explained, name):
    check(explained, name, 0, chat)


@pytest.mark.soak
@pytest.mark.parametrize("seed", range(1, 6))
@pytest.mark.parametrize("body", [chat, one_text])
@pytest.mark.parametrize("name", CLOSE)
def test_values_near_one_another_are_two_values_for_every_seed(explained, name, body, seed):
    check(explained, name, seed, body)


@pytest.mark.parametrize("gap", ["", "-", "."])
def test_ids_with_a_character_in_common_are_one_value(explained, gap):
    rng = random.Random(5)
    rest = Writer(0).prose(20)
    ids = [hexadecimal(rng) for _ in range(12)]
    log = [chat(f"id {a}{gap}{b}\n{rest}", "?") for a, b in pairwise(ids)]
    report = explained(log)
    assert set(by_cause(report)) == {"volatile_value", "never_seen"}
    assert json.dumps(report.causes[0].after).count(" ") == 0
