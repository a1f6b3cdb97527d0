from hypothesis import example, given
from hypothesis import strategies as st

from radixlab.why.alignment import changes_between
from radixlab.why.diff import differences, num_common
from radixlab.why.edits import Edit, Editor
from radixlab.why.prompt import Prompt
from radixlab.why.request import Request
from radixlab.why.source import Source
from radixlab.why.tokenizers import BytesOverFour

WORDS = ("alpha", "beta", "gamma", " ", "\n", ", ", "7", "12:03:44")
TEXTS = st.lists(st.sampled_from(WORDS), max_size=30).map("".join)
CHATS = st.lists(st.lists(TEXTS.filter(bool), min_size=1, max_size=5), min_size=2, max_size=5)


def request(number, texts):
    parts = tuple((("messages", i, "content"), text) for i, text in enumerate(texts))
    return Request(number + 1, number, "openai chat", (), parts)


def with_reference_text(spans, new, old):
    """Put the old text in the place of every difference."""
    pieces, end = [], 0
    for span in spans:
        pieces += [new[end : span.start], old[span.old_start : span.old_end]]
        end = span.end
    return "".join(pieces) + new[end:]


@given(TEXTS, TEXTS)
def test_between_two_differences_texts_agree(new, old):
    assert with_reference_text(differences(new, old), new, old) == old


@given(CHATS)
def test_between_two_differences_prompts_agree(chats):
    new, old = (Prompt(request(0, texts), BytesOverFour()) for texts in chats[:2])
    spans = [change.span for change in changes_between(new, old)]
    assert with_reference_text(spans, new.text, old.text) == old.text


def edited(chats, undone):
    """The last of several prompts, each compared with the one before; group 1 where undone."""
    source = Source([request(*each) for each in enumerate(chats)], BytesOverFour(), print)
    edits = {}
    for number in range(1, len(chats)):
        new, old = source.prompt(number), source.prompt(number - 1)
        changes = changes_between(new, old)
        pairs = tuple((change.span, int(undone)) for change in changes)
        edits[number] = Edit(number - 1, num_common(new.text, old.text), pairs)
    made = Editor(source, edits, frozenset({1})).edited(len(chats) - 1)
    return source.prompt(len(chats) - 1).text if made is None else made.text


# What one prompt has put in at a position comes along with whatever follows it in the next.
@example([["alpha"], ["alphaalpha"], ["alphaalpha"]])
@example([["7 ", " ", " 7"], ["  7"], ["  ", "7"]])
@example([["alpha", "alphabeta", " 7"], ["7  "], ["7"], [" 7beta"]])
@given(CHATS)
def test_with_all_differences_undone_every_prompt_is_the_first(chats):
    assert edited(chats, undone=True) == "".join(chats[0])


@given(CHATS)
def test_with_no_difference_undone_every_prompt_stays(chats):
    assert edited(chats, undone=False) == "".join(chats[-1])
