"""One prompt with its n answers, in the engine's thread: what is new of them after a step."""

from dataclasses import dataclass, field, replace

from radixlab.cache.tokens import TokenArray
from radixlab.events import Namespace
from radixlab.llm import LLM, Answer
from radixlab.model.params import SamplingParams
from radixlab.serve.mailbox import Begun, Mailbox, News, Part
from radixlab.serve.timing import Timing


@dataclass(eq=False, slots=True)
class Job:
    """A prompt of an HTTP request, its answers so far, and when they came."""

    prompt: TokenArray
    params: SamplingParams
    n: int
    namespace: Namespace | None
    first_index: int
    """The index of its first answer among all answers of the HTTP request."""
    mailbox: Mailbox
    arrived: float
    """When the request came, by `time.monotonic`."""
    session: str | None = None
    """The client's name for its conversation, by which replicas can be chosen."""
    is_stream: bool = False
    """Whether the client gets tokens as they come."""
    answers: list[Answer | None] = field(default_factory=list)
    """None for those that are over."""
    _has_begun: bool = False
    _has_token: bool = False
    _has_left: bool = False
    """Whether the event loop knows that it does not wait any more."""
    _last: list[float] = field(default_factory=list)
    """When the last token of each answer came, or the request if there is none yet."""

    @property
    def is_over(self) -> bool:
        """Whether all answers are."""
        return not any(self.answers)

    def leaves_queue(self) -> int:
        """Return the number of answers that do not wait any more, once."""
        if self._has_left or not (self._has_begun or self.is_over):
            return 0
        self._has_left = True
        return self.n

    def read(self, timing: Timing, began: float, now: float) -> list[News]:
        """Return what is new after a step that took from `began` to `now`, and count it."""
        news: list[News] = []
        if not self._has_begun and _is_admitted(self.answers[0]):
            news.append(self._begin(timing, began))
        for number, answer in enumerate(self.answers):
            if answer is not None and (answer.pieces or answer.is_over):
                news.append(self._part(number, answer, timing, now))
        return news

    def abort(self, llm: LLM, timing: Timing) -> None:
        """Give up the answers that are not over."""
        for number, answer in enumerate(self.answers):
            if answer is not None:
                llm.give_up(answer)
                timing.finished["abort"] += 1
                self.answers[number] = None

    def _begin(self, timing: Timing, began: float) -> Begun:
        first = self.answers[0]
        assert first is not None
        self._has_begun = True
        self._last = [self.arrived] * self.n
        queue_s = began - self.arrived
        timing.queue.add(queue_s)
        timing.prompt_tokens.add(first.request.num_prompt_tokens)
        request = first.request
        return Begun(self.first_index, request.num_cached_tokens, request.miss_reason, queue_s)

    def _part(self, number: int, answer: Answer, timing: Timing, now: float) -> Part:
        pieces = [answer.pieces.popleft() for _ in range(len(answer.pieces))]
        token_ids = [piece.token_id for piece in pieces if piece.token_id is not None]
        text = pieces[0].text if len(pieces) == 1 else "".join(piece.text for piece in pieces)
        logprobs = None
        if self.params.logprobs is not None:
            logprobs = [piece.logprob for piece in pieces if piece.logprob is not None]
        if token_ids:
            self._count(number, len(token_ids), timing, now)
        index = self.first_index + number
        if not answer.is_over:
            return Part(index, token_ids, text, logprobs=logprobs)
        self.answers[number] = None
        reason = answer.finish_reason or "abort"
        timing.finished[reason] += 1
        if self.is_over:
            timing.end_to_end.add(now - self.arrived)
        return Part(index, token_ids, text, reason, answer.stop_reason, answer.error, logprobs)

    def _count(self, number: int, num_tokens: int, timing: Timing, now: float) -> None:
        if not self._has_token:
            self._has_token = True
            timing.first_token.add(now - self.arrived)
        elif self._last[number] != self.arrived:
            timing.inter_token.add(now - self._last[number])
        self._last[number] = now
        timing.generation_tokens += num_tokens


def ask(llm: LLM, job: Job) -> list[Answer]:
    """Add a prompt to the engine's queue; return its answers, which grow with every step."""
    return llm.ask(job.prompt, replace(job.params, n=job.n), namespace=job.namespace)


def _is_admitted(answer: Answer | None) -> bool:
    if answer is None:
        return False
    request = answer.request
    return request.sequence is not None or bool(request.output or request.finish_reason)
