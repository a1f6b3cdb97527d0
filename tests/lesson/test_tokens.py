import pytest
from hypothesis import given
from hypothesis import strategies as st

from radixlab.lesson import decode, encode


@given(st.text())
def test_ids_are_the_bytes_of_the_text(text):
    assert bytes(encode(text)).decode() == text


@pytest.mark.parametrize(
    ("token_id", "shown"),
    [(65, "A"), (32, " "), (10, "⏎"), (0, "‹00›"), (127, "‹7f›"), (226, "‹e2›")],
)
def test_every_token_prints_on_one_line(token_id, shown):
    assert decode(token_id) == shown


def test_no_two_tokens_print_alike():
    assert len({decode(token_id) for token_id in range(256)}) == 256


@pytest.mark.parametrize("token_id", [-1, 256])
def test_decode_names_a_token_that_is_no_byte(token_id):
    with pytest.raises(ValueError, match=str(token_id)):
        decode(token_id)
