"""The machine itself: processor, memory, disk, folders, ports, and the programs beside Python."""

import os
import platform
import shutil
import socket
import sysconfig
import tempfile
from pathlib import Path

from radixlab.doctor.packages import version
from radixlab.doctor.part import Lacking
from radixlab.home import learner_home

BROWSERS = ("chromium", "chromium-browser", "google-chrome", "chrome")
COMPILERS = ("cc", "gcc", "clang", "cl")
PROMETHEUS = ("promtool", "prometheus")
PORTS = {8888: "JupyterLab", 8000: "radixlab serve"}
LEAST_FREE_GB = 1.0
LEAST_MEMORY_GB = 2.0
CGROUP_LIMIT = Path("/sys/fs/cgroup/memory.max")


def own_folder() -> str:
    """Write where guesses, progress and copies of notebooks are kept."""
    folder = _nearest(learner_home())
    if problem := _not_writable(folder):
        raise Lacking(
            f"{problem}, so nothing of yours would be kept: set RADIXLAB_HOME to a folder that "
            "you can write"
        )
    return "your guesses and points can be kept"


def jupyter_folders() -> str:
    """Write where JupyterLab keeps its settings and running kernels."""
    from jupyter_core.paths import jupyter_config_dir, jupyter_data_dir, jupyter_runtime_dir

    for path in (jupyter_runtime_dir(), jupyter_data_dir(), jupyter_config_dir()):
        if problem := _not_writable(_nearest(Path(path))):
            raise Lacking(
                f"{problem}, so JupyterLab does not start: set HOME to a folder that you can write"
            )
    return "JupyterLab can write its settings"


def ports() -> str:
    """Listen on this machine, and try the ports that the course takes by default."""
    try:
        with socket.create_server(("127.0.0.1", 0)):
            pass
    except OSError as error:
        raise Lacking(
            f"cannot listen on 127.0.0.1 ({error.strerror}): JupyterLab and its kernels need to"
        ) from error
    taken = [f"{port} ({name})" for port, name in PORTS.items() if not _is_free(port)]
    free = [f"{port} ({name})" for port, name in PORTS.items() if _is_free(port)]
    if taken:
        return f"in use: {', '.join(taken)}; --port chooses another"
    return f"free: {', '.join(free)}"


def browser() -> str:
    """Look for what the browser tests drive."""
    found = next(filter(shutil.which, BROWSERS), None)
    if found is None:
        raise Lacking("no Chromium on the PATH: only the browser tests need one, and skip")
    return f"{found}, playwright {version('playwright')}"


def node() -> str:
    """Look for what the tests of the view's JavaScript run on."""
    if shutil.which("node") is None:
        raise Lacking("not on the PATH: only the tests of the view's JavaScript need it, and skip")
    return "runs the tests of the view's JavaScript"


def prometheus() -> str:
    """Look for what judges alert rules in exercise 8.5.5 and draws dashboards."""
    found = [program for program in PROMETHEUS if shutil.which(program)]
    if "promtool" not in found:
        raise Lacking(
            "no promtool on the PATH: exercise 8.5.5 and lesson 08 go without; "
            "on Debian apt-get install prometheus"
        )
    return " and ".join(found)


def sandbox() -> str:
    """Ask the grader what its fence lacks."""
    from radixlab.grade.box import missing_fence

    if lack := missing_fence():
        raise Lacking(lack)
    return "submissions are fenced in by Landlock and seccomp"


def compiler() -> str:
    """Look for what `make fast` needs."""
    found = next(filter(shutil.which, COMPILERS), None)
    if found is None:
        raise Lacking("no C compiler: only `make fast` needs one")
    if not Path(sysconfig.get_path("include"), "Python.h").is_file():
        raise Lacking(
            "no Python.h: only `make fast` needs it; on Debian apt-get install python3-dev"
        )
    return f"{found}: `make fast` can compile the cache"


def disk() -> str:
    """Measure what is free where a learner's work goes."""
    free = shutil.disk_usage(_nearest(learner_home())).free / 1e9
    if free < LEAST_FREE_GB:
        raise Lacking(f"{free:.1f} GB free for your work: make room for {LEAST_FREE_GB:g} GB")
    return f"{free:,.0f} GB free for your work"


def memory() -> str:
    """Read how much memory this process may have: the machine's, or its container's."""
    if not hasattr(os, "sysconf"):
        return "not measured on this system"
    total = os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES") / 1e9
    limit = _container_limit()
    usable = total if limit is None else min(total, limit)
    if usable < LEAST_MEMORY_GB:
        raise Lacking(f"{usable:.1f} GB: the lessons need {LEAST_MEMORY_GB:g} GB")
    return f"{usable:.0f} GB" + (" (the limit of this container)" if usable < total else "")


def processor() -> str:
    """Name the processor, and count the cores that this process may use."""
    usable = getattr(os, "sched_getaffinity", None)
    number = len(usable(0)) if usable else os.cpu_count() or 1
    name = _model_name() or platform.processor() or platform.machine()
    return f"{name}, {number} of {os.cpu_count() or number} cores"


def _model_name() -> str:
    try:
        lines = Path("/proc/cpuinfo").read_text(encoding="utf-8", errors="replace").splitlines()
    except OSError:
        return ""
    named = (line.partition(":")[2].strip() for line in lines if line.startswith("model name"))
    return next(named, "")


def _container_limit() -> float | None:
    try:
        return int(CGROUP_LIMIT.read_text(encoding="ascii")) / 1e9
    except (OSError, ValueError):  # no such file, or `max`
        return None


def _nearest(folder: Path) -> Path:
    """Return the folder itself, or the nearest one above it that exists."""
    folder = folder.absolute()
    while not folder.exists():
        folder = folder.parent
    return folder


def _not_writable(folder: Path) -> str | None:
    """Try to write in a folder; say what stands in the way."""
    if not folder.is_dir():
        return f"{folder} is not a folder"
    try:
        with tempfile.TemporaryFile(dir=folder):
            return None
    except OSError as error:  # asking for permissions would say yes to root
        return f"cannot write in {folder} ({error.strerror})"


def _is_free(port: int) -> bool:
    try:
        with socket.create_server(("127.0.0.1", port)):
            return True
    except OSError:
        return False
