"""A plan as the grader reads it, and the gate that it has to pass before anything is counted."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from radixlab.exercise.workload import BLOCK_SIZES, Workload
from radixlab.grade.ex3.scenes import Scene
from radixlab.grade.items import Failed

Ints = tuple[int, ...]


@dataclass(frozen=True, slots=True)
class PinOrder:
    """A pin of the plan's."""

    tokens: Ints
    from_: int
    until: int


@dataclass(frozen=True, slots=True)
class Answer:
    """A plan that may be carried out."""

    order: Ints
    block_size: int
    pins: tuple[PinOrder, ...]
    insertion: Ints
    """By request, not by place."""
    hot_spot: Ints


def read(found: Any) -> Answer:
    """Take a plan apart; raise `Failed` for what is none."""
    match found:
        case {"wrong": str() as value}:
            raise Failed(f"plan() must return a Plan, and returned {value}.")
        case {"order": order, "block_size": size, "pins": pins, "insertion": insertion}:
            return Answer(
                _ints("order", order),
                _int("block_size", size),
                tuple(_pin(pin) for pin in _list("pins", pins)),
                tuple(_int("insertion(request)", value) for value in insertion),
                _tokens("hot_spot", found.get("hot_spot")),
            )
    raise Failed("plan() must return a Plan.")


def _list(name: str, value: Any) -> list[Any]:
    if not isinstance(value, list):
        raise Failed(f"{name} must be a list, and is {value!s:.80}.")
    return value


def _ints(name: str, value: Any) -> Ints:
    return tuple(_int(f"each entry of {name}", entry) for entry in _list(name, value))


def _tokens(name: str, value: Any) -> Ints:
    tokens = _ints(name, value)
    if any(abs(token) >= 1 << 31 for token in tokens):
        raise Failed(f"{name} must be token ids, below 2**31.")
    return tokens


def _int(name: str, value: Any) -> int:
    if type(value) is not int:
        raise Failed(f"{name} must be an int, and is {value!s:.80}.")
    return value


def _pin(pin: Any) -> PinOrder:
    if not isinstance(pin, list) or len(pin) != 3:
        raise Failed(f"pins must be Pin objects, and one is {pin!s:.80}.")
    tokens, from_, until = pin
    return PinOrder(_tokens("a pin's tokens", tokens), _int("from_", from_), _int("until", until))


def broken_rule(answer: Answer, workload: Workload) -> str | None:
    """Say which rule of the gate a plan breaks, if it breaks one."""
    if answer.block_size not in BLOCK_SIZES:
        return f"block_size is {answer.block_size}, and must be one of {BLOCK_SIZES}."
    rules: tuple[Callable[[Answer, Workload], str | None], ...] = (
        _each_once, _turns_in_order, _nobody_waits, _amounts, _pins_begin_and_end
    )  # fmt: skip
    return next(filter(None, (rule(answer, workload) for rule in rules)), None)


def _each_once(answer: Answer, workload: Workload) -> str | None:
    num, served = len(workload.requests), set(answer.order)
    missing = sorted(set(range(num)) - served)
    if missing:
        return f"Request {missing[0]} is not in order ({len(missing)} of {num} are missing)."
    if len(answer.order) > num:
        return f"order has {len(answer.order)} entries for {num} requests: each is served once."
    return None


def _turns_in_order(answer: Answer, workload: Workload) -> str | None:
    place = {index: place for place, index in enumerate(answer.order)}
    for request in workload.requests:
        if request.after is not None and place[request.after] > place[request.index]:
            return (
                f"Request {request.index} is served at place {place[request.index]}, before "
                f"request {request.after} (place {place[request.after]}), which it continues."
            )
    return None


def _nobody_waits(answer: Answer, workload: Workload) -> str | None:
    for place, index in enumerate(answer.order):
        if place - index > workload.max_wait:
            return (
                f"Request {index} is served at place {place}: it waits {place - index} places, and "
                f"{workload.max_wait} is the most."
            )
    return None


def _amounts(answer: Answer, workload: Workload) -> str | None:
    for index, amount in enumerate(answer.insertion):
        if amount < 0:
            return f"insertion returned {amount} for request {index}: no fewer than 0 tokens."
    return None


def _pins_begin_and_end(answer: Answer, workload: Workload) -> str | None:
    for number, pin in enumerate(answer.pins):
        if not 0 <= pin.from_ < pin.until:
            return f"Pin {number} goes from place {pin.from_} to {pin.until}."
    return None


def code(scene: Scene) -> str:
    """Return lines that try the plan on a scene, to paste below one's own."""
    where = f'"{scene.pattern}", seed={scene.seed}, num_requests={scene.num_requests}'
    stride = f", stride={scene.stride}" if scene.stride > 1 else ""
    return f"from radixlab.grade.ex3 import try_plan\ntry_plan(plan, {where}{stride})"
