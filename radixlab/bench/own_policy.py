"""A policy of the learner's own, taken from a file: `mine.py:MyPolicy`.

It knows how to run a file and what a policy must have. It does not know traces or tables. Whatever
is wrong with the file ends as one `OwnPolicyError` that names the file, the line and the fault.
"""

import ast
import contextlib
import difflib
import inspect
import sys
import traceback
import zlib
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from pathlib import Path
from types import ModuleType
from typing import Any, TypeGuard

from radixlab.bench.guarded_policy import HOOKS, GuardedPolicy
from radixlab.cache import KVCacheManager
from radixlab.cache.errors import PolicyError
from radixlab.cache.protocols import EvictionPolicy
from radixlab.config import CacheConfig
from radixlab.exercise.plain import plain_text
from radixlab.grade.ex4 import in_engine
from radixlab.grade.ex4.play import Hosted
from radixlab.grade.items import Failed


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
        if fault := next(faults(policy), None):
            raise OwnPolicyError(f"{self} is not a policy: {fault}")
        self._made.append(policy)
        self.notes = misspelt_hooks(policy)
        return policy if is_of_the_engine(policy) else in_engine(policy)

    def finish(self, manager: KVCacheManager) -> None:
        """Let the policy hear what happened since it was last asked for a victim."""
        guard = manager.tree.policy
        if isinstance(guard, GuardedPolicy) and isinstance(guard.policy, Hosted):
            guard.policy.flush()

    def describe(self, error: BaseException) -> str:
        """Say what happened, and in which line of the learner's file, in one line."""
        while isinstance(error, PolicyError) and error.__cause__ is not None:
            error = error.__cause__
        if isinstance(error, Failed | PolicyError):
            return plain_text(error).rstrip(".")
        return located(error, self.path)


def open_policy(text: str) -> OwnPolicy:
    """Run the file that `FILE.py:NAME` names, and make one policy to see that it can be made.

    Raises `OwnPolicyError`.
    """
    file, colon, name = text.rpartition(":")
    if not colon:
        file, name = text, ""
    path = Path(file)
    source = _read(path)
    if not name:
        likely = _likely(source)
        raise OwnPolicyError(f"{path}: name the class too, such as {path}:{likely or 'MyPolicy'}")
    module = _run(path, source)
    if not hasattr(module, name):
        raise OwnPolicyError(f"{path} has no {name}{_guess(name, module, source)}")
    make = getattr(module, name)
    if not callable(make):
        what = f"{path}:{name} is {plain_text(make)}"
        raise OwnPolicyError(f"{what}; name a class, or a function that makes a policy")
    own = OwnPolicy(path, name, make)
    own.new()
    return own


def names_a_file(text: str) -> bool:
    """Whether a word of `--policy` names a file, and not a policy of the engine's."""
    return ":" in text or "/" in text or text.endswith((".py", ".ipynb"))


def faults(policy: object) -> Iterator[str]:
    """Yield what keeps an object from being a policy."""
    if isinstance(policy, type):
        yield f"it is the class {policy.__name__}; call it"
    elif not callable(getattr(policy, "victim", None)) or (
        is_of_the_engine(policy) and type(policy).victim is EvictionPolicy.victim
    ):
        yield f"{_described(policy)} has no method victim()"
    elif not any(hasattr(policy, hook) for hook in HOOKS):
        yield "it has no hook such as on_evictable(node), so it can never know a node"
    else:
        yield from _faults_of_methods(policy)


def _faults_of_methods(policy: object) -> Iterator[str]:
    if is_of_the_engine(policy):
        for attribute in ("name", "reason"):
            if not isinstance(getattr(policy, attribute, None), str):
                yield f'it has no {attribute}; write {attribute} = "…" in the class'
        most = policy.max_blocks
        if most is not None and (type(most) is not int or most < 1):
            yield f"max_blocks is {plain_text(most)}; it must be None, or a number of blocks"
    for hook, arguments in {**HOOKS, "victim": ()}.items():
        method = getattr(policy, hook, None)
        if method is None:
            continue
        wanted = f"{hook}({', '.join(arguments)})"
        if not callable(method):
            yield f"{hook} is {plain_text(method)}, not a method {wanted}"
        elif not _takes(method, len(arguments)):
            yield f"{hook} cannot be called as {wanted}"


def is_of_the_engine(policy: object) -> TypeGuard[EvictionPolicy]:
    """Whether the policy inherits from `EvictionPolicy`, which is no matter of its methods."""
    return EvictionPolicy in type(policy).__mro__


def _takes(method: Callable[..., Any], num_arguments: int) -> bool:
    try:
        inspect.signature(method).bind(*[None] * num_arguments)
    except TypeError:
        return False
    except ValueError:  # written in C, with no signature to look at
        return True
    return True


def misspelt_hooks(policy: object) -> list[str]:
    """Name each method that looks like a hook and is none, with the hook that was meant.

    >>> class Typo:
    ...     def on_evictible(self, node): ...
    >>> misspelt_hooks(Typo())
    ['on_evictible is never called; did you mean on_evictable?']
    """
    found = []
    for name in dir(type(policy)):
        near = difflib.get_close_matches(name, HOOKS, n=1, cutoff=0.75)
        if name not in HOOKS and near and not hasattr(type(policy), near[0]):
            found.append(f"{name} is never called; did you mean {near[0]}?")
    return found


def _read(path: Path) -> bytes:
    if path.suffix == ".ipynb":
        raise OwnPolicyError(f"{path} is a notebook; copy the class into a .py file")
    try:
        return path.read_bytes()
    except OSError as error:
        raise OwnPolicyError(f"{path}: {error.strerror or error}") from None
    except ValueError as error:  # a name with a null byte
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


def _described(value: object) -> str:
    return plain_text(value) if value is None or isinstance(value, int | str) else "it"


def raise_if_interrupted(error: BaseException) -> None:
    """Raise Ctrl-C again; whatever else the learner's code raises, `SystemExit` too, is a fault."""
    if isinstance(error, KeyboardInterrupt):
        raise error


def output_to_stderr() -> contextlib.AbstractContextManager[object]:
    """Send what the learner's code prints to stderr: stdout is for the table or the JSON object."""
    return contextlib.redirect_stdout(sys.stderr)
