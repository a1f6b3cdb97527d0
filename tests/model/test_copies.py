"""Tensors that a folder has twice: equal ones pass, others are refused by name."""

import json

import pytest

torch = pytest.importorskip("torch", reason="torch is not installed: the extra `model` brings it")
pytest.importorskip("safetensors", reason="safetensors is not installed: the extra `model` has it")
pytest.importorskip("tokenizers", reason="tokenizers is not installed: the extra `model` brings it")

from safetensors.torch import load_file, save_file  # noqa: E402

from radixlab.model import copies  # noqa: E402
from radixlab.model.errors import ModelError, UnsupportedModelError, WeightsError  # noqa: E402
from radixlab.model.loader import load_model  # noqa: E402
from radixlab.model.runner import dense_logits  # noqa: E402
from tests.model.checkpoints import save_checkpoint, tiny_model  # noqa: E402

TEXT = list(range(20))
HEAD, EMBEDDING = "lm_head.weight", "model.embed_tokens.weight"
UP = "model.layers.1.mlp.up_proj.weight"
INV_FREQ = "model.layers.0.self_attn.rotary_emb.inv_freq"


def rewrite(path, edit):
    tensors = load_file(path)
    edit(tensors)
    save_file(tensors, path)


def other(tensor):
    """Change the last number only."""
    changed = tensor.clone()
    changed.view(-1)[-1] += 1
    return changed


def single(folder, **changes):
    save_checkpoint(folder, tiny_model(), **changes)
    return folder / "model.safetensors"


def shards(folder):
    save_checkpoint(folder, tiny_model(), shards=3)
    return {path.name: path for path in folder.glob("model-*.safetensors")}


# Each makes a folder in which `edit` decides about the second copy of a tensor.


def tied_head(folder, edit):
    path = single(folder, tie_word_embeddings=True)
    rewrite(path, lambda t: t.update({HEAD: edit(t[EMBEDDING])}))


def tied_head_under_the_models_name(folder, edit):
    path = single(folder, tie_word_embeddings=True)
    rewrite(path, lambda t: (t.pop(HEAD), t.update({f"model.{HEAD}": edit(t[EMBEDDING])})))


def tied_head_of_another_dtype(folder, edit):
    path = single(folder, tie_word_embeddings=True)
    rewrite(path, lambda t: t.update({EMBEDDING: t[EMBEDDING].bfloat16().float()}))
    rewrite(path, lambda t: t.update({HEAD: edit(t[EMBEDDING]).bfloat16()}))


def tied_head_in_another_shard(folder, edit):
    by_name = shards(folder)
    rewrite(by_name["model-1.safetensors"], lambda t: t.pop(HEAD, None))
    embedding = load_file(by_name["model-1.safetensors"])[EMBEDDING]
    rewrite(by_name["model-3.safetensors"], lambda t: t.update({HEAD: edit(embedding)}))
    config = json.loads((folder / "config.json").read_text())
    (folder / "config.json").write_text(json.dumps({**config, "tie_word_embeddings": True}))


def with_and_without_prefix(folder, edit):
    rewrite(single(folder), lambda t: t.update({UP.removeprefix("model."): edit(t[UP])}))


def in_two_shards(folder, edit):
    by_name = shards(folder)
    first, last = by_name["model-1.safetensors"], by_name["model-3.safetensors"]
    rewrite(last, lambda t: t.update({EMBEDDING: edit(load_file(first)[EMBEDDING])}))


def a_single_file_beside_shards(folder, edit):
    by_name = shards(folder)
    whole = {}
    for path in by_name.values():
        whole |= load_file(path)
    save_file({**whole, UP: edit(whole[UP])}, folder / "model.safetensors")


def old_frequencies(folder, edit):
    frequencies = tiny_model().frequencies
    rewrite(single(folder), lambda t: t.update({INV_FREQ: edit(frequencies).half()}))


MAKE = [
    tied_head, tied_head_under_the_models_name, tied_head_of_another_dtype,
    tied_head_in_another_shard, with_and_without_prefix, in_two_shards,
    a_single_file_beside_shards, old_frequencies,
]  # fmt: skip


@pytest.mark.parametrize("make", MAKE)
def test_equal_copies_are_one_tensor(make, tmp_path):
    make(tmp_path, torch.clone)
    tied = "tied" in make.__name__
    ours = load_model(tmp_path)
    assert ours.config.tied_embeddings == tied
    if not tied:
        assert torch.equal(dense_logits(ours, TEXT), dense_logits(tiny_model(), TEXT))


@pytest.mark.parametrize("piece", [1, 7, 2**22])
@pytest.mark.parametrize("make", MAKE)
def test_copies_that_differ_are_refused_by_name(make, piece, tmp_path, monkeypatch):
    monkeypatch.setattr(copies, "PIECE_NUMBERS", piece)
    make(tmp_path, other)
    with pytest.raises(WeightsError, match=r"(differs from tensor|does not match)") as caught:
        load_model(tmp_path)
    assert str(tmp_path) in str(caught.value) and "\n" not in str(caught.value)


def test_copies_of_another_shape_are_refused(tmp_path):
    tied_head(tmp_path, lambda tensor: tensor[1:].clone())
    with pytest.raises(WeightsError, match=r"lm_head\.weight differs from tensor model\.embed"):
        load_model(tmp_path)


def test_frequencies_of_another_base_are_refused_and_unscaled_ones_pass(tmp_path):
    old_frequencies(tmp_path, torch.clone)
    config = json.loads((tmp_path / "config.json").read_text())
    linear = {"rope_scaling": {"type": "linear", "factor": 4.0}}
    (tmp_path / "config.json").write_text(json.dumps({**config, **linear}))
    load_model(tmp_path)  # as LongChat's files have them
    (tmp_path / "config.json").write_text(json.dumps({**config, "rope_theta": 5e5}))
    with pytest.raises(WeightsError, match="inv_freq does not match rope_theta"):
        load_model(tmp_path)


@pytest.mark.parametrize(
    "name",
    [
        "adapter_config.json",
        "adapter_model.safetensors",
        "adapter_model.bin",
        "adapter_model-00001-of-00002.safetensors",
        "adapters.safetensors",
        "pytorch_lora_weights.safetensors",
    ],
)
def test_an_adapter_beside_the_weights_is_refused(name, tmp_path):
    single(tmp_path)
    (tmp_path / name).write_bytes(b"{}")
    with pytest.raises(UnsupportedModelError, match=f"{name}: the folder has an adapter"):
        load_model(tmp_path)


def test_adapter_tensors_among_the_weights_are_refused(tmp_path):
    lora = "base_model.model.model.layers.0.self_attn.q_proj.lora_A.weight"
    rewrite(single(tmp_path), lambda t: t.update({lora: torch.zeros(2, 32)}))
    with pytest.raises(WeightsError, match=r"lora_A\.weight"):
        load_model(tmp_path)


@pytest.mark.parametrize("whole", [False, True])
def test_a_shard_in_no_index_is_refused(whole, tmp_path):
    single(tmp_path) if whole else shards(tmp_path)
    stray = tmp_path / "model-00002-of-00002.safetensors"
    save_file({"model.norm.weight": torch.ones(32)}, stray)
    with pytest.raises(WeightsError, match=r"00002-of-00002\.safetensors is not in"):
        load_model(tmp_path)


def test_an_index_whose_shards_were_merged_is_left_alone(tmp_path):
    single(tmp_path)
    places = {UP: "model-00001-of-00002.safetensors"}
    index = tmp_path / "model.safetensors.index.json"
    index.write_text(json.dumps({"weight_map": places}))
    load_model(tmp_path)
    index.write_text(json.dumps({"weight_map": {UP: "model.safetensors"}}))
    load_model(tmp_path)
    index.write_text(json.dumps({"weight_map": {"x": "model.safetensors"}}))
    with pytest.raises(ModelError, match="tensor x should be in"):
        load_model(tmp_path)


def test_what_other_programs_read_is_left_alone(tmp_path):
    path = single(tmp_path)
    (tmp_path / "consolidated.safetensors").write_bytes(path.read_bytes())
    (tmp_path / "pytorch_model.bin").write_bytes(b"a pickle")
    load_model(tmp_path)


@pytest.mark.parametrize("stated", ["bfloat16", "float16", "float64", "float8_e4m3fn"])
def test_a_dtype_that_the_weights_have_not_is_refused_unless_one_is_chosen(stated, tmp_path):
    single(tmp_path, torch_dtype=stated)
    with pytest.raises(WeightsError, match=f"are float32, but config.json says {stated}"):
        load_model(tmp_path)
    assert load_model(tmp_path, torch.float32).norm.weight.dtype == torch.float32
