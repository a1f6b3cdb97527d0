"""The first pass over a log: every prompt token becomes a hit or gets one cause.

    prompt ─► cache (layers) ─► reference ─► differences ─► verdicts ─► groups, breaks, edits

What no change of a text can cure comes first: a prefix that is in the cache's past, but in another
scope, expired, evicted or too short. What follows the prefix is compared with the reference. A
token that agrees with the reference again, behind a difference, was lost to that difference.
"""

from heapq import heappush, heappushpop

from radixlab.why.alignment import changes_between
from radixlab.why.anchors import Anchors, anchors_of
from radixlab.why.cache import Asked, Cache, Layers
from radixlab.why.diff import num_common
from radixlab.why.digests import Digester
from radixlab.why.edits import Edit
from radixlab.why.found import Losses, Stretch, conversation, joined_runs, stretches
from radixlab.why.groups import Group, Groups
from radixlab.why.judge import Verdict, judge
from radixlab.why.profiles import Profile
from radixlab.why.prompt import Prompt, are_bytes, prompt_of, tokens_of
from radixlab.why.reference import References
from radixlab.why.report import Break
from radixlab.why.request import Request
from radixlab.why.source import Source
from radixlab.why.tokenizers import TextTokenizer
from radixlab.why.words import Words

MOST_BREAKS = 300
CHANCE = 64
"""Characters that a prompt may share by chance with one that it does not continue."""


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
        self.breaks: list[tuple[int, int, int, Break, int]] = []
        """A heap: tokens lost, minus the request's number, a counter, the break and its group."""
        self.requests = self.prompt_tokens = self.hit_tokens = self.never_seen = 0
        self.num_never_seen = 0
        self.reported = [0, 0]
        """Prompt tokens and cached tokens, as the servers said."""

    def take(self, request: Request) -> None:
        """Add the next request."""
        number = self.requests
        asked = asked_of(request, number, self.tokenizer, self.digester, self.profile)
        layers = self.cache.serve(asked)
        by_byte = are_bytes(request, self.tokenizer)
        rest = anchors_of(asked.tokens[layers.anywhere :], by_byte)
        losses = Losses(len(asked.tokens), layers, self.profile)
        self._lose_prefix(request, asked, layers, losses)
        if losses.rest >= self.profile.block_size and self._parts(request, layers, rest):
            self._compare(request, asked, layers, losses, rest)
        if number not in self.edits:
            self._continue(request, number, layers)
        self.references.add(request, number, rest)
        self.requests += 1
        self.prompt_tokens += len(asked.tokens)
        self.hit_tokens += layers.found
        self.never_seen += losses.unexplained
        self.num_never_seen += losses.unexplained > 0
        if (usage := request.usage) is not None and usage.cached_tokens is not None:
            self.reported[0] += usage.prompt_tokens or len(asked.tokens)
            self.reported[1] += usage.cached_tokens

    # ---- what no change of a text can cure

    def _lose_prefix(self, request: Request, asked: Asked, layers: Layers, losses: Losses) -> None:
        for cause, tokens in losses.of_prefix():
            owner = layers.seen.owner if cause != "model_changed" else layers.seen_anywhere.owner
            earlier = None if owner is None else self.source.prompt(owner).request
            place = self.words.of_prefix(cause, request, earlier, tokens, layers, self.ttl)
            verdict = Verdict(cause, cause, (place[0] if cause == "model_changed" else "",))
            group = self.groups.of(verdict)
            self._note(group, verdict, request, owner, asked, layers, tokens, place, ("", ""))
            if cause == "model_changed" and owner is not None:
                old = self.source.prompt(owner).text
                common = num_common(request.text, old) if request.token_ids is None else 0
                self.edits[asked.number] = Edit(owner, common, (), owner)

    def _parts(self, request: Request, layers: Layers, rest: Anchors) -> bool:
        """Whether a prompt parts from an earlier one, and does not only continue one."""
        seen = layers.seen_anywhere
        if not seen.is_end or seen.beyond is not None:
            return True
        return self.references.goes_on_elsewhere(request, seen.owner, rest)

    # ---- what differs from the reference

    def _compare(
        self, request: Request, asked: Asked, layers: Layers, losses: Losses, rest: Anchors
    ) -> None:
        found = self.references.find(request, asked, layers, rest)
        if not found:
            return
        new = self.source.keep(asked.number, prompt_of(request, self.tokenizer))
        agreed = self._against(found[0], new, asked, layers, losses)
        if len(found) > 1:
            self._against_other_scope(found[1], new, asked, layers, losses, agreed)

    def _against(
        self, number: int, new: Prompt, asked: Asked, layers: Layers, losses: Losses
    ) -> int:
        """Blame the differences from one earlier request; return the tokens that agree."""
        old = self.source.prompt(number)
        changes = changes_between(new, old)
        same = conversation(changes, new, old)
        verdicts = judge(changes, new, old, same)
        rows = stretches(changes, verdicts, new, layers.anywhere, self.profile.block_size)
        agreed = sum(row.tokens for row in rows)
        changed_scope = old.request.scope != new.request.scope
        stays = self._what_stays(old, new, layers, agreed, number)
        by_group: dict[int, tuple[Group, Verdict, Stretch, int]] = {}
        groups: list[int] = []
        for verdict in verdicts:
            groups.append(-1 if verdict.cause == "never_seen" else self.groups.of(verdict).number)
        for row in rows:
            verdict = Verdict(stays, stays, ("",)) if stays else verdicts[row.first]
            if verdict.cause == "never_seen" or row.tokens == 0:
                continue
            if changed_scope and not same:
                continue
            if changed_scope and not stays:
                verdict = Verdict("model_changed", "scope", ("",))
            group = self.groups.of(verdict)
            _, _, first, tokens = by_group.get(group.number, (group, verdict, row, 0))
            by_group[group.number] = group, verdict, first, tokens + row.tokens
        for group, verdict, row, tokens in by_group.values():
            change = changes[row.first]
            place = self.words.of_change(change, verdicts[row.first], new, old)
            around = self.words.around(change, new)
            tokens = losses.take(tokens)
            self._note(group, verdict, new.request, number, asked, layers, tokens, place, around)
        common = num_common(new.text, old.text)
        scope_from = number if changed_scope and same else self._scope_from(asked.number, layers)
        pairs = joined_runs(changes, verdicts, groups)
        self.edits[asked.number] = Edit(number, common, pairs, scope_from)
        return agreed

    def _what_stays(
        self, old: Prompt, new: Prompt, layers: Layers, agreed: int, number: int
    ) -> str | None:
        """Return the cause for which the reference would not be found even without differences."""
        now, then = new.request.timestamp, old.request.timestamp
        if self.ttl is not None and now is not None and then is not None and then < now - self.ttl:
            return "expired"
        if layers.anywhere + agreed < layers.minimum:
            return "below_minimum"
        if self.cache.pool is not None:
            kept = self.cache.pool.num_kept(old.request, old.request.scope, old.tokens)
            if kept < min(layers.anywhere + agreed, len(old.tokens)) // 2:
                return "evicted"
        return None

    def _against_other_scope(
        self, number: int, new: Prompt, asked: Asked, layers: Layers, losses: Losses, agreed: int
    ) -> None:
        """Blame the parameter for what only a request of another scope has."""
        old = self.source.prompt(number)
        changes = changes_between(new, old)
        verdicts = judge(changes, new, old, True)
        rows = stretches(changes, verdicts, new, layers.anywhere, self.profile.block_size)
        tokens = losses.take(sum(row.tokens for row in rows) - agreed)
        if tokens <= 0:
            return
        place = self.words.of_prefix(
            "model_changed", new.request, old.request, tokens, layers, self.ttl
        )
        verdict = Verdict("model_changed", "model_changed", (place[0],))
        group = self.groups.of(verdict)
        self._note(group, verdict, new.request, number, asked, layers, tokens, place, ("", ""))
        edit = self.edits[asked.number]
        self.edits[asked.number] = Edit(edit.reference, edit.common, edit.changes, number)

    def _continue(self, request: Request, number: int, layers: Layers) -> None:
        """Let a prompt that continues an edited one continue the edited text."""
        owner, scope_from = layers.seen_anywhere.owner, self._scope_from(number, layers)
        if owner is None or (owner not in self.edits and scope_from is None):
            return
        new = self.source.keep(number, prompt_of(request, self.tokenizer))
        old = self.source.prompt(owner).text
        common = num_common(new.text, old)
        if common < len(old) - CHANCE:
            common = max(0, common - CHANCE)
        self.edits[number] = Edit(owner, common, (), scope_from)

    def _scope_from(self, number: int, layers: Layers) -> int | None:
        """Return whose scope a request would have: by its own edit, or as its prefix's owner."""
        edit = self.edits.get(number)
        if edit is not None and edit.scope_from is not None:
            return edit.scope_from
        owner = layers.seen.owner
        before = None if owner is None else self.edits.get(owner)
        return owner if before is not None and before.scope_from is not None else None

    def _note(
        self,
        group: Group,
        verdict: Verdict,
        request: Request,
        earlier: int | None,
        asked: Asked,
        layers: Layers,
        tokens: int,
        place: tuple[str, str, str],
        around: tuple[str, str],
    ) -> None:
        """Count a loss in its group, and keep the break if it is among the largest."""
        if tokens <= 0:
            return
        seen = layers.seen_anywhere
        node = id(seen.path[-1]) if seen.path else 0
        self.groups.note(group, verdict, tokens, place, (node, seen.num_requests + 1))
        line = None if earlier is None else self.source.prompt(earlier).request.line
        found = Break(
            request.line, line, "", *place, len(asked.tokens), layers.found, tokens, *around
        )
        entry = tokens, -asked.number, -group.number, found, group.number
        if len(self.breaks) < MOST_BREAKS:
            heappush(self.breaks, entry)
        elif tokens > self.breaks[0][0]:
            heappushpop(self.breaks, entry)


def asked_of(
    request: Request, number: int, tokenizer: TextTokenizer, digester: Digester, profile: Profile
) -> Asked:
    """Return what a request asks the cache for."""
    tokens = tokens_of(request, tokenizer)
    digests = digester.prefixes(tokens)
    if not profile.breakpoints:
        return Asked(number, request.scope, tokens, digests, request.timestamp)
    prompt = prompt_of(request, tokenizer)
    ends, position = [0], 0
    for _, text in request.parts:
        position += len(text)
        ends.append(max(prompt.position(position) - 1, 0))
    points = tuple(ends[number] for number in request.breakpoints)
    return Asked(number, request.scope, tokens, digests, request.timestamp, tuple(ends[1:]), points)
