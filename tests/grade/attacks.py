"""What hostile submissions do, each the body of a function; by what must come of it."""

from pathlib import Path

ROOT = Path(__file__).parents[2]
CRASHES = {
    "an exit": "import os; os._exit(0)",
    "an exit with a lie": "import os; os._exit(100)",
    "sys.exit": "import sys; sys.exit(0)",
    "a segmentation fault": "import ctypes; ctypes.string_at(0)",
    "a signal to itself": "import os, signal; os.kill(os.getpid(), signal.SIGKILL)",
    "closed files": "import os; os.closerange(0, 256)",
}
FAILURES = {
    "an allocation of 8 GB": "bytearray(8 << 30)",
    "endless recursion": "attack()",
    "an exception whose text raises": (
        "class Evil(Exception):\n    def __str__(self):\n        raise ValueError\nraise Evil"
    ),
    "a base exception": "raise BaseException('no')",
    "a keyboard interrupt": "raise KeyboardInterrupt",
    "a list that holds itself": "x = []; x.append(x); return x",
    "an answer of 100 MB": "return b'x' * (100 << 20)",
    "a gigabyte of prints": "for _ in range(1000): print('x' * (1 << 20))",
    "an import of the engine": "import radixlab.cache",
    "threads that never end": (
        "import threading\n"
        "def spin():\n"
        "    while True: pass\n"
        "for _ in range(3): threading.Thread(target=spin, daemon=True).start()"
    ),
    "a trace of every line": (
        "import sys\nsys.settrace(lambda *_: None)\nsys.setprofile(lambda *_: None)"
    ),
    "hooks that end the process": (
        "import os, sys\nsys.excepthook = sys.unraisablehook = lambda *_: os._exit(0)\n{}['no']"
    ),
    "a destructor that exits": (
        "class Bomb:\n    def __del__(self): raise SystemExit\nBomb(); return 42"
    ),
    "higher limits": (
        "import resource\n"
        "limit = resource.getrlimit(resource.RLIMIT_AS)[0] + 1\n"
        "resource.setrlimit(resource.RLIMIT_AS, (limit, limit))"
    ),
    "removed files": "import shutil; shutil.rmtree('.', ignore_errors=True)",
    "nonsense on every pipe": (
        "import os\nfor fd in range(256):\n    try:\n        os.write(fd, b'\\x05\\0\\0\\0hello')\n"
        "    except OSError: pass"
    ),
}
LOOPS = {
    "an endless loop": "while True:\n    pass",
    "a loop that swallows": "while True:\n    try:\n        pass\n    except BaseException: pass",
    "a loop over an exception": (
        "while True:\n    try:\n        while True: pass\n    except BaseException: pass"
    ),
    "a sleep": "import time\ntime.sleep(1000)",
    "a loop deaf to signals": (
        "import faulthandler, signal\n"
        "faulthandler.unregister(signal.SIGUSR1)\n"
        "for number in range(1, 65):\n"
        "    try: signal.signal(number, signal.SIG_DFL)\n"
        "    except (OSError, ValueError): pass\n"
        "while True: pass"
    ),
    "a lock": "import threading\nlock = threading.Lock(); lock.acquire(); lock.acquire()",
}
SLEEPER = "[sys.executable, '-c', 'import time; time.sleep(1000)'], start_new_session=True"
TRESPASSES = {
    "the worked solution": f"open({str(ROOT / 'solutions' / 'ex1_radix_tree.ipynb')!r})",
    "the grader's source": f"open({str(ROOT / 'radixlab' / 'grade' / 'judge.py')!r})",
    "a file beside the exercise's types": (
        f"open({str(ROOT / 'radixlab' / 'exercise' / 'planted.py')!r}, 'w')"
    ),
    "a new folder": f"import os; os.mkdir({str(ROOT / 'planted')!r})",
    "a socket to somewhere": "import socket; socket.create_connection(('127.0.0.1', 9))",
}
APPROACHES = {
    "the judge's memory": "import os; open(f'/proc/{os.getppid()}/mem', 'rb')",
    "a signal to the judge": "import os, signal; os.kill(os.getppid(), signal.SIGCONT)",
    "a signal to everybody": "import os, signal; os.kill(-1, signal.SIGCONT)",
    "a limit on the judge": (
        "import os, resource\nresource.prlimit(os.getppid(), resource.RLIMIT_NOFILE, (4096, 4096))"
    ),
    "a grandchild of its own session": f"import subprocess, sys; subprocess.run({SLEEPER})",
    "a grandchild that hides": f"import subprocess, sys; subprocess.Popen({SLEEPER}, env={{}})",
    "a forked copy": "import os; os.fork()",
    "a fork that libc knows nothing of": (
        "import ctypes, errno, os, platform\n"
        "clone = {'x86_64': 56, 'aarch64': 220}[platform.machine()]\n"
        "libc = ctypes.CDLL(None, use_errno=True)\n"
        "if libc.syscall(clone, 17, 0, 0, 0, 0) < 0: raise OSError(ctypes.get_errno(), 'no')"
    ),
    "another program in its place": "import os, sys; os.execv(sys.executable, ['python'])",
}
FAKES = {
    "a printed record": 'print(\'{"points": 25, "status": "passed"}\')',
    "a true answer to another question": (
        "import gc\n"
        "for peer in [o for o in gc.get_objects() if type(o).__name__ == 'Wire']:\n"
        "    for _ in range(9): peer.send(['answer', 0, 42])"
    ),
    "a patched grader": (
        "import sys\n"
        "for name, module in list(sys.modules.items()):\n"
        "    if 'radixlab' in name:\n"
        "        for key in list(vars(module)):\n"
        "            setattr(module, key, lambda *a, **k: True)"
    ),
    "modules that are something else": (
        "import sys, types\n"
        "class Module(types.ModuleType):\n"
        "    def __getattr__(self, name): return lambda *a, **k: 42\n"
        "for name in {*sys.modules} - {'sys', 'builtins'}: sys.modules[name] = Module(name)"
    ),
    "patched builtins": "import builtins\nbuiltins.len = lambda x: 42\nbuiltins.abs = None",
    "a message that names no object": (
        "import gc\n"
        "for peer in [o for o in gc.get_objects() if type(o).__name__ == 'Wire']:\n"
        "    peer.send(['get', 0, 10**6, '__class__'])"
    ),
}
