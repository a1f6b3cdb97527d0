"""Calls in both directions over one wire, each answered before the next is made.

While one side waits for an answer it answers the other's questions, so that a learner's function
can call back what it was given. An object that is not copied is a `Remote` on the other side: its
attributes, methods, length and items are asked for when they are used.
"""

import itertools
import os
from collections.abc import Callable, Iterable, Iterator
from types import BuiltinMethodType, FunctionType, MethodType
from typing import Any

from radixlab.exercise.plain import error_text
from radixlab.grade.box.visible import visible
from radixlab.grade.box.wire import Wire, WireError

ROOT = 0
"""The number of the object that a side offers without being asked."""
MAX_CALLS = 1_000_000
"""How often the learner's code may call the judge's objects in one item."""
MAX_GIVEN = 20_000
"""How many of the judge's objects it may hold."""
MAX_NESTED = 25
"""How many questions may wait for each other."""
_MAX_TEXT, _MAX_NAME, _MAX_TRACE = 2_000, 80, 50
_MAX_LINE = 10**6
_BATCH = 256
_METHODS = (FunctionType, MethodType, BuiltinMethodType)
_PRIVATE = ("_", "gi_", "cr_", "ag_", "f_", "tb_", "co_")
"""How names begin that lead from an object to the program around it."""


class BoxClosed(Exception):
    """The other side has gone, or talks nonsense."""


class LearnerError(Exception):
    """An exception on the other side."""

    def __init__(self, name: str, text: str, trace: list[tuple[str, int, str]]) -> None:
        super().__init__(f"{name}: {text}" if text else name)
        self.name = name
        """Of its type, such as `KeyError`."""
        self.text = text
        self.trace = trace
        """File, line and function of each call on the way, the innermost last."""


class Remote:
    """An object of the other side. Two are equal when they are one object there."""

    __slots__ = ("_kind", "_number", "_peer")

    def __init__(self, peer: "Peer", number: int, kind: int) -> None:
        self._peer, self._number, self._kind = peer, number, kind

    def __getattr__(self, name: str) -> Any:
        return self._peer.attribute(self, name)

    def __call__(self, *args: Any, **kwargs: Any) -> Any:  # noqa: D102
        return self._peer.ask("call", self._number, None, list(args), kwargs)

    def __len__(self) -> int:
        length = self._peer.ask("len", self._number)
        if type(length) is not int or not 0 <= length < 1 << 63:
            raise LearnerError("ValueError", "__len__() returned what is not a length", [])
        return length

    def __getitem__(self, key: object) -> Any:
        return self._peer.ask("item", self._number, key)

    def __iter__(self) -> Iterator[Any]:
        batches = self._peer.ask("iterate", self._number)
        while batch := self._peer.ask("call", _number(batches), "more", [], {}):
            if type(batch) is not list:
                raise LearnerError("TypeError", "what was to be iterated over is not iterable", [])
            yield from batch

    def __bool__(self) -> bool:
        return True

    def __eq__(self, other: object) -> bool:
        return isinstance(other, Remote) and self._number == other._number

    def __hash__(self) -> int:
        return self._number

    def __repr__(self) -> str:
        return "<an object of yours>"


class Peer:
    """One side of the conversation.

    Parameters
    ----------
    root
        The object that the other side may ask for by `ROOT`.
    is_open
        Whether the other side is trusted with everything, as the judge is by the box. The judge's
        objects show only what is public, a limited number of times.
    """

    def __init__(
        self, reader: Any, writer: Any, root: object = None, is_open: bool = False
    ) -> None:
        self._wire = Wire(reader, writer, self, is_guarded=not is_open)
        self._is_open = is_open
        self._calls_left, self._nested = MAX_CALLS, 0
        self._objects: dict[int, object] = {ROOT: root}
        self._numbers: dict[int, int] = {}
        self._methods: set[tuple[int, str]] = set()
        self._count = itertools.count(1)
        self.root = Remote(self, ROOT, 0)

    def refill(self) -> None:
        """Begin an item: what it may send and ask is counted from here."""
        self._calls_left, self._nested = MAX_CALLS, 0
        self._wire.refill()

    @property
    def received_bytes(self) -> int:
        """What the other side has sent so far."""
        return self._wire.received_bytes

    # References: an object given away is kept as long as the conversation lasts.

    def give(self, value: object) -> list[Any]:
        """Describe an object: whose it is, its number, and which class it is of."""
        if type(value) is Remote and value._peer is self:
            return [True, value._number, 0]
        number = self._numbers.get(id(value))
        if number is None:
            if not self._is_open and len(self._objects) > MAX_GIVEN:
                raise RuntimeError(f"more than {MAX_GIVEN:,} of the grader's objects are in use")
            number = self._numbers[id(value)] = next(self._count)
            self._objects[number] = value
        return [False, number, id(type(value))]

    def take(self, description: list[Any]) -> object:
        """Return the object itself where it is one of ours, else its `Remote`."""
        is_ours, number, kind = description
        if type(number) is not int or type(kind) is not int:
            raise TypeError("a reference is made of numbers")
        return self._objects[number] if is_ours else Remote(self, number, kind)

    # Asking

    def attribute(self, remote: Remote, name: str) -> Any:
        """Return an attribute; a method costs no message once one of its class is known."""
        method = remote._kind, name
        if method not in self._methods:
            answer = self.ask("get", remote._number, name)
            if type(answer) is not list or len(answer) != 2:
                raise LearnerError("TypeError", f"{name} is not readable", [])
            if answer[0] is not True:
                return answer[1]
            if remote._number != ROOT:
                self._methods.add(method)

        def call(*args: Any, **kwargs: Any) -> Any:
            return self.ask("call", remote._number, name, list(args), kwargs)

        return call

    def ask(self, verb: str, *question: Any) -> Any:
        """Ask, answer what is asked meanwhile, and return the answer.

        An answer repeats the token of its question, which cannot be guessed: what was sent too
        early, or twice, is passed over and disturbs no later question.

        Raises
        ------
        LearnerError
            The other side raised.
        BoxClosed
            There is no answer, and will be none.
        """
        token = os.urandom(8)
        try:
            self._wire.send([verb, token, *question])  # a list: a tuple costs the wire a detour
            while True:
                match self._message():
                    case ["answer", asked, answer]:
                        if asked == token:
                            return answer
                    case ["raised", asked, name, text, trace]:
                        if asked == token:
                            raise _error(name, text, trace)
                    case [str(other), asked, *rest]:
                        self._answer(other, asked, rest)
                    case _:
                        raise BoxClosed("no message is like this")
        except (OSError, EOFError) as error:
            raise BoxClosed("it has gone") from error

    def serve(self) -> None:
        """Answer until the other side goes."""
        try:
            while True:
                verb, token, *rest = self._message()
                self._answer(verb, token, rest)
        except (OSError, EOFError, BoxClosed):
            return

    # Answering

    def _message(self) -> Any:
        try:
            return self._wire.receive()
        except WireError as error:  # the next one can be read: so this one counts as an answer
            raise LearnerError("WireError", str(error), []) from None

    def _answer(self, verb: str, token: Any, rest: list[Any]) -> None:
        self._nested += 1
        try:
            self._wire.send(["answer", token, self._do(verb, *rest)])
        except BoxClosed:
            raise
        except BaseException as error:  # SystemExit too: it is an answer like any other
            if isinstance(error, KeyboardInterrupt) and not self._is_open:
                raise  # the judge's own
            self._wire.send(["raised", token, *_described(error)])
        finally:
            self._nested -= 1

    def _do(self, verb: str, number: int, *rest: Any) -> Any:
        if not self._is_open:
            self._calls_left -= 1
            if self._calls_left < 0:
                raise RuntimeError(f"more than {MAX_CALLS:,} calls of the grader in one item")
            if self._nested > MAX_NESTED:
                raise RecursionError("the grader's objects and yours call each other too deep")
        value: Any = self._objects[number]
        if verb == "call":
            name, args, kwargs = rest
            return (value if name is None else self._named(value, name))(*args, **kwargs)
        if verb == "get":
            found = self._named(value, *rest)
            return [True, None] if isinstance(found, _METHODS) else [False, found]
        if verb == "item":
            return value[rest[0]]
        verbs: dict[str, Callable[[Any], object]] = {"len": len, "iterate": _Batches}
        return verbs[verb](value)

    def _named(self, value: Any, name: str) -> Any:
        if name.startswith(_PRIVATE) and not self._is_open:
            raise AttributeError(f"{name} is not for you")
        return getattr(value, name)


class _Batches:
    """What may be long, and may never end, in lists of some length; an empty one is the end."""

    def __init__(self, values: Iterable[Any]) -> None:
        self._values = iter(values)

    def more(self) -> list[Any]:
        """Return the next ones."""
        return list(itertools.islice(self._values, _BATCH))


def _number(batches: Any) -> int:
    if type(batches) is not Remote:
        raise LearnerError("TypeError", "what was to be iterated over is not iterable", [])
    return batches._number


def _described(error: BaseException) -> tuple[str, str, list[tuple[str, int, str]]]:
    if isinstance(error, LearnerError):
        return error.name, error.text, error.trace
    text = error_text(error, _MAX_TEXT)
    trace, step = [], error.__traceback__
    while step is not None:
        code = step.tb_frame.f_code
        trace.append((code.co_filename, step.tb_lineno, code.co_name))
        step = step.tb_next
    shown = "its text could not be made" if text is None else text
    return type(error).__name__, shown, trace[-_MAX_TRACE:]


def _error(name: Any, text: Any, trace: Any) -> LearnerError:
    """Rebuild an exception from what came, which need not be true."""
    steps = []
    for step in trace[-_MAX_TRACE:] if isinstance(trace, list | tuple) else ():
        match step:
            case [str(file), int(line), str(function)] if 0 < line < _MAX_LINE:
                steps.append((file, line, _cut(function, _MAX_NAME)))
    return LearnerError(_cut(name, _MAX_NAME) or "Exception", _cut(text, _MAX_TEXT), steps)


def _cut(text: Any, length: int) -> str:
    return visible(text[:length]) if type(text) is str else ""
