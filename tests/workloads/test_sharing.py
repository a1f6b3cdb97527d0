"""Each generator shares what its docstring says, seen by comparing tokens."""

from collections import Counter
from itertools import pairwise

import numpy as np
import pytest

from radixlab.workloads import GENERATORS, Request
from radixlab.workloads.generators.draw import pick, stream
from radixlab.workloads.generators.thoughts import BREADTH, DEPTH


def requests(name: str, num_requests: int, seed: int = 0) -> list[Request]:
    return list(GENERATORS[name](num_requests, seed))


def by_client(requests: list[Request]) -> dict[str, list[Request]]:
    """Group by the label's part before the comma, such as `conversation 3`."""
    groups: dict[str, list[Request]] = {}
    for request in requests:
        groups.setdefault(str(request.label).partition(",")[0], []).append(request)
    return groups


def starts(requests: list[Request], stop: int, start: int = 0) -> set[bytes]:
    return {request.prompt[start:stop].tobytes() for request in requests}


def extends(later: Request, earlier: Request) -> bool:
    so_far = np.concatenate((earlier.prompt, earlier.output))
    return len(later.prompt) > len(so_far) and bool((later.prompt[: len(so_far)] == so_far).all())


# ---- shared-prompt, document-qa, diverse


def test_shared_prompt_shares_1024_tokens_and_no_more() -> None:
    users = requests("shared-prompt", 20)
    assert len(starts(users, 1024)) == 1
    assert len(starts(users, 1040, start=1024)) == 20


def test_document_qa_asks_ten_questions_of_a_document() -> None:
    asked = Counter(request.prompt[:4000].tobytes() for request in requests("document-qa", 1000))
    assert max(asked.values()) == 10
    assert 100 <= len(asked) <= 107  # 100 documents' worth of questions, of which 8 may be open


def test_diverse_shares_no_block() -> None:
    assert len(starts(requests("diverse", 200), 16)) == 200


# ---- transcripts: multi-turn-chat, agent


@pytest.mark.parametrize("name", ["multi-turn-chat", "agent"])
def test_a_turn_extends_the_last_turns_prompt_and_output(name: str) -> None:
    clients = by_client(requests(name, 300)).values()
    assert max(map(len, clients)) > 5
    assert all(extends(later, earlier) for own in clients for earlier, later in pairwise(own))


@pytest.mark.parametrize(("name", "shared_tokens"), [("multi-turn-chat", 512), ("agent", 6144)])
def test_clients_share_the_preamble_and_no_more(name: str, shared_tokens: int) -> None:
    clients = by_client(requests(name, 200))
    firsts = [own[0] for own in clients.values()]
    assert len(starts(firsts, shared_tokens)) == 1
    assert len(starts(firsts, shared_tokens + 16, shared_tokens)) == len(clients)


@pytest.mark.parametrize(("name", "num_open"), [("multi-turn-chat", 16), ("agent", 8)])
def test_clients_are_mixed_and_only_so_many_are_open(name: str, num_open: int) -> None:
    order = [str(request.label).partition(",")[0] for request in requests(name, 600)]
    first = {client: order.index(client) for client in order}
    last = {client: index for index, client in enumerate(order)}
    active = [sum(first[c] <= now <= last[c] for c in first) for now in range(400)]
    assert num_open - 2 <= max(active) <= num_open  # who is done leaves when his turn comes
    assert sum(a != b for a, b in pairwise(order)) > 400


# ---- few-shot


def test_few_shot_shares_the_instructions() -> None:
    prompts = requests("few-shot", 50)
    assert len(starts(prompts, 256)) == 1
    assert len(starts(prompts, 272, start=256)) == 8  # each example comes first some time


def test_few_shot_prompts_are_permutations_of_one_pool() -> None:
    prompts = requests("few-shot", 50)
    orders = [order_of_examples(request, prompts) for request in prompts]
    assert {frozenset(order) for order in orders} == {frozenset(orders[0])}
    assert {len(order) for order in orders} == {8}
    assert len({tuple(order) for order in orders}) > 45  # of 8! = 40,320, hardly one twice


def order_of_examples(request: Request, prompts: list[Request]) -> list[int]:
    """Where the known beginnings of examples, each somebody's first, stand in this prompt."""
    tokens = request.prompt.tolist()
    beginnings = {tuple(r.prompt[256:260].tolist()) for r in prompts}
    found = [
        (tokens[k], k) for k in range(256, len(tokens)) if tuple(tokens[k : k + 4]) in beginnings
    ]
    return [first for first, _ in sorted(found, key=lambda pair: pair[1])]


def test_few_shot_prompts_hold_the_same_tokens_but_for_the_question() -> None:
    one, other = requests("few-shot", 2)
    common = Counter(one.prompt.tolist()) & Counter(other.prompt.tolist())
    assert common.total() >= len(one.prompt) - 100


# ---- tree-of-thought


def test_a_thought_is_asked_for_with_its_parents_prompt_and_output() -> None:
    num_thoughts = sum(BREADTH**level for level in range(1, DEPTH + 1))
    problem = {
        str(r.label).rpartition(" ")[2]: r for r in requests("tree-of-thought", num_thoughts)
    }
    children = [name for name in problem if "." in name]
    assert (len(problem), len(children)) == (39, 36)
    for name in children:
        parent = problem[name.rpartition(".")[0]]
        so_far = np.concatenate((parent.prompt, parent.output))
        assert np.array_equal(problem[name].prompt, so_far)


def test_branches_have_one_prompt_and_different_outputs() -> None:
    for level in range(13):
        branches = requests("tree-of-thought", 39)[BREADTH * level :][:BREADTH]
        assert len({r.prompt.tobytes() for r in branches}) == 1
        assert len({r.output[:16].tobytes() for r in branches}) == BREADTH


def test_problems_share_the_instructions_and_come_one_after_the_other() -> None:
    thoughts = requests("tree-of-thought", 3 * 39)
    assert len(starts(thoughts, 800)) == 1
    order = [str(request.label).partition(",")[0] for request in thoughts]
    assert order == [f"problem {n}" for n in range(3) for _ in range(39)]
    assert len(starts(thoughts, 816, start=800)) == 3


# ---- hot sets: scan-polluted, phase-shift


def test_scanned_documents_are_read_once_in_order() -> None:
    scanned = [r for r in requests("scan-polluted", 500) if str(r.label).startswith("scanned")]
    assert [r.label for r in scanned] == [f"scanned {n}" for n in range(len(scanned))]
    assert len(starts(scanned, 16)) == len(scanned)
    assert 200 < len(scanned) < 300


def test_hot_documents_are_asked_again_and_the_first_most() -> None:
    hot = [r for r in requests("scan-polluted", 1000) if str(r.label).startswith("document")]
    asked = Counter(request.prompt[:2000].tobytes() for request in hot)
    assert len(asked) == 12
    first = hot[[r.label for r in hot].index("document 0")].prompt[:2000].tobytes()
    assert asked.most_common(1)[0][0] == first


def test_the_hot_set_changes_every_hundred_requests() -> None:
    asked = requests("phase-shift", 400)
    phases = [starts(asked[start : start + 100], 2000) for start in range(0, 400, 100)]
    assert all(8 <= len(phase) <= 12 for phase in phases)
    assert len(set().union(*phases)) == sum(map(len, phases))  # nothing returns


# ---- tenants


def test_tenants_have_equal_system_prompts_and_separate_namespaces() -> None:
    asked = requests("tenants", 400)
    assert len(starts(asked, 1024)) == 1
    assert {r.namespace for r in asked} == {("salt", f"tenant-{n}") for n in range(6)}


def test_a_tenant_has_four_documents_of_its_own() -> None:
    of: dict[bytes, set[object]] = {}
    for request in requests("tenants", 1000):
        of.setdefault(request.prompt[1024:2024].tobytes(), set()).add(request.namespace)
    assert all(len(owners) == 1 for owners in of.values())
    assert max(Counter(owner for owners in of.values() for owner in owners).values()) == 4


def test_small_tenants_ask_seldom() -> None:
    asked = Counter(request.namespace for request in requests("tenants", 1000))
    counts = [asked["salt", f"tenant-{n}"] for n in range(6)]
    assert counts == sorted(counts, reverse=True)
    assert counts[0] > 10 * counts[5] > 0


# ---- drawing


def test_a_pick_follows_the_weights() -> None:
    rng = stream(0, "weights")
    picked = Counter(pick(rng, [6, 0, 3, 1]) for _ in range(2000))
    assert set(picked) == {0, 2, 3}
    assert 1100 < picked[0] < 1300 and 500 < picked[2] < 700 and 150 < picked[3] < 250
