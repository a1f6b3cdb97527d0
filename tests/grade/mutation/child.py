"""One submission through the checks of its exercise, in a process of its own.

A mutant may loop, eat memory, or leave the process in any state: the process has limits, and what
it says last is what counts. It tells through a pipe which item begins, and which one fails.
"""

import inspect
import multiprocessing
import os
import resource
import signal
import sys
import traceback
from dataclasses import dataclass
from functools import partial
from multiprocessing.connection import Connection
from pathlib import Path
from typing import Any

from radixlab.grade.items import Failed, Trial
from tests.grade.zoo import is_theirs

MOST_MEMORY_BYTES = 3 << 30
"""Of address space, beyond what the process has when it begins."""
FORK = multiprocessing.get_context("fork")


@dataclass(frozen=True, slots=True)
class Fate:
    """What came of one run."""

    killed_by: str | None
    """The first item that takes a point, or None."""
    how: str
    """`failed`, `share`, `raised`, `time`, `ended`, `ours` (the check itself raised), `survived`"""
    said: str
    """The first words of the message."""
    cpu_s: float
    """Seconds of CPU time of all items that ran."""


def start(zoo: Any, text: str, seed: int, items: list[str], limit_s: float) -> "Run":
    """Begin to run the items, in this order, up to the first that fails."""
    return Run(lambda tell: _check(zoo, text, seed, items, limit_s, tell), limit_s * len(items))


def start_same(same: Any, text: str, original: str, seed: int, limit_s: float) -> "Run":
    """Begin to ask whether a text is still a right solution."""
    wants_original = len(inspect.signature(same).parameters) > 2

    def ask(tell: Any) -> None:
        _limit(limit_s, partial(tell, "done", None, "time", "no answer"))
        verdict = same(text, seed, original) if wants_original else same(text, seed)
        tell("done", None, "same" if verdict else "differs", "")

    return Run(ask, limit_s)


class Run:
    """A process at work; `fate` once it has ended."""

    def __init__(self, work: Any, limit_s: float) -> None:
        self.ear, mouth = FORK.Pipe(duplex=False)
        self.limit_s = limit_s
        self.process = FORK.Process(target=_work, args=(work, mouth, self.ear))
        self.process.start()
        mouth.close()

    def fate(self) -> Fate:
        """Read what the process said, once it has ended or said its last word."""
        item, cpu_s = None, 0.0
        try:
            while True:
                word, name, how, said, cpu_s = self.ear.recv()
                if word == "done":
                    return Fate(name, how, said, cpu_s)
                item = name
        except (EOFError, OSError):
            self.process.join(1)
            return Fate(item, "ended", f"exit code {self.process.exitcode}", cpu_s)
        finally:
            self.stop()

    def stop(self) -> None:
        """End the process, whatever it does."""
        self.process.kill()
        self.process.join()
        self.ear.close()


def _work(work: Any, mouth: Connection, ear: Connection) -> None:
    ear.close()
    null = os.open(os.devnull, os.O_RDWR)
    for descriptor in (0, 1, 2):
        os.dup2(null, descriptor)
    begun = _cpu_s()

    def tell(word: str, name: str | None, how: str = "", said: str = "") -> None:
        mouth.send((word, name, how, said[:300], _cpu_s() - begun))

    try:
        work(tell)
    except BaseException as error:  # the process ends here, and has to say so
        tell("done", None, "ours", _last_line(error))
    finally:
        os._exit(0)


def _check(zoo: Any, text: str, seed: int, items: list[str], limit_s: float, tell: Any) -> None:
    trial = Trial(None, seed)
    for item in items:
        tell("begins", item)
        _limit(limit_s, partial(tell, "done", item, "time", f"{limit_s:.0f} s"))
        try:
            if trial.learner is None:
                trial.learner = zoo.loaded(text)
            share = zoo.items[item].check(trial)
        except Failed as error:
            return tell("done", item, "failed", str(error))
        except BaseException as error:
            return tell("done", item, "raised" if is_theirs(error) else "ours", _last_line(error))
        if share is not None and share < 1:
            return tell("done", item, "share", f"{share:.2f} of the points")
    tell("done", None, "survived")


def _limit(limit_s: float, over: Any) -> None:
    """Let `over` speak after so many seconds of CPU time, and end the process."""

    def end(*_: object) -> None:
        over()
        os._exit(0)

    signal.signal(signal.SIGPROF, end)
    signal.setitimer(signal.ITIMER_PROF, limit_s)
    hard = int(_cpu_s() + 2 * limit_s) + 1  # for a loop in C, which hears no signal
    resource.setrlimit(resource.RLIMIT_CPU, (hard, resource.getrlimit(resource.RLIMIT_CPU)[1]))
    size = int(Path("/proc/self/statm").read_text().split()[0]) * resource.getpagesize()
    most = size + MOST_MEMORY_BYTES
    resource.setrlimit(resource.RLIMIT_AS, (most, resource.getrlimit(resource.RLIMIT_AS)[1]))


def _cpu_s() -> float:
    used = resource.getrusage(resource.RUSAGE_SELF)
    return used.ru_utime + used.ru_stime


def _last_line(error: BaseException) -> str:
    frame = traceback.extract_tb(error.__traceback__)[-1]
    where = os.path.relpath(frame.filename, sys.path[0] or ".")
    return f"{type(error).__name__}: {str(error)[:120]} ({where}:{frame.lineno})"
