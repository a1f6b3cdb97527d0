"""What a folder may hold, and that everything wrong with it is one line with its name."""

import io
import json
import pickle
import subprocess
import sys
from contextlib import redirect_stderr, suppress
from pathlib import Path
from tempfile import TemporaryDirectory

import pytest

torch = pytest.importorskip("torch", reason="torch is not installed: the extra `model` brings it")
pytest.importorskip("safetensors", reason="safetensors is not installed: the extra `model` has it")
pytest.importorskip("tokenizers", reason="tokenizers is not installed: the extra `model` brings it")

from hypothesis import given  # noqa: E402
from hypothesis import strategies as st  # noqa: E402
from safetensors.torch import load_file, save_file  # noqa: E402

from radixlab.model import weights  # noqa: E402
from radixlab.model.config import LinearScaling, RopeScaling  # noqa: E402
from radixlab.model.errors import (  # noqa: E402
    BadFileError,
    MissingFileError,
    ModelError,
    UnsupportedModelError,
    WeightsError,
)
from radixlab.model.loader import load_config, load_model  # noqa: E402
from radixlab.model.runner import dense_logits  # noqa: E402
from tests.model.checkpoints import HF, save_checkpoint, tiny_model  # noqa: E402

TEXT = list(range(20))
TINY_MODEL = tiny_model()
SCALES = {"factor": 8.0, "low_freq_factor": 1.0, "high_freq_factor": 4.0}
LLAMA_3 = {"rope_type": "llama3", **SCALES, "original_max_position_embeddings": 64}


@pytest.fixture
def folder(tmp_path):
    return save_checkpoint(tmp_path, tiny_model())


def rewrite(path, edit):
    """Change the tensors of a file."""
    tensors = load_file(path)
    edit(tensors)
    save_file(tensors, path)


def says(error, *parts, load=load_model, folder):
    """Expect this error, in one line with all of these in it."""
    with pytest.raises(error) as caught:
        load(folder)
    message = str(caught.value)
    assert isinstance(caught.value, ModelError) and "\n" not in message
    assert all(str(part) in message for part in parts), message


# ---- weights


@pytest.mark.parametrize("shards", [1, 3])
@pytest.mark.parametrize("tied", [False, True])
def test_a_model_comes_back_from_its_folder(shards, tied, tmp_path):
    model = tiny_model(tied_embeddings=tied)
    save_checkpoint(tmp_path, model, shards, tie_word_embeddings=tied)
    again = load_model(tmp_path)
    assert again.config == load_config(tmp_path)
    assert torch.equal(dense_logits(model, TEXT), dense_logits(again, TEXT))


def test_a_model_does_not_need_its_files_any_more(folder):
    model = load_model(folder)
    (folder / "model.safetensors").write_bytes(b"")
    assert torch.equal(dense_logits(model, TEXT), dense_logits(TINY_MODEL, TEXT))


@pytest.mark.parametrize("stored", [torch.float32, torch.bfloat16, torch.float16])
def test_weights_keep_their_dtype_or_are_converted(stored, tmp_path):
    save_checkpoint(tmp_path, tiny_model().to(stored))
    assert {p.dtype for p in load_model(tmp_path).parameters()} == {stored}
    converted = load_model(tmp_path, torch.bfloat16)
    assert {p.dtype for p in converted.parameters()} == {torch.bfloat16}
    assert converted.frequencies.dtype == torch.float32
    assert {p.device.type for p in [*converted.parameters(), *converted.buffers()]} == {"cpu"}


def test_of_several_dtypes_the_commonest_wins(folder):
    def narrow(tensors):
        for name in tensors:
            if "norm" not in name:
                tensors[name] = tensors[name].bfloat16()

    rewrite(folder / "model.safetensors", narrow)
    assert {p.dtype for p in load_model(folder).parameters()} == {torch.bfloat16}


def test_a_tied_head_and_old_buffers_are_not_asked_for(tmp_path):
    model = tiny_model(tied_embeddings=True)
    folder = save_checkpoint(tmp_path, model, tie_word_embeddings=True)
    inv_freq = "model.layers.0.self_attn.rotary_emb.inv_freq"
    rounded = {inv_freq: model.frequencies.half()}
    rewrite(folder / "model.safetensors", lambda tensors: tensors.update(rounded))
    names = dict(load_model(folder).named_parameters())
    assert "lm_head.weight" not in names and len(names) == 20


def test_progress_is_shown_for_a_large_model_only(folder, monkeypatch):
    def shown():
        with redirect_stderr(io.StringIO()) as err:
            load_model(folder)
        return err.getvalue()

    assert shown() == ""
    monkeypatch.setattr(weights, "LARGE_BYTES", 1)
    assert "weights: 100%" in shown()


def test_weights_cannot_be_integers(folder):
    says(WeightsError, "torch.int8", load=lambda f: load_model(f, torch.int8), folder=folder)


def test_a_missing_tensor_is_named(folder):
    def drop(tensors):
        del tensors["model.layers.1.mlp.up_proj.weight"], tensors["model.norm.weight"]

    rewrite(folder / "model.safetensors", drop)
    named = "layers.1.mlp.up_proj.weight [40, 32] is missing (and 1 more)"
    says(WeightsError, folder, named, folder=folder)


def test_an_unknown_tensor_is_named(folder):
    bias = "model.layers.0.self_attn.q_proj.bias"
    rewrite(folder / "model.safetensors", lambda tensors: tensors.update({bias: torch.ones(64)}))
    says(WeightsError, "model.safetensors", bias, "[64]", "is not in a model", folder=folder)


def test_a_tensor_of_another_shape_is_named_with_both(tmp_path):
    folder = save_checkpoint(tmp_path, tiny_model(), num_key_value_heads=1)
    named = "k_proj.weight is [32, 32], but config.json implies [16, 32]"
    says(WeightsError, "model.safetensors", named, folder=folder)


def test_a_quantized_tensor_is_named(folder):
    def quantize(tensors):
        tensors["model.norm.weight"] = tensors["model.norm.weight"].to(torch.int8)

    rewrite(folder / "model.safetensors", quantize)
    says(WeightsError, "model.norm.weight is I8; only F32, BF16, F16", folder=folder)


# ---- files


def test_a_truncated_file_is_named_with_its_bytes(folder):
    path = folder / "model.safetensors"
    whole = path.read_bytes()
    path.write_bytes(whole[:-100])
    cut = f"{path} is truncated: it has {len(whole) - 100} bytes, but tensor "
    says(BadFileError, cut, f"ends at byte {len(whole)}", folder=folder)


@pytest.mark.parametrize(
    "content, why",
    [
        (b"", "it has 0 bytes, a header needs 8"),
        (b"\x09\0\0\0\0\0\0\0{}", "it has 10 bytes, its header alone needs 17"),
        (b"\x02\0\0\0\0\0\0\0{]", "header"),
        (b"version https://git-lfs.github.com/spec/v1\n", "the 43 bytes of a Git LFS pointer"),
    ],
)
def test_what_is_no_safetensors_file_is_named(content, why, folder):
    (folder / "model.safetensors").write_bytes(content)
    says(BadFileError, folder / "model.safetensors", why, folder=folder)


def test_missing_files_are_named(folder):
    (folder / "model.safetensors").unlink()
    says(
        MissingFileError, "model.safetensors is missing; the folder has config.json", folder=folder
    )
    (folder / "config.json").unlink()
    says(MissingFileError, "config.json is missing; the folder has nothing", folder=folder)
    says(MissingFileError, "nowhere is not a folder", folder=folder / "nowhere")


def test_a_pickle_is_never_opened(folder):
    class Bomb:
        def __reduce__(self):
            return pytest.fail, ("the pickle was opened",)

    (folder / "model.safetensors").unlink()
    (folder / "pytorch_model.bin").write_bytes(pickle.dumps(Bomb()))
    says(MissingFileError, "pytorch_model.bin is a pickle", folder=folder)


@pytest.mark.parametrize(
    "edit, error, named",
    [
        (lambda places: places.update(x="away.safetensors"), MissingFileError, "away.safetensors"),
        (lambda places: places.update(x="model-1.safetensors"), WeightsError, "tensor x should be"),
        (lambda places: places.update(x="../a.safetensors"), BadFileError, "tensor x cannot be in"),
        (lambda places: places.update(x=7), BadFileError, "tensor x cannot be in 7"),
        (lambda places: places.clear(), BadFileError, "weight_map"),
    ],
)
def test_an_index_that_is_wrong_is_named(edit, error, named, tmp_path):
    folder = save_checkpoint(tmp_path, tiny_model(), shards=3)
    path = folder / "model.safetensors.index.json"
    index = json.loads(path.read_text())
    edit(index["weight_map"])
    path.write_text(json.dumps(index))
    says(error, path, named, folder=folder)


def test_a_missing_shard_is_named(tmp_path):
    folder = save_checkpoint(tmp_path, tiny_model(), shards=3)
    (folder / "model-2.safetensors").unlink()
    says(MissingFileError, "index.json: model-2.safetensors is missing; tensor", folder=folder)


# ---- config.json


@pytest.mark.parametrize(
    "rope, theta, scaling",
    [
        ({}, 1e4, None),
        ({"rope_theta": 5e5, "rope_scaling": None}, 5e5, None),
        ({"rope_scaling": {"type": "linear", "factor": 2}}, 1e4, LinearScaling(2.0)),
        ({"rope_theta": 5e5, "rope_scaling": LLAMA_3}, 5e5, RopeScaling(8.0, 1.0, 4.0, 64)),
        ({"rope_parameters": {"rope_type": "default", "rope_theta": 7}}, 7.0, None),
        (
            {"rope_parameters": {**LLAMA_3, "rope_theta": 5e5}},
            5e5,
            RopeScaling(8.0, 1.0, 4.0, 64),
        ),
    ],
    ids=str,
)
def test_both_ways_to_write_rope_are_read(rope, theta, scaling, tmp_path):
    config = load_config(save_checkpoint(tmp_path, tiny_model(), **rope))
    assert (config.rope_theta, config.rope_scaling) == (theta, scaling)


def test_what_may_be_absent(tmp_path):
    absent = {"head_dim": None, "num_key_value_heads": None, "num_attention_heads": 8}
    config = load_config(save_checkpoint(tmp_path, tiny_model(), **absent))
    assert (config.head_dim, config.num_kv_heads, config.rms_norm_eps) == (4, 8, 1e-6)
    assert not (config.tied_embeddings or config.qkv_bias or config.mlp_bias or config.qk_norm)


@pytest.mark.parametrize(
    "changes, error, named",
    [
        ({"architectures": ["PhiForCausalLM"]}, UnsupportedModelError, "PhiForCausalLM"),
        ({"architectures": None}, UnsupportedModelError, "architectures is []"),
        ({"rope_scaling": {"type": "yarn"}}, UnsupportedModelError, "RoPE of type 'yarn'"),
        ({"use_sliding_window": True}, UnsupportedModelError, "use_sliding_window is True"),
        ({"layer_types": ["sliding_attention"]}, UnsupportedModelError, "layer_types"),
        ({"hidden_act": "gelu"}, UnsupportedModelError, "hidden_act is gelu"),
        ({"quantization_config": {"bits": 4}}, UnsupportedModelError, "quantization_config"),
        ({"partial_rotary_factor": 0.5}, UnsupportedModelError, "partial_rotary_factor is 0.5"),
        (
            {"rope_parameters": {"partial_rotary_factor": 0.5}},
            UnsupportedModelError,
            "partial_rotary_factor is 0.5",
        ),
        ({"hidden_size": None}, BadFileError, "hidden_size is missing"),
        ({"hidden_size": "32"}, BadFileError, "hidden_size cannot be '32'"),
        ({"hidden_size": True}, BadFileError, "hidden_size cannot be True"),
        (
            {"vocab_size": 10**30},
            BadFileError,
            ": it cannot be above 2147483647",
        ),
        (
            {"num_hidden_layers": 10**9},
            BadFileError,
            "num_hidden_layers is 1000000000: it cannot be above 10000",
        ),
        ({"tie_word_embeddings": 1}, BadFileError, "tie_word_embeddings cannot be 1"),
        ({"num_hidden_layers": 0}, BadFileError, "num_layers must be a positive integer, not 0"),
        ({"num_attention_heads": 0}, BadFileError, "num_heads must be a positive integer, not 0"),
        ({"num_key_value_heads": 3}, BadFileError, "num_heads is 4"),
        ({"head_dim": 15}, BadFileError, "head_dim is 15"),
        ({"rope_theta": 0}, BadFileError, "rope_theta must be above 0, not 0"),
        ({"rope_scaling": 2}, BadFileError, "rope_scaling cannot be 2"),
        ({"rope_scaling": {"type": "linear", "factor": 0}}, BadFileError, "factor must be above 0"),
        ({"rope_scaling": {"type": "llama3"}}, BadFileError, "factor is missing"),
        (
            {"rope_scaling": {**LLAMA_3, "high_freq_factor": 0.5}},
            BadFileError,
            "low_freq_factor is 1.0: it must be above 0 and below high_freq_factor, which is 0.5",
        ),
    ],
    ids=str,
)
def test_a_config_that_cannot_be_used_is_named(changes, error, named, tmp_path):
    folder = save_checkpoint(tmp_path, tiny_model(), **changes)
    says(error, folder / "config.json", named, folder=folder)


def test_a_config_that_is_no_json_is_named(folder):
    (folder / "config.json").write_text('{"a": 1,\n}')
    says(BadFileError, folder / "config.json", "is not JSON", "line 2", folder=folder)


# ---- anything


@given(where=st.floats(0, 1), num_cut=st.integers(0, 3000), byte=st.integers(0, 255))
def test_whatever_befalls_the_weights_file_is_one_of_our_errors(where, num_cut, byte):
    with TemporaryDirectory() as name:
        path = save_checkpoint(Path(name), TINY_MODEL) / "model.safetensors"
        content = bytearray(path.read_bytes())
        content[int(where * 2000)] = byte  # the header has more
        path.write_bytes(content[: len(content) - num_cut])
        with suppress(ModelError):
            load_model(name)


WRONG = st.none() | st.booleans() | st.integers(-2, 70) | st.floats() | st.text(max_size=3)
VALUES = (
    WRONG | st.lists(WRONG, max_size=2) | st.dictionaries(st.text(max_size=3), WRONG, max_size=2)
)
NAMES = [*HF, "rope_theta", "rope_scaling", "rope_parameters", "rms_norm_eps", "layer_types"]


@given(st.dictionaries(st.sampled_from(NAMES), VALUES, min_size=1, max_size=2))
def test_whatever_a_config_says_is_read_or_one_of_our_errors(changes):
    with TemporaryDirectory() as name, suppress(ModelError):
        load_model(save_checkpoint(Path(name), TINY_MODEL, **changes))


def test_a_model_is_loaded_without_torchs_compiler() -> None:
    program = "import sys; from radixlab.llm import LLM; LLM('tiny'); print(*sys.modules)"
    run = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True)
    modules = run.stdout.split()
    assert "radixlab.model.loader" in modules and "torch._dynamo" not in modules, run.stderr
