"""What is fast gives what the plain way gives: matching, patterns for ASCII, marks, windows."""

import random
from collections import Counter
from difflib import SequenceMatcher

import numpy as np
import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from radixlab.why import anchors, counting, source, values
from radixlab.why.matching import gaps
from radixlab.why.prompt import Prompt
from radixlab.why.request import Request
from radixlab.why.tokenizers import BytesOverFour

ITEMS = st.lists(st.sampled_from("abcdefgh "), max_size=40)
TEXTS = st.text(st.sampled_from("ab1_ \n\t\x1c-./+@:;,{"), max_size=60)
DAYS_AND_MONTHS = ("Montag", "friday", "\u017funday", "d\u0130manche", "März", "g\u0130u", "dec.")
VALUES = (
    "12:03:44", "9:05 pm", "2026-11-28", "28. März 2026", "Friday, Nov 28th, 2026",
    "2026年11月28日", "1764331200", "20261128T120344Z", "abcdefab-cdef-abcd-efab-cdefabcdefab",
    *DAYS_AND_MONTHS,
)  # fmt: skip


@given(ITEMS, ITEMS, st.integers(1, 8))
@example(list("ab cd ef"), list("b  a d c"), 2)
def test_blocks_are_those_of_difflib(first, second, most):
    common = {item for item, num in Counter(second).items() if num > most}
    matcher = SequenceMatcher(common.__contains__, first, second, autojunk=False)
    theirs = [tuple(boxes) for tag, *boxes in matcher.get_opcodes() if tag != "equal"]
    assert list(gaps(first, second, common)) == theirs


@pytest.mark.parametrize("num_words", [20, 4000])
def test_blocks_of_long_lists_are_those_of_difflib(num_words):
    rng = random.Random(num_words)
    first, second = ([f"{rng.randrange(num_words)}" for _ in range(300)] for _ in range(2))
    second[100:200] = first[50:150]
    matcher = SequenceMatcher(lambda item: item == "7", first, second, autojunk=False)
    theirs = [tuple(boxes) for tag, *boxes in matcher.get_opcodes() if tag != "equal"]
    assert list(gaps(first, second, {"7"})) == theirs


@given(TEXTS)
def test_the_patterns_for_ascii_find_the_same_words(text):
    assert counting.visible_words(text) == Counter(counting._VISIBLE.findall(text))
    assert counting.plain_words(text) == Counter(counting._PLAIN.findall(text))


@given(
    st.lists(st.sampled_from((*VALUES, "word", ", ", "um ", "T")), min_size=1, max_size=6),
    st.sampled_from(("", " ")),
)
def test_every_kind_of_value_has_its_marks(pieces, between):
    text = between.join(pieces)
    for _, pattern in values.KINDS:
        assert not pattern.search(text) or pattern in values._possible(text)


@pytest.mark.parametrize("num_bytes", [15, 16, 17, 8206, 8207, 8208, 8209, 20_000])
def test_windows_are_sampled_by_their_hash_wherever_they_stand(num_bytes, monkeypatch):
    monkeypatch.setattr(anchors, "MOST_OF_REQUEST", num_bytes)
    data = random.Random(1).randbytes(num_bytes).translate(None, b" \t\r\n")
    mixed = []
    for start in range(len(data) - 15):
        first, second = (int.from_bytes(data[at : at + 8], "little") for at in (start, start + 8))
        word = (first * 0x9E3779B97F4A7C15 + second * 0xC2B2AE3D27D4EB4F) % 2**64
        word = (word ^ word >> 29) * 0xBF58476D1CE4E5B9 % 2**64
        mixed.append(word ^ word >> 32)
    kept = [word for word in mixed if word <= anchors.LARGEST_KEPT]
    assert anchors.anchors_of(np.frombuffer(data, np.uint8), are_bytes=True).tolist() == kept


def test_a_prompt_that_is_kept_twice_takes_its_place_once(monkeypatch):
    monkeypatch.setattr(source, "MOST_CHARACTERS", 100)
    requests = [Request(n + 1, n, "prompt", (), ((("prompt",), "x" * 30),)) for n in range(3)]
    log = source.Source(requests, BytesOverFour(), print)
    for _ in range(9):
        for number, request in enumerate(requests):
            log.keep(number, Prompt(request, BytesOverFour()))
    assert len(log._kept) == 3
