"""More of what hostile submissions do, by family: each the body of a function.

`REFUSED` must raise an OSError, and would change nothing of worth if there were no fence. `FILE`
is a file of the user's, `PACKAGE` one of a package that is not for submissions, `JUDGE` the number
of the judge's process. `EXHAUSTING` takes too much, `WIRE` lies in messages, `LATE` about time.
"""

SYSCALL = """
import ctypes, os
libc = ctypes.CDLL(None, use_errno=True)
room = ctypes.create_string_buffer(200)
ROOM = ctypes.addressof(room)
def call(*arguments):
    result = libc.syscall(*(a if isinstance(a, bytes) else ctypes.c_long(a) for a in arguments))
    if result < 0: raise OSError(ctypes.get_errno(), "refused")
    return result
"""
X86 = {
    "shmget": "call(29, 0x52410001, 4096, 0o1600)",
    "semget": "call(64, 0x52410002, 1, 0o1600)",
    "msgget": "call(68, 0x52410003, 0o1600)",
    "mq_open": "call(240, b'radixlab-harm', 0o102, 0o600, 0)",
    "memfd_create": "call(319, b'harm', 0)",
    "userfaultfd": "call(323, 1)",
    "io_uring_setup": "call(425, 4, ROOM)",
    "bpf": "call(321, 0, ROOM, 120)",
    "perf_event_open": "call(298, ROOM, 0, -1, -1, 0)",
    "add_key": "call(248, b'user', b'radixlab-harm', b'x', 1, -2)",
    "keyctl": "call(250, 0, -3, 1)",
    "unshare": "call(272, 0x10000000)",
    "setns": "call(308, 0, 0)",
    "ptrace": "call(101, 16, JUDGE, 0, 0)",
    "process_vm_readv": "call(310, JUDGE, 0, 0, 0, 0, 0)",
    "pidfd_open": "call(434, JUDGE, 0)",
    "ioprio_set": "call(251, 1, JUDGE, 0x6000)",
    "sched_setattr": "call(314, JUDGE, ROOM, 0)",
    "mount": "call(165, b'none', b'/radixlab-harm', b'tmpfs', 0, 0)",
    "inotify": "call(294, 0)",
    "fanotify": "call(300, 0, 0)",
    "personality": "call(135, 0x0040000)",
    "the signal of the judge's death": "call(157, 1, 0, 0, 0, 0)",
    "a core dump": "call(157, 4, 1, 0, 0, 0)",
    "a thread in another namespace": "call(56, 0x4010F00, 0, 0, 0, 0)",
    "memory shared with others that is alike": "call(28, ROOM & ~4095, 4096, 12)",
    "splice": "call(275, 0, 0, 1, 0, 10, 0)",
    "a timer of the kernel's": "call(222, 0, 0, ROOM)",
    "chmod by number": "call(90, FILE.encode(), 0)",
    "32-bit calls": "call(0x40000000 | 39)",
}
"""By the numbers of x86-64; `test_fence` looks at the other machine."""
REFUSED = {
    "chmod": "import os; os.chmod(FILE, 0o777)",
    "chmod of an open file": "import os; os.fchmod(os.open('.', os.O_RDONLY), 0o700)",
    "chmod of a file of its own": "import os; open('own', 'w'); os.chmod('own', 0)",
    "chown": "import os; os.chown(FILE, 12345, 12345)",
    "lchown": "import os; os.lchown(FILE, 12345, 12345)",
    "chown of an open file": "import os; os.fchown(os.open('.', os.O_RDONLY), 1, 1)",
    "utime": "import os; os.utime(FILE, (0, 0))",
    "utime of an open file": "import os; os.utime(os.open('.', os.O_RDONLY), (0, 0))",
    "touch": "import pathlib; pathlib.Path(FILE).touch()",
    "setxattr": "import os; os.setxattr(FILE, 'user.harm', b'x')",
    "removexattr": "import os; os.removexattr(FILE, 'user.mark')",
    "attributes of an open file": (
        "import fcntl, struct; fcntl.ioctl(open('own', 'w'), 0x40086602, struct.pack('l', 0x80))"
    ),
    "truncate": "import os; os.truncate(FILE, 0)",
    "unlink": "import os; os.unlink(FILE)",
    "rename": "import os; os.rename(FILE, 'mine')",
    "a hard link": "import os; os.link(FILE, 'mine')",
    "a symbolic link": "import os; os.symlink(FILE, 'mine')",
    "a pipe with a name": "import os; os.mkfifo('pipe')",
    "a socket with a name": "import os, stat; os.mknod('socket', stat.S_IFSOCK | 0o600)",
    "a lock on a file": "import fcntl; fcntl.flock(open('own', 'w'), 2)",
    "a POSIX lock": "import fcntl; fcntl.lockf(open('own', 'w'), 2)",
    "a lease": "import fcntl; fcntl.fcntl(open('own', 'w'), 1024, 1)",
    "a file in the temporary folder": (
        "import os; open(os.path.join(os.path.dirname(os.getcwd()), 'radixlab-harm'), 'w')"
    ),
    "a signal by way of a file": (
        "import fcntl, os; fcntl.fcntl(os.pipe()[0], fcntl.F_SETOWN, JUDGE)"
    ),
    "nice": "import os; os.nice(10)",
    "priority of the judge": "import os; os.setpriority(0, JUDGE, os.getpriority(0, JUDGE))",
    "priority of everybody": "import os; os.setpriority(os.PRIO_USER, 54321, 19)",
    "affinity of the judge": "import os; os.sched_setaffinity(JUDGE, os.sched_getaffinity(JUDGE))",
    "affinity of its own": "import os; os.sched_setaffinity(0, os.sched_getaffinity(0))",
    "scheduler of the judge": (
        "import os; os.sched_setscheduler(JUDGE, os.SCHED_OTHER, os.sched_param(0))"
    ),
    "a limit of the judge's": (
        "import resource; resource.prlimit(JUDGE, resource.RLIMIT_CORE, (0, 0))"
    ),
    "a limit of its own": (
        "import resource; resource.prlimit(0, resource.RLIMIT_NOFILE, (1 << 16, 1 << 16))"
    ),
    "POSIX shared memory": (
        "import _posixshmem, os; _posixshmem.shm_open('/radixlab-harm', os.O_CREAT)"
    ),
    "a file in shared memory": "open('/dev/shm/radixlab-harm', 'w')",
    "a POSIX semaphore": (
        "import _multiprocessing\n_multiprocessing.SemLock(1, 1, 1, '/radixlab-harm', False)"
    ),
    "memory without a name": "import os; os.memfd_create('harm')",
    "memory that is shared": "import mmap; mmap.mmap(-1, 1 << 20)",
    "a shared map of a file": (
        "import mmap\nfile = open('own', 'w+b'); file.write(b'x' * 4096); file.flush()\n"
        "mmap.mmap(file.fileno(), 4096)"
    ),
    "UDP": "import socket; socket.socket(socket.AF_INET, socket.SOCK_DGRAM)",
    "UDP over IPv6": "import socket; socket.socket(socket.AF_INET6, socket.SOCK_DGRAM)",
    "TCP": "import socket; socket.socket()",
    "a UNIX socket": "import socket; socket.socket(socket.AF_UNIX)",
    "UNIX datagrams": "import socket; socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM)",
    "a pair for datagrams": "import socket; socket.socketpair(socket.AF_UNIX, socket.SOCK_DGRAM)",
    "netlink": "import socket; socket.socket(socket.AF_NETLINK, socket.SOCK_RAW)",
    "packets": "import socket; socket.socket(socket.AF_PACKET, socket.SOCK_RAW)",
    "kernel crypto": "import socket; socket.socket(38, socket.SOCK_SEQPACKET)",
    "virtual sockets": "import socket; socket.socket(40, socket.SOCK_STREAM)",
    "a process": "import subprocess; subprocess.run(['true'])",
    "a spawned process": "import os; os.posix_spawn('/bin/true', ['true'], {})",
    "a pool of processes": (
        "import concurrent.futures as f\nwith f.ProcessPoolExecutor(1) as pool: pool.submit(abs, 1)"
    ),
    "a session of its own": "import os; os.setsid()",
    "another user": "import os; os.setuid(12345)",
    "another root": "import os; os.chroot('.')",
    "the name of the machine": "import socket; socket.sethostname(socket.gethostname())",
    "the time of the machine": "import time; time.clock_settime(time.CLOCK_REALTIME, time.time())",
    "another package": "open(PACKAGE)",
    "passwords": "open('/etc/passwd')",
    "the list of other processes": "import os; open(f'/proc/{JUDGE}/environ')",
    **{name: SYSCALL + body for name, body in X86.items()},
}
WIRES = (
    "import gc, os\nwire = next(o for o in gc.get_objects() if type(o).__name__ == 'Wire')\n"
    "def put(body): wire._writer.write(len(body).to_bytes(4, 'little') + body)\n"
    "def head(kind, number): return bytes([kind]) + number.to_bytes(4, 'big')\n"
)
WIRE = {
    "a deep list": "put(b'\\x91' * 3_000_000)",
    "a list nested 500 deep": "put(b'\\x91' * 500 + b'\\x01')",
    "a million lists": "put(head(0xDD, 10**6) + b'\\x90' * 10**6)",
    "a list said to be long": "put(head(0xDD, 2**32 - 1))",
    "a dict said to be long": "put(head(0xDF, 2**32 - 1))",
    "bytes said to be long": "put(head(0xC6, 2**32 - 1))",
    "text that is none": "put(b'\\xa4\\xff\\xfe\\xfd\\xfc')",
    "60,000 numbers of one hash": (
        "numbers = [b'\\xcf' + (k * (2**61 - 1)).to_bytes(8, 'big') for k in range(8)]\n"
        "put(head(0xDF, 8 * 7500) + b''.join(n + b'\\x01' for n in numbers * 7500))"
    ),
    "a set of numbers of one hash": (
        "big = [b'\\xc7\\x14\\x03' + (b'%#020x' % (k * (2**61 - 1))) for k in range(1, 9)]\n"
        "body = head(0xDD, 8 * 4000) + b''.join(big) * 4000\n"
        "put(b'\\xc9' + len(body).to_bytes(4, 'big') + b'\\x02' + body)"
    ),
    "a number of 10 million bits": (
        "put(b'\\xc9' + (2_500_000).to_bytes(4, 'big') + b'\\x03' + b'f' * 2_500_000)"
    ),
    "boxes in boxes": (
        "body = b'\\x91\\xc0'\n"
        "for _ in range(2000): body = b'\\xc9' + len(body).to_bytes(4, 'big') + b'\\x01' + body\n"
        "put(body)"
    ),
    "a kind that is not known": "put(b'\\xc7\\x01\\x63x')",
    "a time": "put(b'\\xd6\\xff\\0\\0\\0\\0')",
    "a reference that is none": "put(b'\\xc7\\x04\\x04\\x93\\xc3\\xcd\\x99')",
    "an answer without a question": "put(b'\\x91\\xa6answer')",
    "an error that is none": "put(b'\\x95\\xa6raised\\x01\\x02\\x03\\x04')",
    "no message": "put(b'\\xc0')",
    "an empty message": "put(b'')",
    "half a frame": "wire._writer.write(b'\\0\\0\\1\\0half'); os._exit(0)",
    "a frame of 4 GB": "wire._writer.write(b'\\xff\\xff\\xff\\xff')",
    "nonsense": "wire._writer.write(os.urandom(100_000))",
    "numbers of 100,000 digits": "return 1 << 400_000",
    "a set of 60,000": "return {k for k in range(60_000)}",
    "a dict of 60,000 numbers": "return dict.fromkeys(range(60_000))",
    "a tuple of tuples of tuples": "x = ()\nfor _ in range(3000): x = (x,)\nreturn x",
    "a list of lists of lists": "x = []\nfor _ in range(400): x = [x]\nreturn x",
    "a million small lists": "return [[] for _ in range(10**6)]",
    "half characters": "raise ValueError('\\ud800\\x1b[2J')",
    "a name with escapes": "raise type('\\x1b[2JError\\ud800', (Exception,), {})",
    "a type that lies about its name": (
        "class Meta(type):\n    __name__ = property(lambda cls: 1 / 0)\n"
        "class Error(Exception, metaclass=Meta): pass\nraise Error"
    ),
    "an object that pretends": (
        "class Evil:\n    __class__ = property(lambda self: 1 / 0)\n"
        "    __len__ = __iter__ = __getattr__ = __hash__ = lambda *a: 1 / 0\nreturn Evil()"
    ),
}
NEST = "import os\nfor _ in range({}):\n    os.mkdir({!r}); os.chdir({!r})"
EXHAUSTING = {
    "3,000 nested folders": NEST.format(3000, "d", "d"),
    "folders with long names": NEST.format(60, "d" * 250, "d" * 250),
    "folders that shut out": (
        "import os\nfor n in range(50):\n    os.mkdir(f'{n}'); open(f'{n}/file', 'w')\n"
        "    os.mkdir(f'{n}/in', 0); os.mkdir(f'{n}/in2', 0o300)"
    ),
    "names that are no text": (
        "import os\nfor n in range(128, 256): open(bytes([n, 0x1b, n]), 'w').write('x')"
    ),
    "files without number": "n = 0\nwhile True:\n    n += 1; open(f'{n}', 'w').close()",
    "a large file": "file = open('large', 'wb')\nwhile True: file.write(bytes(1 << 20))",
    "large files without number": (
        "n = 0\nwhile True:\n    n += 1\n"
        "    with open(f'{n}', 'wb') as file: file.write(bytes(7 << 20))"
    ),
    "files that are gone but open": (
        "import os\nheld = []\nwhile True:\n    file = open('file', 'w+b'); held.append(file)\n"
        "    file.write(bytes(7 << 20)); file.flush(); os.unlink('file')"
    ),
    "files that are gone but mapped": (
        "import mmap, os\nheld = []\nwhile True:\n"
        "    with open('file', 'w+b') as file:\n        file.write(bytes(7 << 20)); file.flush()\n"
        "        held.append(mmap.mmap(file.fileno(), 4096, flags=mmap.MAP_PRIVATE))\n"
        "    os.unlink('file')"
    ),
    "copies inside the kernel": (
        "import os\nopen('a', 'wb').write(bytes(1 << 20))\nwhile True:\n"
        "    source, copy = os.open('a', os.O_RDONLY), os.open('b', os.O_CREAT | os.O_RDWR)\n"
        "    os.sendfile(copy, source, 0, 1 << 20); os.close(source); os.close(copy)"
    ),
    "descriptors": "import os\nwhile True: os.dup(0)",
    "pipes": "import os\nheld = []\nwhile True: held.append(os.pipe())",
    "threads without number": (
        "import threading, time\nthreading.stack_size(1 << 16)\n"
        "while True: threading.Thread(target=time.sleep, args=(99,), daemon=True).start()"
    ),
    "memory bit by bit": "held = []\nwhile True: held.append(bytearray(1 << 20))",
    "lists in lists": "held = []\nwhile True: held = [held, held]",
    "a recursion through NumPy": (
        "import numpy as np\ndef deep(n): return np.frompyfunc(deep, 1, 1)([n])\ndeep(0)"
    ),
    "a recursion through sorting": (
        "import functools\n"
        "def deep(a, b): return sorted([1, 2], key=functools.cmp_to_key(deep))\ndeep(0, 0)"
    ),
    "a recursion of generators": "def deep(): yield from deep()\nlist(deep())",
    "a recursion of attributes": (
        "class Deep:\n    def __getattr__(self, name): return self.more\nDeep().more"
    ),
    "a deep list that is compared": (
        "x, y = [], []\nfor _ in range(200_000): x, y = [x], [y]\nreturn x == y"
    ),
    "an expression of 90,000 signs": "eval('-' * 90_000 + '1')",
}
"""Each ends by itself, or is ended."""
SLOW = ("lists in lists",)
DUMP = (
    "import os, stat, threading\nfiles = []\nfor fd in range(3, 64):\n    try:\n"
    "        if stat.S_ISREG(os.fstat(fd).st_mode): files.append(fd)\n    except OSError: pass\n"
    "def put(text):\n    for fd in files:\n        try: os.write(fd, text)\n"
    "        except OSError: pass\n"
)
LATE = {
    "a line number of 5,000 digits": (
        DUMP + "put(b'File \"<8.5.0>\", line ' + b'9' * 5000 + b' in attack\\n')\nwhile True: pass"
    ),
    "a line number of six digits": (
        DUMP + "put(b'File \"<8.5.0>\", line 999999 in \\x1b[2J\\n')\nwhile True: pass"
    ),
    "a flood where the line is looked for": (
        DUMP + "while True: put(b'File \"<8.5.0>\", line 1 in ' + b'x' * 5000 + b'\\n')"
    ),
    "no line at all": "import faulthandler, signal\nfaulthandler.unregister(signal.SIGUSR1)\n"
    "signal.pthread_sigmask(signal.SIG_BLOCK, range(1, 65))\nwhile True: pass",
    "half a frame and a sleep": WIRES
    + "wire._writer.write(b'\\0\\0\\1\\0half')\nimport time; time.sleep(999)",
    "answers without end": WIRES + "while True: put(b'\\x93\\xa6answer\\x01\\x02')",
    "a stop": "import os, signal\nos.kill(os.getpid(), signal.SIGSTOP)\nsignal.pause()",
    "threads that wait for each other": (
        "import threading\n"
        "def spin():\n    while True: sum(range(1000))\n"
        "for _ in range(8): threading.Thread(target=spin, daemon=True).start()\nspin()"
    ),
    "a pattern that takes for ever": "import re\nre.match(r'(a+)+b', 'a' * 50)",
    "a number that takes for ever": "return 7 ** (7 ** 9)",
}
