"""Three replicas on a real Ray cluster, behind one router after the other: who finds how much.

    the same conversations ─► prefix by events, by prompts, session, power of two, round robin
    one hot document       ─► ours, and Ray's own prefix router
    a replica is killed    ─► what became of the requests

Hits and prompts are counted, so the figures vary from run to run only by the order in which answers
come. The replicas run the tiny model, each with one thread.
"""

import asyncio
import os
import signal
from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

from radixlab.bench.ray_affinity import PATIENCE_S, Story, tell_story
from radixlab.bench.replica_traffic import Traffic, converse, crowd
from radixlab.bench.report import count
from radixlab.bench.table import Cell, Shown, TableReport
from radixlab.bench.tree_report import Progress
from radixlab.serve.replicas.cluster import ROUTERS
from radixlab.serve.replicas.front import Front
from radixlab.serve.replicas.local import fronting
from radixlab.serve.settings import Settings

NUM_REPLICAS, NUM_BLOCKS = 3, 96
NUM_OPEN = 12
"""People who talk at the same time."""
RACED: dict[str, tuple[str, dict[str, Any]]] = {
    "prefix, by events": (ROUTERS["prefix"], {"route_by": "events"}),
    "prefix, by prompts": (ROUTERS["prefix"], {"route_by": "prompts"}),
    "session (Ray's consistent hash)": (ROUTERS["session"], {}),
    "power of two (Ray's default)": (ROUTERS["power-of-two"], {}),
    "round robin (Ray's)": (ROUTERS["round-robin"], {}),
}
OURS, CONTROL = "prefix, by events", "round robin (Ray's)"


@dataclass(frozen=True, slots=True)
class Death:
    """What happened when one of three replicas was killed while all had work."""

    traffic: Traffic
    num_retried: int
    num_deaths: int


@dataclass(frozen=True, slots=True)
class Found:
    """Everything one run of the benchmark found."""

    chats: dict[str, Traffic]
    hot: Traffic
    story: Story
    death: Death


def measure_replicas(
    command: str, rounds: int | None, quick: bool, progress: Progress
) -> TableReport:
    """Run the benchmark; `command` is what the report will say it was."""
    num_sessions = (12 if quick else 36) * (rounds or 1)
    with progress(num_sessions * (len(RACED) + 1), "replicas", "conversation") as advance:
        found = asyncio.run(_measure(num_sessions, advance))
    return _report(command, num_sessions, found)


async def _measure(num_sessions: int, advance: Callable[[], object]) -> Found:
    settings = Settings(replicas=NUM_REPLICAS, num_blocks=NUM_BLOCKS, threads=1)
    async with fronting(settings) as front:
        chats = {}
        for name, router in RACED.items():
            await front.switch(router)
            chats[name] = await converse(front, num_sessions, NUM_OPEN, 0, advance)
        await front.switch(RACED[OURS])
        hot = await crowd(front, 4 * NUM_OPEN, NUM_OPEN, 1)
        story = await tell_story(front, 4 * NUM_OPEN, NUM_OPEN, 1)
        await front.switch(RACED[OURS])
        return Found(chats, hot, story, await _kill_one(front, num_sessions, advance))


async def _kill_one(front: Front, num_sessions: int, advance: Callable[[], object]) -> Death:
    """Kill a replica in the middle of the conversations."""
    before = front.roster.num_retries
    talk = asyncio.create_task(converse(front, num_sessions, NUM_OPEN, 2, advance))
    await asyncio.sleep(1.0)
    looks = await front.look()
    busiest = max(looks, key=lambda each: each.snapshot.num_running)
    os.kill(busiest.pid, signal.SIGKILL)
    return Death(await talk, front.roster.num_retries - before, front.roster.num_deaths)


def _report(command: str, num_sessions: int, found: Found) -> TableReport:
    control = found.chats[CONTROL].hit_rate
    rows = [[name, *_row(each, control)] for name, each in found.chats.items()]
    today = datetime.now(UTC).date().isoformat()
    what = (
        f"Recorded on {today}: {NUM_REPLICAS} replicas of the tiny model on a real Ray cluster, "
        f"{NUM_BLOCKS} blocks of 16 each; {count(num_sessions, 'conversation')} of 3 to 8 turns, "
        f"{NUM_OPEN} at a time, the same for every router. Hits are the share of prompt tokens "
        f"that was cached; the load is the busiest replica's prompts ÷ the mean"
    )
    header = ["router", "prompts", "hits", "÷ round robin", "load", "failed"]
    more = (_hot_table(found), _story_table(found.story), _death_table(found.death))
    return TableReport("Replicas behind one router", command, what, header, rows, more)


def _row(traffic: Traffic, control: float) -> list[Cell]:
    return [
        len(traffic.answers),
        Shown(traffic.hit_rate, ".1%"),
        Shown(traffic.hit_rate / control if control else 0.0, ".2f"),
        Shown(traffic.worst_share, ".2f"),
        traffic.num_failed,
    ]


def _hot_table(found: Found) -> TableReport:
    pairs = {"prefix, by events": found.hot, "Ray's affinity router": found.story.hot}
    rows: list[list[Cell]] = [
        [name, len(each.answers), Shown(each.worst_share, ".2f"), Shown(each.hit_rate, ".1%")]
        for name, each in pairs.items()
    ]
    what = (
        f"One hot document of 128 tokens, {NUM_OPEN} questions about it at a time. Ray's router "
        "has no bound on the load by default (`imbalanced_threshold` is infinite)"
    )
    return TableReport("A hot prefix", "", what, ["router", "prompts", "load", "hits"], rows)


def _story_table(story: Story) -> TableReport:
    rows: list[list[Cell]] = [
        [f"an empty prompt, after {PATIENCE_S:g} s", story.empty_prompt],
        [f"an argument without a prompt, after {PATIENCE_S:g} s", story.no_prompt],
        ["characters of one prompt", story.num_prompt],
        ["characters of that prompt and its answer", story.num_both],
        ["of these known afterwards", story.num_known],
        ["characters known of all replicas", story.num_kept],
        ["known after every cache was emptied", story.num_kept_after_reset],
    ]
    what = (
        "Ray's `PrefixCacheAffinityRouter` with its defaults. It raises at an empty prompt, and "
        "the request then waits for ever; it learns prompts, not answers, and forgets nothing"
    )
    return TableReport("Ray's affinity router", "", what, ["what", "found"], rows)


def _death_table(death: Death) -> TableReport:
    traffic = death.traffic
    rows: list[list[Cell]] = [
        ["prompts sent", len(traffic.answers)],
        ["answered", len(traffic.answers) - traffic.num_failed],
        ["asked again at another replica", death.num_retried],
        ["failed", traffic.num_failed],
        ["replicas that died", death.num_deaths],
    ]
    what = f"The busiest replica is killed while {NUM_OPEN} people talk; answers come as a whole"
    return TableReport("A replica dies", "", what, ["what", "found"], rows)
