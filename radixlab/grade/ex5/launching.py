"""Whether a server is deployed as the site wants it: address, pool, queue, and ready in the end.

Scripted servers come up at once, slowly, or never, on a clock of their own. At last a real server
is started with the learner's settings, and questions about every document are put to it.
"""

from collections.abc import Callable
from contextlib import ExitStack
from typing import Any

from radixlab.exercise.site import Site
from radixlab.grade.ex5.oracle import (
    LEAST_QUEUE,
    MOST_POOL,
    most_waiting,
    working_set_blocks,
)
from radixlab.grade.ex5.play import Story, deploy_real, deploy_scripted
from radixlab.grade.ex5.real import (
    LOOPBACK,
    RealServer,
    completed,
    free_port,
    keep,
    require_a_server,
)
from radixlab.grade.ex5.traffic import Start, sites, small_site
from radixlab.grade.items import CannotCheck, Failed, Trial
from radixlab.grade.reading import shown

LATE_S = 5.0
"""Seconds after the server became ready, or after the time limit, in which `deploy` must end."""
RULES = ("address", "pool", "queue", "ready")
"""Each rule earns a quarter of the points."""
TINY_VOCABULARY = 512


def check_deploy(trial: Trial) -> float:
    """Deploy to scripted machines; then to this one, if the learner's code is in a box."""
    problems = dict[str, Failed]()
    for site, start in sites(trial.seed):
        is_hopeless = start.ready_after_s > site.start_limit_s
        story = deploy_scripted(trial, site, start, is_hopeless)
        for rule, problem in _problems(site, start, story):
            problems.setdefault(rule, problem)
    if not problems:
        real = None if trial.fresh is None else _on_this_machine(trial)
        if real:
            raise real
        return 1
    if len(problems) == len(RULES):
        raise next(iter(problems.values()))
    trial.notes += [str(problem) for problem in problems.values()]
    return 1 - len(problems) / len(RULES)


def _problems(site: Site, start: Start, story: Story) -> list[tuple[str, Failed]]:
    """Return the rules that a story breaks, and how."""
    settings = story.settings
    if settings is None:
        raise Failed("deploy() did not call machine.start().", scenario=code(site, start))
    checks: list[tuple[str, Callable[[], str | None]]] = [
        ("address", lambda: _address(site, settings)),
        ("pool", lambda: _pool(site, settings)),
        ("queue", lambda: _queue(site, settings)),
        ("ready", lambda: _ready(site, start, story)),
    ]
    told = [(rule, check()) for rule, check in checks]
    return [(rule, Failed(text, scenario=code(site, start))) for rule, text in told if text]


def _address(site: Site, settings: dict[str, Any]) -> str | None:
    for name in ("host", "port", "block_size", "max_running"):
        wanted = getattr(site, name)
        if type(settings[name]) is not type(wanted) or settings[name] != wanted:
            return (
                f"{name} must be {shown(wanted)}, as the site says; it is {_given(settings, name)}."
            )
    return None


def _pool(site: Site, settings: dict[str, Any]) -> str | None:
    least = working_set_blocks(site)
    most = int(MOST_POOL * least)
    num = settings["num_blocks"]
    if type(num) is int and least <= num <= most:
        return None
    return (
        f"The working set has {least:,} blocks, so num_blocks must be from {least:,} to {most:,}; "
        f"it is {_given(settings, 'num_blocks')}."
    )


def _queue(site: Site, settings: dict[str, Any]) -> str | None:
    most = most_waiting(site)
    least = max(1, -int(-LEAST_QUEUE * most // 1))
    num = settings["max_queue"]
    if type(num) is int and least <= num <= most:
        return None
    return (
        f"The server runs {site.max_running} requests at a time, and each takes "
        f"{site.answer_ms} ms. So with {most} requests in the queue, the last one waits at most "
        f"{site.max_wait_ms} ms. max_queue must be from {least} to {most}; it is "
        f"{_given(settings, 'max_queue')}."
    )


def _given(settings: dict[str, Any], name: str) -> str:
    value = settings[name]
    return "missing" if value is None or value == "None" else shown(value)


def _ready(site: Site, start: Start, story: Story) -> str | None:
    if story.told:
        return story.told
    limit, ready = site.start_limit_s, start.ready_after_s
    if ready > limit:
        if story.raised is None:
            return (
                f"This server is never ready. After start_limit_s ({limit:g} s) deploy() must "
                f"raise an exception; it returned after {story.waited_s:.1f} s."
            )
        if not limit - LATE_S <= story.waited_s <= limit + LATE_S:
            return (
                f"This server is never ready. deploy() must give up after start_limit_s "
                f"({limit:g} s); it gave up after {story.waited_s:.1f} s."
            )
        return None
    if not story.was_ready:
        return (
            f"deploy() returned after {story.waited_s:.1f} s; this server was not ready before "
            f"{ready:.1f} s: /ready answered {start.loading} until then."
        )
    if story.waited_s > ready + LATE_S:
        return (
            f"This server was ready after {ready:.1f} s, and deploy() returned after "
            f"{story.waited_s:.1f} s; it must return within {LATE_S:g} s."
        )
    return None


def _on_this_machine(trial: Trial) -> Failed | None:
    """Deploy a real server, and see that questions about all documents find them again."""
    require_a_server()
    site = small_site(trial.random, LOOPBACK, free_port())
    servers = list[RealServer]()

    def launch(settings: dict[str, Any]) -> RealServer | None:
        if any(problem(site, settings) for problem in (_address, _pool, _queue)):
            return None
        servers.append(RealServer(settings))
        return servers[0]

    with ExitStack() as stack:
        stack.callback(_close, servers)
        try:
            story = deploy_real(trial, site, launch)
        except Exception:
            if servers and servers[0].ended:  # the learner could not know: nobody ever listened
                raise CannotCheck(f"The server ended: {servers[0].ended}") from None
            raise
        if story.settings and not story.told and not story.was_ready:
            return Failed("On a real server deploy() returned before /ready answered 200.")
        for _, problem in _problems(site, Start(0, 0), _without_times(story)):
            return problem
        if unused := _used(trial, servers[0], site):
            return unused
        stack.pop_all()
    keep(trial, servers[0])
    return None


def _close(servers: list[RealServer]) -> None:
    for server in servers:
        server.close()


def _without_times(story: Story) -> Story:
    """Return a story of a real machine, on which no time is judged."""
    return Story(story.settings, 0.0, story.was_ready, story.told)


def _used(trial: Trial, server: RealServer, site: Site) -> Failed | None:
    """Ask about every document twice; the second time, all of its whole blocks are found."""
    draw = trial.random
    documents = [draw.integers(0, TINY_VOCABULARY, num).tolist() for num in site.document_tokens]
    for again in (False, True):
        for number, document in enumerate(documents):
            own = draw.integers(0, TINY_VOCABULARY, site.own_tokens - 8).tolist()
            found = completed(server, [*document, *own], 8)["cached_tokens"]
            wanted = len(document) // site.block_size * site.block_size
            if again and found < wanted:
                return Failed(
                    f"On a real server with your settings, the second question about document "
                    f"{number} found {found} of its {wanted} tokens."
                )
    return None


def code(site: Site, start: Start) -> str:
    """Return lines that deploy to a site, to paste below one's own."""
    return (
        "from math import inf\n"
        "from radixlab.exercise.site import Site\n"
        "from radixlab.grade.ex5 import Start, try_deploy\n"
        f"site = {site}\n"
        f"try_deploy(deploy, site, {start})"
    )
