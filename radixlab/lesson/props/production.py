"""A server of your own in a lesson: start it, ask it, read its counters.

This file knows HTTP clients and pages of metrics. It does not know the cache.
"""

import time
from collections.abc import Callable, Iterable, Mapping
from contextlib import ExitStack
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path
from typing import Any
from urllib.request import Request, urlopen

from matplotlib.figure import Figure
from openai import OpenAI

import radixlab
from radixlab.lesson.picture import Picture
from radixlab.model import smollm2
from radixlab.observe.monitor.exposition import parse_page
from radixlab.observe.monitor.fetch import fetch
from radixlab.serve.local import Served, serving
from radixlab.serve.settings import Settings
from radixlab.viz.palette import BLUE
from radixlab.yours.parts import Parts
from radixlab.yours.server import own_builder

DEPLOY = Path(radixlab.__file__).resolve().parent.parent / "deploy"
"""Launch files, alert rules and the dashboard; part of the checkout, not of the package."""
_running = ExitStack()
"""The server of this kernel, if one runs."""


def start_server(
    write_line: Callable[[str], object] | None = None, parts: Parts | None = None, **settings: Any
) -> Served:
    """Start a server on a free port of this machine; the one that ran before ends.

    Takes the fields of `Settings`, what gets each line of the access log, and a learner's parts to
    serve with; a part that breaks a rule is told there too, or printed. The kernel's end is the
    server's end.
    """
    stop_server()
    chosen = Settings(**settings)
    build = None if parts is None else own_builder(parts, chosen, write_line or print)
    return _running.enter_context(serving(chosen, build=build, write_line=write_line))


def stop_server() -> None:
    """End the server of this kernel, if one runs."""
    _running.close()


def reset_cache(served: Served) -> None:
    """Empty the server's cache, as people do from outside: by `POST /reset_prefix_cache`."""
    urlopen(Request(f"{served.url}/reset_prefix_cache", method="POST")).close()


@dataclass(frozen=True, slots=True)
class Asked:
    """What a client saw of one answer."""

    text: str
    first_s: float
    """Seconds until the first token came."""
    prompt_tokens: int
    cached_tokens: int

    @property
    def computed_tokens(self) -> int:
        """Prompt tokens that the model had to compute."""
        return self.prompt_tokens - self.cached_tokens


def ask(served: Served, prompt: str, max_tokens: int = 12, **options: Any) -> Asked:
    """Ask for an answer by OpenAI's own client, and time the first token.

    `options` are further fields of the body, such as `cache_salt`.
    """
    client, model = _client(served.url), _model(served.url)
    begin = time.perf_counter()
    stream = client.completions.create(
        model=model,
        prompt=prompt,
        max_tokens=max_tokens,
        temperature=0,
        stream=True,
        stream_options={"include_usage": True},
        extra_body=options,
    )
    text, first_s, usage = "", None, None
    for chunk in stream:
        if first_s is None:
            first_s = time.perf_counter() - begin
        text += "".join(choice.text for choice in chunk.choices)
        usage = chunk.usage or usage
    if usage is None or first_s is None:
        raise RuntimeError("the server sent no usage")
    details = usage.prompt_tokens_details
    cached = details.cached_tokens if details and details.cached_tokens else 0
    return Asked(text.strip(), first_s, usage.prompt_tokens, cached)


def ask_smollm2(document: str, questions: Iterable[str]) -> list[Asked]:
    """Serve SmolLM2-135M, if it was fetched, and ask it about a document; else return nothing."""
    if not smollm2.is_there(smollm2.default_folder()):
        return []
    served = start_server(model="smollm2", num_blocks=256)
    return [ask(served, f"{document}\n{each}\n", max_tokens=4) for each in questions]


@lru_cache(maxsize=4)
def _client(url: str) -> OpenAI:
    return OpenAI(base_url=f"{url}/v1", api_key="none", max_retries=0)


@lru_cache(maxsize=4)
def _model(url: str) -> str:
    return _client(url).models.list().data[0].id


def counters(served: Served) -> dict[str, int]:
    """Scrape `/metrics`, and return its counters by name and label.

    >>> with serving(Settings(num_blocks=16)) as served:
    ...     counters(served)["prefix_cache_queries_total"]
    0
    """
    found = {}
    for name, values in parse_page(fetch(f"{served.url}/metrics")).samples.items():
        if name.startswith("radixlab:") and name.endswith("_total"):
            for labels, value in values.items():
                inner = ",".join(text for _, text in labels)
                key = name.removeprefix("radixlab:") + (f"[{inner}]" if inner else "")
                found[key] = int(value)
    return found


def grown(before: Mapping[str, int], after: Mapping[str, int]) -> dict[str, int]:
    """Return by how much each counter grew, without those that did not.

    >>> grown({"a": 1, "b": 2}, {"a": 4, "b": 2})
    {'a': 3}
    """
    growth = {name: value - before.get(name, 0) for name, value in after.items()}
    return {name: value for name, value in growth.items() if value}


def plot_first_tokens(asked: Iterable[Asked], title: str) -> Picture:
    """Draw the time to the first token of each question as a bar, with the tokens computed."""
    bars = list(asked)
    figure = Figure(figsize=(6.4, 1.0 + 0.45 * len(bars)), dpi=120, layout="constrained")
    axes = figure.subplots()
    names = [f"question {number}" for number in range(1, len(bars) + 1)]
    times = [1000 * each.first_s for each in bars]
    drawn = axes.barh(names, times, color=BLUE)
    labels = [f"{each.computed_tokens:,} tokens computed" for each in bars]
    axes.bar_label(drawn, labels, padding=4)
    axes.set(xlabel="ms to the first token", title=title, xlim=(0, 1.5 * max(times)))
    axes.invert_yaxis()
    axes.spines[["top", "right"]].set_visible(False)
    lines = (f"{name}: {label}" for name, label in zip(names, labels, strict=True))
    return Picture.of(figure, "\n".join(lines))
