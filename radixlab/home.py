"""Where a learner's state lives, and what a checked notebook gets instead."""

import errno
import os
from pathlib import Path

import radixlab


def learner_home() -> Path:
    """Return the folder of guesses and progress: `RADIXLAB_HOME`, else `work/.radixlab`.

    `work/` is the repository's, or the current folder's where radixlab is installed without one.

    Raises
    ------
    OSError
        `RADIXLAB_HOME` begins with the home of a user who does not exist.
    """
    named = os.environ.get("RADIXLAB_HOME")
    if named:
        return _expanded(named)
    checkout = Path(radixlab.__file__).parent.parent
    base = checkout if (checkout / "pyproject.toml").is_file() else Path.cwd()
    return base / "work" / ".radixlab"


def _expanded(named: str) -> Path:
    try:
        return Path(named).expanduser()
    except RuntimeError as error:  # `~somebody/x`, or no home at all
        message = "RADIXLAB_HOME begins with a home folder that is not known"
        raise FileNotFoundError(errno.ENOENT, message, named) from error


def is_static() -> bool:
    """Tell whether outputs must be the same for every user: no widgets, no learner's state."""
    return os.environ.get("RADIXLAB_STATIC") == "1"


def recordings_folder() -> Path | None:
    """Return the folder that keeps the logs of a static notebook's views: `RADIXLAB_RECORDINGS`."""
    named = os.environ.get("RADIXLAB_RECORDINGS")
    return Path(named) if named and is_static() else None


def static_environment(folder: Path) -> dict[str, str]:
    """Return the variables under which a notebook runs alike on every machine.

    Parameters
    ----------
    folder
        An empty folder that outlives the kernel; it stands in for the learner's.
    """
    return {
        "RADIXLAB_STATIC": "1",
        "RADIXLAB_HOME": str(folder / "home"),
        "RADIXLAB_TRACES": str(folder / "no-traces"),  # never made: optional traces stay hidden
        "CUDA_VISIBLE_DEVICES": "",
    }
