"""A call that is stopped leaves the interpreter as it was: nothing is on its way to its thread."""

import subprocess
import sys

import pytest

LATE = {
    "a loop": "while True: pass",
    "a loop in C": "sum(1 for _ in iter(int, 1))",
    "late in C": "time.sleep(0.5)",
    "caught": "try:\n        while True: pass\n    except BaseException: return",
    "caught and late again": (
        "for _ in range(3):\n        try:\n            while True: pass\n"
        "        except BaseException: pass"
    ),
    "raised late": "time.sleep(0.5); raise ValueError('late')",
    "in a thread of its own": "threading.Thread(target=time.sleep, args=(0.4,)).start(); "
    "time.sleep(0.5)",
}
PROGRAM = """
import sys, threading, time
from radixlab.guarded_call import CallFailed, Watch

def late():
    {body}

watch = Watch(limit_s=0.05)
for _ in range({rounds}):
    try:
        watch.call(late)
    except CallFailed:
        pass
    sys.setprofile(lambda *_: None)  # as a profiler, a debugger or a measure of coverage does
    (lambda: [len(str(n)) for n in range(1000)])()
    sys.setprofile(None)
assert watch.call(max, 1, 2) == 2
print("went on")
"""


@pytest.mark.parametrize("body", LATE.values(), ids=LATE)
def test_a_profiler_goes_on_after_a_call_that_was_late(body):
    program = PROGRAM.format(body=body, rounds=2)
    done = subprocess.run(
        [sys.executable, "-c", program], capture_output=True, text=True, timeout=300, check=False
    )
    assert (done.stdout, done.stderr) == ("went on\n", "")
