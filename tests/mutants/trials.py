"""A pytest plugin that breaks the engine: `pytest -p tests.mutants.trials --mutant NAME tests`.

With `--trials FILE` it holds many trials in one run. Of each rule, the tests named for it are run
with the oracles of `Checked` silent, so that it shows what a test sees by its own assertions: on
the sound engine first, then on every mutant of the rule, until a test convicts it that the sound
engine passes. With `--whole` all of them are run, and once more as they stand, oracles and all.
What fell is written to FILE, a line of JSON per trial.
"""

import json
import re
from collections.abc import Iterator
from contextlib import contextmanager, nullcontext
from pathlib import Path
from types import TracebackType

import pytest
from _pytest.runner import runtestprotocol
from hypothesis import Phase, settings

import radixlab
from radixlab.cache import CacheError, CanaryError, InvariantError, KVCanary
from tests.cache.helpers import Checked
from tests.mutants.broken import MUTANTS
from tests.mutants.edits import Edit, applied
from tests.sched.helpers import Served

ENGINE = str(Path(radixlab.__file__).parent)
NOT_RAISED = pytest.fail.Exception


def pytest_addoption(parser: pytest.Parser) -> None:
    group = parser.getgroup("mutants")
    group.addoption("--mutant", action="append", choices=sorted(MUTANTS), default=[])
    group.addoption("--trials", metavar="FILE", help="try mutants on the tests of their rules")
    group.addoption("--whole", action="store_true", help="run all of them, with oracles as well")
    group.addoption("--every-test", action="store_true", help="try them on all tests instead")


def pytest_configure(config: pytest.Config) -> None:
    # Found is found: a mutant's smallest example is of no interest, and not to be remembered.
    settings.register_profile(
        "mutants",
        settings.get_profile("default"),
        phases=[Phase.generate],
        database=None,
        report_multiple_bugs=False,
    )
    settings.load_profile("mutants")
    if not config.option.trials:
        for name in config.option.mutant:
            broken = applied(MUTANTS[name].edits())
            broken.__enter__()
            config.add_cleanup(lambda broken=broken: broken.__exit__(None, None, None))


def pytest_runtestloop(session: pytest.Session) -> bool | None:
    if not session.config.option.trials:
        return None
    if session.testsfailed:
        raise session.Interrupted(f"{session.testsfailed} errors during collection")
    with Path(session.config.option.trials).open("w", encoding="utf-8") as file:
        for trial in trials(session):
            file.write(json.dumps(trial) + "\n")
            file.flush()
    return True


def trials(session: pytest.Session) -> Iterator[dict]:
    """Yield a record per trial: of each rule, the sound engine first, then its mutants."""
    mutants = [MUTANTS[name] for name in session.config.option.mutant or MUTANTS]
    is_whole = session.config.option.whole
    if session.config.option.every_test:
        for mutant in mutants:
            yield {"mutant": mutant.name} | trial(session.items, mutant.edits())
        return
    for rule in dict.fromkeys(mutant.rule for mutant in mutants):
        items = [item for item in session.items if rule in rules(item)]
        for oracles in (False, True) if is_whole else (False,):
            with nullcontext() if oracles else silent_oracles():
                sound = trial(items, [])
                yield {"rule": rule, "sound": True, "oracles": oracles} | sound
                for mutant in mutants:
                    if mutant.rule == rule:
                        what = {"rule": rule, "mutant": mutant.name, "oracles": oracles}
                        yield what | {"began": True}
                        passed_over = None if is_whole else sound["failed"]
                        yield what | trial(items, mutant.edits(), passed_over)


def trial(items: list[pytest.Item], edits: list[Edit], passed_over: dict | None = None) -> dict:
    """Run tests on an engine; name the functions there were, and how each that failed did.

    None is run on a mutant that does not fit the engine: test_mutants.py says which does not. If
    `passed_over` is given, the first conviction by a test that it does not name is the last test.
    """
    failed: dict[str, str] = {}
    seen_by: set[str] = set()
    items = items if all(edit.fits() for edit in edits) else []
    with applied(edits) if items else nullcontext():
        for item in items:
            if failed.get(name(item), "crash") != "crash":
                continue  # convicted with other parameters
            for report in runtestprotocol(item, log=False, nextitem=None):
                if report.failed:
                    failed[name(item)] = report.how
                    seen_by |= rules(item) if report.how != "crash" else set()
            is_convicted = failed.get(name(item), "crash") != "crash"
            if passed_over is not None and is_convicted and name(item) not in passed_over:
                break
    return {
        "tests": sorted({name(item) for item in items}),
        "failed": failed,
        "rules": sorted(seen_by),
    }


@pytest.hookimpl(wrapper=True)
def pytest_runtest_makereport(item: pytest.Item, call: pytest.CallInfo) -> Iterator:
    report = yield
    report.how = how(call.excinfo.value, call.excinfo.tb) if call.excinfo else ""
    return report


def how(error: BaseException, traceback: TracebackType | None) -> str:
    """Say what convicts: an assertion, an oracle, a typed error. Anything else is a crash."""
    if isinstance(error, CanaryError):
        return "canary"
    if isinstance(error, InvariantError):
        return "check"
    if isinstance(error, CacheError):
        return type(error).__name__
    while traceback and traceback.tb_next:
        traceback = traceback.tb_next
    where = traceback.tb_frame.f_code.co_filename if traceback else ENGINE
    if isinstance(error, ValueError) and Path(where).name.startswith("test_"):
        return "assertion"  # `(copy,) = copies` says that there is exactly one
    asserted = isinstance(error, AssertionError | NOT_RAISED) and not where.startswith(ENGINE)
    return "assertion" if asserted else "crash"


def rules(item: pytest.Item) -> set[str]:
    """Return the rules that a test's docstring begins with (see tests/cache/test_rulebook.py)."""
    ids = (getattr(item, "obj", item).__doc__ or "").split(":")[0].split("(")[0]
    return set(re.findall(r"\b[MLECHSKT]\d+\b", ids))


def name(item: pytest.Item) -> str:
    """Return the test function of an item, without the parameters."""
    return f"{item.path.name}::{getattr(item, 'originalname', item.name)}"


@contextmanager
def silent_oracles() -> Iterator[None]:
    """`Checked` and `Served` hand every call on and look at nothing."""
    silent = {
        "verify": lambda lab: None,
        "verify_structure": lambda lab: None,
        "_hear": lambda lab, event: lab.events.append(event),
        "_under_oath": lambda lab, method, verify=True: method,
    }
    with pytest.MonkeyPatch.context() as patch:
        for method, replacement in silent.items():
            patch.setattr(Checked, method, replacement)
        patch.setattr(Served, "verify", lambda served: None)
        patch.setattr(KVCanary, "read", lambda canary, sequence, end=None: None)
        yield
