"""Values of many kinds, at many positions: what is volatile, what it is called, what is shown."""

import base64
import json
import string
import uuid

import pytest

from radixlab.why.diff import differences
from radixlab.why.values import kind_of, whole_value
from tests.why.logs import WORDS, case, clock, hexadecimal, session_value, volatile
from tests.why.replayed import blamed, by_cause, explained

__all__ = ["explained"]
DAYS = 86_400 // 90


def drawn(alphabet, length):
    return lambda turn, index, rng: "".join(rng.choice(alphabet) for _ in range(length))


def drawn_bytes(turn, index, rng):
    return base64.b64encode(rng.randbytes(18)).decode()


NAMES = ("Alice Smith", "Bo Jones", "Chao Wang", "Dana Li", "Erik Berg", "Fatima Noor", "Jo March")
VALUES = {
    "seconds": (lambda turn, i, rng: str(int(turn.time.timestamp())), "now={}"),
    "milliseconds": (lambda turn, i, rng: str(int(turn.time.timestamp() * 1000)), "ts: {}"),
    "rfc 2822": (clock("%a, %d %b %Y %H:%M:%S +0000"), "Date: {}"),
    "twelve hours": (clock("%I:%M:%S %p"), "It is {} here."),
    "day of the week": (clock("%A"), "Today is {}.", DAYS),
    "japanese date": (lambda t, i, r: f"{t.time.month}月{t.time.day}日", "今日は{}です。", DAYS),
    "german date": (lambda t, i, r: f"{t.time.day}. März 2026", "Heute ist der {}.", DAYS),
    "uuid without dashes": (lambda t, i, r: uuid.UUID(int=r.getrandbits(128)).hex, "id={}"),
    "ulid": (drawn("0123456789ABCDEFGHJKMNPQRSTVWXYZ", 26), "id {}"),
    "nanoid": (drawn(string.ascii_letters + string.digits + "_-", 21), "id {}"),
    "base64": (drawn_bytes, "nonce: {}"),
    "price": (lambda turn, i, rng: f"€{rng.uniform(10, 99):.2f}", "The price is {} now"),
    "temperature": (lambda turn, i, rng: f"{rng.uniform(-5, 30):.1f} °C", "Outside: {} now"),
    "path": (session_value(lambda rng: f"/home/u_{hexadecimal(rng, 6)}/work"), "Folder: {}"),
    "user name": (session_value(lambda rng: rng.choice(NAMES)), "You talk to {}."),
    "two words": (lambda t, i, rng: f"{rng.choice(WORDS)}-{rng.choice(WORDS)}", "Code name {}"),
    "address": (lambda t, i, r: ".".join(str(r.randrange(256)) for _ in range(4)), "from {}"),
    "one digit": (lambda turn, i, rng: str(i % 10), "turn {}"),
    "json": (lambda turn, i, rng: json.dumps({"now": turn.time.isoformat()}), "Context: {}"),
}
SOME = ("seconds", "nanoid", "user name", "japanese date")


def check(explained, monkeypatch, name, seed, **size):
    make, line, *scale = VALUES[name]
    fault = volatile(make, line, "top", *scale)
    monkeypatch.setitem(case.__globals__["FAULTS"], name, fault)
    log = case(seed, name, **size)
    report, twin = explained(log.bodies), explained(log.twin)
    lost = by_cause(report)
    assert lost.get("volatile_value", 0) >= 0.95 * blamed(report) * report.prompt_tokens > 0
    gain = max(fix.gain for fix in report.fixes if fix.cause == "volatile_value")
    assert abs(gain - (twin.hit_rate - report.hit_rate)) <= 0.01


@pytest.mark.parametrize("name", SOME)
def test_a_value_that_changes_is_volatile(explained, monkeypatch, name):
    check(explained, monkeypatch, name, 0, num_tenants=1, sessions=7, turns=3)


@pytest.mark.soak
@pytest.mark.parametrize("seed", range(5))
@pytest.mark.parametrize("name", VALUES)
def test_a_value_that_changes_is_volatile_for_every_seed(explained, monkeypatch, name, seed):
    check(explained, monkeypatch, name, seed)


@pytest.mark.parametrize(
    ("kind", "values"),
    [
        ("clock", ["12:03:44", "9:04", "09:06:19 PM", "23:59:59.123", "7:30 am"]),
        ("date", ["2026-11-28", "28/11/2026", "11-28-26", "28 Nov 2026", "November 28, 2026"]),
        ("date", ["Saturday, 28 November 2026", "28. März 2026", "3 mars 2026"]),
        ("date", ["3 de mayo de 2026", "2026年3月2日"]),
        ("date and time", ["2026-11-28T01:02:03.5Z", "Sat, 28 Nov 2026 01:02:03 GMT"]),
        ("date and time", ["20261128T010203Z", "28.11.2026 um 1:02"]),
        ("UUID", ["6099251b-1541-4555-8d72-2cb06eb07d06"]),
        ("seconds since 1970", ["1772442379", "1772442379862", "1772442379.86"]),
        ("random id", ["9f86d081884c7d65", "01ARZ3NDEKTSV4RRFFQ69G5FAV"]),
        ("day of the week", ["Friday", "Samstag", "mercredi", "jueves"]),
        (None, ["so", "may", "The", "internationalisation", "Halden Freight", "v2", "", "42"]),
    ],
)  # fmt: skip
def test_kinds_of_values(kind, values):
    assert {value: kind_of(value) for value in values} == dict.fromkeys(values, kind)


@pytest.mark.parametrize(
    ("before", "after", "whole"),
    [
        ("It is 12:03:44 now", "It is 12:03:51 now", "12:03:51"),
        ("On Friday, 06 March 2026.", "On Friday, 13 March 2026.", "Friday, 13 March 2026"),
        ("id a1b2c3d4-0000-4000-8000-00000000000a!", "id a1b2c3d4-0000-4000-8000-00000000000b!",
         "a1b2c3d4-0000-4000-8000-00000000000b"),
        ('{"t":"2026-01-01T00:00:01Z","x":1}', '{"t":"2026-01-01T00:00:02Z","x":1}',
         "2026-01-01T00:00:02Z"),
        ("ts=1772442379;", "ts=1772442380;", "1772442380"),
        ("costs €12.50 each", "costs €13.50 each", "€13.50"),
        ("今日は2026年3月2日です", "今日は2026年3月3日です", "2026年3月3日"),
    ],
)  # fmt: skip
def test_the_whole_value_is_shown(before, after, whole):
    (span,) = differences(after, before)
    start, end = whole_value(after, span.start, span.end)
    assert after[start:end] == whole
