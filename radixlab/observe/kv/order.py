"""The order of payloads: what is missing, what came twice, and when a publisher has started again.

A publisher numbers its payloads from 0 without gaps, and sends each one once. ZeroMQ drops some for
a slow reader, and a replay sends some again. So a payload is one of these:

    next        the number that should follow, or a later one: then those between are a gap
    late        fills a gap
    duplicate   was here before
    restart     the first one of a new publisher: everything known is void
    doubtful    an old number with another content: a stray payload, or a new publisher. The next
                number tells which.

This file knows numbers, times and digests. It does not know what a payload says.
"""

from collections import deque
from typing import Literal

Verdict = Literal["next", "late", "duplicate", "restart", "restart_before", "doubtful"]
"""`restart_before`: the doubtful payload before this one was the restart."""

REMEMBERED = 10_000
"""As many payloads as a publisher keeps for replay."""
MAX_GAPS = 1000
"""Most gaps that are remembered; the oldest ones are given up then."""
END = 2**53
"""Numbers are below this, so that a browser reads them exactly; −1 ends a replay."""


class Order:
    """Judges each payload of one rank by its number."""

    def __init__(self) -> None:
        self.gaps: list[tuple[int, int]] = []
        """Numbers that are missing, first and last of each gap, in order."""
        self.num_given_up = 0
        """Payloads that will never be waited for again."""
        self.num_doubtful = 0
        """Those of them that no reset has made void since."""
        self.next: int | None = None
        """The number that should follow; None before the first payload."""
        self._seen: dict[int, int] = {}
        self._recent: deque[int] = deque()
        self._newest = float("-inf")
        self._doubtful: int | None = None
        self._void_below = 0

    @property
    def num_missing(self) -> int:
        """Payloads that are missing, without those that a reset has made void."""
        return sum(self._num_needed(*gap) for gap in self.gaps)

    def reset(self, seq: int | None, late: bool = False) -> None:
        """Note that a payload, with this number if it matters, empties the cache."""
        if not late:
            self.num_doubtful = 0
        self._void_below = max(self._void_below, seq or 0)

    def _num_needed(self, first: int, last: int) -> int:
        return max(0, last - max(first, self._void_below) + 1)

    def judge(self, seq: int, ts: float, payload: bytes, is_replay: bool = False) -> Verdict:
        """Say what a payload is, and count it as arrived unless it is a duplicate or doubtful.

        A replay is what the publisher has now. If it has another payload under a number that was
        seen, then it is a new publisher.
        """
        mark, following = hash(payload), self.next
        verdict: Verdict
        if following is None or seq >= following:
            verdict = "next"
            if seq > (following or 0):
                self._open(following or 0, seq - 1)
            self.next = seq + 1
        elif self._fill(seq):
            verdict = "late"
        elif self._seen.get(seq) == mark:
            return "duplicate"
        elif (is_replay and seq in self._seen) or (seq == 0 and ts > self._newest):
            verdict = "restart"
            self._restart(seq)
        elif self._doubtful is not None and seq == self._doubtful + 1:
            verdict = "restart_before"
            self._restart(self._doubtful)
            self.next = seq + 1
        elif seq == 0 or ts > self._newest:
            self._doubtful = seq
            return "doubtful"
        else:  # older than anything that is remembered
            return "duplicate"
        self._doubtful = None
        self._remember(seq, mark)
        self._newest = max(self._newest, ts)
        return verdict

    def give_up(self) -> None:
        """Wait for nothing that is missing."""
        while self.gaps:
            self._give_up_first()

    def give_up_gap(self, first: int, last: int) -> bool:
        """Wait no longer for one gap; return whether there was such a gap."""
        if (first, last) not in self.gaps:
            return False
        self.gaps.remove((first, last))
        self._count_given_up(first, last)
        return True

    def _count_given_up(self, first: int, last: int) -> None:
        self.num_given_up += last - first + 1
        self.num_doubtful += self._num_needed(first, last)

    def begin_again(self) -> None:
        """Forget the old publisher; the new one has sent nothing yet."""
        self._restart(-1)

    def _restart(self, seq: int) -> None:
        """Forget the old publisher; the new one's first payload here is this one."""
        self.give_up()
        self.num_doubtful = self._void_below = 0
        self._seen.clear()
        self._recent.clear()
        self._newest = float("-inf")
        self.next = seq + 1
        if seq > 0:
            self._open(0, seq - 1)

    def _open(self, first: int, last: int) -> None:
        self.gaps.append((first, last))
        if len(self.gaps) > MAX_GAPS:
            self._give_up_first()

    def _give_up_first(self) -> None:
        self._count_given_up(*self.gaps.pop(0))

    def _fill(self, seq: int) -> bool:
        """Take a number out of the gap that has it; return whether one had."""
        for index, (first, last) in enumerate(self.gaps):
            if first <= seq <= last:
                rest = [(first, seq - 1), (seq + 1, last)]
                self.gaps[index : index + 1] = [gap for gap in rest if gap[0] <= gap[1]]
                if len(self.gaps) > MAX_GAPS:
                    self._give_up_first()
                return True
        return False

    def _remember(self, seq: int, mark: int) -> None:
        self._seen[seq] = mark
        self._recent.append(seq)
        if len(self._recent) > REMEMBERED and (oldest := self._recent.popleft()):
            del self._seen[oldest]  # the first payload of all stays known
