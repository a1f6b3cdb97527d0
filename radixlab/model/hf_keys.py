"""The keys of a `config.json` that do not change what the model computes, and why.

A key that is in none of these lists, and is neither `null` nor `false`, is refused by name: with an
overlooked switch the model would still talk, but wrongly.
"""

from collections.abc import Callable
from typing import Any

from radixlab.model.config import ModelConfig

READ = {
    "architectures", "model_type", "vocab_size", "hidden_size", "intermediate_size",
    "num_hidden_layers", "num_attention_heads", "num_key_value_heads", "head_dim",
    "max_position_embeddings", "rms_norm_eps", "tie_word_embeddings", "hidden_act", "layer_types",
    "rope_theta", "rope_scaling", "rope_parameters", "partial_rotary_factor",
    "original_max_position_embeddings", "sliding_window", "torch_dtype", "dtype",
}  # fmt: skip
"""Keys that `hf_config` reads for every architecture."""

NAMING = {
    "_name_or_path", "_model_name_or_path", "name_or_path", "_commit_hash", "transformers_version",
    "tokenizer_class", "processor_class", "is_llama_config", "unsloth_version", "unsloth_fixed",
    "license", "transformers.js_config", "finetuning_task", "problem_type", "id2label", "label2id",
    "num_labels", "task_specific_params", "model_name", "model_id", "base_model",
}  # fmt: skip
"""Names: who made the file, and with which tools."""

TRAINING = {
    "initializer_range", "attention_dropout", "hidden_dropout", "attention_dropout_prob",
    "hidden_dropout_prob", "attn_pdrop", "resid_pdrop", "embd_pdrop", "embedding_dropout",
    "mlp_dropout", "dropout", "classifier_dropout", "pretraining_tp", "gradient_checkpointing",
    "use_cache", "loss_type", "label_smoothing", "neftune_noise_alpha", "z_loss_weight",
    "max_sequence_length", "model_max_length", "max_seq_len", "max_seq_length", "seq_length",
}  # fmt: skip
"""How the model was trained: dropout, initial values, parallelism, lengths of texts."""

RUNNING = {
    "_attn_implementation", "attn_implementation", "_attn_implementation_autoset",
    "_attn_implementation_internal", "_experts_implementation_internal", "_flash_attn_2_enabled",
    "use_flash_attn", "use_flash_attention", "use_flash_attention_2", "use_sdpa", "torchscript",
    "use_bfloat16", "tf_legacy_loss", "return_dict", "output_attentions", "output_hidden_states",
    "output_scores", "return_dict_in_generate", "tie_last_hidden_states", "is_decoder",
    "remove_invalid_values",
}  # fmt: skip
"""How another program runs the model, and what else that program returns."""

GENERATION = {
    "bos_token_id", "eos_token_id", "pad_token_id", "sep_token_id", "unk_token_id",
    "decoder_start_token_id", "max_length", "min_length", "max_new_tokens", "do_sample",
    "early_stopping", "num_beams", "num_beam_groups", "diversity_penalty", "temperature", "top_k",
    "top_p", "typical_p", "repetition_penalty", "length_penalty", "no_repeat_ngram_size",
    "encoder_no_repeat_ngram_size", "bad_words_ids", "num_return_sequences",
    "forced_bos_token_id", "forced_eos_token_id", "exponential_decay_length_penalty",
    "suppress_tokens", "begin_suppress_tokens", "prefix", "chat_template",
}  # fmt: skip
"""How tokens are chosen from the logits; the tokenizer reads the tokens that end an answer."""

HARMLESS = NAMING | TRAINING | RUNNING | GENERATION

SAME: dict[str, Callable[[ModelConfig], Any]] = {
    "num_kv_heads": lambda c: c.num_kv_heads,
    "n_kv_heads": lambda c: c.num_kv_heads,
    "n_head_kv": lambda c: c.num_kv_heads,
    "num_heads": lambda c: c.num_heads,
    "n_head": lambda c: c.num_heads,
    "n_heads": lambda c: c.num_heads,
    "num_layers": lambda c: c.num_layers,
    "n_layer": lambda c: c.num_layers,
    "n_layers": lambda c: c.num_layers,
    "n_embd": lambda c: c.hidden_size,
    "d_model": lambda c: c.hidden_size,
    "dim": lambda c: c.hidden_size,
    "n_inner": lambda c: c.intermediate_size,
    "ffn_dim": lambda c: c.intermediate_size,
    "ffn_hidden_size": lambda c: c.intermediate_size,
    "hidden_dim": lambda c: c.intermediate_size,
    "kv_channels": lambda c: c.head_dim,
    "d_kv": lambda c: c.head_dim,
    "rotary_dim": lambda c: c.head_dim,
    "query_pre_attn_scalar": lambda c: c.head_dim,
    "attention_multiplier": lambda c: c.head_dim**-0.5,
    "n_positions": lambda c: c.max_context_len,
    "n_ctx": lambda c: c.max_context_len,
    "max_context_len": lambda c: c.max_context_len,
    "padded_vocab_size": lambda c: c.vocab_size,
    "n_vocab": lambda c: c.vocab_size,
    "layer_norm_eps": lambda c: c.rms_norm_eps,
    "layer_norm_epsilon": lambda c: c.rms_norm_eps,
    "layernorm_epsilon": lambda c: c.rms_norm_eps,
    "norm_eps": lambda c: c.rms_norm_eps,
    "rope_base": lambda c: c.rope_theta,
    "rotary_base": lambda c: c.rope_theta,
    "rotary_emb_base": lambda c: c.rope_theta,
    "tie_embeddings": lambda c: c.tied_embeddings,
    "tied_embeddings": lambda c: c.tied_embeddings,
    "qkv_bias": lambda c: c.qkv_bias,
    "use_qkv_bias": lambda c: c.qkv_bias,
    "attention_qkv_bias": lambda c: c.qkv_bias,
    "attention_out_bias": lambda c: c.output_bias,
    "o_proj_bias": lambda c: c.output_bias,
    "attention_bias": lambda c: c.qkv_bias and c.output_bias,
    "mlp_bias": lambda c: c.mlp_bias,
    "qk_norm": lambda c: c.qk_norm,
    "use_qk_norm": lambda c: c.qk_norm,
    "qk_layernorm": lambda c: c.qk_norm,
}
"""Other names of a setting: each must have the value that is used."""

NEUTRAL: dict[str, tuple[Any, ...]] = {
    "logits_scaling": (1,),
    "logit_scale": (1,),
    "lm_head_multiplier": (1,),
    "embedding_multiplier": (1,),
    "embedding_multiplier_scale": (1,),
    "scale_emb": (1,),
    "residual_multiplier": (1,),
    "rotary_pct": (1,),
    "rope_pct": (1,),
    "rope_percent": (1,),
    "rope_ratio": (1,),
    "rope_scaling_factor": (1,),
    "rope_interleaved": (False,),
    "is_causal": (True,),
    "causal": (True,),
    "causal_attention": (True,),
    "causal_mask": (True,),
    "use_causal_mask": (True,),
    "use_rms_norm": (True,),
    "use_rmsnorm": (True,),
    "rms_norm": (True,),
    "pre_norm": (True,),
    "use_pre_norm": (True,),
    "use_glu": (True,),
    "use_swiglu": (True,),
    "gated_mlp": (True,),
    "use_gated_mlp": (True,),
    "rope": (True,),
    "rotary": (True,),
    "use_rotary": (True,),
    "use_rotary_embeddings": (True,),
    "scale_attention": (True,),
    "use_rope": (True,),
    "use_rotary_embedding": (True,),
    "use_rotary_emb": (True,),
    "position_embedding_type": ("rope", "rotary"),
    "scale_attn_weights": (True,),
    "hidden_activation": ("silu", "swish"),
    "activation_function": ("silu", "swish"),
    "norm_type": ("rmsnorm", "rms_norm", "RMSNorm"),
    "normalization": ("rmsnorm", "rms_norm", "RMSNorm"),
    "attn_logit_softcapping": (0,),
    "final_logit_softcapping": (0,),
    "chunk_size_feed_forward": (0,),
    "no_rope_layer_interval": (0,),
    "no_rope_layers": ([],),
    "num_experts": (0,),
    "num_local_experts": (0,),
    "n_routed_experts": (0,),
    "num_nextn_predict_layers": (0,),
    "first_k_dense_replace": (0,),
    "moe_layers": ([],),
    "auto_map": ({},),
    "pruned_heads": ({},),
    "per_layer_config": ({},),
}
"""Keys that change the computation, with the values at which they change nothing."""

NOT_FALSE = {name for name, values in NEUTRAL.items() if any(each is True for each in values)}
"""Switches for which `false` is not neutral."""
