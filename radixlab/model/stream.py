"""A model's answer as it comes: token by token in, text out that is final.

    tokens ─► whole characters ─► nothing that could be the beginning of a stop string ─► out

Knows one answer; when a request ends is for the engine to say.
"""

from radixlab.model.tokenizer import Tokenizer

UNFINISHED = "�"
"""What the first bytes of a character decode to until the others have come."""


class TextStream:
    """Decodes one answer as it grows, and ends it before the first stop string.

    The pieces are together what decoding all tokens at once gives, up to the stop string that is
    complete first; if two are complete at once, the longer. Only where bytes are no text may they
    differ: some vocabularies then take back characters that were whole.
    """

    def __init__(self, tokenizer: Tokenizer, stop: tuple[str, ...] = ()) -> None:
        self.stop = stop
        self.stopped_by: str | None = None
        """The stop string that has come; from then on there is no more text."""
        self._tokenizer = tokenizer
        self._ids: list[int] = []
        """`[0, num_read)` those that gave the last text: a decoder may join words by what was
        before; `[num_read, n)` those that have given none yet."""
        self._num_read = 0
        self._held = ""
        """Whole characters that may be the beginning of a stop string."""

    def push(self, token: int) -> str:
        """Take the next token; return the text that is final with it, often empty."""
        self._ids.append(token)
        return self._pass(self._new_text())

    def finish(self) -> str:
        """Return what was held back: no token follows."""
        out = self._pass(self._new_text(even_if_unfinished=True))
        if self.stopped_by is None:
            out, self._held = out + self._held, ""
        return out

    def _new_text(self, even_if_unfinished: bool = False) -> str:
        before = self._tokenizer.decode(self._ids[: self._num_read])
        text = self._tokenizer.decode(self._ids)
        unfinished = text.endswith(UNFINISHED) and not even_if_unfinished
        if unfinished or len(text) <= len(before):
            return ""
        del self._ids[: self._num_read]
        self._num_read = len(self._ids)
        return text[len(before) :]

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
