"""`usage`: how many tokens went in and came out."""

from typing import Any

from radixlab.certify.check import Check, Cost, base_of, priced, unit_of
from radixlab.certify.outcome import CannotTell
from radixlab.certify.server import Server
from radixlab.certify.trial import Trial

NUM_TOKENS = 5


def _run(trial: Trial) -> str:
    server = trial.server
    prompt = trial.fresh(base_of(server) + 2 * unit_of(server) + 3)
    for what in ("a prompt", "the same prompt again"):
        answer = server.ask(prompt, NUM_TOKENS)
        usage = answer.usage
        if usage.prompt_tokens is None or usage.completion_tokens is None:
            raise CannotTell("the answers have no usage")
        ids = server.token_ids(prompt)
        if ids is not None:
            trial.same(f"{what}: prompt_tokens", usage.prompt_tokens, len(ids), "certain")
        said, reason = usage.completion_tokens, answer.finish_reasons[0]
        is_right = said == NUM_TOKENS if reason == "length" else 0 <= said <= NUM_TOKENS
        expected = f"{NUM_TOKENS} if the answer ends by its length, else at most that"
        shown = f"{said}, finish_reason {reason}"
        trial.note(f"{what}: completion_tokens", shown, expected, is_right, "certain")
        total = _total(answer.body)
        if total is not None:
            both = usage.prompt_tokens + usage.completion_tokens
            trial.same(f"{what}: total_tokens", total, both, "certain")
    return "prompt and completion tokens are what was sent and came"


def _total(body: Any) -> int | None:
    usage = body.get("usage") if isinstance(body, dict) else None
    total = usage.get("total_tokens") if isinstance(usage, dict) else None
    return total if isinstance(total, int) else None


def _cost(server: Server) -> Cost:
    return priced(server, 2, 2 * (base_of(server) + 2 * unit_of(server) + 4 + NUM_TOKENS))


COUNTS = Check(
    "usage.counts",
    "Usage counts tokens right",
    "prompt_tokens is the length of the prompt, cached or not; completion_tokens is the length of "
    "the answer; total_tokens is both.",
    _run,
    _cost,
)
