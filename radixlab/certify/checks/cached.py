"""`cached_tokens`: how much of a prompt was found, to the token."""

from collections import deque
from functools import partial
from typing import Any

from radixlab.certify.check import Check, Cost, base_of, priced, unit_of
from radixlab.certify.checks.quiet import until_quiet
from radixlab.certify.http import Reply
from radixlab.certify.outcome import CannotTell
from radixlab.certify.prompts import Prompt
from radixlab.certify.repeat import all_tried
from radixlab.certify.server import Server
from radixlab.certify.trial import Trial, told_cached

LONG = 2560
"""Tokens of the longest shared prefix: longer than the chunk in which most servers compute."""
BUSY_TOKENS = 64
RESETS = ("/reset_prefix_cache", "/flush_cache")
"""Where radixlab and vLLM, and SGLang, empty their caches."""


# ---- cached.blocks


def _shares(server: Server) -> list[int]:
    """Return how many tokens the prompts share: whole blocks, a little more, a little less."""
    unit, base = unit_of(server), base_of(server)
    kept = [base + k * unit + more for k, more in ((1, 0), (1, unit - 1), (2, 1), (3, unit // 2))]
    room = server.max_len or LONG + 2 * unit + base
    longest = min(LONG, server.budget.most_tokens // 20, room - 2 * unit - 8)
    return [*kept, longest] if longest > kept[-1] else kept


def _run_blocks(trial: Trial) -> str:
    kept = _shares(trial.server)
    trial.server.need_grid()
    all_tried(trial, [partial(_share, trial, number) for number in kept])
    return f"{len(kept)} pairs of prompts found exactly the whole blocks that they share"


def _share(trial: Trial, kept: int) -> bool:
    """Ask for a prompt, and for another one with the same beginning."""
    server, more = trial.server, unit_of(trial.server) + 3
    first = trial.fresh(kept + more)
    server.ask(first)
    second = trial.fork(first, kept, kept + more)
    answer = server.ask(second)
    shared = server.shared(first, second)
    what = f"a prompt that shares {shared[0]:,} tokens with one asked before"
    return trial.cached(what, answer, shared, server.length(second))


def _cost_blocks(server: Server) -> Cost:
    kept = _shares(server)
    return priced(server, 2 * len(kept), 2 * sum(k + unit_of(server) + 4 for k in kept), len(kept))


BLOCKS = Check(
    "cached.blocks",
    "Shared blocks are counted exactly",
    "A prompt that shares s tokens with an earlier one finds the whole blocks of these s, and "
    "nothing of a block that is shared in part.",
    _run_blocks,
    _cost_blocks,
)


# ---- cached.one_left


def _lengths(server: Server) -> list[int]:
    unit, base = unit_of(server), base_of(server)
    lengths = [base + 2 * unit, base + 2 * unit + 1, base + 3 * unit - 1]
    step = server.grid.step if server.grid else 1
    return [step - 1, *lengths] if base == 0 and step > 2 else lengths


def _run_one_left(trial: Trial) -> str:
    trial.server.need_grid()
    all_tried(trial, [partial(_again, trial, length) for length in _lengths(trial.server)])
    return "a prompt asked again finds all its whole blocks, and one token at least is computed"


def _again(trial: Trial, length: int) -> bool:
    server, prompt = trial.server, trial.fresh(length)
    server.ask(prompt)
    span = server.length(prompt)
    answers = [server.ask(prompt) for _ in range(2)]
    what = f"a prompt of {span[0]:,} tokens, asked again"
    return all([trial.cached(what, each, span, span, in_steps=True) for each in answers])


ONE_LEFT = Check(
    "cached.one_left",
    "The same prompt again leaves one token to compute",
    "A prompt of t tokens that was asked before finds the whole blocks of its first t − 1 tokens.",
    _run_one_left,
    lambda server: priced(
        server, 3 * len(_lengths(server)), 3 * sum(length + 1 for length in _lengths(server))
    ),
)


# ---- cached.reset


def _run_reset(trial: Trial) -> str:
    server = trial.server
    if not server.may_reset:
        raise CannotTell("--no-reset was given")
    until_quiet(trial, "a reset would empty the cache of others")
    path = find_reset(trial)
    prompt = trial.fresh(base_of(server) + 3 * unit_of(server) + 1)
    server.ask(prompt)
    if server.cached(server.ask(prompt)) == 0:
        raise CannotTell("the prompt was not found even before the reset")
    _reset_while_busy(trial, path, prompt)
    _reset(trial, path)
    trial.nothing("the same prompt after the reset", server.ask(prompt))
    again = server.cached(server.ask(prompt))
    trial.note("and once more", told_cached(again), "more than 0", again > 0)
    return f"POST {path} empties the cache, and while a request runs it does what it answers"


def find_reset(trial: Trial) -> str:
    """Return the path that the server knows; the reset that this may cause is harmless here."""
    said = []
    for path in RESETS:
        reply = trial.server.http.post(path, {}, is_operator=True)
        if reply.status in (401, 403):
            raise CannotTell(f"POST {path} is refused ({reply.status}): give --operator-key")
        if reply.status not in (404, 405):
            return path
        said.append(f"POST {path} is unknown ({reply.status})")
    raise CannotTell(f"there is no reset: {', '.join(said)}")


def _is_refused(reply: Reply) -> bool:
    body: Any = reply.json
    says_no = isinstance(body, dict) and body.get("success") is False
    return reply.status >= 400 or says_no


def _busy(server: Server) -> int:
    """Return the length of an answer that is still running when the reset arrives."""
    return min(BUSY_TOKENS, (server.max_len or 2 * BUSY_TOKENS) // 2)


def _reset_while_busy(trial: Trial, path: str, prompt: Prompt) -> None:
    """Ask for a reset while an answer runs: the cache must be as the server then says."""
    server = trial.server
    with server.open_stream(trial.fresh(unit_of(server)), _busy(server), **server.endless) as rest:
        reply = server.http.post(path, {}, is_operator=True)
        deque(rest, maxlen=0)
    until_quiet(trial, "the answer still runs")
    answer = server.ask(prompt)
    if _is_refused(reply):
        what = f"a reset while a request runs is refused ({reply.status}); the prompt then"
        found = server.cached(answer)
        trial.note(what, told_cached(found), "more than 0", found > 0)
    else:
        what = f"a reset while a request runs is granted ({reply.status}); the prompt then"
        trial.nothing(what, answer)
    server.ask(prompt)


def _reset(trial: Trial, path: str) -> None:
    reply = trial.server.http.post(path, {}, is_operator=True)
    if _is_refused(reply):
        raise CannotTell(f"POST {path} is refused ({reply.status}) although nothing of ours runs")


RESET = Check(
    "cached.reset",
    "A reset empties the cache",
    "After a reset that the server grants, nothing is found; after one that it refuses because "
    "requests run, everything is still found.",
    _run_reset,
    lambda server: priced(server, 7, 7 * (base_of(server) + 4 * unit_of(server)) + _busy(server)),
)
