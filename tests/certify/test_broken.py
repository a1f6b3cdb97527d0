"""A server with one fault fails at the check for it, and at no other."""

import pytest

from radixlab.certify import CHECKS, Options, certify
from tests.certify.broken import FAULTS
from tests.serve.helpers import served

NOT_HERE = {"adapter.apart", "answer.prompt_logprobs"}
"""Our server has no adapters, and no log probabilities of prompts."""


def examined(patch=None, change=None, *, patience_s=60.0, only=(), tmp_path=None, **settings):
    """Serve the tiny model with a fault, or none, and examine it."""
    endpoint = f"ipc://{tmp_path}/events"
    with pytest.MonkeyPatch.context() as patcher:
        if patch:
            patch(patcher)
        with served(change, **{"num_blocks": 36, "kv_events": endpoint, **settings}) as client:
            options = Options(seed="fixed", kv_events=endpoint, patience_s=patience_s)
            return certify(client.url, only, options)


def verdicts(report):
    return {result.id: result.verdict for result in report.results}


def shown(report):
    return {r.id: (r.verdict, r.reason) for r in report.results if r.verdict != "pass"}


FIRST = 5
"""Faults that every run of the tests tries; the others are for the long run."""


def faults():
    for number, fault in enumerate(FAULTS):
        marks = [pytest.mark.soak] if number >= FIRST else []
        yield pytest.param(fault, marks=marks, id=f"{fault.check}: {fault.name}")


@pytest.mark.parametrize("fault", [*faults()])
def test_a_fault_fails_exactly_its_check(fault, tmp_path):
    report = examined(fault.patch, fault.change, patience_s=fault.patience_s, tmp_path=tmp_path)
    expected = dict.fromkeys(CHECKS, "pass") | dict.fromkeys(NOT_HERE, "cannot tell")
    assert verdicts(report) == expected | {fault.check: "fail"}, shown(report)
