"""Views of plans for exercise 8.5.3: a picture of each request's hits, and a live view."""

from collections.abc import Callable, Collection, Sequence
from string import ascii_uppercase
from typing import Any

import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from radixlab.exercise.workload import Plan, Workload
from radixlab.grade.ex3.oracle import PinOrder, Pins, pool, steps
from radixlab.grade.ex3.play import Run
from radixlab.grade.ex3.traffic import Scene, scene, short
from radixlab.grade.ex3.trying import run_plan
from radixlab.lesson.picture import Picture
from radixlab.lesson.slowly import pause
from radixlab.viz import CacheView
from radixlab.viz.palette import GREEN, INK, LINE
from radixlab.viz.race import COLOURS

Planner = Callable[[Workload], Any]
NUM_LANES = 8
"""Most pins that are drawn below each other."""


def by_arrival(workload: Workload) -> Plan:
    """Return the trivial plan: order of arrival, blocks of 16, everything registered."""
    order = [request.index for request in workload.requests]
    return Plan(order, 16, [], lambda request: len(request.tokens), ())


def draw_plan(plan: Planner, pattern: str, seed: int) -> Picture:
    """Draw the hits of each request, first in order of arrival, and below that as planned.

    In the strip below the bars, requests of one colour share more than all requests do.
    """
    where = scene(pattern, seed)
    planners: dict[str, Planner] = {"order of arrival": by_arrival}
    if plan is not by_arrival:
        planners["as planned"] = plan
    figure = Figure(figsize=(10, 2.6 * len(planners)), dpi=140, layout="constrained")
    panels = np.atleast_1d(figure.subplots(len(planners), 1, sharex=True))
    lines = [
        _panel(axes, name, run_plan(planner, where))
        for axes, (name, planner) in zip(panels, planners.items(), strict=True)
    ]
    panels[-1].set_xlabel("position in the order")
    return Picture.of(figure, "\n".join(lines))


def _panel(axes: Axes, name: str, one: Run) -> str:
    """Draw one plan; return its title."""
    _bars(axes, one.scene, one.answer.order, one.served.hits)
    if one.answer.pins:
        axes.set_ylim(top=1.25 * axes.get_ylim()[1])  # room for the lines above the bars
        _pins(axes, one.answer.pins, one.served.void_pins)
    axes.legend(loc="lower right", bbox_to_anchor=(1, 1), fontsize=8, ncols=4, frameon=False)
    found, total = one.served.hit_tokens, sum(len(r.prompt) for r in one.scene.requests())
    title = f"{name}: {found:,} of {total:,} tokens found, {one.hit_rate:.1%}"
    axes.set_title(title, loc="left", fontsize=10, color=INK)
    return title


def _bars(axes: Axes, where: Scene, order: Sequence[int], hits: Sequence[int]) -> None:
    prompts = [request.prompt for request in where.requests()]
    sizes = [len(prompts[index]) for index in order]
    positions = range(len(order))
    axes.bar(positions, hits, width=0.85, color=GREEN, label="found")
    computed = [size - hit for size, hit in zip(sizes, hits, strict=True)]
    axes.bar(positions, computed, 0.85, hits, color=LINE, label="computed")
    families = _families(prompts)
    colours = [COLOURS[families[index] % len(COLOURS)] for index in order]
    deep = -0.07 * max(sizes)
    axes.bar(positions, [deep] * len(order), width=1.0, color=colours)
    axes.set(ylabel="prompt tokens", ylim=(1.6 * deep, None), xlim=(-1, len(order)))
    axes.spines[["top", "right"]].set_visible(False)


def _pins(axes: Axes, pins: Sequence[PinOrder], void: Collection[PinOrder]) -> None:
    """Draw a line for each pin, over the positions at which it holds; a void pin is dotted."""
    labels, right = {"-": "pinned", ":": "void pin"}, axes.get_xlim()[1]
    for number, pin in enumerate(pins):
        style = ":" if pin in void else "-"
        axes.plot(
            [pin.from_, min(pin.until, right)],
            [0.98 - 0.025 * (number % NUM_LANES)] * 2,
            style,
            color=INK,
            label=labels.pop(style, "_"),
            transform=axes.get_xaxis_transform(),
        )


def _families(prompts: Sequence[Any]) -> list[int]:
    """Return a family number per prompt; prompts that continue alike share a number."""
    begins = np.stack([prompt[: min(map(len, prompts))] for prompt in prompts])
    common = int((begins != begins[0]).any(axis=0).argmax())
    known: dict[int, int] = {}
    return [known.setdefault(int(prompt[common]), len(known)) for prompt in prompts]


def _letters(prompts: Sequence[Any]) -> Callable[[int], str]:
    """Return a function that writes a token as the letter of its first family."""
    letters: dict[int, str] = {}
    for prompt, family in zip(prompts, _families(prompts), strict=True):
        for token in prompt.tolist():
            letters.setdefault(token, ascii_uppercase[family % len(ascii_uppercase)])
    return lambda token: letters.get(token, "-")


class Stage:
    """A plan for a few short requests, and the view of the cache that serves them."""

    def __init__(self, plan: Planner, pattern: str, seed: int, num_requests: int = 16) -> None:
        where = short(pattern, seed, num_requests)
        self._answer, self._requests = run_plan(plan, where).answer, where.requests()
        self._manager = pool(self._answer, where.workload())
        decode = _letters([request.prompt for request in self._requests])
        self.view = CacheView(self._manager, decode, title=f"{num_requests} requests, {pattern}")
        """The view to watch during the run."""

    def play(self) -> None:
        """Serve the requests as planned, slowly enough to watch, from an empty cache each time."""
        self._manager.reset()
        found = []
        pins = Pins(self._manager, self._answer.pins)
        for hits in steps(self._manager, self._answer, self._requests, pins):
            found.append(hits)
            pause()
        total = sum(len(request.prompt) for request in self._requests)
        print(f"{sum(found):,} of {total:,} tokens found")
