"""Whether a ledger is exact on both sides: what was sent, and what the counters say.

Where somebody else uses the server, the two sides differ, and the ledger has to show it. Refused
requests appear on neither side.
"""

from radixlab.exercise.site import LEDGER
from radixlab.grade.ex5.play import LoadedPlant, LoadedServer, account_for
from radixlab.grade.ex5.real import kept
from radixlab.grade.ex5.traffic import Load, loads, real_load
from radixlab.grade.items import Failed, Trial


def check_ledger(trial: Trial) -> float:
    """Keep ledgers of loads in the laboratory, then on the real server, if `deploy` started one."""
    drawn = loads(trial.seed)
    problems = [_complaint(trial, load, LoadedPlant(load)) for load in drawn]
    found = [problem for problem in problems if problem]
    if problems[0]:
        raise problems[0]  # on a new server every ledger must be right
    if len(found) == len(drawn) - 1:
        raise found[0]
    if found:
        trial.notes += [str(problem) for problem in found]
        return 1 - len(found) / (len(drawn) - 1)
    if server := kept(trial):
        load = real_load(trial.seed)
        if problem := _complaint(trial, load, LoadedServer(server, load)):
            raise problem
        trial.notes.append(
            f"On the server that deploy() started, both sides agree: {len(load.prompts)} requests."
        )
    return 1


def _complaint(trial: Trial, load: Load, server: LoadedPlant | LoadedServer) -> Failed | None:
    try:
        ledger, truth = account_for(trial, load, server)
    except Failed as error:
        return Failed(f"On {load.name}: {error}", scenario=code(trial, load))
    for side, right in zip(("sent", "counted"), truth, strict=True):
        for name, mine, ours in zip(LEDGER, ledger[side], right, strict=True):
            if mine != ours:
                return Failed(
                    f"On {load.name}, “{side}” says {mine:,} {name.replace('_', ' ')}; it must "
                    f"be {ours:,}.",
                    scenario=code(trial, load),
                    expected=f"{side}: {_listed(right)}",
                    actual=f"{side}: {_listed(ledger[side])}",
                )
    return None


def _listed(numbers: list[int]) -> str:
    return ", ".join(f"{name} {num:,}" for name, num in zip(LEDGER, numbers, strict=True))


def code(trial: Trial, load: Load) -> str:
    """Return lines that drive the same load, to paste below one's own."""
    return (
        f'from radixlab.grade.ex5 import try_ledger\ntry_ledger(ledger, "{load.name}", '
        f"seed={trial.seed})"
    )
