"""Our model beside transformers, on tiny random checkpoints that transformers itself saves."""

import os

import pytest

torch = pytest.importorskip("torch", reason="torch is not installed: the extra `model` brings it")
os.environ |= {"HF_HUB_OFFLINE": "1", "TRANSFORMERS_OFFLINE": "1"}  # nothing here is downloaded
transformers = pytest.importorskip(
    "transformers", reason="transformers is not installed: the extra `oracle` brings it"
)

from radixlab.model.loader import load_model, load_tokenizer  # noqa: E402
from radixlab.model.runner import dense_logits  # noqa: E402
from tests.model.checkpoints import randomize  # noqa: E402
from tests.model.served import TOLERANCE, Served, prompt  # noqa: E402
from tests.model.vocabularies import byte_level  # noqa: E402

SIZES = {
    "vocab_size": 61,
    "hidden_size": 32,
    "intermediate_size": 40,
    "num_hidden_layers": 2,
    "num_attention_heads": 4,
    "num_key_value_heads": 2,
    "max_position_embeddings": 256,
}
LLAMA_3 = {
    "rope_type": "llama3",
    "rope_theta": 5e5,
    "factor": 8.0,
    "low_freq_factor": 1.0,
    "high_freq_factor": 4.0,
    "original_max_position_embeddings": 64,
}
CASES = {
    "llama": ("Llama", {}),
    "llama, no GQA": ("Llama", {"num_key_value_heads": 4}),
    "llama, one KV head": ("Llama", {"num_key_value_heads": 1}),
    "llama, tied": ("Llama", {"tie_word_embeddings": True}),
    "llama, biases": ("Llama", {"attention_bias": True, "mlp_bias": True}),
    "llama, wide heads": ("Llama", {"head_dim": 24}),
    "llama, another epsilon": ("Llama", {"rms_norm_eps": 0.1}),
    "llama 3 rope": ("Llama", {"rope_parameters": LLAMA_3}),
    "linear rope": (
        "Llama",
        {"rope_parameters": {"rope_type": "linear", "rope_theta": 1e4, "factor": 4.0}},
    ),
    "qwen2": ("Qwen2", {"rope_parameters": {"rope_type": "default", "rope_theta": 1e6}}),
    "qwen2, tied": ("Qwen2", {"tie_word_embeddings": True}),
    "qwen3": ("Qwen3", {"head_dim": 16}),
    "qwen3, biases": (
        "Qwen3",
        {"head_dim": 16, "attention_bias": True, "tie_word_embeddings": True},
    ),
}


def saved(folder, name, changes, **options):
    """Save a random checkpoint of transformers' own; return its model."""
    config = getattr(transformers, f"{name}Config")(**{**SIZES, **changes})
    theirs = transformers.AutoModelForCausalLM.from_config(config, attn_implementation="eager")
    randomize(theirs).save_pretrained(folder, **options)
    return theirs


@torch.inference_mode()
def their_logits(theirs, token_ids):
    return theirs(torch.tensor(token_ids)[None].long()).logits[0]


def their_answer(theirs, token_ids, num_tokens):
    for _ in range(num_tokens):
        token_ids = [*token_ids, int(their_logits(theirs, token_ids)[-1].argmax())]
    return token_ids


@pytest.mark.parametrize("name, changes", CASES.values(), ids=CASES)
def test_dense_and_paged_equal_transformers(name, changes, tmp_path):
    theirs = saved(tmp_path, name, changes)
    model, text = load_model(tmp_path), prompt(0, 150)
    expected = their_logits(theirs, text)
    assert (dense_logits(model, text) - expected).abs().max() <= TOLERANCE
    served = Served(model, num_blocks=64)
    first = served.allocate(text[:130])
    for end in (1, 50, 130):  # a prompt in chunks
        logits = served.compute(first, ends=[end])
        assert (logits[0] - expected[end - 1]).abs().max() <= TOLERANCE
    second = served.allocate(text)
    assert second.hit_tokens == 128
    served.append(first, text[130:131])
    logits = served.compute(first, second)  # a decode beside a prompt on a cached prefix
    assert (logits - expected[[130, 149]]).abs().max() <= TOLERANCE
    served.decode(second, 20)
    assert second.token_ids.tolist() == their_answer(theirs, text.tolist(), 20)


def test_a_checkpoint_in_shards_is_the_same_model(tmp_path):
    theirs = saved(tmp_path, "Qwen3", {"head_dim": 16}, max_shard_size="12KB")
    assert len(list(tmp_path.glob("model-*.safetensors"))) > 2
    difference = dense_logits(load_model(tmp_path), prompt(0, 40)) - their_logits(
        theirs, prompt(0, 40)
    )
    assert difference.abs().max() <= TOLERANCE


TEMPLATE = """{{ bos_token }}
{%- for message in messages %}
    {%- if message.role == "ignored" %}{% continue %}{% endif %}
    {% if loop.first %}
        first: {{ message | tojson(indent=2) }}
    {% endif %}
<|{{ message["role"] }}|>{{ message.content | trim }}{{ eos_token }}
{% endfor %}
{% if add_generation_prompt %}<|assistant|>{% endif %}
"""


def test_conversations_become_the_prompts_that_transformers_makes(tmp_path):
    vocabulary = byte_level()
    special = {"bos_token": "<s>", "eos_token": "</s>"}
    theirs = transformers.PreTrainedTokenizerFast(
        tokenizer_object=vocabulary, chat_template=TEMPLATE, **special
    )
    theirs.save_pretrained(tmp_path)
    ours = load_tokenizer(tmp_path)
    chat = [{"role": role, "content": f" é {role}\n"} for role in ("system", "ignored", "user")]
    prompt = ours.chat(chat)
    options = {"add_generation_prompt": True, "tokenize": False}
    assert prompt == theirs.apply_chat_template(chat, **options)
    token_ids = ours.encode(prompt, special=False)
    assert token_ids.tolist() == theirs.encode(prompt, add_special_tokens=False)
    assert ours.decode(token_ids) == theirs.decode(token_ids, skip_special_tokens=True)
    assert ours.eos_ids == {theirs.eos_token_id}


def test_bf16_follows_transformers_within_its_own_precision(tmp_path):
    theirs = saved(tmp_path, "Llama", {})
    exact = their_logits(theirs, prompt(0, 60))
    ours = dense_logits(load_model(tmp_path, torch.bfloat16), prompt(0, 60))
    their_error = (their_logits(theirs.bfloat16(), prompt(0, 60)).float() - exact).abs().max()
    assert (ours - exact).abs().max() <= 2 * their_error


PENALIZED = [
    {"repetition_penalty": 1.3},
    {"repetition_penalty": 0.7, "min_tokens": 6},
    {"logit_bias": {7: 2.5, 9: -100}, "repetition_penalty": 2.0},
    {"min_tokens": 12, "logit_bias": {3: 4}},
]


def test_whole_answers_equal_transformers_own_generation(tmp_path):
    "4 prompts with parameters of their own, answered together by the engine"
    from radixlab import LLM, SamplingParams

    theirs = saved(tmp_path, "Llama", {})
    ours, prompts = LLM(load_model(tmp_path)), [prompt(i, 20 + i) for i in range(4)]
    params = [
        SamplingParams(max_tokens=16, stop_token_ids=[3, 5, 11], **each) for each in PENALIZED
    ]
    outputs = ours.generate(prompts, params)
    for text, one, output in zip(prompts, params, outputs, strict=True):
        ids = torch.tensor(text)[None].long()
        options = {
            "repetition_penalty": one.repetition_penalty,
            "sequence_bias": {(token,): bias for token, bias in one.logit_bias} or None,
            "min_new_tokens": one.min_tokens or None,
            "eos_token_id": [3, 5, 11],
            "pad_token_id": 0,
        }
        said = theirs.generate(ids, max_new_tokens=16, do_sample=False, **options)
        assert output.token_ids == said[0, len(text) :].tolist()
