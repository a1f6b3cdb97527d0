"""Conversations and several answers: what the next turn finds, and how n answers are counted."""

from typing import Any

from radixlab.certify.check import Check, base_of, priced, unit_of
from radixlab.certify.outcome import CannotTell
from radixlab.certify.prompts import Prompt
from radixlab.certify.repeat import tried
from radixlab.certify.server import TEMPLATE_TOKENS, RefusedError
from radixlab.certify.trial import Trial, told_allowed, told_cached

N = 3
NUM_TOKENS = 8


# ---- turns.reuse


def _run_turns(trial: Trial) -> str:
    trial.server.need_grid()
    said: list[str] = []
    tried(trial, lambda: _turn(trial, said))
    return said[-1]


def _turn(trial: Trial, said: list[str]) -> bool:
    """Ask, append the answer and a new question, and ask again."""
    server = trial.server
    grid, unit = server.need_grid(), unit_of(server)
    prompt = trial.fresh(base_of(server) + 2 * unit + 5)
    length = unit + 3
    if server.form == "ids":
        first, answered = _forced(trial, prompt, length)
        after = server.ask(Prompt((*prompt.units, *answered, *trial.fresh(unit).units)))
        more = len(answered)
    else:
        first = server.ask(prompt, length)
        after = server.ask(prompt, **_next_turn(trial, prompt, first.text))
        more = first.usage.completion_tokens or length
    asked = first.usage.prompt_tokens or server.length(prompt)[0]
    slack = 0 if server.form == "ids" else TEMPLATE_TOKENS
    least, most = grid.whole(max(0, asked - slack)), grid.whole(asked + max(0, more - 1) + slack)
    got = server.cached(after)
    reused = max(0, got - asked)
    said.append(
        f"the next turn found the question before, and {reused} of the answer's {more} tokens"
    )
    proof = "certain" if grid.whole(got) > most else "single"
    what = f"a turn after {asked} prompt tokens and {more} answered ones"
    allowed = f"from {least:,} to {most:,}"
    is_right = least <= grid.whole(got) <= most
    return trial.note(what, told_cached(got), allowed, is_right, proof)  # type: ignore[arg-type]


def _forced(trial: Trial, prompt: Prompt, length: int) -> tuple[Any, tuple[int, ...]]:
    """Return an answer whose token ids are known, because a bias leaves one token to choose."""
    server, unit = trial.server, trial.prompts.unit()
    try:
        answer = server.ask(prompt, length, logit_bias={str(unit): 100}, ignore_eos=True)
    except RefusedError as error:
        raise CannotTell(f"no answer can be made whose token ids are known: {error}") from None
    num = answer.usage.completion_tokens
    if num is None:
        raise CannotTell("usage does not say how many tokens the answer has")
    return answer, (unit,) * num


def _next_turn(trial: Trial, prompt: Prompt, text: str) -> dict[str, Any]:
    """Return the fields of a request that continues a conversation, or a text."""
    question = trial.prompts.fresh(6).text()
    if trial.server.form == "text":
        return {"prompt": f"{prompt.text()}{text} {question}"}
    turns = [("user", prompt.text()), ("assistant", text), ("user", question)]
    return {"messages": [{"role": role, "content": content} for role, content in turns]}


TURNS = Check(
    "turns.reuse",
    "The next turn finds the turn before",
    "A prompt that repeats an earlier one and its answer finds at least the whole blocks of the "
    "earlier prompt, and at most those of prompt and answer.",
    _run_turns,
    lambda server: priced(server, 2, 2 * base_of(server) + 9 * unit_of(server) + 40),
)


# ---- choices.n


def _run_n(trial: Trial) -> str:
    server = trial.server
    prompt = trial.fresh(base_of(server) + 2 * unit_of(server) + 3)
    server.ask(prompt)
    one = server.ask(prompt, NUM_TOKENS)
    try:
        many = server.ask(prompt, NUM_TOKENS, n=N)
    except RefusedError as error:
        raise CannotTell(f"the server does not take n: {error}") from None
    trial.same(f"the answers to n = {N}", len(many.choices), N, "certain")
    trial.same("prompt tokens of them", many.usage.prompt_tokens, one.usage.prompt_tokens)
    if many.usage.prompt_tokens is not None and server.reports_cached:
        got, length = server.cached(many), (many.usage.prompt_tokens,) * 2
        most = told_allowed({length[0] - 1})
        trial.note("cached tokens of them", got, f"at most {most}", got < length[0], "certain")
        if server.grid:
            what = f"a cached prompt with n = {N}"
            trial.cached(what, many, length, length, in_steps=True)
    if set(many.texts) != {one.text} and _repeats(trial, prompt, one.text):
        trial.same("their texts at temperature 0", set(many.texts), {one.text}, "repeated")
    return f"{N} answers to a cached prompt count it once, and say the same at temperature 0"


def _repeats(trial: Trial, prompt: Prompt, text: str) -> bool:
    """Whether the server repeats its own answer."""
    if trial.server.ask(prompt, NUM_TOKENS).text != text:
        raise CannotTell("answers differ among themselves at temperature 0")
    return True


CHOICES = Check(
    "choices.n",
    "Several answers count their prompt once",
    "A request with n = 3 reports as many prompt tokens as one with n = 1, and fewer cached tokens "
    "than prompt tokens; at temperature 0 its three texts are equal.",
    _run_n,
    lambda server: priced(
        server, 4, 4 * (base_of(server) + 2 * unit_of(server) + 4) + (N + 2) * NUM_TOKENS + 8
    ),
)
