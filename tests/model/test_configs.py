"""What a config.json may say: each variant gives transformers' logits, or is refused by name."""

import json
import os

import pytest

torch = pytest.importorskip("torch", reason="torch is not installed: the extra `model` brings it")
os.environ |= {"HF_HUB_OFFLINE": "1", "TRANSFORMERS_OFFLINE": "1"}  # nothing here is downloaded
transformers = pytest.importorskip(
    "transformers", reason="transformers is not installed: the extra `oracle` brings it"
)

from radixlab.model.errors import BadFileError, ModelError, UnsupportedModelError  # noqa: E402
from radixlab.model.loader import load_config, load_model  # noqa: E402
from radixlab.model.runner import dense_logits  # noqa: E402
from tests.model.checkpoints import HF  # noqa: E402
from tests.model.served import TOLERANCE, prompt  # noqa: E402
from tests.model.test_oracle import saved, their_logits  # noqa: E402

NAMES = ["Llama", "Mistral", "Qwen2", "Qwen3"]
SIZES = {name: value for name, value in HF.items() if name not in ("architectures", "head_dim")}
TEXT = prompt(0, 40)
L3 = {"factor": 8.0, "low_freq_factor": 1.0, "high_freq_factor": 4.0}
LLAMA_3 = {"rope_type": "llama3", **L3, "original_max_position_embeddings": 64}
LINEAR = {"rope_type": "linear", "factor": 4.0}


class Absent:
    """Stands for a key that is taken out; the same text in every process, for test ids."""

    def __repr__(self) -> str:
        return "absent"


ABSENT = Absent()


@pytest.fixture(scope="module")
def checkpoints(tmp_path_factory):
    """A folder for each architecture, as transformers writes it, and what its config.json says."""
    made = {}
    for name in NAMES:
        folder = tmp_path_factory.mktemp(name)
        changes = {"head_dim": 8} if name == "Qwen3" else {}
        changes |= {"sliding_window": None} if name == "Mistral" else {}
        saved(folder, name, {**SIZES, **changes})
        made[name] = folder, json.loads((folder / "config.json").read_text())
    return made


def changed(checkpoints, name, changes):
    """Return the folder of an architecture with another config.json."""
    folder, config = checkpoints[name]
    config = {key: value for key, value in {**config, **changes}.items() if value is not ABSENT}
    (folder / "config.json").write_text(json.dumps(config))
    return folder


def equals_transformers(folder):
    theirs = transformers.AutoModelForCausalLM.from_pretrained(folder, attn_implementation="eager")
    ours = dense_logits(load_model(folder), TEXT)
    assert (ours - their_logits(theirs, TEXT)).abs().max() <= TOLERANCE


# ---- what loads


OLD_ROPE = {"rope_parameters": ABSENT}
LOADS = [  # for each architecture
    {},
    {"dtype": ABSENT, "torch_dtype": "float32"},
    {"torch_dtype": "float32"},
    {**OLD_ROPE},
    {**OLD_ROPE, "rope_theta": 500.0},
    {**OLD_ROPE, "rope_theta": 500.0, "rope_scaling": None},
    {**OLD_ROPE, "rope_theta": 500.0, "rope_scaling": {"type": "linear", "factor": 4.0}},
    {**OLD_ROPE, "rope_scaling": {**LINEAR, "type": "linear", "rope_theta": 500.0}},
    {**OLD_ROPE, "rope_scaling": LLAMA_3, "rope_theta": 500.0},
    {**OLD_ROPE, "rope_scaling": {"rope_type": "llama3", **L3}},
    {"rope_scaling": {"rope_type": "llama3", **L3}, **OLD_ROPE, "max_position_embeddings": 64},
    {
        **OLD_ROPE,
        "rope_scaling": {"rope_type": "llama3", **L3},
        "original_max_position_embeddings": 64,
    },
    {**OLD_ROPE, "rope_scaling": LLAMA_3, "original_max_position_embeddings": 64},
    {"rope_parameters": {**LINEAR, "rope_theta": 500.0}},
    {"rope_parameters": {"rope_theta": 500.0}},
    {"rope_parameters": {}, "rope_theta": 500.0},
    {"rope_parameters": {**LLAMA_3, "rope_theta": 500.0}, "rope_theta": 500},
    {"rope_parameters": {**LINEAR, "rope_theta": 10000.0}, "rope_scaling": LINEAR},
    {"rope_parameters": {"type": "linear", "factor": 2, "rope_theta": 1e4}},
    {"rope_parameters": {"rope_type": "default", "rope_theta": 1e4, "factor": 1.0}},
    {"partial_rotary_factor": 1.0},
    {"max_position_embeddings": ABSENT},
    {"tie_word_embeddings": ABSENT},
    {"architectures": ABSENT},
    {"rms_norm_eps": ABSENT},
    {"hidden_act": "swish"},
    {"hidden_act": ABSENT},
    {"attention_bias": False, "mlp_bias": False, "use_qk_norm": None},
    {"attn_logit_softcapping": None, "final_logit_softcapping": None, "logits_scaling": 1.0},
    {"embedding_multiplier": 1, "residual_multiplier": 1.0, "logit_scale": 1},
    {"attention_dropout": 0.1, "initializer_range": 0.1, "use_cache": False, "pretraining_tp": 2},
    {"bos_token_id": 1, "eos_token_id": [1, 2], "pad_token_id": 3, "temperature": 0.6},
    {"_name_or_path": "x", "transformers_version": "4.31.0", "unsloth_version": "2025.1"},
    {"num_kv_heads": 2, "n_head": 4, "n_layer": 2, "norm_eps": 1e-6},
    {"is_causal": True, "no_rope_layers": [], "chunk_size_feed_forward": 0},
    {"is_llama_config": True, "rope_interleaved": False},
    {"clip_qkv": None, "num_experts": 0},
    {"sliding_window": None, "is_encoder_decoder": False, "unknown_switch": False},
]
OWN_LOADS = [
    ("Llama", {"head_dim": ABSENT}),
    ("Llama", {"head_dim": None}),
    ("Mistral", {"head_dim": ABSENT}),
    ("Mistral", {"sliding_window": 256}),
    ("Mistral", {"sliding_window": 4096}),
    ("Mistral", {"sliding_window": ABSENT}),  # 4096, which is more than the context
    ("Qwen2", {"use_sliding_window": False, "sliding_window": 8, "max_window_layers": 1}),
    ("Qwen2", {"use_sliding_window": True, "sliding_window": 8, "max_window_layers": 2}),
    ("Qwen2", {"use_sliding_window": True, "sliding_window": 8, "layer_types": ABSENT}),
    ("Qwen2", {"use_sliding_window": True, "sliding_window": None, "max_window_layers": 0}),
    ("Qwen2", {"qkv_bias": True, "layer_types": ["full_attention"] * 2}),
    ("Llama", {"layer_types": ["full_attention"] * 2}),
    ("Qwen3", {"use_sliding_window": True, "sliding_window": 256, "max_window_layers": 0}),
    ("Qwen3", {"qk_norm": True}),
]


@pytest.mark.parametrize("number", range(len(LOADS)), ids=lambda number: str(LOADS[number]))
def test_what_transformers_reads_is_read_alike(number, checkpoints):
    name = NAMES[number % len(NAMES)]
    equals_transformers(changed(checkpoints, name, LOADS[number]))


@pytest.mark.soak
@pytest.mark.parametrize("name", NAMES)
@pytest.mark.parametrize("changes", LOADS, ids=str)
def test_what_transformers_reads_is_read_alike_by_each(changes, name, checkpoints):
    equals_transformers(changed(checkpoints, name, changes))


@pytest.mark.parametrize("name, changes", OWN_LOADS, ids=str)
def test_what_one_architecture_reads_is_read_alike(name, changes, checkpoints):
    equals_transformers(changed(checkpoints, name, changes))


@pytest.mark.parametrize("name", NAMES)
def test_every_default_that_transformers_writes_is_read(name, tmp_path):
    config = getattr(transformers, f"{name}Config")()
    window = {"sliding_window": None} if name == "Mistral" else {}
    whole = {**config.to_dict(), **window}
    (tmp_path / "config.json").write_text(json.dumps(whole))
    ours = load_config(tmp_path)
    assert ours.max_context_len == config.max_position_embeddings
    assert ours.num_kv_heads == config.num_key_value_heads
    assert ours.head_dim == getattr(config, "head_dim", 128)
    assert ours.rope_theta == config.rope_parameters["rope_theta"]
    sizes = ("vocab_size", "hidden_size", "intermediate_size", "num_hidden_layers")
    least = {key: whole[key] for key in (*sizes, "num_attention_heads", "model_type")}
    (tmp_path / "config.json").write_text(json.dumps({**least, **window}))
    assert load_config(tmp_path) == ours


def test_a_qwen3_without_head_dim_has_heads_of_128(tmp_path):
    saved(tmp_path, "Qwen3", {**SIZES, "head_dim": 128})
    config = json.loads((tmp_path / "config.json").read_text())
    del config["head_dim"]
    (tmp_path / "config.json").write_text(json.dumps(config))
    equals_transformers(tmp_path)


OLD = {"rope_parameters": ABSENT, "dtype": ABSENT, "torch_dtype": "float16"}
PUBLISHED = [  # the keys in which published files of these families differ
    ("Llama", {**OLD, "_name_or_path": "llama-2", "pretraining_tp": 1, "rope_scaling": None,
               "transformers_version": "4.31.0.dev0", "pad_token_id": 0, "use_cache": True}),
    ("Llama", {**OLD, "max_sequence_length": 2048, "pad_token_id": -1, "head_dim": ABSENT}),
    ("Llama", {**OLD, "rope_scaling": LLAMA_3, "rope_theta": 5e5, "eos_token_id": [1, 8, 9]}),
    ("Llama", {**OLD, "rope_scaling": {"factor": 4.0, "type": "linear"}, "rope_theta": 1e5}),
    ("Llama", {**OLD, "is_llama_config": True, "rope_interleaved": False, "tie_word_embeddings":
               True, "transformers.js_config": {"dtype": "q4"}, "rope_theta": 1e5}),
    ("Llama", {**OLD, "unsloth_fixed": True, "unsloth_version": "2025.3.1", "use_cache": False}),
    ("Llama", {**OLD, "_attn_implementation_autoset": True, "quantization_config": None}),
    ("Llama", {**OLD, "return_dict": True, "output_attentions": False, "torchscript": False,
               "pruned_heads": {}, "id2label": {"0": "LABEL_0"}, "top_p": 1.0, "prefix": None,
               "chunk_size_feed_forward": 0, "cross_attention_hidden_size": None}),
    ("Mistral", {**OLD, "sliding_window": None, "rope_theta": 1e6, "head_dim": ABSENT}),
    ("Mistral", {**OLD, "rope_theta": 1e6, "head_dim": 8, "attention_dropout": 0.0}),
    ("Qwen2", {**OLD, "sliding_window": 131072, "max_window_layers": 70, "use_mrope": False,
               "use_sliding_window": False, "rope_theta": 1e6, "layer_types": ABSENT}),
    ("Qwen2", {**OLD, "max_window_layers": 21, "use_sliding_window": False, "rope_theta": 1e6}),
    ("Qwen3", {**OLD, "sliding_window": None, "max_window_layers": 36, "rope_scaling": None,
               "rope_theta": 1e6, "use_sliding_window": False, "attention_bias": False}),
]  # fmt: skip


@pytest.mark.parametrize("name, changes", PUBLISHED, ids=str)
def test_keys_of_published_files_are_known(name, changes, checkpoints):
    config = load_config(changed(checkpoints, name, changes))
    assert config.rope_theta == changes.get("rope_theta", 1e4)


# ---- what is refused


TWO_SOURCES = [  # the file says one fact twice, and not alike
    ({"rope_parameters": {"rope_type": "default", "rope_theta": 1e4}, "rope_scaling": LINEAR},
     "rope_scaling"),
    ({"rope_parameters": {**LINEAR, "rope_theta": 1e4}, "rope_scaling": {**LINEAR, "factor": 2}},
     "rope_scaling"),
    ({"rope_parameters": {**LINEAR, "rope_theta": 1e4}, "rope_scaling": LLAMA_3}, "rope_scaling"),
    ({"rope_parameters": LINEAR, "rope_scaling": {**LINEAR, "type": "dynamic"}}, "type"),
    ({"rope_parameters": {"rope_theta": 1e4}, "rope_theta": 5e5}, "rope_theta"),
    ({"rope_parameters": {"rope_theta": 1e4}, "rope_scaling": {**LINEAR, "rope_theta": 5e5}},
     "rope_theta"),
    ({**OLD_ROPE, "rope_theta": 1e4, "rope_scaling": {**LINEAR, "rope_theta": 5e5}}, "rope_theta"),
    ({**OLD_ROPE, "rope_scaling": {"type": "linear", "rope_type": "llama3", **L3}}, "type"),
    ({**OLD_ROPE, "rope_scaling": {"type": "linear", "rope_type": "default", "factor": 2}},
     "type"),
    ({**OLD_ROPE, "rope_scaling": LLAMA_3, "original_max_position_embeddings": 128},
     "original_max_position_embeddings"),
    ({"partial_rotary_factor": 0.5}, "partial_rotary_factor"),
    ({"dtype": "float32", "torch_dtype": "bfloat16"}, "torch_dtype"),
    ({"dtype": "bfloat16"}, "bfloat16"),
    ({"dtype": ABSENT, "torch_dtype": "float16"}, "float16"),
    ({"model_type": "phi3"}, "model_type"),
    ({"model_type": "gemma"}, "model_type"),
    ({"architectures": ["LlamaForCausalLM", "Qwen2ForCausalLM"]}, "architectures"),
    ({"num_kv_heads": 4}, "num_kv_heads"),
    ({"n_kv_heads": 1}, "n_kv_heads"),
    ({"n_head": 8}, "n_head"),
    ({"n_layer": 3}, "n_layer"),
    ({"num_layers": 1}, "num_layers"),
    ({"n_embd": 64}, "n_embd"),
    ({"ffn_dim": 41}, "ffn_dim"),
    ({"layer_norm_eps": 1e-5}, "layer_norm_eps"),
    ({"norm_eps": 0.1}, "norm_eps"),
    ({"rotary_emb_base": 5e5}, "rotary_emb_base"),
    ({"n_ctx": 128}, "n_ctx"),
    ({"tie_embeddings": True}, "tie_embeddings"),
    ({"kv_channels": 16}, "kv_channels"),
    ({"layer_types": ["full_attention"]}, "layer_types"),
    ({"hidden_activation": "gelu"}, "hidden_activation"),
    ({"text_config": {"hidden_size": 64}}, "text_config"),
]  # fmt: skip
UNKNOWN = [
    {"logits_scaling": 2.0},
    {"logit_scale": 0.0625},
    {"embedding_multiplier": 12.0},
    {"residual_multiplier": 0.22},
    {"attention_multiplier": 0.5},
    {"query_pre_attn_scalar": 144},
    {"attn_logit_softcapping": 50.0},
    {"final_logit_softcapping": 30.0},
    {"no_rope_layers": [1, 0]},
    {"no_rope_layer_interval": 4},
    {"use_qk_norm": True},
    {"qk_layernorm": True},
    {"dual_chunk_attention_config": {"chunk_size": 8}},
    {"attention_chunk_size": 8},
    {"attn_temperature_tuning": True},
    {"clip_qkv": 8.0},
    {"alibi": True},
    {"rope_interleaved": True},
    {"partial_rotary_factor": 0.25},
    {"rotary_pct": 0.25},
    {"rotary_dim": 4},
    {"is_causal": False},
    {"use_rope": False},
    {"rotary": False},
    {"causal": False},
    {"use_rms_norm": False},
    {"gated_mlp": False},
    {"rope_scaling": []},
    {"rope_parameters": 0},
    {"rms_norm_eps": 10**400},
    {"architectures": [["LlamaForCausalLM"]]},
    {"position_embedding_type": "absolute"},
    {"scale_attn_weights": False},
    {"scale_emb": 12},
    {"scale_depth": 1.4},
    {"num_experts": 8},
    {"num_local_experts": 8},
    {"moe_intermediate_size": 32},
    {"kv_lora_rank": 16},
    {"q_lora_rank": 16},
    {"quantization_config": {"bits": 4}},
    {"quantization": {"group_size": 64, "bits": 4}},
    {"compression_config": {"format": "int"}},
    {"auto_map": {"AutoModelForCausalLM": "modeling.Other"}},
    {"per_layer_config": {"0": {"sliding_window": 8}}},
    {"add_cross_attention": True},
    {"is_encoder_decoder": True},
    {"parallel_attn": True},
    {"use_parallel_residual": True},
    {"norm_type": "layernorm"},
    {"hidden_act": "gelu"},
    {"hidden_act": "relu2"},
    {"layer_types": ["full_attention", "sliding_attention"]},
    {"layer_types": ["linear_attention", "full_attention"]},
    {"rope_parameters": {"rope_type": "yarn", "factor": 4.0, "rope_theta": 1e4}},
    {"rope_parameters": {"rope_type": "dynamic", "factor": 4.0, "rope_theta": 1e4}},
    {"rope_parameters": {"rope_type": "longrope", "short_factor": [1], "long_factor": [1]}},
    {"rope_parameters": {"rope_type": "default", "rope_theta": 1e4, "mrope_section": [2, 1, 1]}},
    {"rope_parameters": {"rope_type": "default", "rope_theta": 1e4, "partial_rotary_factor": 0.5}},
    {"rope_parameters": {**LINEAR, "rope_theta": 1e4, "attention_factor": 2.0}},
    {"rope_parameters": {"full_attention": {"rope_type": "default", "rope_theta": 1e4}}},
    {"chunk_size_feed_forward": 8},
    {"a_switch_of_tomorrow": True},
    {"a_number_of_tomorrow": 0},
    {"a_text_of_tomorrow": "x"},
    {"a_list_of_tomorrow": []},
    {"num_nextn_predict_layers": 1},
    {"sliding_window_pattern": 2},
    {"rms_norm_eps": float("inf")},
    {"rms_norm_eps": float("nan")},
]
OWN_REFUSED = [
    ("Llama", {"sliding_window": 8}, "sliding_window is 8"),
    ("Llama", {"use_sliding_window": True}, "use_sliding_window is True"),
    ("Mistral", {"sliding_window": 255}, "sliding_window is 255"),
    ("Mistral", {"sliding_window": ABSENT, "max_position_embeddings": 4097}, "4096, the default"),
    ("Mistral", {"sliding_window": ABSENT, "max_position_embeddings": ABSENT}, "4096, the default"),
    ("Mistral", {"attention_bias": True}, "attention_bias is True"),
    ("Qwen2", {"attention_bias": True}, "attention_bias is True"),
    ("Qwen2", {"qkv_bias": False}, "qkv_bias is False"),
    ("Qwen2", {"use_sliding_window": True, "sliding_window": 8, "max_window_layers": 1,
               "layer_types": ABSENT}, "sliding_window is 8"),
    ("Qwen2", {"use_sliding_window": True, "sliding_window": ABSENT, "max_window_layers": 0,
               "max_position_embeddings": ABSENT, "layer_types": ABSENT}, "4096, the default"),
    ("Qwen2", {"mlp_bias": True}, "mlp_bias is True"),
    ("Qwen3", {"use_qk_norm": False}, "use_qk_norm is False"),
    ("Qwen3", {"num_key_value_heads": ABSENT, "num_kv_heads": 2}, "num_key_value_heads|num_heads"),
]  # fmt: skip


def named_in_one_line(folder, name, error=ModelError):
    with pytest.raises(error, match=name) as caught:
        load_model(folder)
    message = str(caught.value)
    assert str(folder) in message and "\n" not in message and len(message) < 500


@pytest.mark.parametrize("changes, says", TWO_SOURCES, ids=str)
def test_two_sources_of_one_fact_agree_or_are_refused(changes, says, checkpoints):
    for name in NAMES:
        named_in_one_line(changed(checkpoints, name, changes), says)


@pytest.mark.parametrize("changes", UNKNOWN, ids=str)
def test_what_changes_the_arithmetic_is_refused_by_name(changes, checkpoints):
    (key,) = changes
    for name in NAMES:
        if (name, key) != ("Qwen3", "use_qk_norm") and (name, key) != ("Qwen3", "qk_layernorm"):
            named_in_one_line(changed(checkpoints, name, changes), "RoPE|" + key)


@pytest.mark.parametrize("name, changes, says", OWN_REFUSED, ids=str)
def test_what_one_architecture_cannot_do_is_refused_by_name(name, changes, says, checkpoints):
    named_in_one_line(changed(checkpoints, name, changes), says)


def test_a_file_that_does_not_say_what_it_is_is_refused(checkpoints):
    folder = changed(checkpoints, "Llama", {"model_type": ABSENT, "architectures": None})
    named_in_one_line(folder, "architectures is", UnsupportedModelError)


def test_a_key_that_stands_twice_is_refused(checkpoints):
    folder = changed(checkpoints, "Llama", {"rope_theta": 10000.0})
    path = folder / "config.json"
    path.write_text(path.read_text().replace("{", '{"rope_theta": 500.0, ', 1))
    named_in_one_line(folder, "rope_theta occurs twice", BadFileError)
    path.write_text(path.read_text().replace("500.0", "1e4"))
    equals_transformers(folder)
