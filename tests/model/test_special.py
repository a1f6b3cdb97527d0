"""Special tokens: who adds them, and which files may say that a token is one."""

import copy
import json
import os
import pickle

import pytest

pytest.importorskip("torch", reason="torch is not installed: the extra `model` brings it")
pytest.importorskip("tokenizers", reason="tokenizers is not installed: the extra `model` brings it")
os.environ |= {"HF_HUB_OFFLINE": "1", "TRANSFORMERS_OFFLINE": "1"}  # nothing here is downloaded
transformers = pytest.importorskip(
    "transformers", reason="transformers is not installed: the extra `oracle` brings it"
)
from tokenizers import pre_tokenizers, processors  # noqa: E402

from radixlab.cache import CacheConfig  # noqa: E402
from radixlab.llm import LLM  # noqa: E402
from radixlab.model.errors import BadFileError, ChatTemplateError, DoubledTokenError  # noqa: E402
from radixlab.model.tokenizer import ChatText, load_tokenizer  # noqa: E402
from tests.model.checkpoints import tiny_model  # noqa: E402
from tests.model.vocabularies import byte_fallback, byte_level, save  # noqa: E402

CHAT = [{"role": "user", "content": "the cache <s> é"}]
TURNS = "{% for m in messages %}<|user|>{{ m.content }}{{ eos_token }}{% endfor %}<|assistant|>"
TEMPLATES = {
    "with BOS": "{{ bos_token }}" + TURNS,
    "without BOS": TURNS,
    "BOS as text": "<s>" + TURNS,
    "BOS after a space": " {{ bos_token }}" + TURNS,
}
ADDS = {"nothing": "$A", "BOS": "<s> $A", "BOS and EOS": "<s> $A </s>", "EOS": "$A </s>"}
SETTINGS = [
    {},
    {"add_bos_token": True},
    {"add_bos_token": False},
    {"add_bos_token": True, "add_eos_token": True},
    {"add_bos_token": False, "add_eos_token": True},
]
NAMED = {"bos_token": "<s>", "eos_token": "</s>", "tokenizer_class": "PreTrainedTokenizerFast"}
TEXTS = ["the cache", "", " the", "é☃", "a</s>b", "x <|user|> y", "<new> the <new>", "[PAD]a"]


def post_processed(vocabulary, adds):
    ids = [(name, vocabulary.token_to_id(name)) for name in ("<s>", "</s>") if name in ADDS[adds]]
    if ids:
        vocabulary.post_processor = processors.TemplateProcessing(
            single=ADDS[adds], pair="$A $B", special_tokens=ids
        )
    return vocabulary


def theirs_and_ours(folder):
    return transformers.AutoTokenizer.from_pretrained(folder), load_tokenizer(folder)


def same_tokens(folder):
    """Compare every text's ids, and what is left out of an answer's text."""
    theirs, ours = theirs_and_ours(folder)
    for text in TEXTS:
        ids = theirs(text)["input_ids"]
        assert ours.encode(text, special=True).tolist() == ids, text
        assert ours.decode(ids) == theirs.decode(ids, skip_special_tokens=True), text
    every = range(ours.vocabulary.get_vocab_size())
    assert ours.silent_ids == {
        i
        for i in every
        if theirs.added_tokens_decoder.get(i) and theirs.added_tokens_decoder[i].special
    }
    return ours


# ---- chat and plain text


@pytest.mark.parametrize("settings", SETTINGS, ids=str)
@pytest.mark.parametrize("adds", ADDS)
@pytest.mark.parametrize("template", TEMPLATES)
@pytest.mark.parametrize("make", [byte_level, byte_fallback])
def test_chat_and_text_have_the_ids_of_transformers(make, template, adds, settings, tmp_path):
    config = {**NAMED, **settings, "chat_template": TEMPLATES[template]}
    save(tmp_path, post_processed(make(), adds), tokenizer_config=config)
    theirs, ours = theirs_and_ours(tmp_path)
    expected = theirs.apply_chat_template(CHAT, add_generation_prompt=True)["input_ids"]
    assert ours.encode(ours.chat(CHAT)).tolist() == expected
    assert ours.encode("the cache").tolist() == theirs("the cache")["input_ids"]


@pytest.mark.parametrize("template", ["with BOS", "without BOS"])
@pytest.mark.parametrize("adds", ADDS)
def test_a_model_is_given_one_first_token(adds, template, tmp_path):
    vocabulary = post_processed(byte_level(), adds)
    config = {**NAMED, "chat_template": TEMPLATES[template]}
    save(tmp_path, vocabulary, tokenizer_config=config)
    tokenizer = load_tokenizer(tmp_path)
    model = tiny_model(vocab_size=vocabulary.get_vocab_size())
    llm = LLM(model, tokenizer, cache=CacheConfig(64, block_size=4))
    seen, add_request = [], llm.engine.add_request
    llm.engine.add_request = lambda ids, *rest, **more: (
        seen.append(list(ids)) or add_request(ids, *rest, **more)
    )
    chat = tokenizer.chat([{"role": "user", "content": "hi"}])
    llm.generate([chat, "hi"])
    next(llm.stream(chat))
    bos = [ids.count(0) for ids in seen]
    assert bos == [template == "with BOS", "BOS" in adds, template == "with BOS"]


@pytest.fixture
def chat(tmp_path):
    config = {**NAMED, "chat_template": TEMPLATES["with BOS"]}
    save(tmp_path, post_processed(byte_level(), "BOS"), tokenizer_config=config)
    tokenizer = load_tokenizer(tmp_path)
    return tokenizer, tokenizer.chat(CHAT)


def test_the_beginning_of_an_answer_may_follow_a_prompt(chat):
    tokenizer, prompt = chat
    longer = prompt + "Sure" + ", "
    assert type(longer) is ChatText and tokenizer.encode(longer).tolist()[:2] == [0, 2]
    with pytest.raises(ChatTemplateError, match=r"'before', before a prompt"):
        "before" + prompt
    assert type("" + prompt) is ChatText


LOSES = {
    "f-string": lambda text: f"{text} more",
    "slice": lambda text: text[:-1],
    "strip": lambda text: text.strip(),
    "replace": lambda text: text.replace("cache", "tree"),
    "join": lambda text: "".join([text, "more"]),
    "str": lambda text: str(text),
    "json": lambda text: json.loads(json.dumps(text)),
    "format": lambda text: "{}".format(text),  # noqa: UP032
}


@pytest.mark.parametrize("change", LOSES.values(), ids=LOSES)
def test_where_a_prompt_became_plain_text_its_first_token_is_not_doubled(change, chat):
    tokenizer, prompt = chat
    with pytest.raises(DoubledTokenError, match="begins with <s>, and the tokenizer adds <s>"):
        tokenizer.encode(change(prompt))
    model = tiny_model(vocab_size=tokenizer.vocabulary.get_vocab_size())
    (refused,) = LLM(model, tokenizer).generate([change(prompt)])
    assert refused.finish_reason == "rejected" and "special=False" in refused.error
    assert tokenizer.encode(ChatText(change(prompt))).tolist().count(0) == 2  # one in the content
    assert tokenizer.encode(change(prompt), special=True).tolist()[:2] == [0, 0]


@pytest.mark.parametrize(
    "keeps", [copy.copy, copy.deepcopy, lambda t: pickle.loads(pickle.dumps(t))]
)
def test_copies_of_a_prompt_are_prompts(keeps, chat):
    tokenizer, prompt = chat
    assert type(keeps(prompt)) is ChatText and keeps(prompt) == prompt
    assert tokenizer.encode(keeps(prompt)).tolist() == tokenizer.encode(prompt).tolist()


# ---- the files


def token(content, special=True, **flags):
    plain = {"lstrip": False, "normalized": False, "rstrip": False, "single_word": False}
    return {"content": content, "special": special, **plain, **flags}


N = 300  # the first free id of the byte-level vocabulary
FACTS = {
    "nothing but tokenizer.json": {},
    "named": {"tokenizer_config": {"bos_token": "<s>", "eos_token": "</s>"}},
    "a new pad": {"tokenizer_config": {"pad_token": "[PAD]"}},
    "a new token in the decoder": {
        "tokenizer_config": {"added_tokens_decoder": {N: token("<new>")}}
    },
    "a new plain token in the decoder": {
        "tokenizer_config": {"added_tokens_decoder": {N: token("<new>", special=False)}}
    },
    "a new token that swallows spaces": {
        "tokenizer_config": {
            "added_tokens_decoder": {N: token("<new>", lstrip=True, rstrip=True)}
        }
    },
    "two new tokens": {
        "tokenizer_config": {
            "added_tokens_decoder": {N + 1: token("[PAD]"), N: token("<new>", special=False)},
            "pad_token": "[PAD]",
        }
    },
    "the decoder makes a word special": {
        "tokenizer_config": {"added_tokens_decoder": {"THE": token("the")}}
    },
    "the decoder makes a special token plain": {
        "tokenizer_config": {"added_tokens_decoder": {2: token("<|user|>", special=False)}}
    },
    "the decoder changes flags": {
        "tokenizer_config": {"added_tokens_decoder": {2: token("<|user|>", rstrip=True)}}
    },
    "added_tokens.json": {"added_tokens": {"<new>": N}},
    "added_tokens.json, named": {
        "added_tokens": {"[PAD]": N + 1, "<new>": N},
        "special_tokens_map": {"pad_token": "[PAD]"},
    },
    "special_tokens_map.json": {"special_tokens_map": {"bos_token": "<s>", "pad_token": "[PAD]"}},
    "special_tokens_map.json with flags": {
        "special_tokens_map": {"eos_token": {"content": "</s>", "lstrip": False}}
    },
    "all files alike": {
        "tokenizer_config": {
            "added_tokens_decoder": {N: token("<new>")}, "bos_token": "<s>", "pad_token": "<new>"
        },
        "special_tokens_map": {"bos_token": "<s>", "pad_token": "<new>"},
        "added_tokens": {"<new>": N},
    },
    "additional special tokens": {
        "tokenizer_config": {"additional_special_tokens": ["<new>", "<|user|>"]}
    },
    "extra special tokens": {"tokenizer_config": {"extra_special_tokens": ["<new>"]}},
    "a named extra token": {"tokenizer_config": {"extra_special_tokens": {"image_token": "<new>"}}},
    "a token of the model's own": {"tokenizer_config": {"image_token": "<new>"}},
    "special tokens are split": {"tokenizer_config": {"split_special_tokens": True}},
    "a piece of the vocabulary is named": {"tokenizer_config": {"pad_token": "the"}},
    "settings that change nothing": {
        "tokenizer_config": {
            "model_max_length": 99, "padding_side": "left", "clean_up_tokenization_spaces": True,
            "add_prefix_space": False, "legacy": False, "use_default_system_prompt": False,
        }
    },
}  # fmt: skip


def written(folder, files, make=byte_level):
    """Write a folder; ids that are not known before the vocabulary is are filled in."""
    vocabulary = make()
    names = {"THE": vocabulary.token_to_id("the")}
    files = json.loads(json.dumps({"tokenizer_config": {}, **files}))
    config = files["tokenizer_config"]
    config.setdefault("tokenizer_class", "PreTrainedTokenizerFast")
    decoder = config.get("added_tokens_decoder", {})
    for name in names.keys() & set(decoder if isinstance(decoder, dict) else {}):
        decoder[str(names[name])] = decoder.pop(name)
    return save(folder, vocabulary, **files)


@pytest.mark.parametrize("files", FACTS.values(), ids=FACTS)
def test_what_any_file_says_of_a_token_is_done_as_transformers_does(files, tmp_path):
    assert byte_level().get_vocab_size() == N
    same_tokens(written(tmp_path, files))


def test_templates_see_the_special_tokens_of_transformers(tmp_path):
    template = "{{ bos_token }}|{{ pad_token }}|{{ image_token }}|{{ cls_token }}|{{ x_token }}"
    config = {
        "bos_token": "<s>", "pad_token": None, "image_token": "<new>", "chat_template": template,
        "extra_special_tokens": {"x_token": "<|user|>"}, "add_bos_token": True,
    }  # fmt: skip
    theirs, ours = theirs_and_ours(written(tmp_path, {"tokenizer_config": config}))
    assert (
        ours.chat(CHAT)
        == theirs.apply_chat_template(CHAT, tokenize=False)
        == "<s>||<new>||<|user|>"
    )


LIES = {
    "two beginnings": {
        "tokenizer_config": {"bos_token": "<s>"}, "special_tokens_map": {"bos_token": "</s>"}
    },
    "another id in the decoder": {
        "tokenizer_config": {"added_tokens_decoder": {7: token("<|user|>")}}
    },
    "an id that is not the next": {
        "tokenizer_config": {"added_tokens_decoder": {N + 5: token("<new>")}}
    },
    "an id that is another token's": {
        "tokenizer_config": {"added_tokens_decoder": {3: token("<new>")}}
    },
    "another id in added_tokens.json": {"added_tokens": {"<s>": 1}},
    "a gap in added_tokens.json": {"added_tokens": {"<new>": N + 1}},
    "two names of one id": {
        "added_tokens": {"<new>": N},
        "tokenizer_config": {"added_tokens_decoder": {N: token("[PAD]")}},
    },
    "an id that is not a number": {
        "tokenizer_config": {"added_tokens_decoder": {"x": token("<new>")}}
    },
    "a token that is no text": {"tokenizer_config": {"added_tokens_decoder": {N: {"content": 7}}}},
    "a decoder that is a list": {"tokenizer_config": {"added_tokens_decoder": [token("<new>")]}},
    "an id below zero": {"added_tokens": {"<new>": -1}},
    "an id that is true": {"added_tokens": {"<new>": True}},
    "a space first": {
        "tokenizer_config": {"tokenizer_class": "GPT2Tokenizer", "add_prefix_space": True}
    },
    "a list of numbers": {"tokenizer_config": {"additional_special_tokens": [7]}},
    "a name without content": {"special_tokens_map": {"bos_token": {}}},
}  # fmt: skip


@pytest.mark.parametrize("files", LIES.values(), ids=LIES)
def test_files_that_contradict_one_another_are_refused_by_name(files, tmp_path):
    folder = written(tmp_path, files)
    with pytest.raises(BadFileError) as caught:
        load_tokenizer(folder)
    message = str(caught.value)
    assert str(folder) in message and "\n" not in message and len(message) < 400
    assert any(f"{name}.json" in message for name in files)


@pytest.mark.parametrize("stated", [True, False])
@pytest.mark.parametrize("first", [True, False])
@pytest.mark.parametrize("name", ["GPT2Tokenizer", "Qwen2TokenizerFast", "LlamaTokenizer"])
def test_a_space_before_a_text_is_read_as_in_transformers_or_refused(name, first, stated, tmp_path):
    vocabulary = byte_level()
    vocabulary.pre_tokenizer = pre_tokenizers.ByteLevel(add_prefix_space=first)
    config = {**NAMED, "tokenizer_class": name, "add_prefix_space": stated}
    save(tmp_path, vocabulary, tokenizer_config=config)
    if stated != first and name != "LlamaTokenizer":
        with pytest.raises(BadFileError, match=f"add_prefix_space is {stated}, but {first}"):
            load_tokenizer(tmp_path)
    else:
        theirs, ours = theirs_and_ours(tmp_path)
        assert ours.encode("the").tolist() == theirs("the")["input_ids"]


def test_no_space_before_pieces_that_have_one_is_refused(tmp_path):
    config = {**NAMED, "tokenizer_class": "LlamaTokenizer", "add_prefix_space": False}
    save(tmp_path, byte_fallback(), tokenizer_config=config)
    with pytest.raises(BadFileError, match="add_prefix_space is False, but True"):
        load_tokenizer(tmp_path)


# ---- templates in files


def test_templates_are_found_where_transformers_finds_them(tmp_path):
    several = [{"name": name, "template": name} for name in ("tool_use", "default")]
    config = {"chat_template": several}
    folder = written(tmp_path, {"tokenizer_config": config})
    tools = [{"name": "f"}]

    def alike(**options):
        theirs, ours = theirs_and_ours(folder)
        said = theirs.apply_chat_template(CHAT, tokenize=False, **options)
        assert ours.chat(CHAT, **options) == said
        return said

    assert (alike(), alike(tools=tools), alike(tools=[])) == ("default", "tool_use", "tool_use")
    (folder / "additional_chat_templates").mkdir()
    (folder / "additional_chat_templates" / "rag.jinja").write_text("rag")
    (folder / "chat_template.jinja").write_text("file {{ tools is none }}")
    assert (alike(), alike(tools=tools)) == ("file True", "file False")
    assert load_tokenizer(folder).chat(CHAT, template="rag") == "rag"
    with pytest.raises(ChatTemplateError, match="chat template 'x' is not one of default, rag"):
        load_tokenizer(folder).chat(CHAT, template="x")


def test_the_template_of_a_processor_is_read_where_there_is_no_other(tmp_path):
    folder = written(tmp_path, {"chat_template": {"chat_template": "processor"}})
    assert load_tokenizer(folder).chat(CHAT) == "processor"
    folder = written(tmp_path, {"tokenizer_config": {"chat_template": "own"}})
    assert load_tokenizer(folder).chat(CHAT) == "own"
