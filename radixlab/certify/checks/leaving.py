"""A client that leaves in the middle of an answer: its blocks are freed, and nothing breaks."""

from typing import Any

from radixlab.certify.check import Check, Cost, base_of, priced, unit_of
from radixlab.certify.checks.quiet import looks, until_quiet
from radixlab.certify.outcome import CannotTell
from radixlab.certify.pages import gauge, num_active, total
from radixlab.certify.prompts import Prompt
from radixlab.certify.server import RefusedError, Server
from radixlab.certify.trial import MOST_TRIES, Trial, told_cached
from radixlab.observe.monitor.reading import Reading

LONGEST = 1024
"""Most tokens of an answer whose client leaves."""
NUM_LEFT = 2
HELD = ("in_use_blocks", "usage")
"""Gauges of what running requests hold; the first that is published counts."""
LARGE = 4096
"""Most tokens of the prompt that must still fit where no gauge is published."""
NUM_TOKENS = 8


def _long(server: Server) -> int:
    """Return the length of an answer that takes long."""
    room = (server.max_len or 2 * LONGEST) - base_of(server) - 4 * unit_of(server)
    return max(16, min(LONGEST, room, server.budget.most_tokens // 20))


# ---- leave.frees


def _run_frees(trial: Trial) -> str:
    server = trial.server
    before = server.pages.look()
    names = [name for name in HELD if before and gauge(before, name) is not None]
    if not names or not until_quiet(trial, "others hold blocks"):
        return _run_large(trial)
    held = names[0]
    before = server.pages.need()
    for _ in range(NUM_LEFT):
        _leave(server, trial.fresh(base_of(server) + 2 * unit_of(server)))
    after = _settled(trial, before, held)
    source = after.engine.sources[held].name
    active, used, baseline = num_active(after), gauge(after, held), gauge(before, held)
    what = f"{server.patience_s:g} s at most after {NUM_LEFT} clients left: requests at work"
    trial.note(what, f"{active:.0f}", "0", active == 0, "repeated")
    right = (used or 0) <= (baseline or 0)
    trial.note(f"and {source}", f"{used:g}", f"at most {baseline:g}", right, "repeated")
    _note_length(trial, before, after)
    return f"the blocks of {NUM_LEFT} clients that left are back, by {source}"


def _leave(server: Server, prompt: Prompt) -> None:
    """Ask for a long answer, and close the connection after its first part."""
    with server.open_stream(prompt, _long(server), **server.endless):
        pass


def _settled(trial: Trial, before: Reading, held: str) -> Reading:
    """Look until all blocks are freed, or until the patience is over."""
    after = before
    for _ in looks(trial.server.patience_s):
        after = trial.server.pages.need()
        is_back = (gauge(after, held) or 0) <= (gauge(before, held) or 0)
        if num_active(after) == 0 and is_back:
            break
    return after


def _note_length(trial: Trial, before: Reading, after: Reading) -> None:
    """Note whether the answers were computed to their ends, for nobody."""
    counts = total(before, "generation_tokens"), total(after, "generation_tokens")
    if counts[0] is None or counts[1] is None:
        return
    most = NUM_LEFT * _long(trial.server)
    made = counts[1] - counts[0]
    what = f"tokens computed for {NUM_LEFT} clients that left after the first of them"
    trial.note(what, f"{made:,.0f}", f"fewer than the {most:,} they asked for", made < most)


def _run_large(trial: Trial) -> str:
    """Without gauges: see that a large request still fits after clients have left."""
    server = trial.server
    size = _large(server)
    if why := _why_not(trial, size):
        raise CannotTell(f"no gauge of blocks is published, and a large prompt fails: {why}")
    for _ in range(2 * NUM_LEFT):
        _leave(server, trial.fresh(2 * unit_of(server)))
    what = f"a prompt of {size:,} tokens after {2 * NUM_LEFT} clients have left"
    reasons = [why for _ in range(MOST_TRIES) if (why := _fails_alone(trial, size))]
    if len(reasons) < MOST_TRIES:
        trial.note(what, "an answer", "an answer, as before", True)
        raise CannotTell(
            f"no gauge of blocks is published; {what} is answered, which proves little: nobody "
            "says how large the pool is"
        )
    trial.note(what, reasons[0], "an answer, as before and as a short one", False, "repeated")
    return ""


def _large(server: Server) -> int:
    return min(LARGE, (server.max_len or LARGE) - 4, server.budget.num_left // 8)


def _why_not(trial: Trial, size: int) -> str | None:
    """Say why a prompt of this size is not answered; None if it is."""
    try:
        trial.server.ask(trial.fresh(size))
    except (RefusedError, CannotTell) as error:
        return str(error)
    return None


def _fails_alone(trial: Trial, size: int) -> str | None:
    """Say why a large prompt fails; None if it does not, or if it is the rate that is limited.

    Raises `CannotTell` if a short prompt fails too: then the server is busy, or down.
    """
    why = _why_not(trial, size)
    if why is None or " 429" in why:
        return None
    short = _why_not(trial, 4)
    if short is not None:
        raise CannotTell(f"the server does not answer any more: {short}")
    return why


def _cost_frees(server: Server) -> Cost:
    cost = priced(server, NUM_LEFT, NUM_LEFT * (base_of(server) + 2 * unit_of(server) + 1))
    cost += Cost(NUM_LEFT, NUM_LEFT * _long(server))
    if server.pages.why_none is None:
        return cost
    size = _large(server)
    return cost + cost + Cost(2, 2 * size + 2)


FREES = Check(
    "leave.frees",
    "A client that leaves gives its blocks back",
    "After clients have closed their streams, nothing runs for them any more, and no more "
    "blocks are in use than before; where no gauge says so, a large prompt still fits.",
    _run_frees,
    _cost_frees,
)


# ---- leave.unharmed


def _run_unharmed(trial: Trial) -> str:
    server = trial.server
    server.need_grid()
    prompt = trial.fresh(base_of(server) + 2 * unit_of(server) + 3)
    server.ask(prompt)
    before = server.ask(prompt, NUM_TOKENS)
    _leave(server, prompt)
    until_quiet(trial, "the answer that was left still runs")
    after: Any = server.ask(prompt, NUM_TOKENS)
    found = [told_cached(server.cached(each)) for each in (before, after)]
    trial.same("a cached prompt after a client has left in its answer", found[1], found[0])
    if after.text != before.text and server.ask(prompt, NUM_TOKENS).text != after.text:
        raise CannotTell("answers differ among themselves at temperature 0")
    trial.same("its answer at temperature 0", after.text, before.text, "repeated")
    return "a prefix is found, and good, after a client that used it has left"


UNHARMED = Check(
    "leave.unharmed",
    "A client that leaves does not harm its prefix",
    "After a client has left in the middle of an answer, its prompt finds as much as before, and "
    "gets the same answer.",
    _run_unharmed,
    lambda server: (
        priced(server, 4, 4 * (base_of(server) + 2 * unit_of(server) + 4))
        + Cost(0, 2 * NUM_TOKENS + _long(server))
    ),
)
