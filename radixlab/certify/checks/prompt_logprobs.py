"""Log probabilities of the prompt itself, which a server does not compute for a cached prefix.

Servers have crashed here, and have sent the log probabilities of other requests.
"""

from typing import Any

from radixlab.certify.check import Check, base_of, priced, unit_of
from radixlab.certify.compare import MOST_NATS
from radixlab.certify.http import FaultError
from radixlab.certify.outcome import CannotTell
from radixlab.certify.prompts import Prompt
from radixlab.certify.server import RefusedError, Server
from radixlab.certify.trial import Trial

WAYS: tuple[dict[str, Any], ...] = ({"echo": True, "logprobs": 1}, {"prompt_logprobs": 1})


def _run(trial: Trial) -> str:
    server = trial.server
    if server.form == "chat":
        raise CannotTell("chats have no log probabilities of their prompts")
    prompt = trial.fresh(base_of(server) + 3 * unit_of(server) + 3)
    for fields in WAYS:
        cold = _values(server, prompt, fields)
        if cold is not None:
            break
    else:
        raise CannotTell("the server has no log probabilities of prompts (echo, prompt_logprobs)")
    try:
        warm = _twice(server, prompt, fields)
    except FaultError as error:
        trial.note("the same request again", str(error), "an answer", False, "certain")
        return ""
    if warm is None:
        trial.note("the same request again", "no such log probabilities", "some", False, "certain")
        return ""
    trial.same("their number when the prompt is cached", len(warm), len(cold), "certain")
    pairs = zip(cold, warm, strict=False)
    gap = max((abs(a - b) for a, b in pairs if a is not None and b is not None), default=0.0)
    what = "the largest difference between the log probabilities of both"
    trial.note(what, f"{gap:.1e}", f"at most {MOST_NATS}", gap <= MOST_NATS, "repeated")
    return f"{len(warm)} log probabilities of a prompt are the same when it is cached"


def _twice(server: Server, prompt: Prompt, fields: dict[str, Any]) -> list[float | None] | None:
    """Ask; a fault of the server must show twice to count."""
    try:
        return _values(server, prompt, fields)
    except FaultError:
        return _values(server, prompt, fields)


def _values(server: Server, prompt: Prompt, fields: dict[str, Any]) -> list[float | None] | None:
    """Return the log probabilities of a prompt; None if the server sends none."""
    try:
        answer = server.ask(prompt, **fields)
    except RefusedError:
        return None
    if "echo" in fields:
        values = [token.logprob for token in answer.choices[0].tokens]
        return [*values] if len(values) > len(prompt) // 2 + 1 else None
    choices = answer.body.get("choices") if isinstance(answer.body, dict) else None
    listed = choices[0].get("prompt_logprobs") if choices else None
    return [_value(each) for each in listed] if isinstance(listed, list) else None


def _value(each: Any) -> float | None:
    """Return the log probability of the first token that vLLM names at a position."""
    first = next(iter(each.values()), None) if isinstance(each, dict) else None
    value = first.get("logprob") if isinstance(first, dict) else None
    return float(value) if isinstance(value, int | float) else None


PROMPT_LOGPROBS = Check(
    "answer.prompt_logprobs",
    "Log probabilities of a cached prompt are right",
    "Where a server gives log probabilities of the prompt, their number and values are the same "
    "when the prompt is cached.",
    _run,
    lambda server: priced(server, 4, 4 * (base_of(server) + 3 * unit_of(server) + 5)),
)
