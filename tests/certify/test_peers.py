"""Other servers: other block sizes, other ways to take a prompt, other faults."""

import pytest

from radixlab.certify import CHECKS
from tests.certify.peer import Peer

NEED_EVENTS = {"events.replay"}


def verdicts(report):
    return {result.id: result.verdict for result in report.results}


def shown(report):
    return {r.id: (r.verdict, r.reason) for r in report.results if r.verdict != "pass"}


def expected(**others):
    return dict.fromkeys(CHECKS, "pass") | dict.fromkeys(NEED_EVENTS, "cannot tell") | others


def made(**fields):
    return type("Made", (Peer,), fields)()


def servers():
    """Yield servers of all kinds; those that are like another one are for the long run."""
    for step, minimum in ((1, 0), (4, 4), (16, 16), (64, 64), (128, 1024), (100, 100)):
        for takes in (("ids", "text", "chat"), ("text", "chat"), ("chat",)):
            for is_told in (True, False):
                is_odd = is_told == (takes == ("chat",)) or step in (4, 64) or takes[0] == "text"
                told = "told" if is_told else "found"
                name = f"{step} from {minimum}, {told}, {takes[0]}"
                marks = [pytest.mark.soak] if is_odd else []
                if minimum <= step or not is_told:  # no page tells of a minimum
                    yield pytest.param(step, minimum, takes, is_told, marks=marks, id=name)


@pytest.mark.parametrize("step, minimum, takes, is_told", [*servers()])
def test_a_good_server_passes(step, minimum, takes, is_told):
    peer = made(step=step, minimum=minimum, takes=takes, block_size_on_page=is_told)
    report = peer.examine()
    wanted = expected()
    if takes == ("chat",):
        wanted["answer.prompt_logprobs"] = "cannot tell"
    assert verdicts(report) == wanted, shown(report)
    assert report.server["block_size"] == step


def test_the_same_seed_again_is_no_reason_to_fail():
    """The prompts of an earlier run are still cached, so other ones are sent."""
    peer = Peer()
    seeds = [peer.examine(may_reset=False).seed for _ in range(3)]
    assert seeds == ["fixed", "fixed+1", "fixed+2"]
    peer.reset()
    report = peer.examine(may_reset=False)
    assert report.seed == "fixed" and report.counts["fail"] == 0, shown(report)


# ---- faults, each at its own check


class SaltsShare(Peer):
    check = "salt.apart"

    def namespace(self, body):
        return body["model"], None


class FieldsTell(Peer):
    """A field of the answer is there only if another tenant has cached the prompt."""

    check = "salt.apart"

    def whole_answer(self, choices, usage):
        made = super().whole_answer(choices, usage)
        tokens = tuple(self.asked)
        others = {namespace for namespace, prompt in self.prefixes if prompt == tokens[:16]}
        return {**made, "others": len(others)} if len(others) > 1 else made

    def found(self, namespace, tokens):
        self.asked = tokens
        return super().found(namespace, tokens)


class AdaptersShare(Peer):
    check = "adapter.apart"

    def namespace(self, body):
        return "any", body.get("cache_salt")


class SaltIsAdapter(Peer):
    """vLLM #44701: a salt and an adapter of the same name are the same key."""

    check = "adapter.apart"

    def namespace(self, body):
        return body.get("cache_salt") or body["model"]


class StaleLogprobs(Peer):
    """vLLM #42019: the cached part has numbers of other requests."""

    check = "answer.prompt_logprobs"

    def prompt_values(self, prompt, found):
        real = super().prompt_values(prompt, found)
        return [-9.0] * found + real[found:] if prompt else real


class ShortLogprobs(Peer):
    """vLLM #3251: only the computed part has numbers."""

    check = "answer.prompt_logprobs"

    def logprobs(self, prompt, answer, found, is_chat):
        return super().logprobs(prompt[max(0, found - 20) :], answer, found, is_chat)


class CrashingLogprobs(Peer):
    """vLLM #8268: a cached prompt with log probabilities of the prompt ends the engine."""

    check = "answer.prompt_logprobs"

    def complete(self, body, is_chat):
        is_warm = body.get("echo") and self.found(self.namespace(body), self.tokens(body))
        return self.error(500, "assertion") if is_warm else super().complete(body, is_chat)


class CachedDiffers(Peer):
    check = "answer.same"

    def next_token(self, tokens, body, found):
        return super().next_token(tokens, body, found) + (found > 0)


class CachedDiffersSilently(CachedDiffers):
    has_logprobs = False
    has_prompt_logprobs = False


class TotalIsComputed(Peer):
    """total_tokens is what was computed, without what was cached."""

    check = "usage.counts"

    def whole_answer(self, choices, usage):
        cached = usage["prompt_tokens_details"]["cached_tokens"]
        usage = {**usage, "total_tokens": usage["total_tokens"] - cached}
        return super().whole_answer(choices, usage)


class IgnoresN(Peer):
    check = "choices.n"

    def complete(self, body, is_chat):
        return super().complete({**body, "n": 1} if body.get("n") == 3 else body, is_chat)


class CountsEachAnswer(Peer):
    """SGLang #25972, #5525: more cached tokens than prompt tokens."""

    check = "choices.n"

    def cached_of(self, found, tokens, body):
        return found * (3 if body.get("n") == 3 else 1)


class FindsNothingOfBefore(Peer):
    """A prompt that goes on behind an earlier one is not looked up."""

    check = "turns.reuse"

    def found(self, namespace, tokens):
        found = super().found(namespace, tokens)
        return 0 if found and tokens[found : found + 1] == self.forced else found

    forced = None

    def next_token(self, tokens, body, found):
        token = super().next_token(tokens, body, found)
        self.forced = [token] if body.get("logit_bias") else None
        return token


class StreamsDropAPiece(Peer):
    check = "stream.same"

    def stream(self, choices, usage, is_chat):
        for number, part in enumerate(super().stream(choices, usage, is_chat)):
            if number != 3:
                yield part


class StreamsCountOther(Peer):
    check = "stream.same"

    def stream(self, choices, usage, is_chat):
        more = {**usage, "completion_tokens": usage["completion_tokens"] + 1}
        yield from super().stream(choices, more, is_chat)


class ResetLies(Peer):
    check = "cached.reset"

    def reset(self):
        pass


class ResetKeepsATier(Peer):
    """vLLM #57727: a reset that is granted leaves a lower tier, which goes on serving."""

    check = "cached.reset"

    def reset(self):
        self.prefixes = {each for each in self.prefixes if len(each[1]) <= 32}


class CountsAll(Peer):
    check = "cached.one_left"

    def cached_of(self, found, tokens, body):
        return len(tokens) if len(tokens) - 1 == found + 15 else found


class DropsLastBlock(Peer):
    """nano-vllm: the last whole block of a shared prefix is never found."""

    check = "cached.blocks"

    def found(self, namespace, tokens):
        found = super().found(namespace, tokens)
        is_fork = found and len(tokens) == found + 19
        return found - 16 if is_fork else found


class TakesAnyModel(Peer):
    check = "errors.shape"

    def wrong(self, body):
        return super().wrong({**body, "model": "base"})

    def namespace(self, body):
        return body["model"], body.get("cache_salt")


class FailsAtJson(Peer):
    check = "errors.shape"

    def route(self, request):
        if b'"prompt": [1, ' in request.content and not request.content.endswith(b"}"):
            return self.error(500, "json.decoder.JSONDecodeError")
        return super().route(request)


class PlainErrors(Peer):
    check = "errors.shape"

    def error(self, status, message):
        made = super().error(status, message)
        return type(made)(status, json={"detail": message})


class RefusalsEvict(Peer):
    check = "errors.unharmed"

    def error(self, status, message):
        if message.startswith("temperature"):
            self.prefixes.clear()
        return super().error(status, message)


class HitsAboveQueries(Peer):
    check = "counters.sums"

    def page(self):
        self.counts["vllm:prefix_cache_hits_total"] += 10**6 * (not self.is_on)
        self.is_on = True
        return super().page()

    is_on = False


class CountsRetries(Peer):
    check = "counters.usage"

    def count(self, tokens, found):
        super().count(tokens, found)
        self.counts["vllm:prefix_cache_hits_total"] += found // 2


class CounterFalls(Peer):
    check = "counters.monotone"

    def page(self):
        self.looks = getattr(self, "looks", 0) + 1
        self.counts["vllm:num_preemptions_total"] = self.looks % 5
        return super().page()


FAULTS = [cls for cls in list(globals().values()) if isinstance(cls, type) and "check" in dir(cls)]


@pytest.mark.parametrize("fault", FAULTS, ids=lambda cls: f"{cls.check}: {cls.__name__}")
def test_a_fault_fails_exactly_its_check(fault):
    report = fault().examine()
    wanted = expected(**{fault.check: "fail"})
    if not fault.has_prompt_logprobs:
        wanted["answer.prompt_logprobs"] = "cannot tell"
    assert verdicts(report) == wanted, shown(report)
