"""Other servers: other block sizes, other ways to take a prompt, other faults."""

import pytest

from radixlab.certify import CHECKS
from tests.certify.peer import Peer

NEED_EVENTS = {"events.replay"}


def verdicts(report):
    return {result.id: result.verdict for result in report.results}


def shown(report):
    return {r.id: (r.verdict, r.reason) for r in report.results if r.verdict != "pass"}


def expected(**others):
    return dict.fromkeys(CHECKS, "pass") | dict.fromkeys(NEED_EVENTS, "cannot tell") | others


def made(**fields):
    return type("Made", (Peer,), fields)()


@pytest.mark.parametrize("takes", [("ids", "text", "chat"), ("text", "chat"), ("chat",)])
@pytest.mark.parametrize("is_told", [True, False], ids=["size told", "size found"])
@pytest.mark.parametrize("step, minimum", [(1, 0), (4, 4), (16, 16), (64, 64), (128, 1024)])
def test_a_good_server_passes(step, minimum, takes, is_told):
    if minimum > step and is_told:
        pytest.skip("no page tells of a minimum")
    peer = made(step=step, minimum=minimum, takes=takes, block_size_on_page=is_told)
    report = peer.examine()
    wanted = expected()
    if takes == ("chat",):
        wanted["answer.prompt_logprobs"] = "cannot tell"
    assert verdicts(report) == wanted, shown(report)
    assert report.server["block_size"] == step
