"""Documents that a search has found: another selection is new text, another order is a fault."""

import pytest

from radixlab.why.anchors import share_windows
from radixlab.why.diff import Span, differences
from tests.why.logs import Writer
from tests.why.replayed import blamed, by_cause, explained

__all__ = ["explained"]
SELECTIONS = [(3, 12), (5, 20), (3, 8), (3, 50)]
"""Documents of each question, and documents that there are."""


def questions(seed, place, num_found, num_all, session, num=32):
    """Each question with documents of its own, in the user's message, the system's, or one text."""
    documents = [Writer(f"{seed} {number}").prose(15) for number in range(num_all)]
    write = Writer(seed)
    rules, bodies = f"Answer. {write.prose(20)}", []
    for number in range(num):
        found = "\n\n".join(write.rng.sample(documents, num_found))
        asked = write.prose(1)
        if place == "prompt":
            body = {"prompt": f"{rules}\n\n{found}\n\nQuestion: {asked}\nAnswer:"}
        else:
            texts = [rules, f"{found}\n\n{asked}"]
            if place == "system":
                texts = [f"{rules}\n\n{found}", asked]
            roles = ("system", "user")
            messages = [{"role": r, "content": t} for r, t in zip(roles, texts, strict=True)]
            body = {"model": "m", "messages": messages}
        bodies.append(body | ({"session": f"s{number}"} if session else {}))
    return bodies


@pytest.mark.parametrize("place", ["user", "prompt"])
def test_another_selection_of_documents_is_not_a_fault(explained, place):
    assert blamed(explained(questions(0, place, 3, 12, False, num=16))) <= 0.03


@pytest.mark.soak
@pytest.mark.parametrize("seed", range(1, 4))
@pytest.mark.parametrize("session", [True, False])
@pytest.mark.parametrize("place", ["user", "system", "prompt"])
@pytest.mark.parametrize("selection", SELECTIONS)
def test_no_selection_of_documents_is_a_fault(explained, selection, place, session, seed):
    assert blamed(explained(questions(seed, place, *selection, session))) <= 0.03


@pytest.mark.parametrize("place", ["user", "system", "prompt"])
def test_the_same_documents_in_another_order_are_a_fault(explained, place):
    report = explained(questions(0, place, 4, 4, False, num=12))
    assert next(iter(by_cause(report))) == "order_changed"
    assert report.possible_hit_rate > report.hit_rate + 0.3


def test_two_new_documents_are_one_difference():
    first, second = (Writer(seed).prose(150) for seed in "ab")
    assert not share_windows(first, second)
    start = len("Read this: ")
    new, old = f"Read this: {first}", f"Read this: {second}"
    (span,) = differences(new, old)
    assert span.start <= start + 4 and span == Span(span.start, len(new), span.start, len(old))
    assert share_windows(first + second, second + first)
