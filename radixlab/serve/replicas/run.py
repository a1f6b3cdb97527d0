"""`radixlab serve --replicas N`: the same server as for one engine, over a front."""

from collections.abc import Callable
from dataclasses import replace
from functools import partial

from radixlab.model.loader import load_tokenizer
from radixlab.model.named import find_folder
from radixlab.serve.facts import Facts
from radixlab.serve.models import builder
from radixlab.serve.replicas.cluster import Cluster, require_ray, start_cluster
from radixlab.serve.replicas.front import Front
from radixlab.serve.replicas.metrics import ReplicaMetrics
from radixlab.serve.run import serve_until_signal, short_turns
from radixlab.serve.settings import Settings


def front_of(settings: Settings, say: Callable[[str], object]) -> Front:
    """Return the front for these settings; raise at once for those that cannot work.

    Raises an `ImportError` that says what to install if Ray is missing.
    """
    require_ray()
    builder(settings)
    folder = find_folder(settings.model)

    def complete(facts: Facts) -> Facts:
        return replace(facts, tokenizer=load_tokenizer(folder))

    def open_cluster() -> Cluster:
        say(f"starting {settings.replicas} replicas of {settings.names[0]} on Ray ...")
        return start_cluster(settings, is_wanted=lambda: front.state == "loading")

    front = Front(open_cluster, complete, settings.max_queue, settings.max_unread_tokens)
    return front


def run(
    settings: Settings, write_line: Callable[[str], object], say: Callable[[str], object]
) -> int:
    """Serve until a signal; return the exit code."""
    front = front_of(settings, say)
    front.roster.on_death = lambda number: say(f"replica {number} has died; Ray starts another")
    with short_turns():
        details, collectors = partial(said_of, settings), [ReplicaMetrics(front.roster)]
        return serve_until_signal(front, settings, write_line, say, details, collectors)


def said_of(settings: Settings) -> str:
    """Say how many replicas there are, and who routes by what."""
    router = settings.router or "prefix"
    feed = f" fed by {settings.route_by or 'events'}" if router == "prefix" else ""
    return f", {settings.replicas} replicas, router {router}{feed},"
