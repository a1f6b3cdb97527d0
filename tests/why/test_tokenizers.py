"""Tokens of texts: the same whether a text is tokenised whole or in pieces that were seen."""

import random
import sys

import numpy as np
import pytest

from radixlab.why import tokenizers as why_tokenizers
from radixlab.why.errors import WhyError
from radixlab.why.examples import SUPPORT_DESK
from radixlab.why.reading import read_log
from radixlab.why.tokenizers import BytesOverFour, Pieces, open_tokenizer, pieces_of

TEXTS = [request.text for request in read_log(SUPPORT_DESK)][::4]
O200K = (
    r"[^\r\n\p{L}\p{N}]?\p{L}+(?i:'s|'t|'re|'ve|'m|'ll|'d)?|\p{N}{1,3}"
    r"| ?[^\s\p{L}\p{N}]+[\r\n/]*|\s*[\r\n]+|\s+(?!\S)|\s+"
)
LLAMA3 = (
    r"(?i:'s|'t|'re|'ve|'m|'ll|'d)|[^\r\n\p{L}\p{N}]?\p{L}+|\p{N}{1,3}| ?[^\s\p{L}\p{N}]+[\r\n]*"
    r"|\s*[\r\n]+|\s+(?!\S)|\s+"
)
CODE = "x.\n//\n/* y */\n\n\nz  \n  \n//\n"
WHOLE = "texts whole"


def trained(pre_tokenizer, **options):
    import tokenizers
    from tokenizers import models, trainers

    made = tokenizers.Tokenizer(models.BPE(**options))
    if pre_tokenizer is not None:
        made.pre_tokenizer = pre_tokenizer
    alphabet = tokenizers.pre_tokenizers.ByteLevel.alphabet()
    trainer = trainers.BpeTrainer(vocab_size=700, initial_alphabet=alphabet, show_progress=False)
    made.train_from_iterator(
        [*TEXTS[:2], "one.\nThe next one.\n\nAnd\n- item\n" * 50, CODE * 80], trainer
    )
    return made


def kinds():
    tokenizers = pytest.importorskip("tokenizers", reason="the extra `model` brings tokenizers")
    pre = tokenizers.pre_tokenizers
    o200k = pre.Split(tokenizers.Regex(O200K), "isolated")
    llama = pre.Split(tokenizers.Regex(LLAMA3), "isolated")
    return {
        "gpt2": trained(pre.ByteLevel(add_prefix_space=False)),
        "llama3": trained(pre.Sequence([llama, pre.ByteLevel(False, use_regex=False)])),
        "o200k": trained(pre.Sequence([o200k, pre.ByteLevel(False, use_regex=False)])),
        "metaspace": trained(pre.Metaspace()),
        "prefix space": trained(pre.ByteLevel(add_prefix_space=True)),
        WHOLE: trained(pre.ByteLevel(add_prefix_space=False, use_regex=False)),
    }


def drawn(rng):
    marks = ["//\n", "}\n", "\n/*", "  \n", "\n\n\n", " \n\nThen"]
    parts = [
        *marks,
        "a",
        "The ",
        "\n",
        "\n\n",
        "\r\n",
        " ",
        "\t",
        "é",
        "中",
        "1234",
        "'s",
        "<|x|>",
        ".",
        "- ",
    ]
    return "".join(rng.choice(parts) for _ in range(rng.randrange(3000)))


@pytest.mark.parametrize("name", ["gpt2", "llama3", "o200k", "metaspace", "prefix space", WHOLE])
def test_pieces_give_the_tokens_of_the_whole_text(tmp_path, name):
    made, rng = kinds()[name], random.Random(name)
    (tmp_path / "tokenizer_config.json").write_text("{}")
    made.save(str(tmp_path / "tokenizer.json"))
    tokenizer = open_tokenizer(tmp_path)
    assert tokenizer.divides == (name in ("llama3", "o200k"))
    for text in ["", *TEXTS, *(drawn(rng) for _ in range(12))]:
        expected = made.encode(text, add_special_tokens=False).ids
        assert tokenizer.encode(text).tolist() == expected


def test_what_was_seen_is_not_tokenised_again():
    asked = []
    tokenizer = Pieces("words", lambda text: asked.append(text) or [len(text)])
    del asked[:]
    text = "".join(f"line {n} of a prompt that grows\n" for n in range(400))
    tokenizer.encode(text)
    before = tokenizer.num_encoded
    assert before >= len(text)
    tokenizer.divides = True
    tokenizer.encode(text)
    first = tokenizer.num_encoded
    tokenizer.encode(text + "one more line\n")
    assert tokenizer.num_encoded - first < 2500


def test_what_is_kept_is_bounded(monkeypatch):
    monkeypatch.setattr(why_tokenizers, "MAX_KEPT_BYTES", 4000)
    tokenizer = Pieces("ids", lambda text: list(range(100)))
    for number in range(100):
        tokenizer.encode(f"text {number}")
        assert sum(ids.nbytes for ids in tokenizer._kept.values()) <= 4000


@pytest.mark.parametrize("text", ["", "abc", "abcd", "déjà vu 🚚", "x" * 9999])
def test_byte_b_is_in_token_b_over_four(text):
    tokens, data = BytesOverFour().encode(text), text.encode()
    assert tokens.dtype == np.int32 and len(tokens) == -(-len(data) // 4)
    assert tokens.tobytes().rstrip(b"\0") == data.rstrip(b"\0")


@pytest.mark.parametrize("text", TEXTS[:3])
def test_pieces_are_the_text_and_begin_alike(text):
    pieces, more = list(pieces_of(text)), list(pieces_of(text + "\nand more"))
    assert "".join(pieces) == text and more[: len(pieces) - 1] == pieces[:-1]


def test_tokenizers_are_opened_by_name(tmp_path):
    assert open_tokenizer().name == open_tokenizer("bytes").name == "bytes ÷ 4"
    with pytest.raises(WhyError, match="folder"):
        open_tokenizer("gpt-4o")


def test_tiktoken_is_used_only_where_it_needs_no_network(tmp_path, monkeypatch):
    monkeypatch.setenv("TIKTOKEN_CACHE_DIR", str(tmp_path))
    monkeypatch.setitem(sys.modules, "tiktoken", None)
    with pytest.raises(WhyError, match="tiktoken is not installed"):
        open_tokenizer("tiktoken")
    monkeypatch.setitem(sys.modules, "tiktoken", sys)  # installed; it must not be asked to fetch
    with pytest.raises(WhyError, match="does not have o200k_base on this machine"):
        open_tokenizer("tiktoken")
