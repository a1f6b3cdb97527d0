"""Why a prompt missed: one reason per look-up, decided in a fixed order."""

from itertools import combinations

import pytest

from radixlab.events import PrefixMatched
from tests.cache.helpers import ADAPTER, SALT, Checked, cached, run_request, text


def explained(*prompts: str, num_blocks: int = 16) -> Checked:
    return cached(Checked(num_blocks, explain=True), *prompts)


def why(lab: Checked, tokens: list[int] | str, namespace=None) -> str | None:
    """Admit a prompt and give it up again; return the reason of its miss."""
    tokens = text(tokens) if isinstance(tokens, str) else tokens
    sequence = lab.allocate(tokens, namespace)
    lab.abort(sequence)
    assert lab.happened(PrefixMatched)[-1].miss_reason == sequence.miss_reason
    return sequence.miss_reason


@pytest.mark.parametrize("prompt", [".", "...", "ab.", "ab...", "a..."])
def test_nothing_missing_but_the_tail_has_no_reason(prompt):
    assert why(explained("ab"), prompt) is None


def test_a_block_withheld_to_leave_one_token():
    "M1"
    assert why(explained("ab"), "ab") == "last_token_rule"
    assert why(explained("ab"), "a") == "last_token_rule"


def test_a_last_block_that_is_not_cached_is_not_withheld():
    "M1"
    assert why(explained("ab"), "abx") == "never_seen"
    assert why(explained("ab"), "x") == "never_seen"


def test_what_was_cached_once_was_evicted_and_says_when():
    "E6"
    lab = explained("ab")
    lab.evict(1)
    assert why(lab, "ab.") == "evicted"
    assert lab.happened(PrefixMatched)[-1].evicted_tick == 2


def test_the_first_missing_block_decides():
    lab = explained("abc")
    lab.evict(2)
    assert why(lab, "abx") == "evicted"
    assert why(lab, "axc") == "never_seen"


def test_an_evicted_prefix_that_came_back_is_a_hit_again():
    lab = explained("ab")
    lab.evict(2)
    cached(lab, "ab")
    assert why(lab, "ab.") is None


def test_the_memory_is_as_long_as_the_pool():
    lab = explained("ab", "cd", "ef", "gh", num_blocks=4)
    lab.evict(4)
    reasons = [why(lab, prompt) for prompt in ("gh.", "ef.", "ab.")]
    assert reasons == ["evicted", "evicted", "never_seen"]


def test_a_reset_forgets_what_was_evicted():
    lab = explained("ab")
    lab.evict(2)
    lab.reset()
    assert why(lab, "ab.") == "never_seen"


def test_another_namespace_has_it():
    "K1"
    lab = explained()
    run_request(lab, "ab", namespace=SALT)
    assert why(lab, "ab.") == "namespace"
    assert why(lab, "ab.", ADAPTER) == "namespace"
    assert why(lab, "ab.", SALT) is None


def test_another_namespace_must_have_the_first_missing_block():
    "K1"
    lab = explained("ab")
    run_request(lab, "ac", namespace=SALT)
    assert why(lab, "ac.") == "namespace"
    assert why(lab, "ad.") == "never_seen"


@pytest.mark.parametrize("shared", [1, 2, 3])
def test_less_than_one_block_in_common(shared):
    "M2"
    lab = explained("ab")
    assert why(lab, text("b")[:shared] + [1] * 4) == "never_seen"
    assert why(lab, text("a")[:shared] + [1] * 4) == "below_block"
    assert why(lab, text("a") + text("b")[:shared] + [1] * 4) == "below_block"


def test_less_than_one_block_in_common_with_a_child():
    "M2"
    lab = explained("abc", "abd")
    assert why(lab, [*text("ab"), ord("d"), 1, 1, 1]) == "below_block"


def test_what_nobody_has_stored_was_never_seen():
    "M3"
    assert why(explained(), "ab") == "never_seen"
    assert why(explained("ab"), "xy") == "never_seen"


FACTS = ("evicted", "namespace", "below_block")


@pytest.mark.parametrize(
    "true", [f for n in range(4) for f in combinations(FACTS, n)], ids="+".join
)
def test_of_several_reasons_the_first_is_told(true):
    "K1 M2: after `ab.` has hit its first block, each of the facts would explain why `b` is missing"
    lab = explained("ab" if "evicted" in true else "a")
    lab.evict(len("b") * ("evicted" in true))
    if "namespace" in true:
        run_request(lab, "ab", namespace=SALT)
    if "below_block" in true:
        near = lab.allocate([*text("a"), *text("b")[:3], 1])
        lab.write(near)
        lab.commit(near, 8)
    assert why(lab, "ab.") == (true[0] if true else "never_seen")


def test_the_last_token_rule_is_told_before_an_eviction_of_long_ago():
    "M1"
    lab = explained("ab")
    lab.evict(1)
    assert why(cached(lab, "ab"), "ab") == "last_token_rule"


@pytest.mark.parametrize("prompt", ["abx", "axy", "xyz", "abc."])
def test_without_explain_the_last_four_are_one(prompt):
    lab = cached(Checked(), "ab")
    assert why(lab, prompt) == "not_cached"
    assert why(lab, "ab") == "last_token_rule"
    assert why(lab, "ab.") is None
