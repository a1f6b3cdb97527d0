"""A policy of the learner's own, taken from a file: `mine.py:MyPolicy`.

It knows how to run a file and to make a policy of it. It does not know traces or tables. Whatever
is wrong with the file ends as one `OwnPolicyError` that names the file, the line and the fault.
"""

import ast
import contextlib
import difflib
import sys
import traceback
import zlib
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from types import ModuleType
from typing import Any

from radixlab.bench.guarded_policy import GuardedPolicy
from radixlab.bench.policy_faults import faults, is_of_the_engine, misspelt_hooks
from radixlab.cache import KVCacheManager, check
from radixlab.cache.errors import PolicyError
from radixlab.cache.protocols import EvictionPolicy
from radixlab.config import CacheConfig
from radixlab.exercise.plain import plain_text


class OwnPolicyError(ValueError):
    """A file, or a name in it, that is not a policy; the message says why in one line."""


@dataclass(slots=True)
class OwnPolicy:
    """A class or a function of a learner's file that makes a policy for each run."""

    path: Path
    attribute: str
    make: Callable[[], Any]
    notes: list[str] = field(default_factory=list)
    """What is doubtful in it."""
    _made: list[Any] = field(default_factory=list)
    """What was made so far: a policy that served one cache knows the nodes of that one."""
    _hosted: Any = None
    """The host of the policy made last, if it runs as exercise 8.5.4 runs it."""

    def __str__(self) -> str:
        return f"{self.path}:{self.attribute}"

    @property
    def short(self) -> str:
        """Its name without folders."""
        return f"{self.path.name}:{self.attribute}"

    def manager(self, config: CacheConfig) -> KVCacheManager:
        """Make a cache that evicts by a new policy; raise `OwnPolicyError` if none can be made."""
        return KVCacheManager(config, policy=GuardedPolicy(self.new()))

    def new(self) -> EvictionPolicy:
        """Make a policy that the engine takes.

        A subclass of `EvictionPolicy` is one; any other class is run as exercise 8.5.4 runs it.
        """
        try:
            with output_to_stderr():
                policy = self.make()
        except BaseException as error:
            raise_if_interrupted(error)
            raise OwnPolicyError(f"{self}() failed: {self.describe(error)}") from None
        if any(policy is known for known in self._made):
            raise OwnPolicyError(f"{self}() returned the same object again; each run needs its own")
        try:
            fault = next(faults(policy), None)
        except Exception as error:  # its `__getattr__`, or a property
            fault = self.describe(error)
        if fault:
            raise OwnPolicyError(f"{self} is not a policy: {fault}")
        self._made.append(policy)
        self.notes = misspelt_hooks(policy)
        self._hosted = None if is_of_the_engine(policy) else _host(policy)
        made: EvictionPolicy = self._hosted or policy
        return made

    def finish(self, manager: KVCacheManager) -> None:
        """Let the policy hear what happened since it was last asked, and look the cache over.

        Raises `InvariantError` if the policy changed what it should only read.
        """
        if self._hosted:
            self._hosted.flush()
        check(manager)

    def describe(self, error: BaseException) -> str:
        """Say what happened, and in which line of the learner's file, in one line."""
        while isinstance(error, PolicyError) and error.__cause__ is not None:
            error = error.__cause__
        if isinstance(error, PolicyError) or _is_a_verdict(error):
            return plain_text(error).rstrip(".")
        return located(error, self.path)


def _host(policy: Any) -> Any:
    """Let a policy run as exercise 8.5.4 runs it; that needs the grader, and the extra `lab`."""
    from radixlab.grade.ex4 import in_engine

    return in_engine(policy)


def _is_a_verdict(error: BaseException) -> bool:
    """Whether the grader's host found a fault in a policy; no host, no verdict."""
    grader = sys.modules.get("radixlab.grade.items")
    return grader is not None and isinstance(error, grader.Failed)


def open_policy(text: str) -> OwnPolicy:
    """Run the file that `FILE.py:NAME` names, and make one policy to see that it can be made.

    Raises `OwnPolicyError`.
    """
    file, colon, name = text.rpartition(":")
    if not colon:
        file, name = text, ""
    if not file:
        raise OwnPolicyError(f"--policy: {text!r} names no file; write FILE.py:NAME")
    path = Path(file)
    source = _read(path)
    if not name:
        likely = _likely(source)
        raise OwnPolicyError(f"{path}: name the class too, such as {path}:{likely or 'MyPolicy'}")
    module = _run(path, source)
    try:
        make = getattr(module, name)
    except AttributeError:
        raise OwnPolicyError(f"{path} has no {name}{_guess(name, module, source)}") from None
    except Exception as error:  # a file may have a `__getattr__` of its own
        raise OwnPolicyError(located(error, path)) from None
    if not callable(make):
        what = f"{path}:{name} is {plain_text(make)}"
        raise OwnPolicyError(f"{what}; name a class, or a function that makes a policy")
    own = OwnPolicy(path, name, make)
    own.new()
    return own


def names_a_file(text: str) -> bool:
    """Whether a word of `--policy` names a file, and not a policy of the engine's."""
    return ":" in text or "/" in text or text.endswith((".py", ".ipynb"))


def _read(path: Path) -> bytes:
    if path.suffix == ".ipynb":
        raise OwnPolicyError(f"{path} is a notebook; copy the class into a .py file")
    try:
        if path.exists() and not path.is_file() and not path.is_dir():
            raise OwnPolicyError(f"{path} is not a file: it is a device or a pipe")
        return path.read_bytes()
    except OSError as error:
        raise OwnPolicyError(f"{path}: {error.strerror or error}") from None
    except OwnPolicyError:
        raise
    except ValueError as error:  # such as a name with a null byte
        raise OwnPolicyError(f"{str(path)!r}: {error}") from None


def _run(path: Path, source: bytes) -> ModuleType:
    """Run the file as Python runs a script, but under a name of its own."""
    name = f"own_policy_{zlib.crc32(str(path.resolve()).encode()):08x}"
    module = ModuleType(name)
    module.__file__ = str(path)
    sys.modules[name] = module  # dataclasses look their own module up
    if (folder := str(path.resolve().parent)) not in sys.path:
        sys.path.append(folder)
    try:
        with output_to_stderr():
            exec(compile(source, str(path), "exec", dont_inherit=True), module.__dict__)
    except BaseException as error:
        raise_if_interrupted(error)
        said = _syntax(error, path) or located(error, path)
        where = "" if said.startswith(str(path)) else f"{path}: "
        raise OwnPolicyError(where + said) from None
    return module


def _syntax(error: BaseException, path: Path) -> str | None:
    if not isinstance(error, SyntaxError) or error.filename not in (str(path), None):
        return None
    line = f", line {error.lineno}" if error.lineno else ""
    return f"{path}{line}: {type(error).__name__}: {error.msg}"


def located(error: BaseException, path: Path) -> str:
    """Return `file, line: exception`, the line being the deepest of that file.

    An exception that passed no line of the file has none.
    """
    frames = traceback.extract_tb(error.__traceback__)
    lines = [frame.lineno for frame in frames if frame.filename == str(path)]
    where = f"{path}, line {lines[-1]}: " if lines else ""
    said = plain_text(error)
    return f"{where}{type(error).__name__}" + (f": {said}" if said else "")


def _guess(name: str, module: ModuleType, source: bytes) -> str:
    near = difflib.get_close_matches(name, [n for n in vars(module) if n[0] != "_"], n=1)
    if guess := near[0] if near else _likely(source):
        return f"; did you mean {guess}?"
    return "; no class in it has a method victim()"


def _likely(source: bytes) -> str | None:
    """Return the last class of a file that has a method `victim`, without running the file."""
    try:
        statements = ast.parse(source).body
    except (SyntaxError, ValueError):
        return None
    classes = [node for node in statements if isinstance(node, ast.ClassDef)]
    with_victim = [
        node.name
        for node in classes
        if any(isinstance(part, ast.FunctionDef) and part.name == "victim" for part in node.body)
    ]
    return with_victim[-1] if with_victim else None


def raise_if_interrupted(error: BaseException) -> None:
    """Raise Ctrl-C again; whatever else the learner's code raises, `SystemExit` too, is a fault."""
    if isinstance(error, KeyboardInterrupt):
        raise error


def output_to_stderr() -> contextlib.AbstractContextManager[object]:
    """Send what the learner's code prints to stderr: stdout is for the table or the JSON object."""
    return contextlib.redirect_stdout(sys.stderr)
