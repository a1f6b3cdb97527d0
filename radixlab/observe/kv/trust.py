"""What a viewer must be told of the stream itself: where the picture cannot be trusted.

A payload that is missing may have stored or removed blocks, so the tree may be wrong from there on,
until it arrives or the cache is reset. The listener hears of it by `StreamReported`, which a view
and a recording fold like any other event. A flood of bad payloads must not become a flood of
events: what is refused is told when its number has doubled.
"""

from collections import Counter

from radixlab.events import StreamCause, StreamReported
from radixlab.observe.fields import MAX_NUMBER
from radixlab.observe.kv.order import Order
from radixlab.observe.kv.origins import Origin
from radixlab.observe.kv.telling import Telling

REFUSED = (
    *("odd_frame", "oversize", "malformed", "bad_number", "too_many_ranks"),
    *("unusable_event", "block_size"),
)
"""Faults of messages, payloads and events that may have told something."""

MOST = MAX_NUMBER - 1
"""The largest count that a recording may have; a stream may lie about its numbers."""


class Trust:
    """Counts what speaks against the picture, and tells it when it changes."""

    def __init__(self, telling: Telling, faults: Counter[str]) -> None:
        self.told = dict.fromkeys(
            ("missing_payloads", "lost_payloads", "refused_messages", "left_out_blocks"), 0
        ) | {"publisher_restarts": 0}
        """The totals as they were last told, in the order of the event's fields."""
        self._telling = telling
        self._faults = faults
        self._by_origin: dict[Origin, tuple[int, int]] = {}
        self._left_out_before = 0

    def emptied(self) -> None:
        """Note that no block is left: what did not fit before no longer matters."""
        self._left_out_before = self._faults["over_limit"]

    def look(self, origin: Origin | None, order: Order | None, name: str, restarts: int) -> None:
        """Tell what has changed; only the order of this publisher may have."""
        if origin is not None and order is not None:
            self._by_origin[origin] = order.num_missing, order.num_doubtful
        before, now = self.told, self.totals(restarts)
        causes = _causes(before, now)
        if not causes:
            return
        self.told = now
        for cause in causes:
            gap = order.gaps[-1] if cause == "missing" and order and order.gaps else (None, None)
            if emit := self._telling.listener:
                stamp = self._telling.log.stamp()
                emit(StreamReported(*stamp, name, cause, *gap, *now.values()))

    def totals(self, restarts: int) -> dict[str, int]:
        """Return what speaks against the picture now."""
        by_origin = self._by_origin.values()
        return {
            "missing_payloads": min(MOST, sum(missing for missing, _ in by_origin)),
            "lost_payloads": min(MOST, sum(lost for _, lost in by_origin)),
            "refused_messages": sum(self._faults[kind] for kind in REFUSED),
            "left_out_blocks": self._faults["over_limit"] - self._left_out_before,
            "publisher_restarts": restarts,
        }


def _causes(before: dict[str, int], now: dict[str, int]) -> list[StreamCause]:
    """Return what is worth an event."""
    causes: list[StreamCause] = []
    if now["publisher_restarts"] > before["publisher_restarts"]:
        causes.append("restarted")
    if now["missing_payloads"] > before["missing_payloads"]:
        causes.append("missing")
    if now["lost_payloads"] > before["lost_payloads"]:
        causes.append("lost")
    if _open(before) and not _open(now):
        causes.append("whole")
    elif not causes and _has_shrunk(before, now):
        causes.append("fewer")
    if _has_doubled(before["refused_messages"], now["refused_messages"]):
        causes.append("refused")
    if _has_doubled(before["left_out_blocks"], now["left_out_blocks"]):
        causes.append("left_out")
    return causes


def _open(totals: dict[str, int]) -> int:
    return totals["missing_payloads"] + totals["lost_payloads"]


def _has_shrunk(before: dict[str, int], now: dict[str, int]) -> bool:
    """Whether nothing is missing any more, or a reset has made losses void."""
    none_missing = before["missing_payloads"] > 0 == now["missing_payloads"]
    return none_missing or now["lost_payloads"] < before["lost_payloads"]


def _has_doubled(before: int, now: int) -> bool:
    return now > before and now >= 2 * before
