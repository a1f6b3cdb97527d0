"""The folder of a box: the only one in which a submission may write, and its removal.

Whatever a submission makes there (thousands of nested folders, names that are not text, modes that
shut the owner out), measuring and removing it is cheap and never fails.
"""

import os
import shutil
import sys
import tempfile
import time
from contextlib import suppress
from itertools import islice
from pathlib import Path

PREFIX = "radixlab-box-"
_SURELY_LOCKED_S = 60
"""A folder is made a moment before it is locked."""


class Folder:
    """A new folder among the temporary files; it lives until `remove`, or with this process."""

    def __init__(self) -> None:
        _sweep()
        self.path = tempfile.mkdtemp(prefix=PREFIX)
        self._lock = _locked(self.path)

    def remove(self) -> None:
        """Remove it and all that is in it; again does no harm."""
        remove(self.path)
        if self._lock is not None:
            os.close(self._lock)
            self._lock = None

    def size(self, most_files: int) -> tuple[int, int]:
        """Count files and their bytes, stopping soon after `most_files`."""
        num_files = num_bytes = 0
        folders = [self.path]
        while folders and num_files <= most_files:
            try:
                with os.scandir(folders.pop()) as entries:
                    for entry in islice(entries, most_files + 1):
                        num_files += 1
                        num_bytes += entry.stat(follow_symlinks=False).st_size
                        if entry.is_dir(follow_symlinks=False):
                            folders.append(entry.path)
            except FileNotFoundError:
                continue  # it was removed meanwhile
            except OSError:
                return most_files + 1, num_bytes  # it is made so that nobody can look into it
        return num_files, num_bytes


def _locked(path: str) -> int | None:
    """Hold a lock on a folder, which ends with this process; None if another holds it."""
    if sys.platform == "win32":
        return None
    import fcntl

    folder = os.open(path, os.O_RDONLY | os.O_DIRECTORY | os.O_NOFOLLOW)
    try:
        fcntl.flock(folder, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except OSError:
        os.close(folder)
        return None
    return folder


def _sweep() -> None:
    """Remove the folders of boxes whose judges were killed before they could."""
    if sys.platform == "win32":
        return
    for path in Path(tempfile.gettempdir()).glob(f"{PREFIX}*"):
        with suppress(OSError):
            found = path.stat(follow_symlinks=False)
            if found.st_uid != os.getuid() or time.time() - found.st_mtime < _SURELY_LOCKED_S:
                continue
            if (lock := _locked(str(path))) is not None:
                remove(path)
                os.close(lock)


def remove(path: str | Path) -> None:
    """Remove a folder, or as much of it as can be removed."""
    with suppress(OSError):
        _remove(str(path))


def _remove(path: str) -> None:
    """Step down into what is not empty, and back up through `..`.

    One folder is open at a time, and no path grows long.
    """
    if os.rmdir not in os.supports_dir_fd:
        shutil.rmtree(path, ignore_errors=True)
        return
    here = _opened(path)
    levels = [(path, _emptied(here))]
    while levels:
        name, folders = levels[-1]
        there = None
        with suppress(OSError):  # what cannot be opened stays, and so does what holds it
            if folders:
                inner = folders.pop()
                there = _opened(inner, here)
                levels.append((inner, []))
                levels[-1][1].extend(_emptied(there))
            elif levels.pop() and levels:
                there = os.open("..", os.O_RDONLY | os.O_DIRECTORY, dir_fd=here)
                _removed(name, there)
        if there is not None:
            os.close(here)
            here = there
    os.close(here)
    with suppress(OSError):
        os.rmdir(path)


def _opened(name: str, within: int | None = None) -> int:
    with suppress(OSError):
        os.chmod(name, 0o700, dir_fd=within)  # whatever its mode was
    return os.open(name, os.O_RDONLY | os.O_DIRECTORY | os.O_NOFOLLOW, dir_fd=within)


def _emptied(folder: int) -> list[str]:
    """Remove files, links and empty folders; return the names of what is left."""
    return [name for name in os.listdir(folder) if not _removed(name, folder)]


def _removed(name: str, within: int) -> bool:
    for remove in (os.unlink, os.rmdir):
        with suppress(OSError):
            remove(name, dir_fd=within)
            return True
    return False
