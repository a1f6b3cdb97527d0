"""What each field of a record may hold, derived from the annotations of its dataclass.

A recording is checked before it is used: this file finds values of the wrong type, and numbers out
of range. It knows types and sizes. It does not know what a record means.
"""

from collections.abc import Callable
from functools import cache
from types import UnionType
from typing import Any, Literal, Union, get_args, get_origin, get_type_hints

Check = Callable[[Any], bool]

MAX_NUMBER = 2**53
"""Numbers stay below this, so that a browser reads them exactly."""
MAX_TOKEN = 2**64
"""Token ids stay below this: a learner's tree may use any that int64 or uint64 hold."""
MAX_TEXT = 1000
"""Most characters of a reason, a kind or a namespace."""


@cache
def checks_of(cls: type) -> dict[str, Check]:
    """Return the check for each field of a dataclass."""
    return {name: _check(name, hint) for name, hint in get_type_hints(cls).items()}


def wrong_field(cls: type, values: dict[str, Any]) -> str | None:
    """Return the first of these fields whose value is not allowed; None if all are."""
    checks = checks_of(cls)
    return next((name for name, value in values.items() if not checks[name](value)), None)


def is_number(value: Any) -> bool:
    """Whether this is an int that a browser reads exactly; bools and floats are not."""
    return type(value) is int and -MAX_NUMBER < value < MAX_NUMBER


def is_count(value: Any) -> bool:
    """Whether this is such an int, 0 or more."""
    return is_number(value) and value >= 0


def are_tokens(value: Any) -> bool:
    """Whether these are token ids, in a list or tuple."""
    if not isinstance(value, list | tuple) or any(type(token) is not int for token in value):
        return False
    return not value or -MAX_TOKEN <= min(value) <= max(value) < MAX_TOKEN


def are_runs(value: Any) -> bool:
    """Whether these are runs of block ids: pairs of a first id ≥ 0 and a length ≥ 1."""
    return isinstance(value, tuple) and all(
        isinstance(run, tuple) and len(run) == 2 and all(map(is_count, run)) and run[1] > 0
        for run in value
    )


def _check(name: str, hint: Any) -> Check:
    if name in ("token_ids", "tokens"):
        return lambda value: are_tokens(value) or (value is None and type(None) in get_args(hint))
    if name.endswith("runs"):
        return are_runs
    if hint is int:
        return is_number if name == "id" or name.endswith("_id") else is_count
    return _check_type(hint)


def _check_type(hint: Any) -> Check:
    """Return the check for a type that needs no special treatment."""
    origin, parts = get_origin(hint), get_args(hint)
    if origin in (Union, UnionType):
        options = [_check_type(part) for part in parts]
        return lambda value: any(option(value) for option in options)
    if origin is Literal:
        return lambda value: isinstance(value, str) and value in parts
    if origin is list:
        item = _check_type(parts[0])
        return lambda value: isinstance(value, list) and all(map(item, value))
    if origin is tuple and len(parts) == 2 and parts[1] is ...:
        item = _check_type(parts[0])
        return lambda value: isinstance(value, tuple) and all(map(item, value))
    if origin is tuple:
        items = [_check_type(part) for part in parts]
        return lambda value: (
            isinstance(value, tuple)
            and len(value) == len(items)
            and all(check(part) for check, part in zip(items, value, strict=True))
        )
    return _PLAIN.get(hint, lambda value: True)


_PLAIN: dict[Any, Check] = {
    int: is_number,
    bool: lambda value: type(value) is bool,
    str: lambda value: isinstance(value, str) and len(value) <= MAX_TEXT,
    type(None): lambda value: value is None,
}
