import re
from random import Random

import pytest
from hypothesis import given
from hypothesis import strategies as st

from radixlab.config import ConfigError
from radixlab.model.tiny import fact_sheet
from radixlab.model.tiny.facts import (
    RELATIONS,
    draw_facts,
    draw_filler,
    draw_sentence,
    is_unseen,
    vocabulary,
    words,
)
from radixlab.model.tiny.lexicon import FIRST_NAMES, LAST_NAMES

SEEDS = st.integers(0, 10**6)


def test_a_seed_is_a_sheet():
    assert fact_sheet(3) == fact_sheet(3)
    assert len({fact_sheet(seed).text for seed in range(20)}) == 20


def test_the_language_is_what_the_weights_have_learnt():
    sheet = fact_sheet(seed=7, num_facts=2, num_tokens=24)
    assert sheet.prompt(sheet.facts[0]) == (
        "The chimney rises above the soft valley. Rhea Ashridge keeps a cobra. The lantern "
        "moves. Mara Fairborn lives in Dublin."
        " Q: What pet does Rhea Ashridge keep? A:"
    )
    assert sheet.facts[0].sentence == "Rhea Ashridge keeps a cobra."


@given(SEEDS, st.integers(1, 32), st.integers(4, 400))
def test_a_sheet_has_the_tokens_and_facts_it_was_asked_for(seed, num_facts, num_filler):
    sheet = fact_sheet(seed, num_facts, 6 * num_facts + num_filler)
    assert len(words(sheet.text)) == 6 * num_facts + num_filler
    places = [sheet.text.index(fact.sentence) for fact in sheet.facts]
    assert len(places) == num_facts and places == sorted(places)
    assert all(sheet.text.count(fact.sentence) == 1 for fact in sheet.facts)


@given(SEEDS, st.integers(1, 32))
def test_facts_share_no_name_and_no_value_and_are_about_the_unseen(seed, num_facts):
    facts = draw_facts(Random(seed), num_facts, unseen=True)
    names = [name for fact in facts for name in fact.name.split()]
    assert len(set(names)) == 2 * num_facts
    assert len({(fact.relation, fact.value) for fact in facts}) == num_facts
    assert all(is_unseen(*fact.name.split()) for fact in facts)


@given(SEEDS, st.integers(1, 32))
def test_shared_names_never_make_a_question_ambiguous(seed, num_facts):
    facts = draw_facts(Random(seed), num_facts, unseen=False, share=0.5)
    assert len({fact.question for fact in facts}) == num_facts
    assert not any(is_unseen(*fact.name.split()) for fact in facts)


def test_shared_names_are_common_when_asked_for():
    facts = draw_facts(Random(0), 16, unseen=False, share=0.5)
    people = {fact.name for fact in facts}
    assert len({name.split()[1] for name in people}) < len(people) < len(facts)


def test_a_quarter_of_all_pairs_of_names_is_unseen():
    pairs = [(first, last) for first in FIRST_NAMES for last in LAST_NAMES]
    assert len(set(pairs)) == 64 * 64
    assert sum(is_unseen(*pair) for pair in pairs) == 64 * 16


def test_every_word_has_one_place_in_the_vocabulary():
    every = vocabulary()
    assert len(every) == len(set(every))
    said = {word for seed in range(300) for word in words(fact_sheet(seed, 16, 256).text)}
    assert said < set(every)


def test_names_and_values_tell_who_and_what_apart():
    values = [value for kind in RELATIONS for value in kind.values]
    assert len(values) == len(set(values))
    assert not set(values) & {*FIRST_NAMES, *LAST_NAMES}
    filler = set(words(" ".join(draw_filler(Random(0), 5000))))
    assert not filler & {*FIRST_NAMES, *LAST_NAMES, *values}


@given(SEEDS, st.integers(4, 10))
def test_a_sentence_has_the_length_it_was_asked_for(seed, num_tokens):
    sentence = draw_sentence(Random(seed), num_tokens)
    assert len(words(sentence)) == num_tokens
    assert re.fullmatch(r"The( \w+)+\.", sentence)


@pytest.mark.parametrize("num_facts", [0, 33])
def test_a_sheet_of_no_facts_or_too_many_is_refused(num_facts):
    with pytest.raises(ConfigError, match=f"num_facts is {num_facts}: a sheet has 1 to 32"):
        fact_sheet(0, num_facts, 512)


@pytest.mark.parametrize("num_tokens", [40, 49, 51])
def test_a_sheet_that_nothing_can_fill_exactly_is_refused(num_tokens):
    with pytest.raises(ConfigError, match=f"{num_tokens - 48} tokens are left beside facts"):
        fact_sheet(0, 8, num_tokens)
