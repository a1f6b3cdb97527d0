"""Chats whose history is cut, shortened or summarised: in messages, and in prompts of one text."""

import pytest

from tests.why.logs import Writer, chats
from tests.why.replayed import by_cause, explained
from tests.why.test_why_more import ids

__all__ = ["explained"]


def window(length):
    return lambda history, turn: history[-length:]


def keep_first(history, turn):
    return history if len(history) <= 5 else [history[0], *history[-4:]]


def cleared(history, turn):
    """Questions that are not among the last ones keep their first words only."""
    last = len(history) - 4
    return [
        (role, text if i >= last or role == "assistant" else f"{text[:40]} [cleared]")
        for i, (role, text) in enumerate(history)
    ]


def shortened(history, turn):
    last = len(history) - 4
    return [
        (role, text if i >= last or len(text) < 150 else f"{text[:120]}…")
        for i, (role, text) in enumerate(history)
    ]


def summarised(history, turn):
    """A summary, which is written again now and then, in place of the oldest messages."""
    if len(history) <= 7:
        return history
    told = Writer(f"{turn.session} {len(history) // 4}").prose(4)
    return [("user", f"Summary: {told}"), ("assistant", "I see."), *history[-5:]]


WAYS = {
    "window": window(5),
    "even window": window(6),
    "first and last": keep_first,
    "cleared": cleared,
    "shortened": shortened,
    "summarised": summarised,
}


def chatml(system, history):
    said = "".join(f"<|im_start|>{role}\n{text}<|im_end|>\n" for role, text in history)
    return f"<|im_start|>system\n{system}<|im_end|>\n{said}<|im_start|>assistant\n"


def headings(system, history):
    names = {"user": "Instruction", "assistant": "Response"}
    said = "".join(f"\n\n### {names[role]}:\n{text}" for role, text in history)
    return f"{system}{said}\n\n### Response:\n"


def bare(system, history):
    return "\n\n".join([system, *(text for _, text in history)]) + "\n\n"


def inst(system, history):
    """As Llama 2 and Mistral have it: the instruction stands inside the first question."""
    told, first = "<s>", f"<<SYS>>\n{system}\n<</SYS>>\n\n"
    for role, text in history:
        told += f"[INST] {first}{text} [/INST]" if role == "user" else f" {text} </s>"
        first = "" if role == "user" else first
    return told


TEMPLATES = {"chatml": chatml, "headings": headings, "bare": bare, "inst": inst}


FORMS = ("chat", "anthropic", "completion", *TEMPLATES, "ids of bare", "ids of headings")


def body(turn, form):
    if form.startswith("ids of "):
        text = TEMPLATES[form[7:]](turn.system_text(), turn.history)
        return {"token_ids": ids(text), "session": turn.session}
    if form in TEMPLATES:
        text = TEMPLATES[form](turn.system_text(), turn.history)
        return {"prompt": text, "session": turn.session}
    turn.tenant.form = form
    return turn.body()


def check(explained, way, form, named, seed, least=0.8):
    """The cut history comes first, with nearly all that is blamed; undone, it gains the twin's."""
    log, twin = [], []
    for turn in chats(seed, num_tenants=1, sessions=3, turns=9):
        bodies = [body(turn, form)]
        turn.history = WAYS[way](turn.history, turn)
        bodies.append(body(turn, form))
        for each, bodies_of in zip(bodies, (twin, log), strict=True):
            if not named:
                del each["session"]
            bodies_of.append(each)
    report, without = explained(log), explained(twin)
    lost = by_cause(report)
    blamed = sum(lost.values()) - lost["never_seen"]
    assert next(iter(lost)) == "history_edited"
    assert lost["history_edited"] >= least * blamed
    assert abs(report.possible_hit_rate - without.hit_rate) <= 0.015
    rows = [row for row in report.causes if row.cause == "history_edited"]
    assert all(row.where.startswith(("messages", "prompt, line", "position")) for row in rows)


@pytest.mark.parametrize(
    ("way", "form"),
    [("window", "completion"), ("summarised", "chat"), ("shortened", "ids of bare")],
)
def test_a_cut_history_is_named_without_sessions(explained, way, form):
    check(explained, way, form, False, 0)


@pytest.mark.soak
@pytest.mark.parametrize("seed", range(1, 4))
@pytest.mark.parametrize("named", [True, False])
@pytest.mark.parametrize("form", FORMS)
@pytest.mark.parametrize("way", WAYS)
def test_a_cut_history_is_named_in_every_form(explained, way, form, named, seed):
    check(explained, way, form, named, seed)
