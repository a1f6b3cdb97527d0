"""Requests that nobody can serve: they are refused in OpenAI's form and do not harm the cache."""

from collections.abc import Iterator
from typing import Any

from radixlab.certify.check import Check, Cost, base_of, priced, unit_of
from radixlab.certify.http import Reply
from radixlab.certify.prompts import Prompt
from radixlab.certify.server import Server
from radixlab.certify.trial import Trial, told_cached

MOST_TOO_LONG = 2**20
"""Largest context that a prompt is made too long for."""
NUM_TOKENS = 8


def _bad(trial: Trial) -> Iterator[tuple[str, Any]]:
    """Yield what is wrong, and the body."""
    server = trial.server
    good = server.body(trial.fresh(8), 1)
    where = "messages" if server.form == "chat" else "prompt"
    yield "a model that does not exist", {**good, "model": f"no-{trial.prompts.unit()}"}
    yield "the same, streamed", {**good, "model": f"no-{trial.prompts.unit()}", "stream": True}
    yield "malformed JSON", b'{"model": "' + server.model.encode()[:20] + b'", "prompt": [1, '
    yield f"no {where}", {name: value for name, value in good.items() if name != where}
    yield "a length that is a text", {**good, server.limit_field: "many"}
    yield "a temperature that is a list", {**good, "temperature": [0]}
    if server.max_len is not None and server.max_len <= _most_too_long(server):
        long = trial.prompts.fresh(server.num_units(server.max_len) + 8)
        yield f"a prompt of more than {server.max_len:,} tokens", server.body(long, 1)


def _most_too_long(server: Server) -> int:
    """Return the largest context for which a prompt that is too long may be tried."""
    return min(MOST_TOO_LONG, server.budget.num_left // 4)


def _send(server: Server, body: Any) -> Reply:
    """Send what must be refused; a fault of the server must show twice to count."""
    for _ in range(2):
        server.budget.reserve(0)
        reply = server.http.post(server.path, body)
        if reply.status < 500:
            break
    return reply


# ---- errors.shape


def _run_shape(trial: Trial) -> str:
    for what, body in _bad(trial):
        reply = _send(trial.server, body)
        said = f"{reply.status}"
        trial.note(what, said, "4xx", 400 <= reply.status < 500, "certain")
        if 400 <= reply.status < 500:
            wrong = _wrong_form(reply.json)
            form = "error.message and error.type, as OpenAI has them"
            trial.note(
                f"the form of this answer to {what}", wrong or form, form, not wrong, "certain"
            )
    if trial.server.max_len is None:
        trial.note("a prompt that is too long", "not tried", "the context is not published", True)
    return "what cannot be served is refused with 4xx in OpenAI's form"


def _wrong_form(body: Any) -> str | None:
    """Return what is wrong with the form of an error; None if nothing is."""
    error = body.get("error") if isinstance(body, dict) else None
    if not isinstance(error, dict):
        return "no object 'error'" if isinstance(body, dict) else "no JSON object"
    for name in ("message", "type"):
        if not isinstance(error.get(name), str) or not error[name]:
            return f"error.{name} is not a text"
    return None


SHAPE = Check(
    "errors.shape",
    "What cannot be served is refused as OpenAI does",
    "An unknown model, a prompt that is too long, malformed JSON, a missing prompt and fields of "
    "the wrong type get 4xx, and a JSON object 'error' with 'message' and 'type'.",
    _run_shape,
    lambda server: Cost(7, 0),
)


# ---- errors.unharmed


def _run_unharmed(trial: Trial) -> str:
    server = trial.server
    prompt = trial.fresh(base_of(server) + 2 * unit_of(server) + 3)
    server.ask(prompt)
    before = server.ask(prompt, NUM_TOKENS)
    for _, body in _bad(trial):
        _send(server, body)
    _break_at_prompt(server, prompt)
    after = server.ask(prompt, NUM_TOKENS)
    found = [each.usage.cached_tokens or 0 for each in (before, after)]
    trial.same("a cached prompt after refused ones", told_cached(found[1]), told_cached(found[0]))
    trial.same("its answer at temperature 0", after.text, before.text)
    return "after refused requests the cache is as before, and the server answers"


def _break_at_prompt(server: Server, prompt: Prompt) -> None:
    """Send a cached prompt with a field that cannot be: the refusal must not touch its blocks."""
    _send(server, {**server.body(prompt, 1), "temperature": -5})


UNHARMED = Check(
    "errors.unharmed",
    "Refused requests leave the cache unharmed",
    "After refused requests a cached prompt finds as much as before, and gets the same answer.",
    _run_unharmed,
    lambda server: (
        priced(server, 3, 3 * (base_of(server) + 2 * unit_of(server) + 4) + 24) + Cost(8, 0)
    ),
)
