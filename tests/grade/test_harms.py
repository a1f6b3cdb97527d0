"""A harm costs its author one item, and the machine nothing: compared before and after."""

import errno
import os
import resource
import signal
import tempfile
import textwrap
import threading
from contextlib import suppress
from dataclasses import replace
from pathlib import Path

import pytest

from radixlab.grade.box.fence import has_filter, landlock_version
from radixlab.grade.items import Failed
from radixlab.grade.judge import grade
from tests.grade import harms
from tests.grade.test_judge import ANSWER, TOY, processes, submission

pytestmark = [
    pytest.mark.skipif(
        landlock_version() == 0 or not has_filter(), reason="needs Linux: Landlock and seccomp"
    ),
    pytest.mark.filterwarnings("ignore:.*:pytest.PytestUnhandledThreadExceptionWarning"),
]
SYSTEM_V = ("shm", "msg", "sem")
LIMITS = [number for name, number in vars(resource).items() if name.startswith("RLIMIT_")]
KEY = 0x5241
"""The upper half of the keys that the harms use."""


def machine(file):
    """What a harm could have changed."""
    found = file.stat()
    return {
        "processes": processes(),
        "children": Path(f"/proc/self/task/{os.getpid()}/children").read_text(),
        "temporary files": os.listdir(tempfile.gettempdir()),
        "shared memory": [name for name in os.listdir("/dev/shm") if "radixlab" in name],
        "System V": [
            line
            for kind in SYSTEM_V
            for line in Path(f"/proc/sysvipc/{kind}").read_text().splitlines()[1:]
            if int(line.split()[0]) >> 16 == KEY
        ],
        "file": (file.read_text(), found.st_mode, found.st_uid, found.st_gid, found.st_mtime_ns),
        "attributes": {name: os.getxattr(file, name) for name in os.listxattr(file)},
        "library": (Path(os.__file__).stat().st_mode, Path(os.__file__).stat().st_mtime_ns),
        "priority": os.getpriority(os.PRIO_PROCESS, 0),
        "scheduler": os.sched_getscheduler(0),
        "cores": os.sched_getaffinity(0),
        "limits": [resource.getrlimit(kind) for kind in LIMITS],
        "descriptors": os.listdir("/proc/self/fd"),
        "signals": [signal.getsignal(number) for number in signal.valid_signals()],
        "folder": os.getcwd(),
    }


@pytest.fixture(scope="module")
def file(tmp_path_factory):
    file = tmp_path_factory.mktemp("home") / "file"
    file.write_text("precious")
    with suppress(OSError):  # there are file systems without attributes
        os.setxattr(file, "user.mark", b"1")
    return file


@pytest.fixture(autouse=True)
def nothing_has_changed(file, tmp_path, monkeypatch):
    monkeypatch.setattr(tempfile, "tempdir", str(tmp_path))
    before, threads = machine(file), threading.enumerate()
    yield
    for thread in threading.enumerate():
        if thread not in threads:
            thread.join(5)
    assert machine(file) == before


def around_them(file):
    return f"FILE, JUDGE, PACKAGE = {str(file)!r}, {os.getpid()}, {pytest.__file__!r}\n{ANSWER}"


def costs(file, table, limit_s=30.0):
    """Grade harms one after the other, an innocent item between them.

    Returns
    -------
    dict
        Of each harm, what became of it, of the item after it, and what was said.
    """
    before, item, after = TOY.items
    source, items = around_them(file), [before]
    for number, harm in enumerate(table.values()):
        source += f"\ndef attack{number}():\n{textwrap.indent(harm, '    ')}"

        def check(trial, name=f"attack{number}"):
            getattr(trial.learner, name)()
            raise Failed("it came back")

        items.append(replace(item, id=f"{number}", check=check, needs=(), limit_s=limit_s))
        items.append(replace(after, id=f"after {number}"))
    found = [
        item.verdict for item in grade(replace(TOY, items=tuple(items)), submission(source)).items
    ]
    assert found[0].status == "passed"
    verdicts = zip(found[1::2], found[2::2], strict=True)
    return {
        name: (harm.status, after.status, harm.message)
        for name, (harm, after) in zip(table, verdicts, strict=True)
    }


def assert_costs_one_item(file, table, expected, limit_s=30.0):
    found = costs(file, table, limit_s)
    wrong = {
        name: (harm, after, message)
        for name, (harm, after, message) in found.items()
        if harm not in expected or after != "passed" or not message.replace("\n", "").isprintable()
    }
    assert not wrong


COLLECT = """
import textwrap
def attempt(body):
    scope = {{}}
    exec("def act():\\n" + textwrap.indent(body, "    "), globals(), scope)
    try:
        scope["act"]()
    except OSError as error:
        return error.errno
    except Exception as error:
        return type(error).__name__ + str(error)
def attack():
    return {{name: attempt(body) for name, body in {harms!r}.items()}}
"""


def portable():
    is_x86 = os.uname().machine == "x86_64"
    return {name: body for name, body in harms.REFUSED.items() if is_x86 or name not in harms.X86}


def test_what_reaches_beyond_the_box_is_refused(file):
    """All of them in one box, as one of them after the other; `soak` tries each by itself."""
    errors = {}

    def check(trial):
        errors.update(trial.learner.attack())

    before, item, after = TOY.items
    exercise = replace(TOY, items=(before, replace(item, check=check), after))
    source = around_them(file) + COLLECT.format(harms=portable())
    report = grade(exercise, submission(source))
    assert [item.verdict.status for item in report.items] == ["passed"] * 3
    refusals = (errno.EPERM, errno.EACCES, errno.ENOSYS)
    assert {name: error for name, error in errors.items() if error not in refusals} == {}
    assert errors.keys() == portable().keys()


WIRE = {name: harms.WIRES + harm for name, harm in harms.WIRE.items()}
QUICK = {name: harm for name, harm in harms.EXHAUSTING.items() if name not in harms.SLOW}


def test_a_lie_in_a_message_costs_one_item(file):
    assert_costs_one_item(file, WIRE, ("failed", "crashed"))


def test_what_takes_too_much_costs_one_item(file):
    assert_costs_one_item(file, QUICK, ("failed", "crashed"))


def test_what_hides_from_the_watch_costs_one_item(file):
    assert_costs_one_item(file, harms.LATE, ("timeout",), limit_s=0.4)


EACH = {
    **{name: (body, "failed") for name, body in portable().items()},
    **{name: (body, "failed", "crashed") for name, body in {**WIRE, **harms.EXHAUSTING}.items()},
}


@pytest.mark.soak
@pytest.mark.parametrize("name", EACH)
def test_each_harm_by_itself_leaves_nothing_behind(file, name):
    body, *expected = EACH[name]
    assert_costs_one_item(file, {name: body}, expected)
