"""Servers with exactly one fault: our real server, with one function wrapped.

Each is named by the check that must fail, and what users have seen of it.
"""

import re
from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import Any

import numpy as np

from radixlab.observe.kv.outgoing import Outgoing
from radixlab.observe.kv.wire import Cleared, Removed
from radixlab.serve import errors, metrics, reply, routes_openai, shapes
from radixlab.serve import state as serve_state
from radixlab.serve.job import Job
from radixlab.serve.mailbox import Begun
from radixlab.serve.worker import Worker


@dataclass(frozen=True)
class Fault:
    """A fault: `patch` wraps our code, `change` alters the LLM."""

    check: str
    name: str
    patch: Callable[[Any], None] = lambda patcher: None
    change: Callable[[Any], None] | None = None
    patience_s: float = 60.0
    """Less where the check waits in vain."""


# ---- cached_tokens


def counts_the_partial_block(patcher):
    """Token by token, also in the block that is shared in part only."""
    history = []

    class Partial(Job):
        def _begin(self, *given):
            begun = super()._begin(*given)
            found, size = begun.num_cached_tokens, 16
            for namespace, prompt in history:
                if namespace == self.namespace:
                    shared = common(prompt, self.prompt)
                    if found and shared // size * size == found:
                        begun = replace(begun, num_cached_tokens=max(found, shared))
            history.append((self.namespace, self.prompt))
            return limited(begun, len(self.prompt) - 1)

    patcher.setattr(routes_openai, "Job", Partial)


def counts_the_whole_prompt(patcher):
    """A prompt of whole blocks that is asked again: no token is left to compute."""

    class Whole(Job):
        def _begin(self, *given):
            begun, num = super()._begin(*given), len(self.prompt)
            is_all = num % 16 == 0 and begun.num_cached_tokens == num - 16
            return replace(begun, num_cached_tokens=num) if is_all and num == 32 else begun

    patcher.setattr(routes_openai, "Job", Whole)


def common(one, other):
    size = min(len(one), len(other))
    different = np.flatnonzero(one[:size] != other[:size])
    return int(different[0]) if len(different) else size


def limited(begun: Begun, most: int) -> Begun:
    return replace(begun, num_cached_tokens=min(begun.num_cached_tokens, most))


def does_not_reset(llm):
    """It answers 200 and forgets nothing, as vLLM #57727 does of its host tier."""
    llm.engine.reset = lambda: None


# ---- salts, streams, answers


def ignores_salts(patcher):
    patcher.setattr(routes_openai, "_namespace", lambda body: None)


def ignores_case_of_salts(patcher):
    real = routes_openai._namespace

    def lowered(body):
        found = real(body)
        return found and (found[0], found[1].lower())

    patcher.setattr(routes_openai, "_namespace", lowered)


def drops_the_last_token_of_streams(patcher):
    for shape in (shapes.CompletionShape, shapes.ChatShape):
        real = shape.chunk

        def chunk(self, part, choice, real=real):
            return real(self, replace(part, text="") if part.finish_reason else part, choice)

        patcher.setattr(shape, "chunk", chunk)


def streams_say_nothing_is_cached(patcher):
    """As vLLM's did: the usage of a stream lacks what a whole answer has."""
    real = shapes.Head.usage_chunk

    def usage_chunk(self, usage):
        return real(self, {**usage, "prompt_tokens_details": {"cached_tokens": 0}})

    patcher.setattr(shapes.Head, "usage_chunk", usage_chunk)


def cached_answers_differ(llm):
    """The first token after a cached prefix is chosen from the logits of another token."""
    forward = llm.engine.runner.forward

    def broken(work):
        logits = forward(work).clone()
        for row, piece in enumerate(work):
            requests = llm.engine.requests.values()
            request = next((r for r in requests if r.sequence is piece.sequence), None)
            if request is None or piece.end != request.num_prompt_tokens:
                continue
            if (request.origin or request).num_cached_tokens > 0:
                logits[row] = logits[row].roll(1)
        return logits

    llm.engine.runner.forward = broken


def counts_the_prompt_of_every_answer(patcher):
    """As SGLang #5525: n answers, n times the prompt."""
    real = reply.Reply._usage

    def usage(self):
        found = real(self)
        n = len(self._choices)
        return {**found, "prompt_tokens": n * found["prompt_tokens"]} if n > 2 else found

    patcher.setattr(reply.Reply, "_usage", usage)


# ---- clients that leave, refusals


def keeps_the_blocks_of_who_left(llm):
    give_up = llm.give_up

    def leaking(answer):
        sequence = answer.request.sequence
        if sequence is not None and not answer.is_over:
            llm.manager.fork(sequence)
        give_up(answer)

    llm.give_up = leaking


def forgets_the_prefix_of_who_left(llm):
    give_up = llm.give_up

    def forgetting(answer):
        runs = answer.request.sequence is not None and not answer.is_over
        give_up(answer)
        if runs and not llm.engine.requests:
            llm.engine.reset()

    llm.give_up = forgetting


def refuses_in_a_form_of_its_own(patcher):
    patcher.setattr(errors.ApiError, "body", lambda self: {"detail": self.detail})


def empties_the_cache_at_a_refusal(patcher):
    real = serve_state.State.check_model

    def check_model(self, name):
        if name not in self.settings.names:
            self.llm.call_soon(lambda llm: llm.engine.reset()).exception()
        return real(self, name)

    patcher.setattr(serve_state.State, "check_model", check_model)


# ---- counters, events


def on_the_page(patcher, sample, change):
    """Change the value of a sample of `/metrics`."""
    real = metrics.Metrics.text

    def text(self):
        def changed(found):
            return f"{found[1]} {change(float(found[2]))}".encode()

        pattern = rf"^(radixlab:{sample}) (\S+)$".encode()
        return re.sub(
            pattern, lambda m: changed([None, m[1].decode(), m[2]]), real(self), flags=re.M
        )

    patcher.setattr(metrics.Metrics, "text", text)


def without_removals(real):
    def hear(self, event):
        return [each for each in real(self, event) if not isinstance(each, Removed)]

    return hear


def runs_on_for_nobody(patcher):
    """A client that leaves is not noticed: its answer is computed to the end."""
    patcher.setattr(Worker, "abort", lambda self, mailbox: None)


def page(sample, change):
    return lambda patcher: on_the_page(patcher, sample, change)


def evictions_are_not_told(patcher):
    patcher.setattr(Outgoing, "hear", without_removals(Outgoing.hear))


def resets_are_not_told(patcher):
    real = Outgoing.hear

    def hear(self, event):
        return [each for each in real(self, event) if not isinstance(each, Cleared)]

    patcher.setattr(Outgoing, "hear", hear)


def twice(value):
    return 2 * value


WAIT_S = 8.0
TAIL = r'prefix_cache_misses_total\{reason="tail"\}'
FAULTS = [
    Fault("cached.blocks", "partial block", counts_the_partial_block),
    Fault("salt.apart", "no salts", ignores_salts),
    Fault("stream.same", "last token", drops_the_last_token_of_streams),
    Fault("leave.frees", "blocks stay", change=keeps_the_blocks_of_who_left, patience_s=WAIT_S),
    Fault("events.replay", "evictions not told", evictions_are_not_told),
    Fault("events.replay", "resets not told", resets_are_not_told),
    Fault("cached.reset", "no reset", change=does_not_reset),
    Fault("answer.same", "cached differs", change=cached_answers_differ),
    Fault("counters.monotone", "overflow", page("allocated_blocks_total", lambda v: v % 64)),
    Fault("counters.sums", "tail not counted", page(TAIL, lambda v: 0.0)),
    Fault("counters.usage", "generated twice", page("generation_tokens_total", twice)),
    Fault("cached.one_left", "nothing left to compute", counts_the_whole_prompt),
    Fault("choices.n", "prompt n times", counts_the_prompt_of_every_answer),
    Fault("errors.shape", "own form", refuses_in_a_form_of_its_own),
    Fault("errors.unharmed", "refusal empties", empties_the_cache_at_a_refusal),
    Fault("leave.unharmed", "prefix forgotten", change=forgets_the_prefix_of_who_left),
    Fault("leave.frees", "runs on", runs_on_for_nobody),
    Fault("salt.apart", "case of salts", ignores_case_of_salts),
    Fault("stream.same", "cached in streams", streams_say_nothing_is_cached),
]
