"""The same question gets the same answer: streamed, cached, or sent together with others."""

from concurrent.futures import ThreadPoolExecutor
from typing import Any

from radixlab.certify.answer import Answer, Usage
from radixlab.certify.check import Check, Cost, base_of, priced, unit_of
from radixlab.certify.compare import Comparison, are_equal, compare
from radixlab.certify.outcome import CannotTell, Proof
from radixlab.certify.prompts import Prompt
from radixlab.certify.server import RefusedError, Server
from radixlab.certify.survey import as_chat
from radixlab.certify.trial import Trial, told_cached

NUM_TOKENS = 8
"""Tokens of each answer that is compared."""
NUM_PROMPTS = 3
MOST_PAIRS = 5
"""Most pairs of a stream and a whole answer, until both find equally many cached tokens."""
CHAT_TOKENS = 400
"""Most tokens that a short chat is taken to have."""


# ---- stream.same


def _run_stream(trial: Trial) -> str:
    server = trial.server
    prompt = trial.fresh(base_of(server) + 2 * unit_of(server) + 3)
    paths = [server.path]
    _compare_stream(trial, server, prompt)
    if server.form != "chat":
        try:
            chat = as_chat(server)
            _compare_stream(trial, chat, chat.prompts("stream.same, chat").fresh(6))
            paths.append(chat.path)
        except RefusedError as error:
            trial.note("a chat", f"refused: {error}", "an answer, if there are chats", True)
    return f"streams say what whole answers say: {' and '.join(paths)}"


def _compare_stream(trial: Trial, server: Server, prompt: Prompt) -> None:
    """Compare when the prompt is cached, so that both are computed alike."""
    server.ask(prompt, NUM_TOKENS)
    for fields in ({}, {"n": 2}):
        try:
            plain = server.ask(prompt, NUM_TOKENS, **fields)
        except RefusedError as error:
            if not fields:
                raise
            trial.note("two answers to a prompt", f"refused: {error}", "n, if it is known", True)
            return
        stream = server.stream(prompt, NUM_TOKENS, **fields)
        proof: Proof = "single"
        if stream.texts != plain.texts:
            proof = _proof(server, prompt, plain)
        what = f"a stream of {len(plain.choices)} at {server.path}"
        trial.same(f"{what}: the text", stream.texts, plain.texts, proof)
        trial.same(f"{what}: finish_reason", stream.finish_reasons, plain.finish_reasons, proof)
        if stream.usage == Usage():
            trial.note(f"{what}: usage", "none", "usage, if include_usage is known", True)
            continue
        trial.same(f"{what}: tokens", _tokens(stream.usage), _tokens(plain.usage), "repeated")
        _compare_cached(trial, server, prompt, fields, [(stream, plain)])


def _compare_cached(
    trial: Trial,
    server: Server,
    prompt: Prompt,
    fields: dict[str, Any],
    found: list[tuple[Answer, Answer]],
) -> None:
    """Compare the cached tokens of a stream and a whole answer; others may evict in between."""
    while len(found) < MOST_PAIRS and not _is_same(*found[-1]):
        plain = server.ask(prompt, NUM_TOKENS, **fields)
        found.append((server.stream(prompt, NUM_TOKENS, **fields), plain))
    cached = _pair(found[-1])
    proof: Proof = "repeated" if len({*map(_pair, found)}) == 1 else "single"
    what = f"a stream of {len(found[0][1].choices)} at {server.path}: cached tokens"
    trial.same(what, told_cached(cached[0]), told_cached(cached[1]), proof)


def _pair(both: tuple[Answer, Answer]) -> tuple[int, int]:
    return both[0].usage.cached_tokens or 0, both[1].usage.cached_tokens or 0


def _is_same(stream: Answer, plain: Answer) -> bool:
    return len({*_pair((stream, plain))}) == 1


def _proof(server: Server, prompt: Prompt, plain: Answer) -> Proof:
    """Find out whether the server repeats its own answers; if not, nothing can be compared."""
    again = server.ask(prompt, NUM_TOKENS)
    if again.text != plain.text:
        raise CannotTell("whole answers differ among themselves at temperature 0")
    return "repeated"


def _tokens(usage: Usage) -> str:
    return f"{usage.prompt_tokens} prompt, {usage.completion_tokens} completion tokens"


def _cost_stream(server: Server) -> Cost:
    one = base_of(server) + 2 * unit_of(server) + 4
    return priced(server, 6, 6 * one + 9 * NUM_TOKENS) + Cost(6, 6 * CHAT_TOKENS)


STREAM = Check(
    "stream.same",
    "A stream says what a whole answer says",
    "At temperature 0 a stream and a whole answer to a cached prompt have the same text, "
    "finish_reason and usage, also for n = 2.",
    _run_stream,
    _cost_stream,
)


# ---- answer.same


def _run_same(trial: Trial) -> str:
    server = trial.server
    fields = _with_logprobs(server)
    found, hits = [], 0
    for _ in range(NUM_PROMPTS):
        prompt = trial.fresh(base_of(server) + 3 * unit_of(server) + 5)
        cold, warm = (_ask(server, prompt, fields) for _ in range(2))
        hits += (warm.usage.cached_tokens or 0) > 0
        comparison = compare(cold, warm)
        if not comparison.is_right:
            _check_repeats(server, prompt, fields, warm)
        found.append(comparison)
    if not server.reports_cached:
        raise CannotTell(f"{_told_kinds(found)}, but nobody knows what was cached")
    if not hits:
        raise CannotTell("no prompt was found when it was asked again")
    _note_comparisons(trial, found)
    return f"{hits} of {NUM_PROMPTS} prompts were cached when asked again: {found[0].words}"


def _with_logprobs(server: Server) -> dict[str, Any]:
    """Return the fields that ask for the two likeliest tokens, if the server takes them."""
    fields: dict[str, Any] = {"logprobs": 2}
    if server.form == "chat":
        fields = {"logprobs": True, "top_logprobs": 2}
    try:
        server.ask(server.prompts("logprobs").fresh(4), **fields)
    except RefusedError:
        return {}
    return fields


def _ask(server: Server, prompt: Prompt, fields: dict[str, Any]) -> Answer:
    return server.ask(prompt, NUM_TOKENS, **fields)


def _check_repeats(server: Server, prompt: Prompt, fields: dict[str, Any], warm: Answer) -> None:
    if not compare(_ask(server, prompt, fields), warm).is_right:
        raise CannotTell("cached answers differ among themselves at temperature 0")


def _note_comparisons(trial: Trial, found: list[Comparison]) -> None:
    """Write down what was found; a single unexplained difference may be a tie."""
    wrong = [each for each in found if not each.is_right]
    if len(wrong) == 1 and wrong[0].kind == "unknown":
        raise CannotTell(f"one answer of {len(found)} differs, perhaps by a tie: {wrong[0].words}")
    proof: Proof = "repeated" if len(wrong) > 1 else "single"
    for each in found:
        what = "a prompt asked for the first time, and again"
        trial.note(what, each.words, "the same answer", each.is_right, proof)


def _told_kinds(found: list[Comparison]) -> str:
    return f"of {len(found)} answers {sum(each.is_right for each in found)} were the same again"


SAME = Check(
    "answer.same",
    "A cached prompt gets the answer of a computed one",
    "At temperature 0 a prompt gets the same answer, and the same log probabilities to "
    "0.5 nats, whether its beginning was cached or not; ties below 0.2 nats may break either way.",
    _run_same,
    lambda server: priced(
        server,
        3 * NUM_PROMPTS + 1,
        3 * NUM_PROMPTS * (base_of(server) + 3 * unit_of(server) + 6 + NUM_TOKENS) + 5,
    ),
)


# ---- answer.together


def _run_together(trial: Trial) -> str:
    server = trial.server
    unit, base = unit_of(server), base_of(server)
    first = trial.fresh(base + 3 * unit)
    server.ask(first)
    forks = [trial.fork(first, base + 2 * unit, base + 2 * unit + 5 + k) for k in range(3)]
    fields = _with_logprobs(server)
    for prompt in forks:
        server.ask(prompt)
    alone = [_ask(server, prompt, fields) for prompt in forks]
    with ThreadPoolExecutor(len(forks)) as pool:
        together = [*pool.map(lambda prompt: _ask(server, prompt, fields), forks)]
    for prompt, one, other in zip(forks, alone, together, strict=True):
        comparison = compare(one, other)
        proof: Proof = "single"
        if not comparison.is_right:
            again = _ask(server, prompt, fields)
            if not are_equal([one, again]):
                raise CannotTell("answers differ among themselves at temperature 0")
            proof = "repeated"
        what = "a prompt with a shared prefix, asked alone and beside two others"
        trial.note(what, comparison.words, "the same answer", comparison.is_right, proof)
    return f"{len(forks)} prompts with one prefix got the same answers together as alone"


TOGETHER = Check(
    "answer.together",
    "Prompts that share a prefix do not disturb each other",
    "At temperature 0 prompts with one cached prefix get the same answers at the same time as one "
    "after the other.",
    _run_together,
    lambda server: priced(
        server, 14, 14 * (base_of(server) + 3 * unit_of(server) + 8) + 9 * NUM_TOKENS
    ),
)
