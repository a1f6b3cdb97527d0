import json
from dataclasses import dataclass
from datetime import date, datetime

import numpy as np
import pytest

pytest.importorskip("torch", reason="torch is not installed: the extra `model` brings it")
pytest.importorskip("tokenizers", reason="tokenizers is not installed: the extra `model` brings it")

from hypothesis import example, given
from hypothesis import strategies as st

from radixlab.config import ConfigError
from radixlab.model.errors import BadFileError, ChatTemplateError, MissingFileError
from radixlab.model.stream import TextStream
from radixlab.model.tiny import TINY
from radixlab.model.tokenizer import ChatText, Tokenizer, load_tokenizer
from tests.model.vocabularies import byte_fallback, byte_level, save, words

BYTES = Tokenizer(byte_level(), {}, frozenset())
PIECES = Tokenizer(byte_fallback(), {}, frozenset())
WORDS = Tokenizer(words("abc", 3), {}, frozenset())
TEMPLATE = (
    "{{ bos_token }}{% for m in messages %}<|{{ m.role }}|>{{ m.content }}{% endfor %}"
    "{% if add_generation_prompt %}<|assistant|>{% endif %}"
)
CHAT = [{"role": "user", "content": "hi"}]


def ids_of(tokenizer):
    return st.lists(st.integers(0, tokenizer.vocabulary.get_vocab_size() - 1), max_size=30)


def pushed(tokenizer, token_ids, stop=()):
    """Push tokens one by one; return the stream and the pieces."""
    stream = TextStream(tokenizer, stop)
    return stream, [*map(stream.push, token_ids), stream.finish()]


def before_stop(text, stops):
    """Cut a text before the stop string that is complete first, looking at every beginning."""
    for end in range(len(text) + 1):
        for stop in sorted(stops, key=len, reverse=True):
            if text[:end].endswith(stop):
                return text[: end - len(stop)], stop
    return text, None


# ---- a stream


@given(ids_of(BYTES))
def test_tokens_one_by_one_give_the_text_of_all_at_once(token_ids):
    assert "".join(pushed(BYTES, token_ids)[1]) == BYTES.decode(token_ids)


@given(ids_of(PIECES))
def test_bytes_one_by_one_give_the_text_of_all_at_once(token_ids):
    assert "".join(pushed(PIECES, token_ids)[1]) == PIECES.decode(token_ids)


@given(st.text(max_size=20), st.sampled_from([BYTES, PIECES]))
@example(" the cache ☃", PIECES)
def test_a_text_streams_as_itself(text, tokenizer):
    token_ids = tokenizer.encode(text, special=False)
    pieces = pushed(tokenizer, token_ids)[1]
    assert "".join(pieces) == tokenizer.decode(token_ids)


@given(st.text(min_size=1, max_size=20).filter(lambda text: "�" not in text))
def test_no_piece_has_half_a_character(text):
    assert not any("�" in piece for piece in pushed(BYTES, BYTES.encode(text))[1])


def test_a_character_of_four_tokens_comes_with_the_last():
    token_ids = [BYTES.vocabulary.token_to_id(mark) for mark in "ðŁĺĨ"]  # bytes F0 9F 98 86
    assert pushed(BYTES, token_ids)[1] == ["", "", "", "😆", ""]


def test_what_never_becomes_a_character_comes_at_the_end():
    token_ids = [BYTES.vocabulary.token_to_id(mark) for mark in "aðŁ"]
    assert pushed(BYTES, token_ids)[1] == ["a", "", "", "�"]


def runs_of(tokenizer):
    """Texts of up to hundreds of tokens of which each kind may come many times in a row."""
    vocabulary = tokenizer.vocabulary
    kinds = [["</s>"], ["<s>", "<|user|>"], ["a"], ["ð", "Ł"], ["ĺ"], ["â", "ĺ", "ĥ"], ["Ġthe"]]
    kinds += [["<0xF0>", "<0x9F>"], ["<0x98>"], ["<0xE2>", "<0x98>", "<0x83>"], ["▁"], ["<0x41>"]]
    known = [[vocabulary.token_to_id(name) for name in kind] for kind in kinds]
    known = [[7_000_000], *(ids for ids in known if None not in ids)]
    run = st.tuples(st.sampled_from(known), st.integers(1, 60)).map(lambda pair: pair[0] * pair[1])
    return st.lists(run, max_size=8).map(lambda runs: [token for run in runs for token in run])


KINDS = {"bytes": BYTES, "pieces": PIECES, "words": WORDS, "spaces": load_tokenizer(TINY)}


@pytest.mark.parametrize("tokenizer", KINDS.values(), ids=KINDS)
def test_long_runs_of_one_kind_stream_as_all_at_once(tokenizer):
    @given(runs_of(tokenizer) | ids_of(tokenizer))
    def stream_as_all_at_once(token_ids):
        assert "".join(pushed(tokenizer, token_ids)[1]) == tokenizer.decode(token_ids)

    stream_as_all_at_once()


class Counting:
    """A tokenizer that counts the tokens it decodes."""

    def __init__(self, tokenizer):
        self.tokenizer, self.num_decoded = tokenizer, 0

    def __getattr__(self, name):
        return getattr(self.tokenizer, name)

    def decode(self, token_ids):
        self.num_decoded += len(token_ids)
        return self.tokenizer.decode(token_ids)


RUNS = {
    "special tokens": (BYTES, ["</s>"]),
    "bytes that are no text": (BYTES, ["ð"]),
    "bytes that continue nothing": (BYTES, ["Ł"]),
    "half characters": (BYTES, ["ð", "Ł", "ĺ"]),
    "characters": (BYTES, ["ð", "Ł", "ĺ", "Ĩ"]),
    "words and special tokens": (BYTES, ["a", "</s>", "</s>"]),
    "byte tokens": (PIECES, ["<0xE2>", "<0x98>", "<0x83>"]),
    "broken byte tokens": (PIECES, ["<0xFF>"]),
    "letters in bytes after a broken one": (PIECES, ["<0xFF>", *["<0x41>"] * 100, "a"]),
    "spaces": (PIECES, ["▁"]),
    "words": (WORDS, ["ab", "c"]),
}


@pytest.mark.parametrize("tokenizer, names", RUNS.values(), ids=RUNS)
@pytest.mark.parametrize("before", [[], ["a"]])
def test_work_grows_with_the_tokens_not_with_their_square(before, tokenizer, names):
    def num_decoded(num_tokens):
        counting = Counting(tokenizer)
        ids = [tokenizer.vocabulary.token_to_id(name) for name in [*before, *names]]
        ids = ids[: len(before)] + (ids[len(before) :] * num_tokens)[:num_tokens]
        assert "".join(pushed(counting, ids)[1]) == tokenizer.decode(ids)
        return counting.num_decoded

    assert num_decoded(4000) <= 60 * 4000
    assert num_decoded(4000) <= 2.2 * num_decoded(2000) + 200


def test_special_tokens_have_no_text():
    assert pushed(BYTES, BYTES.encode("the</s>cache"))[1][-1] == ""
    assert "".join(pushed(BYTES, BYTES.encode("the</s>cache"))[1]) == "thecache"


@given(ids_of(WORDS), st.lists(st.text("abc", min_size=1, max_size=5), max_size=3))
def test_text_ends_before_a_stop_string_wherever_tokens_end(token_ids, stops):
    answer, said_by = before_stop(WORDS.decode(token_ids), stops)
    stream, out = TextStream(WORDS, tuple(stops)), ""
    for token in token_ids:
        out += stream.push(token)
        assert answer.startswith(out)
    assert (out + stream.finish(), stream.stopped_by) == (answer, said_by)


@given(
    ids_of(WORDS), st.lists(st.text("ab", min_size=1, max_size=3), max_size=2), st.integers(0, 4)
)
def test_the_first_tokens_complete_no_stop_string(token_ids, stops, min_tokens):
    texts = [WORDS.decode(token_ids[:number]) for number in range(len(token_ids) + 1)]
    answer, said_by = texts[-1], None
    for number, text in enumerate(texts[min_tokens + 1 :], min_tokens + 1):
        first = len(texts[number - 1])  # the earliest end of a stop string that this token brings
        found = [
            (end, end - len(stop), stop)
            for stop in stops
            for end in range(first + 1, len(text) + 1)
            if text[:end].endswith(stop)
        ]
        if found:
            _, start, said_by = min(found)
            answer = text[:start]
            break
    stream = TextStream(WORDS, tuple(stops), min_tokens)
    out = "".join(map(stream.push, token_ids))
    assert (out + stream.finish(), stream.stopped_by) == (answer, said_by)


@given(ids_of(BYTES), st.lists(st.text(max_size=3, min_size=1), max_size=3), st.data())
def test_stops_are_found_in_any_text(token_ids, stops, data):
    whole = BYTES.decode(token_ids)
    if whole:
        start = data.draw(st.integers(0, len(whole) - 1))
        stops.append(whole[start : start + data.draw(st.integers(1, 5))])
    stream, pieces = pushed(BYTES, token_ids, tuple(stops))
    assert ("".join(pieces), stream.stopped_by) == before_stop(whole, stops)


def test_a_stop_string_across_tokens_is_held_back_and_let_go():
    stream = TextStream(BYTES, ("STOP",))
    letters = [BYTES.vocabulary.token_to_id(c) for c in "aSTSTOPb"]
    assert [stream.push(token) for token in letters] == ["a", "", "", "ST", "", "", "", ""]
    assert (stream.stopped_by, stream.finish()) == ("STOP", "")


# ---- a folder


def test_a_folder_says_what_is_special(tmp_path):
    config = {
        "bos_token": "<s>",
        "eos_token": {"content": "</s>", "lstrip": False},
        "chat_template": TEMPLATE,
        "pad_token": None,
    }
    tokenizer = load_tokenizer(save(tmp_path, byte_level(), tokenizer_config=config))
    assert tokenizer.special_tokens == {"bos_token": "<s>", "eos_token": "</s>"}
    assert tokenizer.eos_ids == {1}
    assert tokenizer.chat(CHAT) == "<s><|user|>hi<|assistant|>"
    token_ids = tokenizer.encode(tokenizer.chat(CHAT), special=False)
    assert token_ids.dtype == np.int32 and token_ids[:2].tolist() == [0, 2]


@pytest.mark.parametrize(
    "files, eos",
    [
        ({"generation_config": {"eos_token_id": [7, 8]}, "config": {"eos_token_id": 8}}, {7, 8}),
        ({"generation_config": {"eos_token_id": 8}, "config": {"eos_token_id": [7, 8]}}, {7, 8}),
        (
            {
                "generation_config": {"eos_token_id": [1, 8]},
                "config": {"eos_token_id": 8},
                "tokenizer_config": {"eos_token": "</s>"},
            },
            {1, 8},
        ),
        ({"generation_config": {"eos_token_id": None}, "config": {"eos_token_id": 9}}, {9}),
        ({"tokenizer_config": {"eos_token": "</s>"}}, {1}),
        ({"special_tokens_map": {"eos_token": "</s>"}}, {1}),
        ({"tokenizer_config": {"eos_token": "<nowhere>"}}, {300}),  # added, as transformers does
        ({"config": {"eos_token_id": []}}, set()),
        ({}, set()),
    ],
    ids=str,
)
def test_the_end_of_an_answer_is_what_all_files_say(files, eos, tmp_path):
    assert load_tokenizer(save(tmp_path, byte_level(), **files)).eos_ids == eos


@pytest.mark.parametrize(
    "generation, config, token",
    [
        ([7, 8], 9, None),
        (7, [8, 9], None),
        ([7, 8], [8, 9], None),
        (7, None, "</s>"),
        (None, [7, 8], "</s>"),
        ([1, 7], 1, "<s>"),
    ],
)
def test_files_that_end_an_answer_at_different_tokens_are_refused(
    generation, config, token, tmp_path
):
    files = {"generation_config": {"eos_token_id": generation}, "config": {"eos_token_id": config}}
    save(tmp_path, byte_level(), **files, tokenizer_config={"eos_token": token})
    with pytest.raises(BadFileError, match=r"an answer ends at \[.*\] by .*, but at \[") as caught:
        load_tokenizer(tmp_path)
    assert "\n" not in str(caught.value)
    assert load_tokenizer(tmp_path, eos_ids=[7]).eos_ids == {7}
    assert load_tokenizer(tmp_path, eos_ids=np.array([7])).eos_ids == {7}
    for wrong in (7, "7", ["</s>"], [-1], [7.0], [None]):
        with pytest.raises(ConfigError, match="eos_ids must be"):
            load_tokenizer(tmp_path, eos_ids=wrong)


def test_a_template_of_its_own_comes_first_and_one_of_several_by_name(tmp_path):
    several = [{"name": name, "template": name} for name in ("tool_use", "default")]
    save(tmp_path, byte_level(), tokenizer_config={"chat_template": several})
    assert load_tokenizer(tmp_path).chat(CHAT) == "default"
    (tmp_path / "chat_template.jinja").write_text("own {{ messages | tojson }}")
    assert load_tokenizer(tmp_path).chat(CHAT) == f"own {json.dumps(CHAT)}"


def test_a_prompt_is_neither_cut_nor_padded(tmp_path):
    vocabulary = byte_level()
    vocabulary.enable_truncation(3)
    vocabulary.enable_padding(length=50)
    assert len(load_tokenizer(save(tmp_path, vocabulary)).encode("é☃😀")) > 3
    assert len(load_tokenizer(tmp_path).encode("é")) < 50


@pytest.mark.parametrize(
    "template, says",
    [
        (None, "no chat template"),
        ("{{ raise_exception('roles must\nalternate') }}", "roles must alternate"),
        ("{% if %}", "the chat template:"),
        ("{{ messages[0].content.nothing.more }}", "has no attribute 'nothing'"),
        ("{{ messages + 1 }}", "the chat template:"),
        ("{{ messages.append(1) }}", "is unsafe"),
        ("{{ ''.__class__.__mro__ }}", "is unsafe"),
    ],
)
def test_what_a_template_refuses_or_must_not_do_is_one_line(template, says):
    with pytest.raises(ChatTemplateError, match=says) as caught:
        Tokenizer(byte_level(), {}, frozenset(), template).chat(CHAT)
    assert "\n" not in str(caught.value)


def chats(template, **options):
    return Tokenizer(byte_level(), {}, frozenset(), template).chat(CHAT, **options)


def test_a_templates_clock_shows_today_or_the_day_that_is_passed():
    clock, before = "{{ strftime_now('%Y-%m-%d %H') }}", datetime.now()
    assert chats(clock) in {f"{t:%Y-%m-%d %H}" for t in (before, datetime.now())}
    assert chats(clock, today=date(2026, 3, 5)) == "2026-03-05 00"
    assert chats(clock, today=datetime(2026, 3, 5, 12)) == "2026-03-05 12"


@pytest.mark.parametrize("options", [{"tools": [print]}, {"tools": ["f"]}, {"documents": ["text"]}])
def test_what_would_be_written_as_its_type_is_refused(options):
    (name,) = options
    with pytest.raises(ChatTemplateError, match=f"{name} must be mappings"):
        chats("{{ tools }}{{ documents }}", **options)


ITSELF: dict[str, object] = {"role": "user"}
ITSELF["content"] = ITSELF


@pytest.mark.parametrize(
    "messages", [None, 5, "hi", CHAT[0], [ITSELF]], ids=lambda m: type(m).__name__
)
def test_what_is_no_conversation_is_refused(messages):
    with pytest.raises(ChatTemplateError, match=r"list of messages|contains itself"):
        Tokenizer(byte_level(), {}, frozenset(), TEMPLATE).chat(messages)


@pytest.mark.parametrize("content", [b"hi", {"hi"}, [{"text": b"hi"}]], ids=str)
def test_a_message_that_json_cannot_hold_is_refused(content):
    with pytest.raises(ChatTemplateError, match="a message cannot hold"):
        Tokenizer(byte_level(), {}, frozenset(), TEMPLATE).chat([{"role": "u", "content": content}])


def test_messages_may_be_objects_and_are_left_as_they_are():
    @dataclass
    class Turn:
        role: str
        content: object

    class Dumps:
        def model_dump(self):
            return {"role": "user", "content": np.float64(0.5), "name": None}

    turns = [
        Turn("user", ["a", ("b", {"c": np.int64(3)})]),
        Dumps(),
        {"role": ChatText("x"), 1: object},
    ]
    template = "{{ messages | tojson }}{% for m in messages %}{{ m.__class__ }}{% endfor %}"
    tokenizer = Tokenizer(byte_level(), {}, frozenset(), template)
    written = json.loads(tokenizer.chat(turns))
    assert written[0]["content"] == ["a", ["b", {"c": 3}]]
    assert written[1:] == [{"role": "user", "content": 0.5}, {"role": "x", "1": "<type>"}]
    assert turns[0].content == ["a", ("b", {"c": np.int64(3)})]


@pytest.mark.parametrize(
    "name, content, error, says",
    [
        ("tokenizer.json", None, MissingFileError, "is missing; the folder has"),
        ("tokenizer.json", b"{", BadFileError, "is not a tokenizer: EOF"),
        ("tokenizer_config.json", b"{\n'a'", BadFileError, "is not JSON: .*line 2 column 1"),
        ("tokenizer_config.json", b"[]", BadFileError, "must hold a JSON object, not a list"),
        ("tokenizer_config.json", b'{"bos_token": {}}', BadFileError, "bos_token has no content"),
        ("tokenizer_config.json", b'{"chat_template": [7]}', BadFileError, "chat_template must"),
        ("tokenizer_config.json", b'{"chat_template": 7}', BadFileError, "chat_template must"),
        ("generation_config.json", b"\xff", BadFileError, "byte 0 is not UTF-8"),
        ("config.json", b'{"eos_token_id": ["</s>"]}', BadFileError, "must be integers"),
    ],
)
def test_a_bad_folder_is_named_in_one_line(name, content, error, says, tmp_path):
    path = save(tmp_path, byte_level(), tokenizer_config={}) / name
    path.unlink() if content is None else path.write_bytes(content)
    with pytest.raises(error, match=says) as caught:
        load_tokenizer(tmp_path)
    assert str(path) in str(caught.value) and "\n" not in str(caught.value)


def test_a_folder_that_is_not_there_is_named(tmp_path):
    with pytest.raises(MissingFileError, match="nowhere is not a folder"):
        load_tokenizer(tmp_path / "nowhere")


@pytest.mark.parametrize(
    "tokenizer", [BYTES, PIECES, load_tokenizer(TINY)], ids=["bytes", "pieces", "tiny"]
)
def test_the_pieces_of_a_text_are_the_text(tokenizer):
    text = "the red box is in the old house."
    assert (
        "".join(map(tokenizer.piece, tokenizer.encode(text))).strip()
        == tokenizer.decode(tokenizer.encode(text)).strip()
    )
