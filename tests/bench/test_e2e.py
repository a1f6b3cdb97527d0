"""The end-to-end benchmark runs, and what it counts is so. No time is judged."""

import pytest

torch = pytest.importorskip("torch", reason="torch is not installed: the extra `model` brings it")

from radixlab.bench.e2e import HEADER, OFF, ON, _questions, _rows, _share_row  # noqa: E402
from radixlab.bench.e2e_models import QUICK, Transformers, random_model  # noqa: E402
from radixlab.bench.e2e_sampled import (  # noqa: E402
    KINDS,
    PEER_HEADER,
    peer_cases,
    peer_rows,
    step_rows,
)
from radixlab.bench.table import TableReport  # noqa: E402
from radixlab.model.runner import dense_logits  # noqa: E402

PROMPTS = _questions(document=64, num_questions=4, sizes=QUICK)


@pytest.fixture(scope="module")
def model():
    before = torch.get_num_threads()
    torch.set_num_threads(1)
    yield random_model(QUICK)
    torch.set_num_threads(before)


def test_the_cache_finds_the_document_and_a_tenant_of_ones_own_nothing(model):
    rounds = []
    rows = _rows("questions", PROMPTS, model, None, 2, lambda: rounds.append(1))
    cells = [dict(zip(HEADER, row, strict=True)) for row in rows]
    assert [cell["contender"] for cell in cells] == [ON, OFF]
    assert [cell["prompts cached"] for cell in cells] == ["50%", "0%"]  # 3 · 64 of 4 · 96
    assert len(rounds) == 2


def test_the_share_of_a_step_is_one(model):
    share = _share_row(QUICK, batch=2, num_steps=3)[-1]
    assert 0 < share.low <= share.median <= share.high < 100


def test_the_peer_has_the_same_weights(model):
    pytest.importorskip("transformers", reason="transformers is not installed: the extra `oracle`")
    ids = torch.tensor([PROMPTS[0].tolist()])
    with torch.inference_mode():
        theirs = Transformers(model).model(ids).logits[0]
    assert float((theirs - dense_logits(model, PROMPTS[0].tolist())).abs().max()) < 1e-4


def test_each_case_has_a_row_of_ours_with_its_verdict(model):
    cases, turns = peer_cases(quick=True), []
    rows = peer_rows(model, None, cases, 2, lambda: turns.append(1))
    assert [row[1] for row in rows] == ["radixlab"] * len(cases)
    assert len(turns) == 2 * len(cases) and len(rows[0]) == len(PEER_HEADER)


def test_a_step_is_timed_for_each_way_to_draw(model):
    rows = step_rows(QUICK, 2, lambda: None)
    assert [row[0] for row in rows] == list(KINDS)
    assert rows[0][2].median == 1 and rows[0][3] == ""
    assert all(str(row[3]).endswith("too few rounds to say") for row in rows[1:])


def test_further_tables_are_in_all_three_formats():
    further = TableReport("second", "run", "What it is.", ("case", "ms"), [["one", 2.5]])
    report = TableReport("first", "run", "How.", ("a", "b"), [["x", 1]], [further])
    assert "What it is." in report.text() and "What it is." in report.markdown()
    assert report.markdown().count("## ") == 1
    assert report.as_json()["second"] == [{"case": "one", "ms": 2.5}]
