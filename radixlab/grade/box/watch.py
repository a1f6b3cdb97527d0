"""Watching a box while a question is open, and ending a box that takes too much.

Everything is measured from outside and decided in the judge's process, where the learner's code
cannot reach. A watch belongs to one question: once that has its answer, the watch ends nothing.
"""

import os
import threading
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Self

from radixlab.grade.box.folder import Folder
from radixlab.grade.box.usage import scheduled, threads_of, usage_of, written_bytes

MAX_OWN_BYTES = 1_000_000_000
"""Memory that is resident and the box's own."""
MAX_THREADS = 64
MAX_FILES = 1_000
MAX_WRITTEN_BYTES = 64_000_000
MAX_SLOWNESS = 40
"""A question takes at most this many times its limit, however rarely the box gets a core."""
_LOOK_EVERY_S = 0.1


@dataclass(frozen=True, slots=True)
class Place:
    """A line of a submission."""

    label: str
    line: int
    function: str


class BoxEnded(Exception):
    """The judge has ended the box; the text says why, with the numbers."""

    def __init__(self, text: str) -> None:
        super().__init__(text)
        self.places: Sequence[Place] = ()
        """The submission's lines that ran, the innermost last; none if it could not be asked."""


class BoxTimeout(BoxEnded):
    """The time limit is over."""

    def __init__(self, limit_s: float) -> None:
        super().__init__(f"not done after {limit_s:g} s")
        self.limit_s = limit_s


class Clock:
    """Counts the time in which box or judge run or sleep, without the time they wait for a core.

    They take turns, so both waits are subtracted. Where both wait at once, this subtracts too much,
    so the time that they ran always counts. Of the box's threads the longest wait is taken.
    """

    def __init__(self, pid: int) -> None:
        self._pid, self._judge = pid, threading.get_native_id()
        self._start_s = time.monotonic()
        self._before = self._scheduled()

    def spent_s(self) -> float:
        """Return the seconds since it was made that count."""
        wall_s = time.monotonic() - self._start_s
        now = self._scheduled()
        if not now:
            return wall_s / min(MAX_SLOWNESS, max(1.0, _runnable_per_core()))
        ran_s, lost_s, box_lost_s = 0.0, 0.0, 0.0
        for thread, (ran, waited) in now.items():
            ran_before, waited_before = self._before.get(thread, (0.0, 0.0))
            ran_s += ran - ran_before
            if thread == self._judge:
                lost_s = waited - waited_before
            else:
                box_lost_s = max(box_lost_s, waited - waited_before)
        return max(wall_s - lost_s - box_lost_s, ran_s, wall_s / MAX_SLOWNESS)

    def _scheduled(self) -> dict[int, tuple[float, float]]:
        threads = [(os.getpid(), self._judge), *((self._pid, t) for t in threads_of(self._pid))]
        return {t: found for pid, t in threads if (found := scheduled(pid, t)) is not None}


def _runnable_per_core() -> float:
    """Return how many processes share a core, where the system only tells its load."""
    return os.getloadavg()[0] / (os.cpu_count() or 1) if hasattr(os, "getloadavg") else 1.0


def excess(pid: int, folder: Folder, received_bytes: int) -> BoxEnded | None:
    """Return why a box must be ended; None if it keeps within its limits."""
    num_files, in_files = folder.size(MAX_FILES)
    written = max(in_files, written_bytes(pid) - received_bytes)
    own = usage_of(pid).memory_bytes or 0
    num_threads = len(threads_of(pid))
    for has, most, text in (
        (own, MAX_OWN_BYTES, f"held {own // 10**6:,} MB of memory; at most 1,000 MB are allowed"),
        (num_threads, MAX_THREADS, f"ran {num_threads} threads; at most {MAX_THREADS} are allowed"),
        (num_files, MAX_FILES, f"made more than the {MAX_FILES:,} files that are allowed"),
        (written, MAX_WRITTEN_BYTES, f"wrote {written // 10**6:,} MB; at most 64 MB are allowed"),
    ):
        if has > most:
            return BoxEnded(text)
    return None


class Watch:
    """Watches the box during one question, as a context around it.

    Parameters
    ----------
    look
        Returns why the box must be ended, or None.
    end
        Ends the box.

    Raises
    ------
    BoxEnded
        The box was ended; whatever was asked got no answer.
    """

    def __init__(
        self, look: Callable[[], BoxEnded | None], end: Callable[[Exception], None]
    ) -> None:
        self._look, self._end = look, end
        self._answered = threading.Event()
        self._deciding = threading.Lock()
        self._why: Exception | None = None
        self._thread = threading.Thread(target=self._watch, daemon=True)

    def __enter__(self) -> Self:
        self._thread.start()
        return self

    def __exit__(self, kind: object, error: BaseException | None, trace: object) -> None:
        self.stop()
        with self._deciding:  # from here on nothing is ended
            why = self._why
        if why is not None and (error is None or isinstance(error, Exception)):
            raise why from None

    def stop(self) -> None:
        """Tell it that there is nothing to watch any more."""
        self._answered.set()

    def _watch(self) -> None:
        while not self._answered.wait(_LOOK_EVERY_S):
            why: Exception | None
            try:
                why = self._look()
            except Exception as error:  # a fault of ours: then nothing would end the box
                why = error
            with self._deciding:
                if why is not None and not self._answered.is_set():
                    self._why = why
                    self._end(why)
                    return
