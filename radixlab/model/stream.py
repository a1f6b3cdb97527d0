"""A model's answer as a stream: one token at a time goes in, final text comes out.

    tokens ─► whole characters ─► hold back the beginning of a possible stop string ─► text

This file knows one answer. The engine decides when a request ends.
"""

from radixlab.model.tokenizer import UNFINISHED, Tokenizer

NUM_KEPT = 4
"""Earlier tokens that a decoder may need: a character has at most four bytes."""
MOST_KEPT = 3 * NUM_KEPT


class TextStream:
    """Decodes one answer as it grows, and ends it before the first stop string.

    The pieces join to the text of all tokens decoded at once, up to the stop string that is
    complete first; if two become complete with the same character, up to the longer one. Most
    tokens have a text of their own. Where the text depends on earlier tokens, the last few of them
    are decoded again with the next one, so that each is decoded a bounded number of times.

    The first `min_tokens` tokens complete no stop string, but one may begin in their text.
    """

    def __init__(
        self, tokenizer: Tokenizer, stop: tuple[str, ...] = (), min_tokens: int = 0
    ) -> None:
        self.stop = stop
        self.min_tokens = min_tokens
        self.stopped_by: str | None = None
        """The stop string that was found; no more text follows it."""
        self._tokenizer = tokenizer
        self._num_pushed = 0
        self._ids: list[int] = []
        """The last tokens with text, including all whose text is not fully returned yet."""
        self._num_given = 0
        """How many characters of the decoded `_ids` have been returned."""
        self._is_whole = False
        """Whether the text so far is returned, up to its end, which is a whole character."""
        self._last: int | None = None
        """The last token, if its own text was returned; then `_ids` is out of date."""
        self._held = ""
        """Whole characters that may be the beginning of a stop string."""
        self._num_early = 0
        """How many of the held characters came too early to complete one."""

    def push(self, token: int) -> str:
        """Take the next token; return the text that is final with it, often empty."""
        self._num_pushed += 1
        own = self._tokenizer.own_text(token)
        if own == "":
            return ""
        if own is not None and self._is_whole:
            self._last = token
            return self._pass(own)
        if self._last is not None:
            self._ids, self._last = [self._last], None
            self._num_given = len(self._tokenizer.vocabulary.decode(self._ids))
        self._ids.append(token)
        self._is_whole = False
        if token in self._tokenizer.byte_ids:
            return ""  # a run of bytes is decoded at its end: one bad byte spoils it
        return self._pass(self._new_text())

    def finish(self) -> str:
        """Return the text that was held back; no token follows."""
        rest = "" if self._is_whole else self._new_text(even_if_unfinished=True)
        out = self._pass(rest)
        if self.stopped_by is None:
            out, self._held = out + self._held, ""
        return out

    def _new_text(self, even_if_unfinished: bool = False) -> str:
        """Decode the kept tokens, and return the new text; the final � may become a character."""
        text = self._tokenizer.vocabulary.decode(self._ids)
        unfinished = text.endswith(UNFINISHED) and not even_if_unfinished
        end = max(self._num_given, len(text) - unfinished)
        new, self._num_given = text[self._num_given : end], end
        self._is_whole = bool(text) and end == len(text) and not text.endswith(UNFINISHED)
        if len(self._ids) > MOST_KEPT:
            self._forget(text)
        return new

    def _forget(self, text: str) -> None:
        """Drop leading tokens if the remaining ones decode to the end of the same text.

        One of four neighbouring tokens begins a character. After a run of invalid bytes, only the
        tokens behind the run may fit; they suffice if no character is incomplete.
        """
        num_left = len(text) - self._num_given
        shorter = range(NUM_KEPT - 1, 0, -1) if num_left == 0 else ()
        for num_kept in (*range(NUM_KEPT, 2 * NUM_KEPT), *shorter):
            kept = self._tokenizer.decode(self._ids[-num_kept:])
            if text.endswith(kept) and len(kept) >= num_left:
                del self._ids[:-num_kept]
                self._num_given = len(kept) - num_left
                return

    def _pass(self, text: str) -> str:
        """Add text to the held text, and return what can no longer belong to a stop string."""
        if not self.stop:
            return text
        if self.stopped_by is not None:
            return ""
        self._held += text
        if self._num_pushed <= self.min_tokens:
            self._num_early = len(self._held)
        found = [
            (start + len(stop), start, stop)
            for stop in self.stop
            if (start := self._held.find(stop, max(0, self._num_early - len(stop) + 1))) >= 0
        ]
        if found:
            _, end, self.stopped_by = min(found)
        else:
            end = len(self._held) - self._num_claimed()
        out, self._held = self._held[:end], self._held[end:]
        self._num_early = max(0, self._num_early - end)
        return out

    def _num_claimed(self) -> int:
        """Return the length of the longest end of the held text that begins a stop string."""
        longest = min(len(self._held), max(map(len, self.stop), default=1) - 1)
        for num in range(longest, 0, -1):
            if any(stop.startswith(self._held[-num:]) for stop in self.stop):
                return num
        return 0
