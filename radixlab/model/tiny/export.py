"""Write the tiny model as a Hugging Face folder, which any Llama loader can read.

This file knows the names and contents of the files. It does not know training.
"""

import json
from pathlib import Path

from safetensors.torch import save
from tokenizers import AddedToken, Regex, Tokenizer, decoders, normalizers, pre_tokenizers
from tokenizers.models import WordLevel

from radixlab.model.config import ModelConfig
from radixlab.model.llama import Llama
from radixlab.model.tiny.examples import EOS, IDS, UNKNOWN

CHAT_TEMPLATE = (
    "{% for message in messages %}"
    "{% if message.role == 'user' %} Q: {{ message.content | trim }} A:"
    "{% elif message.role == 'assistant' %} {{ message.content | trim }}{{ eos_token }}"
    "{% else %}{{ message.content | trim }}"
    "{% endif %}{% endfor %}"
)
"""The system's message is the document; the template adds `Q: … A:`."""


def export(model: Llama, folder: Path) -> None:
    """Write the weights in fp16, the config and the tokenizer; the bytes are reproducible."""
    folder.mkdir(parents=True, exist_ok=True)
    tensors = {f"model.{name}": part.half() for name, part in model.state_dict().items()}
    (folder / "model.safetensors").write_bytes(save(tensors, metadata={"format": "pt"}))
    make_tokenizer().save(str(folder / "tokenizer.json"))
    write_json(folder / "config.json", hugging_face_config(model.config))
    write_json(folder / "tokenizer_config.json", tokenizer_config(model.config))


def write_json(path: Path, content: dict[str, object]) -> None:
    """Write an object as indented JSON."""
    path.write_text(json.dumps(content, indent=2) + "\n", encoding="utf-8")


def hugging_face_config(config: ModelConfig) -> dict[str, object]:
    """Return the config with the keys of `transformers`."""
    return {
        "architectures": ["LlamaForCausalLM"],
        "model_type": "llama",
        "torch_dtype": "float16",
        "vocab_size": config.vocab_size,
        "hidden_size": config.hidden_size,
        "intermediate_size": config.intermediate_size,
        "num_hidden_layers": config.num_layers,
        "num_attention_heads": config.num_heads,
        "num_key_value_heads": config.num_kv_heads,
        "head_dim": config.head_dim,
        "max_position_embeddings": config.max_context_len,
        "rms_norm_eps": config.rms_norm_eps,
        "rope_theta": config.rope_theta,
        "tie_word_embeddings": config.tied_embeddings,
        "hidden_act": "silu",
        "attention_bias": False,
        "mlp_bias": False,
        "bos_token_id": None,
        "eos_token_id": IDS[EOS],
    }


def tokenizer_config(config: ModelConfig) -> dict[str, object]:
    """Return the special tokens and the chat template."""
    return {
        "tokenizer_class": "PreTrainedTokenizerFast",
        "model_max_length": config.max_context_len,
        "eos_token": EOS,
        "unk_token": UNKNOWN,
        "clean_up_tokenization_spaces": False,
        "chat_template": CHAT_TEMPLATE,
    }


def make_tokenizer() -> Tokenizer:
    """Make the tokenizer: `▁Mina`, `▁lives`, …, and `.` and `?` without a space.

    Line breaks count as spaces.
    """
    bare = {EOS, UNKNOWN, ".", "?"}
    ids = {word if word in bare else f"▁{word}": token_id for word, token_id in IDS.items()}
    tokenizer = Tokenizer(WordLevel(ids, unk_token=UNKNOWN))
    tokenizer.add_special_tokens([AddedToken(token, special=True) for token in (EOS, UNKNOWN)])
    tokenizer.normalizer = normalizers.Sequence(
        [normalizers.Replace(Regex(r"\s+"), " "), normalizers.Strip()]
    )
    tokenizer.pre_tokenizer = pre_tokenizers.Sequence(
        [pre_tokenizers.Metaspace(), pre_tokenizers.Split(Regex("[.?]"), "isolated")]
    )
    tokenizer.decoder = decoders.Metaspace()
    return tokenizer
