"""Calls in both directions over one wire, each answered before the next is made.

While one side waits for an answer it answers the other's questions, so that a learner's function
can call back what it was given. An object that is not copied is a `Remote` on the other side: its
attributes, methods, length and items are asked for when they are used.
"""

import itertools
from collections.abc import Callable, Iterable, Iterator
from types import BuiltinMethodType, FunctionType, MethodType
from typing import Any

from radixlab.grade.box.wire import Wire, WireError

ROOT = 0
"""The number of the object that a side offers without being asked."""
_MAX_TEXT = 2_000
_BATCH = 256
_METHODS = (FunctionType, MethodType, BuiltinMethodType)


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
        return int(self._peer.ask("len", self._number))

    def __getitem__(self, key: object) -> Any:
        return self._peer.ask("item", self._number, key)

    def __iter__(self) -> Iterator[Any]:
        batches = self._peer.ask("iterate", self._number)
        while batch := batches.more():
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
        Whether the other side may use names that begin with an underscore: the judge's objects
        show only what is public.
    """

    def __init__(
        self, reader: Any, writer: Any, root: object = None, is_open: bool = False
    ) -> None:
        self._wire = Wire(reader, writer, self)
        self._is_open = is_open
        self._objects: dict[int, object] = {ROOT: root}
        self._numbers: dict[int, int] = {}
        self._methods: set[tuple[int, str]] = set()
        self._count = itertools.count(1)
        self.root = Remote(self, ROOT, 0)

    # References: an object given away is kept as long as the conversation lasts.

    def give(self, value: object) -> list[Any]:
        """Describe an object: whose it is, its number, and which class it is of."""
        if type(value) is Remote and value._peer is self:
            return [True, value._number, 0]
        number = self._numbers.get(id(value))
        if number is None:
            number = self._numbers[id(value)] = next(self._count)
            self._objects[number] = value
        return [False, number, id(type(value))]

    def take(self, description: list[Any]) -> object:
        """Return the object itself where it is one of ours, else its `Remote`."""
        is_ours, number, kind = description
        return self._objects[number] if is_ours else Remote(self, int(number), int(kind))

    # Asking

    def attribute(self, remote: Remote, name: str) -> Any:
        """Return an attribute; a method costs no message once one of its class is known."""
        method = remote._kind, name
        if method not in self._methods:
            is_method, value = self.ask("get", remote._number, name)
            if not is_method:
                return value
            if remote._number != ROOT:
                self._methods.add(method)

        def call(*args: Any, **kwargs: Any) -> Any:
            return self.ask("call", remote._number, name, list(args), kwargs)

        return call

    def ask(self, *question: Any) -> Any:
        """Ask, answer what is asked meanwhile, and return the answer.

        Raises
        ------
        LearnerError
            The other side raised.
        BoxClosed
            There is no answer, and will be none.
        """
        try:
            self._wire.send(list(question))  # lists: a tuple costs the wire a detour
            while True:
                verb, *rest = self._message()
                if verb == "answer":
                    return rest[0]
                if verb == "raised":
                    raise _error(*rest)
                self._answer(verb, rest)
        except (OSError, EOFError) as error:
            raise BoxClosed("it has gone") from error

    def serve(self) -> None:
        """Answer until the other side goes."""
        try:
            while True:
                verb, *rest = self._message()
                self._answer(verb, rest)
        except (OSError, EOFError, BoxClosed):
            return

    # Answering

    def _message(self) -> Any:
        try:
            message = self._wire.receive()
        except WireError as error:
            raise BoxClosed(str(error)) from error
        if type(message) is not list or not message or type(message[0]) is not str:
            raise BoxClosed("no message begins like this")
        return message

    def _answer(self, verb: str, rest: list[Any]) -> None:
        try:
            self._wire.send(["answer", self._do(verb, *rest)])
        except BoxClosed:
            raise
        except BaseException as error:  # SystemExit too: it is an answer like any other
            if isinstance(error, KeyboardInterrupt) and not self._is_open:
                raise  # the judge's own
            self._wire.send(["raised", *_described(error)])

    def _do(self, verb: str, number: int, *rest: Any) -> Any:
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
        if name.startswith("_") and not self._is_open:
            raise AttributeError(f"{name} is not for you")
        return getattr(value, name)


class _Batches:
    """What may be long, and may never end, in lists of some length; an empty one is the end."""

    def __init__(self, values: Iterable[Any]) -> None:
        self._values = iter(values)

    def more(self) -> list[Any]:
        """Return the next ones."""
        return list(itertools.islice(self._values, _BATCH))


def _described(error: BaseException) -> tuple[str, str, list[tuple[str, int, str]]]:
    if isinstance(error, LearnerError):
        return error.name, error.text, error.trace
    try:
        text = str(error)[:_MAX_TEXT]
    except BaseException:
        text = "its text could not be made"
    trace, step = [], error.__traceback__
    while step is not None:
        code = step.tb_frame.f_code
        trace.append((code.co_filename, step.tb_lineno, code.co_name))
        step = step.tb_next
    return type(error).__name__[:80], text, trace[-50:]


def _error(name: Any, text: Any, trace: Any) -> LearnerError:
    """Rebuild an exception from what came, which need not be true."""
    steps = [
        (str(file), line, str(function))
        for file, line, function in (trace if isinstance(trace, list | tuple) else ())
        if type(line) is int
    ]
    return LearnerError(str(name)[:80], str(text)[:_MAX_TEXT], steps)
