"""The judge in a process of its own, started by `judging`.

Reads one line of JSON from stdin: the exercise, the parts of the submission, the seed. Writes one
line of JSON to stdout as each item is done, `{"item", "verdict"}`, and at last `{"printed"}`.
Whatever goes wrong becomes the line `{"failed"}`. It ends when its parent closes stdin or dies.
"""

import json
import os
import signal
import sys
import threading
from contextlib import suppress
from typing import Any

from radixlab.grade.judge import grade
from radixlab.grade.registry import EXERCISES
from radixlab.grade.report import ItemReport
from radixlab.grade.submission import Part, Submission

MAX_MEMORY_BYTES = 3 << 30
"""Limit on the address space; the judge uses a tenth of it."""


def main() -> None:
    """Judge what stdin asks for."""
    say = _private_stdout()
    try:
        signal.signal(signal.SIGTERM, _stop)
        asked = json.loads(sys.stdin.buffer.readline())
        set_limits(asked["cpu_s"])
        threading.Thread(target=_end_with_parent, daemon=True).start()
        _judge(asked, say)
    except KeyboardInterrupt:
        sys.exit(130)
    except BaseException as error:  # the parent says that it is ours
        say({"failed": f"{type(error).__name__}: {error}"[:500]})
        raise


def _judge(asked: dict[str, Any], say: Any) -> None:
    exercise = EXERCISES[asked["exercise"]]
    parts = tuple(Part(exercise.id, **part) for part in asked["parts"])

    def tell(item: ItemReport) -> None:
        say({"item": item.item.id, "verdict": item.verdict.to_json()})

    report = grade(exercise, Submission(exercise.id, parts), seed=asked["seed"], progress=tell)
    say({"printed": report.printed})


def _private_stdout() -> Any:
    """Return what writes a line for the parent; whatever else is printed goes to stderr."""
    pipe = os.fdopen(os.dup(1), "w", encoding="utf-8")
    os.dup2(2, 1)

    def say(line: dict[str, Any]) -> None:
        print(json.dumps(line), file=pipe, flush=True)

    return say


def set_limits(cpu_s: int) -> None:
    """Let the system end this process where no code of ours can: in a long call of the C library.

    Only the soft limits: the box that it starts has its own.
    """
    if sys.platform == "win32":
        return
    import resource

    for name, most in (("RLIMIT_AS", MAX_MEMORY_BYTES), ("RLIMIT_CPU", cpu_s), ("RLIMIT_CORE", 0)):
        with suppress(ValueError, OSError):  # a stricter one is set already, or there is none
            limit = getattr(resource, name)
            resource.setrlimit(limit, (most, resource.getrlimit(limit)[1]))


def _end_with_parent() -> None:
    while os.read(0, 1 << 16):
        pass
    if hasattr(signal, "pthread_kill"):
        signal.pthread_kill(threading.main_thread().ident or 0, signal.SIGTERM)
    else:
        os._exit(130)


def _stop(*_: object) -> None:
    raise KeyboardInterrupt  # the judge ends its box on the way out
