"""Whether a diagnosis names the fault of an incident, and is silent where all is well."""

from typing import Any

from radixlab.exercise.metrics import FAULTS
from radixlab.grade.ex5.traffic import Case, cases
from radixlab.grade.items import Failed, Trial
from radixlab.grade.reading import rows, shown

HOST = "radixlab.exercise.watching"


def check_diagnose(trial: Trial) -> float:
    """Ask about all windows; one false alarm on a healthy server loses all points."""
    drawn = cases(trial.seed)
    windows = [list(case.texts) for case in drawn]
    found = trial.call(f"{HOST}:diagnoses", trial.learner.diagnose, windows)
    answers = rows("the list of diagnoses", found, len(drawn))
    if len(answers) != len(drawn):
        raise Failed(f"{len(drawn)} windows were shown and {len(answers)} were answered.")
    pairs = list(zip(drawn, answers, strict=True))
    for case, answer in pairs:
        if case.fault is None and answer is not None:
            raise Failed(
                f"On a server that is {case.name}, diagnose() must return None; it returned "
                f"{shown(answer)}.",
                scenario=code(trial.seed, case),
            )
    wrong = {case.fault: (case, answer) for case, answer in pairs if answer != case.fault}
    if not wrong:
        return 1
    told = " ".join(_told(case, answer) for case, answer in wrong.values())
    if len(wrong) == len(FAULTS):
        raise Failed(told, scenario=code(trial.seed, next(iter(wrong.values()))[0]))
    trial.notes.append(told)
    return 1 - len(wrong) / len(FAULTS)


def _told(case: Case, answer: Any) -> str:
    return f"On “{case.name}” diagnose() returned {shown(answer)}."


def code(seed: int, case: Case) -> str:
    """Return lines that show a window, to paste below one's own."""
    return (
        f'from radixlab.grade.ex5 import open_case\ndiagnose(open_case("{case.name}", seed={seed}))'
    )
