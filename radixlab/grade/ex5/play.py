"""The judge's end of what a learner's code is handed: a machine to deploy to, a server to load.

The learner's code may call these at any time, with anything, as often as it likes. So they check
what they get, and keep what went wrong for the check to tell.
"""

import time
from dataclasses import dataclass, field
from typing import Any, Protocol

from radixlab.exercise.site import LEDGER, SETTINGS, Site
from radixlab.grade.ex5.oracle import counted
from radixlab.grade.ex5.plant import VOCABULARY, Plant
from radixlab.grade.ex5.real import RealServer, completed
from radixlab.grade.ex5.traffic import ANSWER, Load, Start, facts
from radixlab.grade.items import Failed, Trial
from radixlab.grade.reading import as_finite, shown, whole

HOST = "radixlab.exercise.site"
MOST_GETS, MOST_SCRAPES = 3_000, 400
ASKING_S = 0.002
"""What a question takes on the scripted clock."""
MOST_SLEEP_S = 3_600.0
LEAST_SLEEP_S = 0.001
"""A real machine sleeps at least this long, so that `sleep(0)` does not keep a core busy."""


# ---- a machine


@dataclass(slots=True)
class Story:
    """What happened on a machine."""

    settings: dict[str, Any] | None = None
    waited_s: float = 0.0
    """From the start to the end of `deploy`, on the machine's clock."""
    was_ready: bool = False
    """Whether the server was ready when `deploy` returned."""
    told: str | None = None
    """What went wrong with a call, if anything did."""
    raised: str | None = None


class Running(Protocol):
    """A server that was started, scripted or real."""

    def get(self, path: str, since_s: float) -> int | None:
        """Return a status; None if nobody listens."""


class Scripted:
    """A server that comes up as a script says."""

    def __init__(self, start: Start) -> None:
        self._start = start

    def get(self, path: str, since_s: float) -> int | None:
        """Return a status; None if nobody listens yet."""
        if since_s < self._start.listens_after_s:
            return None
        if path in ("/health", "/metrics"):
            return 200
        if path != "/ready":
            return 404
        return 200 if since_s >= self._start.ready_after_s else self._start.loading


class Real:
    """A server's process."""

    def __init__(self, server: RealServer) -> None:
        self._server = server

    def get(self, path: str, since_s: float) -> int | None:
        """Return a status; None if nobody listens yet."""
        found = self._server.get(path) if path.startswith("/") else (404, "")
        return found[0] if found else None


class Desk:
    """Four calls of a machine, for the learner's code: `start`, `get`, `sleep` and `clock`."""

    def __init__(self, launch: Any, is_real: bool) -> None:
        self._launch, self._is_real = launch, is_real
        self._story = Story()
        self._running: Running | None = None
        self._now, self._started_at, self._num_gets = 0.0, 0.0, 0

    def start(self, settings: Any) -> str | None:
        """Start the server; return what is wrong with that, if anything is."""
        story = self._story
        if story.settings is not None:
            story.told = "start() was called twice."
            return story.told
        if type(settings) is not dict:
            return "the settings must be a dict"
        story.settings = {name: settings.get(name) for name in SETTINGS}
        self._started_at = self.clock()
        self._running = self._launch(story.settings)
        return None if self._running else "a server cannot start with these settings"

    def get(self, path: Any) -> int | None:
        """Return the status that the server answers with; None if nobody listens."""
        self._num_gets += 1
        if self._num_gets > MOST_GETS:
            self._story.told = (
                f"get() was called more than {MOST_GETS:,} times: sleep between two questions."
            )
            raise RuntimeError(self._story.told)
        self._now += ASKING_S
        if self._running is None or type(path) is not str:
            return None
        return self._running.get(path, self.clock() - self._started_at)

    def sleep(self, seconds: Any) -> None:
        """Let time pass."""
        length = as_finite(seconds)
        if length is None or not 0 <= length <= MOST_SLEEP_S:
            self._story.told = f"sleep() was called with {shown(seconds)}."
            return
        if self._is_real:
            time.sleep(min(max(length, LEAST_SLEEP_S), 1.0))
        self._now += length

    def clock(self) -> float:
        """Return the time."""
        return time.monotonic() if self._is_real else self._now

    def _end(self, raised: Any) -> Story:
        story = self._story
        story.raised = raised if type(raised) is str else None
        story.waited_s = self.clock() - self._started_at
        if self._running is not None:
            story.was_ready = self._running.get("/ready", story.waited_s) == 200
        return story


def deploy_scripted(trial: Trial, site: Site, start: Start, may_raise: bool) -> Story:
    """Have the learner's code deploy to a machine with a scripted server."""
    desk = Desk(lambda settings: Scripted(start), is_real=False)
    raised = trial.call(f"{HOST}:play_deploy", trial.learner.deploy, facts(site), desk, may_raise)
    return desk._end(raised)


def deploy_real(trial: Trial, site: Site, launch: Any) -> Story:
    """Have the learner's code deploy to this machine; `launch` starts a server."""
    desk = Desk(lambda settings: _real(launch(settings)), is_real=True)
    raised = trial.call(f"{HOST}:play_deploy", trial.learner.deploy, facts(site), desk, False)
    return desk._end(raised)


def _real(server: RealServer | None) -> Real | None:
    return Real(server) if server else None


# ---- a load


@dataclass(slots=True)
class Account:
    """Both sides of the truth: what was answered, and what the counters said."""

    answered: list[int] = field(default_factory=lambda: [0] * len(LEDGER))
    texts: list[str] = field(default_factory=list)
    """The metrics at every moment at which a counter could be read before it is lost."""
    num_sent: dict[tuple[int, ...], int] = field(default_factory=dict)
    told: str | None = None


class Service:
    """Two calls of a server, for the learner's code: `send` and `scrape`."""

    def __init__(self, server: "LoadedPlant | LoadedServer") -> None:
        self._server, self._num_scrapes = server, 0
        self._account = Account()
        self._account.texts.append(server.scrape())

    def send(self, prompt: Any) -> dict[str, int]:
        """Answer a prompt; say how it went."""
        account = self._account
        tokens = tuple(prompt) if type(prompt) is list else ()
        left = self._server.left.get(tokens, 0) if all(type(t) is int for t in tokens) else 0
        if not left:
            account.told = "send() was called with what is not in prompts, or was sent already."
            raise ValueError(account.told)
        self._server.left[tokens] = left - 1
        account.texts += self._server.before()
        answer = self._server.answer(tokens)
        account.texts.append(self._server.scrape())
        if answer["status"] == 200:
            keys = ("prompt_tokens", "completion_tokens", "cached_tokens")
            for index, num in enumerate((1, *(answer[key] for key in keys))):
                account.answered[index] += num
        return answer

    def scrape(self) -> str:
        """Return the metrics."""
        self._num_scrapes += 1
        if self._num_scrapes > MOST_SCRAPES:
            self._account.told = f"scrape() was called more than {MOST_SCRAPES} times."
            raise RuntimeError(self._account.told)
        return self._server.scrape()

    def _end(self) -> tuple[list[int], list[int]]:
        """Return what was sent, and what was counted; raise `Failed` for what went wrong."""
        if self._account.told:
            raise Failed(self._account.told)
        if num := sum(self._server.left.values()):
            raise Failed(f"{num} of the prompts were not sent.")
        return self._account.answered, counted(self._account.texts)


class LoadedPlant:
    """The server of a load in the laboratory, with what happens to it meanwhile."""

    def __init__(self, load: Load) -> None:
        self._load, self._number = load, 0
        self._plant = self._new()
        self.left = _count(load.prompts)
        for prompt in load.before:
            self._plant.serve(list(prompt), ANSWER)

    def _new(self) -> Plant:
        return Plant(
            60, 8, num_host_blocks=self._load.num_host_blocks, eos_ids=range(7, VOCABULARY, 9)
        )

    def before(self) -> list[str]:
        """Restart if it is time to; return the metrics of the new server."""
        if self._number not in self._load.restarts:
            return []
        self._plant = self._new()
        return [self._plant.scrape()]

    def answer(self, prompt: tuple[int, ...]) -> dict[str, int]:
        """Serve a prompt, and perhaps somebody else's."""
        number, self._number = self._number, self._number + 1
        if number in self._load.refused:
            return {"status": 429}
        if number in self._load.strangers:
            self._plant.serve([*prompt[:20], *range(20, 50)], ANSWER)
        request = self._plant.serve(list(prompt), ANSWER)
        if request is None:
            return {"status": 429}
        return {
            "status": 200,
            "prompt_tokens": request.num_prompt_tokens,
            "completion_tokens": len(request.output),
            "cached_tokens": request.num_cached_tokens,
        }

    def scrape(self) -> str:
        """Return the metrics."""
        return self._plant.scrape()


class LoadedServer:
    """A real server under load."""

    def __init__(self, server: RealServer, load: Load) -> None:
        self._server = server
        self.left = _count(load.prompts)
        for prompt in load.before:
            completed(server, list(prompt), ANSWER)

    def before(self) -> list[str]:
        """Do nothing: a real server does not restart here."""
        return []

    def answer(self, prompt: tuple[int, ...]) -> dict[str, int]:
        """Have a prompt answered."""
        return completed(self._server, list(prompt), ANSWER)

    def scrape(self) -> str:
        """Return the metrics."""
        return self._server.metrics()


def _count(prompts: tuple[tuple[int, ...], ...]) -> dict[tuple[int, ...], int]:
    return {prompt: prompts.count(prompt) for prompt in prompts}


def account_for(
    trial: Trial, load: Load, server: LoadedPlant | LoadedServer
) -> tuple[dict[str, list[int]], tuple[list[int], list[int]]]:
    """Have the learner's code drive a load; return their ledger, and both sides of the truth."""
    service = Service(server)
    prompts = [list(prompt) for prompt in load.prompts]
    found = trial.call(f"{HOST}:play_ledger", trial.learner.ledger, prompts, service)
    truth = service._end()
    if type(found) is not dict:
        raise Failed(
            f'ledger() must return a dict with "sent" and "counted"; it is {shown(found)}.'
        )
    return {side: _read(side, found.get(side)) for side in ("sent", "counted")}, truth


def _read(side: str, found: Any) -> list[int]:
    if type(found) is not list or len(found) != len(LEDGER):
        raise Failed(f'"{side}" must be a dict of {", ".join(LEDGER)}; it is {shown(found)}.')
    return [
        whole(f"{side}: {name}", int(value) if type(value) is float and value % 1 == 0 else value)
        for name, value in zip(LEDGER, found, strict=True)
    ]
