"""What to say of a name that is not among the known ones: which there are, and the nearest.

This file knows words. It does not know what they name.
"""

import difflib
from collections.abc import Iterable

from radixlab.config import shown


def not_one_of(value: object, known: Iterable[str], unless: str = "") -> str:
    """Say that a value is not a known name; `unless` is what it may be besides, such as a file.

    >>> not_one_of("lruu", ["lru", "lfu"])
    "'lruu' is not one of lru, lfu; did you mean lru?"
    >>> not_one_of("chats", ["few-shot", "agent"], unless="a file")
    "'chats' is neither a file nor one of few-shot, agent"
    """
    names = list(known)
    how = f"neither {unless} nor" if unless else "not"
    near = nearest(value, names) if isinstance(value, str) else None
    guess = f"; did you mean {near}?" if near else ""
    return f"{shown(value)} is {how} one of {', '.join(names)}{guess}"


def nearest(word: str, known: Iterable[str]) -> str | None:
    """Return the name that a person may have meant: a similar one, or one that has the word in it.

    >>> nearest("LRU", ["fifo", "lru"]), nearest("chat", ["few-shot", "multi-turn-chat"])
    ('lru', 'multi-turn-chat')
    """
    by_lower = {name.lower(): name for name in known}
    close = difflib.get_close_matches(word.lower(), by_lower, n=1)
    within = [name for name in by_lower if len(word) > 1 and word.lower() in name]
    return by_lower[(close + within)[0]] if close or within else None
