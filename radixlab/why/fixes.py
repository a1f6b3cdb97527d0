"""Measured advice: the log is replayed without a cause, and the new hit rate is compared."""

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

import numpy as np

from radixlab.why.analysis import Analysis, asked_of
from radixlab.why.cache import Asked, Cache, Scope
from radixlab.why.edits import Edited, Editor
from radixlab.why.groups import Group
from radixlab.why.profiles import Profile
from radixlab.why.prompt import Prompt
from radixlab.why.report import Fix

if TYPE_CHECKING:
    from radixlab.why.explain import Meter

LEAST_LOST = 0.001
"""Share of all prompt tokens below which a cause gets no replay of its own."""
LEAST_ALONE = 0.01
"""Share from which on one of several positions with the same cause gets its own replay."""
LEAST_GAIN = 0.0005
"""A change that gains less is not advised."""
MOST_ALONE = 4


@dataclass(slots=True)
class Replay:
    """One replay of the log without some causes."""

    causes: frozenset[str]
    groups: list[Group]
    cache: Cache
    editor: Editor
    prompt_tokens: int = 0
    hit_tokens: int = 0

    @property
    def hit_rate(self) -> float:
        """Tokens found ÷ tokens asked for."""
        return self.hit_tokens / self.prompt_tokens if self.prompt_tokens else 0.0


def measured_fixes(
    analysis: Analysis, num_blocks: int | None, meter: "Meter"
) -> tuple[tuple[Fix, ...], float]:
    """Return the fixes, largest gain first, and the hit rate with all of them."""
    now = (
        analysis.totals.hit_tokens / analysis.totals.prompt_tokens
        if analysis.totals.prompt_tokens
        else 0.0
    )
    replays = _plan(analysis, num_blocks)
    if not replays:
        return (), now
    _run(analysis, replays, meter)
    single = replays[:-1] if len(replays) > 1 else replays
    fixes = [
        Fix(
            analysis.words.fix(next(iter(replay.causes)), replay.groups),
            next(iter(replay.causes)),
            replay.hit_rate,
            replay.hit_rate - now,
        )
        for replay in single
    ]
    fixes = sorted((fix for fix in fixes if fix.gain >= LEAST_GAIN), key=lambda fix: -fix.gain)
    return tuple(fixes), max(now, *(replay.hit_rate for replay in replays))


def _plan(analysis: Analysis, num_blocks: int | None) -> list[Replay]:
    """Return a replay for each cause, for large parts of one, and, as the last, for all."""
    by_cause: dict[str, list[Group]] = {}
    for group in analysis.groups.all:
        if group.cause != "never_seen":
            by_cause.setdefault(group.cause, []).append(group)
    least = LEAST_LOST * analysis.totals.prompt_tokens
    chosen = {
        cause: groups
        for cause, groups in by_cause.items()
        if sum(group.tokens for group in groups) > least
    }
    plans = [(cause, groups) for cause, groups in chosen.items()]
    for cause, groups in chosen.items():
        large = [g for g in groups if g.tokens > LEAST_ALONE * analysis.totals.prompt_tokens]
        if cause == "volatile_value" and len(large) > 1:
            large.sort(key=lambda group: -group.tokens)
            plans += [(cause, [group]) for group in large[:MOST_ALONE]]
    replays = [_replay(analysis, {cause}, groups, num_blocks) for cause, groups in plans]
    if len(replays) > 1:
        everything = [group for groups in chosen.values() for group in groups]
        replays.append(_replay(analysis, set(chosen), everything, num_blocks))
    return replays


def _replay(
    analysis: Analysis, causes: set[str], groups: list[Group], num_blocks: int | None
) -> Replay:
    pool = None if "evicted" in causes else num_blocks
    ttl = None if "expired" in causes else analysis.ttl
    profile = analysis.profile
    if "below_minimum" in causes:
        profile = Profile("none", block_size=profile.block_size)
    numbers = frozenset(group.number for group in groups)
    editor = Editor(analysis.source, analysis.edits, numbers)
    return Replay(frozenset(causes), groups, Cache(profile, pool, ttl), editor)


def _run(analysis: Analysis, replays: list[Replay], meter: "Meter") -> None:
    """Read the log once more, and serve each request, as edited for it, to every replay."""
    meter.passes = 2
    scopes: dict[int, Scope] = {}
    for number, request in enumerate(analysis.source):
        prompt = analysis.source.keep(number, Prompt(request, analysis.tokenizer))
        unedited: Asked | None = None
        _unify(number, analysis, scopes)
        for replay in replays:
            edited = replay.editor.edited(number)
            if edited is None:
                if unedited is None:
                    unedited = asked_of(prompt, number, analysis.digester, analysis.profile)
                mine = unedited
            else:
                mine = _edited(analysis, prompt, number, edited)
            if "model_changed" in replay.causes and number in scopes:
                mine = replace(mine, scope=scopes[number])
            replay.hit_tokens += replay.cache.serve(mine).found
            replay.prompt_tokens += len(mine.tokens)
        meter.at(request, 1)


def _unify(number: int, analysis: Analysis, scopes: dict[int, Scope]) -> None:
    """Note the scope that a request has without a change of parameters: its reference's."""
    edit = analysis.edits.get(number)
    if edit is None or (earlier := edit.scope_from) is None:
        return
    known = scopes.get(earlier)
    scopes[number] = known or analysis.source.prompt(earlier).request.scope


def _edited(analysis: Analysis, prompt: Prompt, number: int, edited: Edited) -> Asked:
    """Return what a request asks the cache for with another text."""
    request = prompt.request
    if request.token_ids is None:
        tokens = analysis.tokenizer.encode(edited.text)
    else:
        tokens = np.array(edited.text.split(), np.int32)
    digests = analysis.digester.prefixes(tokens)
    asked = Asked(number, request.scope, tokens, digests, request.timestamp)
    if not analysis.profile.breakpoints:
        return asked
    moved = [edited.left(end) for end in prompt.ends_of_parts()]
    ends = [0, *(max(each - 1, 0) for each in prompt.positions_in(edited.text, moved))]
    points = tuple(ends[number] for number in request.breakpoints)
    return replace(asked, part_ends=tuple(ends[1:]), breakpoints=points)
