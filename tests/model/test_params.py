"""Parameters of an answer: what is taken, what is refused, and where a folder's defaults count."""

import json
import pickle
import warnings
from dataclasses import replace
from fractions import Fraction

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from radixlab import SamplingParams
from radixlab.config import ConfigError, shown
from radixlab.model.errors import BadFileError
from radixlab.model.generation import NEUTRAL, read_defaults
from radixlab.model.params import OPEN
from tests.cache.helpers import refused

NAN, INF, HUGE = float("nan"), float("inf"), 10**400
NO_NUMBER = [NAN, INF, -INF, HUGE, -HUGE, "1", None, True, [1.0], 1j, np.float32("nan"), b"1"]
NO_COUNT = [1.0, "1", True, -5, -HUGE, NAN, [1], np.True_, np.float64(2)]
NO_IDS = ["12", b"12", 7, [1.0], [-1], [True], ["1"], [None], {1: 2}, [HUGE * -1], 1.5]
NO_BIAS = [7, "7: 1", [(7, 1)], {7}, {-1: 1}, {1.5: 1}, {"7": 1}, {7: 101}, {7: -101}, {7: NAN},
           {7: INF}, {7: "1"}, {7: None}, {7: True}, {True: 1}, (7,)]  # fmt: skip
WRONG = {
    "temperature": [*NO_NUMBER, -0.1, -1],
    "top_p": [*NO_NUMBER, 0, -0.1, 1.1],
    "min_p": [*NO_NUMBER, -0.1, 1.1],
    "repetition_penalty": [*NO_NUMBER, 0, -1, 1e-9, 1e9],
    "presence_penalty": [*NO_NUMBER, -2.1, 2.1, 1e9],
    "frequency_penalty": [*NO_NUMBER, -2.1, 2.1, 1e9],
    "top_k": [*NO_COUNT, 0, -2],
    "seed": [*NO_COUNT, 2**64, HUGE],
    "max_tokens": [*NO_COUNT, 0, None],
    "min_tokens": [*NO_COUNT, None, 17, HUGE],
    "n": [*NO_COUNT, 0, None, 1025, HUGE],
    "logprobs": [*NO_COUNT, -1, 21, HUGE],
    "ignore_eos": [0, 1, None, "yes", 1.0],
    "stop": ["", [""], ["a", ""], [b"a"], b"a", 7, [7], {"a"}, {"a": 1}, [None], [["a"]]],
    "stop_token_ids": NO_IDS,
    "logit_bias": NO_BIAS,
}


@pytest.mark.parametrize(
    ("name", "value"), [(name, value) for name, values in WRONG.items() for value in values],
    ids=lambda value: value if isinstance(value, str) else shown(value)[:20],
)  # fmt: skip
def test_a_bad_value_is_refused_in_one_line_that_names_parameter_and_value(name, value):
    "About 170 values: not finite, huge, negative, of the wrong type, empty"
    with pytest.raises(ConfigError) as caught:
        SamplingParams(**{name: value})
    message = str(caught.value)
    assert name in message and "\n" not in message and len(message) < 400
    inner = list(value.values() if isinstance(value, dict) else value) if value and isinstance(
        value, list | dict
    ) else []  # fmt: skip
    assert any(shown(each) in message for each in [value, *inner, *(value if inner else [])])


@given(
    st.sampled_from([np.int8, np.uint16, np.int64, int]),
    st.sampled_from([np.float32, np.float64, float, Fraction]),
)
def test_numbers_of_any_kind_become_plain(an_int, a_float):
    counts = dict.fromkeys(
        ["top_k", "seed", "max_tokens", "min_tokens", "n", "logprobs"], an_int(3)
    )
    numbers = dict.fromkeys(["temperature", "top_p", "min_p"], a_float(0.5))
    params = SamplingParams(
        **counts, **numbers, stop_token_ids=[an_int(4)], logit_bias={an_int(5): 1}
    )
    assert {type(getattr(params, name)) for name in counts} == {int}
    assert {type(getattr(params, name)) for name in numbers} == {float}
    assert (params.stop_token_ids, params.logit_bias) == ((4,), ((5, 1.0),))


@pytest.mark.parametrize("stop", ["end", ["end"], ("end",)])
def test_stop_is_a_text_or_a_list_of_texts(stop):
    assert SamplingParams(stop=stop).stop == ("end",)
    assert SamplingParams(stop=None).stop == SamplingParams(stop=[]).stop == ()


CHOICES = {
    "temperature": [0, 0.7],
    "top_p": [0.5, 1],
    "top_k": [-1, 5],
    "min_p": [0, 0.1],
    "repetition_penalty": [1, 1.2],
}
SOME = st.fixed_dictionaries(
    {}, optional={name: st.sampled_from(values) for name, values in CHOICES.items()}
)


@given(SOME, SOME, st.booleans())
def test_a_default_counts_exactly_where_the_caller_left_a_value_open(given, defaults, is_copied):
    params = SamplingParams(max_tokens=3, **given)
    if is_copied:  # what was chosen survives what people do with parameters
        params = pickle.loads(pickle.dumps(replace(params, max_tokens=4)))
    completed = params.completed(defaults)
    for name in OPEN:
        expected = given.get(name, defaults.get(name, getattr(SamplingParams(), name)))
        assert getattr(completed, name) == expected
    assert completed.max_tokens == params.max_tokens
    assert completed.completed(dict.fromkeys(defaults, 0.9)) == completed


# ---- generation_config.json


def folder(path, **stated):
    (path / "generation_config.json").write_text(json.dumps(stated))
    return path


FULL = {"temperature": 0.6, "top_p": 0.9, "top_k": 20, "repetition_penalty": 1.05}
SAID = [
    ({}, {}),
    ({"eos_token_id": 3, "max_length": 20, "transformers_version": "5"}, {}),
    (FULL, FULL),
    ({**FULL, "do_sample": True}, FULL),
    ({**FULL, "do_sample": False}, {"temperature": 0.0, "repetition_penalty": 1.05}),
    ({"do_sample": True}, {"temperature": 1.0}),
    ({"do_sample": None, "top_p": None, "min_p": 0.1}, {"min_p": 0.1}),
    ({"top_k": 0}, {"top_k": -1}),
    ({"num_beams": 1, "typical_p": 1.0, "no_repeat_ngram_size": 0, "bad_words_ids": None}, {}),
]


@pytest.mark.parametrize(("stated", "expected"), SAID, ids=str)
def test_defaults_are_what_the_folder_states(stated, expected, tmp_path):
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        assert read_defaults(folder(tmp_path, **stated)) == expected


def test_a_folder_without_the_file_states_nothing(tmp_path):
    assert read_defaults(tmp_path) == {}


@pytest.mark.parametrize("name", NEUTRAL)
def test_what_cannot_be_applied_is_said(name, tmp_path):
    with pytest.warns(UserWarning, match=rf"{name} is .*7.*radixlab does not apply"):
        read_defaults(folder(tmp_path, **{name: [7]}))


@pytest.mark.parametrize(
    "wrong",
    [{"temperature": "hot"}, {"temperature": -1}, {"top_p": 2}, {"top_k": 1.5}, {"top_k": "many"},
     {"repetition_penalty": 0}, {"min_p": True}, {"do_sample": "yes"}],
    ids=str,
)  # fmt: skip
def test_a_bad_default_names_the_file(wrong, tmp_path):
    ((name, value),) = wrong.items()
    with refused(BadFileError, "generation_config.json", name, value):
        read_defaults(folder(tmp_path, **wrong))
