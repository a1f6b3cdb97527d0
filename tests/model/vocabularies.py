"""Small vocabularies of the two kinds that Llama's family has, and plain words."""

import itertools
import json

from tokenizers import Tokenizer, decoders, models, normalizers, pre_tokenizers, trainers

SPECIAL = ["<s>", "</s>", "<|user|>", "<|assistant|>"]
TEXT = ["the cache holds the prefix, the tree holds the cache", "één café ☃ 😀😃", "of the node"]


def byte_level():
    """Bytes and what they merge to, as Llama 3 and Qwen: any token may end inside a character."""
    vocabulary = Tokenizer(models.BPE())
    vocabulary.pre_tokenizer = pre_tokenizers.ByteLevel(add_prefix_space=False)
    vocabulary.decoder = decoders.ByteLevel()
    alphabet = pre_tokenizers.ByteLevel.alphabet()
    trainer = trainers.BpeTrainer(
        vocab_size=320, initial_alphabet=alphabet, special_tokens=SPECIAL, show_progress=False
    )
    vocabulary.train_from_iterator(TEXT, trainer)
    return vocabulary


def byte_fallback():
    """Pieces with a mark for the space, and bytes for what is in none, as Llama 2."""
    pieces = ["▁", "▁the", "▁cache", "a", "c", "e", "h", "t", "▁c", "ca", "th"]
    names = ["<unk>", *SPECIAL, *(f"<0x{byte:02X}>" for byte in range(256)), *pieces]
    merges = [("▁", "c"), ("c", "a"), ("t", "h")]
    model = models.BPE(
        {name: i for i, name in enumerate(names)},
        merges,
        unk_token="<unk>",
        fuse_unk=True,
        byte_fallback=True,
    )
    vocabulary = Tokenizer(model)
    vocabulary.add_special_tokens(["<unk>", *SPECIAL])
    vocabulary.normalizer = normalizers.Sequence(
        [normalizers.Prepend("▁"), normalizers.Replace(" ", "▁")]
    )
    vocabulary.decoder = decoders.Sequence(
        [
            decoders.Replace("▁", " "),
            decoders.ByteFallback(),
            decoders.Fuse(),
            decoders.Strip(" ", 1, 0),
        ]
    )
    return vocabulary


def words(letters, longest):
    """All words of up to `longest` letters, a token each."""
    lengths = range(1, longest + 1)
    names = ["".join(w) for n in lengths for w in itertools.product(letters, repeat=n)]
    vocabulary = Tokenizer(models.WordLevel({name: i for i, name in enumerate(names)}))
    vocabulary.decoder = decoders.Fuse()
    return vocabulary


def save(folder, vocabulary, **files):
    """Write a model's folder: tokenizer.json, and each of `files` as name.json."""
    vocabulary.save(str(folder / "tokenizer.json"))
    for name, content in files.items():
        (folder / f"{name}.json").write_text(json.dumps(content))
    return folder
