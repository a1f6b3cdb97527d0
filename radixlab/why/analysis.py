"""The first pass over a log: every prompt token becomes a hit or gets one cause.

    prompt ─► cache (layers) ─► reference ─► differences ─► verdicts ─► groups, breaks, edits

Misses that no change of a text can cure are counted first: a prefix that was seen before, but in
another scope, or that is expired, evicted or too short. The text after the prefix is then compared
with the reference. A token behind a difference that agrees with the reference again was lost to
that difference.
"""

from dataclasses import dataclass, replace

from radixlab.why.anchors import Anchors, anchors_of
from radixlab.why.breaks import Breaks, Loss
from radixlab.why.cache import Asked, Cache, Layers
from radixlab.why.comparing import Comparison, compare
from radixlab.why.diff import num_common
from radixlab.why.digests import Digester
from radixlab.why.edits import Edit
from radixlab.why.found import Losses
from radixlab.why.groups import Groups
from radixlab.why.judge import Verdict, field_of
from radixlab.why.profiles import Profile
from radixlab.why.prompt import Prompt
from radixlab.why.reference import References
from radixlab.why.request import Request
from radixlab.why.source import Source
from radixlab.why.tokenizers import TextTokenizer
from radixlab.why.words import Place, Words

OF_PREFIX = frozenset(("model_changed", "expired", "evicted", "below_minimum"))
"""Causes that have no position in a text; a parameter that stands in the prompt has one."""
DIGITS = "0123456789"
CHANCE = 64
"""Characters that a prompt may share by chance with one that it does not continue."""


@dataclass(slots=True)
class Totals:
    """Sums over all requests."""

    requests: int = 0
    prompt_tokens: int = 0
    hit_tokens: int = 0
    never_seen: int = 0
    num_never_seen: int = 0
    """Requests with tokens that nobody has asked for before."""
    reported_prompt_tokens: int = 0
    reported_cached_tokens: int = 0
    """As the servers reported."""


@dataclass(frozen=True, slots=True)
class Case:
    """One request on its way through the analysis."""

    request: Request
    prompt: Prompt
    asked: Asked
    layers: Layers
    losses: Losses
    rest: Anchors
    """Sampled windows of what follows the longest prefix."""


class Analysis:
    """What is known of a log, request after request."""

    def __init__(
        self,
        source: Source,
        tokenizer: TextTokenizer,
        profile: Profile,
        num_blocks: int | None,
        ttl: float | None,
        words: Words,
    ) -> None:
        self.source, self.tokenizer, self.profile = source, tokenizer, profile
        self.cache = Cache(profile, num_blocks, ttl)
        self.digester = Digester(profile.block_size)
        self.references = References(source)
        self.groups, self.words, self.ttl = Groups(), words, ttl
        self.edits: dict[int, Edit] = {}
        self.breaks = Breaks(self.groups)
        self.totals = Totals()

    def take(self, request: Request) -> None:
        """Add the next request."""
        number = self.totals.requests
        prompt = self.source.keep(number, Prompt(request, self.tokenizer))
        asked = asked_of(prompt, number, self.digester, self.profile)
        layers = self.cache.serve(asked)
        rest = anchors_of(asked.tokens[layers.anywhere :], prompt.are_bytes)
        losses = Losses(len(asked.tokens), layers, self.profile)
        case = Case(request, prompt, asked, layers, losses, rest)
        self._lose_prefix(case)
        continues = layers.seen.owner if layers.seen.is_end else None
        if case.losses.rest >= self.profile.block_size and self._parts(case):
            continues = self._compare(case)
        if number not in self.edits:
            self._continue(case)
        self.references.add(request, number, rest, continues, is_whole=not layers.anywhere)
        self._count(case)

    def _count(self, case: Case) -> None:
        totals, unexplained = self.totals, case.losses.unexplained
        totals.requests += 1
        totals.prompt_tokens += len(case.asked.tokens)
        totals.hit_tokens += case.layers.found
        totals.never_seen += unexplained
        totals.num_never_seen += unexplained > 0
        usage = case.request.usage
        if usage is not None and usage.cached_tokens is not None:
            totals.reported_prompt_tokens += usage.prompt_tokens or len(case.asked.tokens)
            totals.reported_cached_tokens += usage.cached_tokens

    # ---- what no change of a text can cure

    def _lose_prefix(self, case: Case) -> None:
        layers = case.layers
        for cause, tokens in case.losses.of_prefix():
            is_scope = cause == "model_changed"
            owner = (layers.seen_anywhere if is_scope else layers.seen).owner
            earlier = None if owner is None else self.source.prompt(owner).request
            place = self.words.of_prefix(cause, case.request, earlier, layers, self.ttl)
            verdict = Verdict(cause, cause, (place[0] if is_scope else "",))
            self._note(case, Loss(verdict, earlier, tokens, place))
            if is_scope and owner is not None:
                self.edits[case.asked.number] = Edit(owner, self._common(case, owner), (), owner)

    def _parts(self, case: Case) -> bool:
        """Whether a prompt parts from an earlier one, and does not only continue one."""
        seen = case.layers.seen_anywhere
        if not seen.is_end or seen.beyond is not None:
            return True
        return self.references.goes_on_elsewhere(case.request, seen.owner, case.rest)

    # ---- what differs from the reference

    def _compare(self, case: Case) -> int | None:
        """Compare a prompt with its reference; return that one if it is the same conversation."""
        found = self.references.find(case.request, case.asked, case.layers, case.rest)
        compared = [self._with(number, case) for number in found]
        alike = [each for each in compared if each.is_alike(case.losses.rest)]
        if alike:
            self._blame(alike[0], case)
        if len(alike) > 1:
            self._blame_scope(alike[1], case, alike[0].agreed)
        return next((each.old_number for each in alike if each.same_conversation), None)

    def _with(self, number: int, case: Case) -> Comparison:
        old = self.source.prompt(number)
        size, first = self.profile.block_size, self.references.first_of(number)
        known = case.layers.anywhere
        return compare(case.prompt, old, number, known, size, lambda: self.source.prompt(first))

    def _blame(self, comparison: Comparison, case: Case) -> None:
        """Note what the differences from the reference have cost, and how to undo them."""
        new, old, number = comparison.new, comparison.old, comparison.old_number
        stays = self._what_stays(comparison, case)
        losses: dict[int, Loss] = {}
        fields = {field_of(change) for change in comparison.changes}
        self.groups.part(fields, comparison.verdicts, case.losses.rest)
        for verdict, change, tokens in comparison.causes(stays):
            group = self.groups.of(verdict).number
            if group in losses:
                losses[group].tokens += tokens
                continue
            if verdict.cause in OF_PREFIX and verdict.kind == verdict.cause:
                place, around = self._of_prefix(comparison, verdict, case), ("", "")
            else:
                place = self.words.of_change(change, verdict, new, old)
                around = self.words.around(change, verdict, new)
            losses[group] = Loss(verdict, old.request, tokens, place, around)
        for loss in losses.values():
            loss.tokens = case.losses.take(loss.tokens)
            self._note(case, loss)
        self.groups.rank(list(losses))
        scope_from = self._scope_from(case)
        if comparison.same_scope:
            is_moved = number in self.edits and self.edits[number].scope_from is not None
        else:
            is_moved = comparison.same_conversation or bool(losses)
        scope_from = number if is_moved else scope_from
        common = num_common(new.text, old.text)
        pairs = comparison.undoable(self.groups)
        self.edits[case.asked.number] = Edit(number, common, pairs, scope_from)

    def _of_prefix(self, comparison: Comparison, verdict: Verdict, case: Case) -> Place:
        """Return the place and the values of a loss that no change of the text can cure."""
        length = case.layers.anywhere + comparison.agreed
        layers = replace(case.layers, anywhere=length, kept=length)
        earlier = comparison.old.request
        return self.words.of_prefix(verdict.cause, case.request, earlier, layers, self.ttl)

    def _what_stays(self, comparison: Comparison, case: Case) -> str | None:
        """Return the cause for which the reference would not be found even without differences."""
        old, layers = comparison.old, case.layers
        now, then = case.request.timestamp, old.request.timestamp
        if self.ttl is not None and now is not None and then is not None and then < now - self.ttl:
            return "expired"
        length = layers.anywhere + comparison.agreed
        if length < layers.minimum:
            return "below_minimum"
        if self.cache.pool is not None:
            kept = self.cache.pool.num_kept(old.request.scope, old.tokens)
            if kept < min(length, len(old.tokens)) // 2:
                return "evicted"
        return None

    def _blame_scope(self, comparison: Comparison, case: Case, agreed: int) -> None:
        """Blame the parameter for what only a request of another scope has."""
        tokens = case.losses.take(comparison.agreed - agreed)
        if not tokens or not comparison.same_conversation:
            case.losses.unexplained += tokens
            return
        earlier = comparison.old.request
        place = self.words.of_prefix("model_changed", case.request, earlier, case.layers, self.ttl)
        verdict = Verdict("model_changed", "model_changed", (place[0],))
        self._note(case, Loss(verdict, earlier, tokens, place))
        edit = self.edits[case.asked.number]
        changed = Edit(edit.reference, edit.common, edit.changes, comparison.old_number)
        self.edits[case.asked.number] = changed

    # ---- prompts that continue others

    def _continue(self, case: Case) -> None:
        """Let a prompt that continues an edited one continue the edited text."""
        owner, scope_from = case.layers.seen_anywhere.owner, self._scope_from(case)
        if owner is not None and (owner in self.edits or scope_from is not None):
            common = self._common(case, owner)
            self.edits[case.asked.number] = Edit(owner, common, (), scope_from)

    def _common(self, case: Case, owner: int) -> int:
        """Return how many characters a prompt shares with one, and not only by chance."""
        new, old = case.prompt, self.source.prompt(owner)
        common = num_common(new.text, old.text)
        if common < len(old.text) - CHANCE:
            common = max(0, common - CHANCE)
        if new.request.token_ids is None:
            return common
        return len(new.text[:common].rstrip(DIGITS))  # whole ids

    def _scope_from(self, case: Case) -> int | None:
        """Return whose scope a request would have: by its own edit, or as its prefix's owner."""
        edit = self.edits.get(case.asked.number)
        if edit is not None and edit.scope_from is not None:
            return edit.scope_from
        owner = case.layers.seen.owner
        before = None if owner is None else self.edits.get(owner)
        return owner if before is not None and before.scope_from is not None else None

    def _note(self, case: Case, loss: Loss) -> None:
        if loss.tokens > 0 or loss.verdict.cause == "value":
            self.breaks.note(case.request, case.asked, case.layers, loss)


def asked_of(prompt: Prompt, number: int, digester: Digester, profile: Profile) -> Asked:
    """Return what a request asks the cache for."""
    request, tokens = prompt.request, prompt.tokens
    digests = digester.prefixes(tokens)
    if not profile.breakpoints:
        return Asked(number, request.scope, tokens, digests, request.timestamp)
    positions = prompt.positions_in(prompt.text, prompt.ends_of_parts())
    ends = [0, *(max(position - 1, 0) for position in positions)]
    points = tuple(ends[number] for number in request.breakpoints)
    return Asked(number, request.scope, tokens, digests, request.timestamp, tuple(ends[1:]), points)
