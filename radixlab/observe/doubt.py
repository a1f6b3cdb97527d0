"""Where the picture of another engine's cache cannot be trusted, in one line.

Our own cache reports every change. Another engine's events come over a network: some may be
missing, some lost for good, and some not readable. js/doubt.js has the same words; a test compares
them.
"""

from collections.abc import Mapping

from radixlab.observe.state import STREAM_COUNTERS, State

REASONS = {
    "missing_payloads": "payload missing",
    "lost_payloads": "payload lost",
    "refused_messages": "message refused",
    "left_out_blocks": "block left out",
}
"""Counters of a state that cast doubt on its picture, with the name of one counted item."""


def doubt_line(state: State) -> str:
    """Return why a picture may be wrong, or "" if no counter casts doubt on it.

    >>> doubt_line(State(16, 4, missing_payloads=2, left_out_blocks=1))
    'This picture may be wrong: 2 payloads missing, 1 block left out'
    """
    return said_of({name: getattr(state, name) for name in STREAM_COUNTERS})


def said_of(totals: Mapping[str, int]) -> str:
    """Return the same line, from the counters alone."""
    said = [_count(totals[name], what) for name, what in REASONS.items() if totals[name]]
    return f"This picture may be wrong: {', '.join(said)}" if said else ""


def _count(number: int, what: str) -> str:
    noun, rest = what.split(" ", 1)
    return f"{number:,} {noun}{'' if number == 1 else 's'} {rest}"
