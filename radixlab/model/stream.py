"""A model's answer as it comes: token by token in, text out that is final.

    tokens ─► whole characters ─► nothing that could be the beginning of a stop string ─► out

Knows one answer; when a request ends is for the engine to say.
"""

from radixlab.model.tokenizer import Tokenizer

UNFINISHED = "�"
"""What the first bytes of a character decode to until the others have come."""
NUM_KEPT = 4
"""Tokens before the next one that a decoder may look at: a character has no more bytes."""
MOST_KEPT = 3 * NUM_KEPT


class TextStream:
    """Decodes one answer as it grows, and ends it before the first stop string.

    The pieces are together what decoding all tokens at once gives, up to the stop string that is
    complete first; if two are complete at once, the longer. A token is decoded a bounded number of
    times, whatever comes: the last few are decoded again with the next, because a decoder may join
    words by what was before, and a character may need several.
    """

    def __init__(self, tokenizer: Tokenizer, stop: tuple[str, ...] = ()) -> None:
        self.stop = stop
        self.stopped_by: str | None = None
        """The stop string that has come; from then on there is no more text."""
        self._tokenizer = tokenizer
        self._ids: list[int] = []
        """The last tokens with text, among them all whose text is not wholly given out."""
        self._num_given = 0
        """Characters of what `_ids` decode to that have been given out."""
        self._held = ""
        """Whole characters that may be the beginning of a stop string."""

    def push(self, token: int) -> str:
        """Take the next token; return the text that is final with it, often empty."""
        if self._has_no_text(token):
            return ""
        self._ids.append(token)
        if token in self._tokenizer.byte_ids:
            return ""  # what a run of bytes says is known at its end: one bad byte spoils all
        return self._pass(self._new_text())

    def finish(self) -> str:
        """Return what was held back: no token follows."""
        out = self._pass(self._new_text(even_if_unfinished=True))
        if self.stopped_by is None:
            out, self._held = out + self._held, ""
        return out

    def _has_no_text(self, token: int) -> bool:
        tokenizer = self._tokenizer
        return token in tokenizer.silent_ids or tokenizer.vocabulary.id_to_token(token) is None

    def _new_text(self, even_if_unfinished: bool = False) -> str:
        """Decode the tokens at hand, and give what is new; a last � may yet become a character."""
        text = self._tokenizer.decode(self._ids)
        unfinished = text.endswith(UNFINISHED) and not even_if_unfinished
        end = max(self._num_given, len(text) - unfinished)
        new, self._num_given = text[self._num_given : end], end
        if len(self._ids) > MOST_KEPT:
            self._forget(text)
        return new

    def _forget(self, text: str) -> None:
        """Drop leading tokens where those that stay give the end of the same text.

        One of four neighbouring tokens begins a character. After a run of bytes that are no text
        only what follows the run may fit: it is enough where no character is unfinished.
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
        """Add text to what is held, and give what no stop string can claim any more."""
        if self.stopped_by is not None:
            return ""
        self._held += text
        found = [
            (start + len(stop), start, stop)
            for stop in self.stop
            if (start := self._held.find(stop)) >= 0
        ]
        if found:
            _, end, self.stopped_by = min(found)
        else:
            end = len(self._held) - self._num_claimed()
        out, self._held = self._held[:end], self._held[end:]
        return out

    def _num_claimed(self) -> int:
        """Count the last characters that a stop string begins with; the most if several do."""
        longest = min(len(self._held), max(map(len, self.stop), default=1) - 1)
        for num in range(longest, 0, -1):
            if any(stop.startswith(self._held[-num:]) for stop in self.stop):
                return num
        return 0
