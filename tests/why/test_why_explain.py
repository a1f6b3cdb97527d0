import json
from itertools import pairwise

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from radixlab.why.errors import WhyError
from radixlab.why.explain import explain
from radixlab.why.reading import read_log
from radixlab.why.request import Request
from tests.why.logs import case
from tests.why.replayed import adds_up, blamed, by_cause, explained

__all__ = ["explained"]
WORDS = ("alpha ", "beta\n", "γ ", "12:03:44 ", "12:03:51 ", "{}", "  ", "7 ")
TEXTS = st.lists(st.sampled_from(WORDS), min_size=1, max_size=60).map("".join)


@st.composite
def logs(draw):
    """Requests of a few words each, with everything else drawn too."""
    requests = []
    for line in range(draw(st.integers(1, 8))):
        texts = draw(st.lists(TEXTS, min_size=1, max_size=4))
        parts = tuple((("messages", i, "content"), text) for i, text in enumerate(texts))
        model = draw(st.sampled_from(["a", "b"]))
        session = draw(st.sampled_from([None, "x", "y"]))
        time = draw(st.sampled_from([None, 10.0 * line]))
        requests.append(
            Request(
                line + 1,
                line,
                "openai chat",
                (("model", model),),
                parts,
                breakpoints=tuple(draw(st.sets(st.integers(1, len(parts)), max_size=2))),
                timestamp=time,
                session=session,
            )
        )
    return requests


OPTIONS = st.fixed_dictionaries(
    {
        "block_size": st.sampled_from([1, 4, 16]),
        "num_blocks": st.sampled_from([None, 20, 100]),
        "ttl": st.sampled_from([None, 15.0]),
        "profile": st.sampled_from([None, "openai", "anthropic", "vllm", "sglang"]),
        "text": st.booleans(),
    }
)


@settings(max_examples=60)
@given(logs(), OPTIONS)
def test_every_token_is_a_hit_or_has_one_cause(requests, options):
    report = explain(requests, **options)
    adds_up(report)
    assert 0 <= report.hit_rate <= report.possible_hit_rate <= 1
    assert [fix.gain for fix in report.fixes] == sorted(
        (f.gain for f in report.fixes), reverse=True
    )
    if not options["text"]:
        texts = [row.before + row.after for row in report.causes if row.cause != "model_changed"]
        assert not any("alpha" in text or "12:03" in text for text in texts)


@settings(max_examples=20)
@given(st.lists(st.lists(st.integers(0, 3), min_size=1, max_size=80), min_size=1, max_size=8))
def test_token_ids_are_explained_too(prompts):
    ids = [
        Request(n + 1, n, "token_ids", (), token_ids=np.array(prompt, np.int32))
        for n, prompt in enumerate(prompts)
    ]
    adds_up(explain(ids, block_size=4))


def test_a_counter_among_token_ids_is_volatile(explained):
    rng = np.random.default_rng(0)
    same = rng.integers(0, 50_000, 400).tolist()
    bodies = [{"token_ids": [*same[:20], 1000 + n, *same[20:]]} for n in range(12)]
    report = explained(bodies)
    assert report.causes[0].cause == "volatile_value"
    assert report.causes[0].where == "position 20"
    assert report.possible_hit_rate > 0.85


def test_a_clock_in_long_prompts_of_token_ids_is_volatile(explained):
    rng = np.random.default_rng(0)
    history = rng.integers(0, 50_000, 9000).tolist()
    bodies = [
        {"token_ids": [*history[:200], 90_000 + 16 * n, *history[200 : 6000 + 200 * n]]}
        for n in range(10)
    ]
    lost = by_cause(explained(bodies))
    assert lost["volatile_value"] > 0.85 * sum(lost.values()) * (len(bodies) - 1) / len(bodies)


def test_a_file_and_its_requests_give_the_same_report(explained, tmp_path):
    bodies = case(0, "clock", num_tenants=2, sessions=2, turns=3).bodies
    from_file = explained(bodies)
    assert explain(read_log(tmp_path / "log.jsonl")) == from_file


def test_a_report_is_the_same_every_time(explained):
    bodies = case(0, "message edited", num_tenants=2, sessions=2, turns=4).bodies
    assert explained(bodies) == explained(bodies)


def test_without_text_the_report_has_the_same_numbers_and_no_text(explained):
    bodies = case(0, "clock", num_tenants=1, sessions=2, turns=3).bodies
    with_text, without = explained(bodies), explained(bodies, text=False)
    assert by_cause(with_text) == by_cause(without)
    shown = json.dumps([[b.before, b.after, b.lead, b.tail] for b in without.breaks])
    assert not set(shown) - set('[", ]')


def test_progress_never_goes_back_and_the_limit_holds(explained):
    bodies = case(0, "clock", num_tenants=3).bodies
    told = []
    report = explained(bodies * 3, progress=lambda done, total: told.append((done, total)))
    assert report.requests == 3 * len(bodies) and told
    assert all(done <= total for done, total in told)
    assert all(a <= b for (a, _), (b, _) in pairwise(told))
    assert explained(bodies, limit=7).requests == 7


@pytest.mark.parametrize(
    "options",
    [{"profile": "bard"}, {"ttl": 0}, {"ttl": -1.0}, {"num_blocks": 0}, {"block_size": 0}],
)
def test_a_wrong_option_is_refused_by_name(options):
    (name,) = options
    with pytest.raises(WhyError, match=name):
        explain([], **options)


def test_an_empty_log_is_no_error():
    report = explain([])
    assert (report.requests, report.hit_rate, report.causes, report.fixes) == (0, 0.0, (), ())


def test_a_prompt_shorter_than_a_block_that_comes_again_is_too_short(explained):
    report = explained([{"prompt": "ping?"}] * 9)
    assert by_cause(report) == {"below_minimum": 16, "never_seen": 2}


def marked(session, turn):
    """An Anthropic body whose system prompt and last message are marked for caching."""
    mark = {"cache_control": {"type": "ephemeral"}}
    history = [
        {"role": ("user", "assistant")[i % 2], "content": f"{session} says {i} " * 40}
        for i in range(2 * turn + 1)
    ]
    history[-1] = {
        "role": "user",
        "content": [{"type": "text", "text": history[-1]["content"]} | mark],
    }
    system = [{"type": "text", "text": "Help the customer politely. " * 300} | mark]
    return {
        "model": "claude-sonnet-4-5",
        "max_tokens": 9,
        "system": system,
        "messages": history,
        "session": session,
    }


def test_anthropic_finds_prefixes_that_end_at_a_breakpoint(explained):
    bodies = [marked(session, turn) for turn in range(4) for session in "abc"]
    report = explained(bodies, profile="anthropic")
    plain = explained(bodies, block_size=1)
    assert blamed(report) <= 0.03 and abs(report.hit_rate - plain.hit_rate) < 0.02
    for body in bodies:
        body["system"] = body["system"][0]["text"]
        body["messages"][-1] = {
            "role": "user",
            "content": body["messages"][-1]["content"][0]["text"],
        }
    without = explained(bodies, profile="anthropic")
    assert (
        without.hit_tokens == 0 and by_cause(without)["below_minimum"] > 0.8 * without.prompt_tokens
    )


def test_usage_is_added_up_where_the_log_has_it(explained):
    usage = {"prompt_tokens": 100, "prompt_tokens_details": {"cached_tokens": 64}}
    bodies = [{"prompt": "Once upon a time", "usage": usage}, {"prompt": "Once"}]
    assert explained(bodies).reported_hit_rate == 0.64
    assert explained([{"prompt": "Once"}]).reported_hit_rate is None


def test_another_salt_is_another_customer_and_not_a_change(explained):
    bodies = [
        {"model": "m", "prompt": "The same long instruction. " * 50, "cache_salt": f"customer {n}"}
        for n in range(8)
    ]
    report = explained(bodies)
    assert report.hit_tokens == 0 and blamed(report) == 0
