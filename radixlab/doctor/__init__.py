"""What works on this machine, part by part, and what to do about the rest.

`examine` looks at every part of `parts.PARTS`. Whatever goes wrong in a part is its finding, never
an exception: the doctor is called when something is broken. This file knows how to ask and how to
tell; `parts.py` lists what is asked.
"""

from collections.abc import Iterable
from dataclasses import dataclass

from radixlab.doctor.part import Lacking, Part
from radixlab.doctor.parts import PARTS
from radixlab.extras import what_to_install


@dataclass(frozen=True, slots=True)
class Finding:
    """One part of the machine: whether it works, and what was found or is to be done."""

    part: str
    ok: bool
    what: str
    """What was found, or what is missing and what to do about it; one line."""
    lessons: str
    """Which lessons need the part; empty if none does."""


def examine(parts: Iterable[Part] = PARTS) -> list[Finding]:
    """Look at each part, in their order."""
    return [_look_at(part) for part in parts]


def lessons_can_run(findings: Iterable[Finding]) -> bool:
    """Whether everything that a lesson needs was found."""
    return all(finding.ok for finding in findings if finding.lessons)


def summary(findings: Iterable[Finding]) -> str:
    """Say in one line whether the lessons can run, and if not, what stops which.

    >>> summary([Finding("torch", False, "not installed", "lesson 06")])
    'Cannot run yet: lesson 06 (torch).'
    """
    stopped: dict[str, list[str]] = {}
    for finding in findings:
        if finding.lessons and not finding.ok:
            stopped.setdefault(finding.lessons, []).append(finding.part)
    if not stopped:
        return "All lessons can run."
    listed = "; ".join(f"{lessons} ({', '.join(names)})" for lessons, names in stopped.items())
    return f"Cannot run yet: {listed}."


def as_text(findings: list[Finding]) -> str:
    """Format for a terminal: one line a part, then the summary.

    >>> print(as_text([Finding("GPU", False, "none: no lesson needs one", "")]))
    missing  GPU  none: no lesson needs one
    All lessons can run.
    """
    width = max(len(finding.part) for finding in findings)
    lines = [f"{_state(f):7}  {f.part.ljust(width)}  {f.what}" for f in findings]
    return "\n".join([*lines, summary(findings)])


def as_json(findings: list[Finding]) -> dict[str, object]:
    """Return what `--json` prints."""
    parts = [
        {"part": f.part, "state": _state(f), "what": f.what, "lessons": f.lessons or None}
        for f in findings
    ]
    return {"lessons_can_run": lessons_can_run(findings), "parts": parts}


def _state(finding: Finding) -> str:
    return "ok" if finding.ok else "missing"


def _look_at(part: Part) -> Finding:
    try:
        ok, what = True, part.check()
    except Lacking as lack:
        ok, what = False, str(lack)
    except (Exception, SystemExit) as error:  # whatever a broken package does when it is imported
        ok, what = False, _told(error)
    return Finding(part.name, ok, " ".join(what.split()), part.lessons)


def _told(error: BaseException) -> str:
    missing = what_to_install(error) if isinstance(error, ImportError) else None
    return missing or f"it does not work: {type(error).__name__}: {error}"
