"""Logs with known faults: they come first, at their place, and advice gains what the twin has."""

import pytest

from tests.why.logs import CLEAN, FAULTS, case
from tests.why.replayed import blamed, explained, tried

__all__ = ["explained"]
SMALL = {"num_tenants": 2, "sessions": 2, "turns": 4}
"""Of the logs of the default run; the others belong to `make soak`."""
EACH_KIND = (
    "clock",
    "session uuid",
    "request counter",
    "tools shuffled",
    "examples shuffled",
    "keys shuffled",
    "double spaces",
    "indentation",
    "normal form",
    "history cut",
    "history truncated",
    "message edited",
    "model changed",
    "expired",
    "below minimum",
)
PAIRS = [
    ("evicted", "clock at the bottom"),
    ("clock", "history cut"),
    ("clock", "expired"),
    ("session uuid", "model changed"),
    ("examples shuffled", "trailing newline"),
    ("clock at the bottom", "message edited"),
    ("keys shuffled", "random hex"),
    ("tool keys shuffled", "date iso"),
    ("history truncated", "separators"),
    ("expired", "indentation"),
    ("request counter", "double spaces"),
    ("evicted", "history truncated"),
    ("message edited", "model changed"),
    ("clock", "carriage returns"),
    ("clock", "tools shuffled"),
    ("clock in the middle", "examples shuffled"),
]
MORE_PAIRS = [
    ("trailing newline", "timestamp iso"),
    ("clock", "trailing newline"),
    ("evicted", "keys shuffled"),
    ("evicted", "date iso"),
    ("tools shuffled", "parameter changed"),
    ("indentation", "carriage returns"),
    ("model changed", "documents shuffled"),
    ("below minimum", "clock"),
    ("below minimum", "separators"),
    ("keys shuffled", "escapes"),
]
"""Pairs in which one fault hides the other, or stands right beside it."""


@pytest.mark.parametrize("name", EACH_KIND)
def test_a_fault_is_named_placed_and_measured(explained, name):
    tried(explained, case(0, name, **SMALL)).check()


@pytest.mark.soak
@pytest.mark.parametrize("seed", range(20))
@pytest.mark.parametrize("name", FAULTS)
def test_a_fault_is_named_placed_and_measured_for_every_seed(explained, name, seed):
    tried(explained, case(seed, name)).check()


@pytest.mark.parametrize("names", PAIRS[:2])
def test_of_two_faults_both_come_first(explained, names):
    tried(explained, case(0, *names)).check()


@pytest.mark.soak
@pytest.mark.parametrize("seed", range(20))
@pytest.mark.parametrize("names", PAIRS)
def test_of_two_faults_both_come_first_for_every_seed(explained, names, seed):
    tried(explained, case(seed, *names)).check()


@pytest.mark.soak
@pytest.mark.parametrize("seed", range(20, 26))
@pytest.mark.parametrize("names", MORE_PAIRS)
def test_of_two_faults_none_hides_the_other(explained, names, seed):
    tried(explained, case(seed, *names)).check()


@pytest.mark.parametrize("name", CLEAN)
def test_clean_logs_blame_nothing(explained, name):
    assert blamed(explained(CLEAN[name](0))) <= 0.03


@pytest.mark.soak
@pytest.mark.parametrize("seed", range(1, 20))
@pytest.mark.parametrize("name", CLEAN)
def test_clean_logs_blame_nothing_for_every_seed(explained, name, seed):
    assert blamed(explained(CLEAN[name](seed))) <= 0.03
