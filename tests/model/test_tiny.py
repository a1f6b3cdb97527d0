import pytest
from hypothesis import given
from hypothesis import strategies as st

torch = pytest.importorskip("torch", reason="torch is not installed: the extra `model` brings it")

from click.testing import CliRunner  # noqa: E402

from radixlab.model.config import ModelConfig  # noqa: E402
from radixlab.model.loader import load_model, load_tokenizer  # noqa: E402
from radixlab.model.runner import dense_logits  # noqa: E402
from radixlab.model.tiny import TINY, fact_sheet, train  # noqa: E402
from radixlab.model.tiny.evaluate import accuracy  # noqa: E402
from radixlab.model.tiny.examples import IDS, encode, make_row, tell  # noqa: E402
from radixlab.model.tiny.export import export, make_tokenizer  # noqa: E402
from radixlab.model.tiny.spoil import Reading, tally, value_block  # noqa: E402
from radixlab.model.tiny.train import Plan, Training  # noqa: E402

SMALL = ModelConfig(
    vocab_size=len(IDS),
    hidden_size=64,
    intermediate_size=64,
    num_layers=2,
    num_heads=4,
    num_kv_heads=2,
    head_dim=32,
    max_context_len=2048,
    rope_theta=1e6,
    tied_embeddings=True,
)
QUICK = Plan(num_steps=30, step_tokens=512, warm_up=5)


@pytest.fixture(scope="module")
def model():
    return load_model(TINY, torch.float32)


@pytest.fixture(scope="module")
def tokenizer():
    return load_tokenizer(TINY)


# ---- the tokenizer


@given(st.integers(0, 10**6), st.integers(1, 16))
def test_every_document_and_answer_comes_back_as_it_was(tokenizer, seed, num_facts):
    sheet = fact_sheet(seed, num_facts, 8 * num_facts + 4)
    for text in (sheet.text, sheet.prompt(sheet.facts[-1]), sheet.facts[0].sentence):
        token_ids = tokenizer.encode(text)
        assert token_ids.tolist() == encode(text)
        assert tokenizer.decode(token_ids) == text


def test_the_shipped_tokenizer_is_the_one_of_the_code(tokenizer):
    assert tokenizer.vocabulary.to_str() == make_tokenizer().to_str()


def test_a_conversation_is_written_as_in_training(tokenizer):
    sheet = fact_sheet(0)
    first, second = sheet.facts[:2]
    turns = [
        {"role": "system", "content": sheet.text},
        {"role": "user", "content": first.question},
        {"role": "assistant", "content": first.sentence},
        {"role": "user", "content": second.question},
    ]
    assert tokenizer.chat(turns[:2]) == sheet.prompt(first)
    prompt = tokenizer.encode(tokenizer.chat(turns)).tolist()
    answer = encode(second.sentence)
    assert [*prompt, *answer, IDS["<eos>"]] == make_row(sheet, [first, second]).token_ids


def test_line_breaks_read_as_spaces_and_other_words_as_unknown(tokenizer):
    assert tokenizer.encode("The lake rests.\n Q:\n").tolist() == encode("The lake rests. Q:")
    assert tokenizer.encode("The lake explodes.").tolist().count(IDS["<unk>"]) == 1


# ---- the weights


def test_the_folder_is_small_and_its_weights_are_fp16():
    assert sum(path.stat().st_size for path in TINY.iterdir()) <= 4_000_000
    assert load_model(TINY).norm.weight.dtype == torch.float16


@pytest.mark.parametrize(
    ("num_facts", "num_tokens", "num"), [(8, 56, 64), (8, 256, 64), (16, 1024, 16)]
)
def test_answers_are_as_right_as_the_readme_says(model, num_facts, num_tokens, num):
    assert accuracy(model, num_facts, num_tokens, num, seed=1) >= 0.97


def test_it_tells_namesakes_apart(model):
    assert accuracy(model, 8, 56, num_questions=64, seed=1, share=0.5) >= 0.95


def test_it_says_its_answer_out_of_the_cache_and_stops(model, tokenizer):
    sheet = fact_sheet(0, num_facts=8, num_tokens=96)
    reading = Reading(model, tokenizer.encode(sheet.text))
    said = [reading.answer(encode(f"Q: {fact.question} A:")) for fact in sheet.facts]
    assert [tokenizer.decode(ids) for ids in said] == [fact.sentence for fact in sheet.facts]
    assert all(ids[-1] in tokenizer.eos_ids for ids in said)


def test_one_spoilt_block_spoils_the_answers_it_holds_and_no_others(model):
    tallied = tally(model, num_questions=12, num_facts=8, num_tokens=96)
    assert tallied.num_right >= 11
    assert tallied.wrong_without_value >= tallied.num_right - 1
    assert tallied.right_without_other >= tallied.num_right - 1


def test_the_block_of_a_value_is_the_one_that_it_stands_in():
    sheet = fact_sheet(0, num_facts=8, num_tokens=96)
    token_ids = encode(sheet.text)
    for fact in sheet.facts:
        assert token_ids.index(IDS[fact.value]) // 16 == value_block(sheet, fact)


def test_transformers_reads_the_folder_and_agrees(model, tokenizer):
    transformers = pytest.importorskip(
        "transformers", reason="transformers is not installed: the extra `oracle` brings it"
    )
    theirs = transformers.AutoModelForCausalLM.from_pretrained(TINY, dtype=torch.float32)
    sheet = fact_sheet(0)
    turns = [{"role": "system", "content": sheet.text}, {"role": "user", "content": "Where?"}]
    tokens = transformers.AutoTokenizer.from_pretrained(TINY)
    text = tokens.apply_chat_template(turns, tokenize=False)
    assert text == tokenizer.chat(turns)
    token_ids = tokens(text)["input_ids"]
    assert token_ids == tokenizer.encode(text).tolist()
    with torch.inference_mode():
        expected = theirs(torch.tensor([token_ids])).logits[0]
    torch.testing.assert_close(dense_logits(model, token_ids), expected, atol=1e-3, rtol=0)


# ---- the training


def test_rows_of_a_batch_are_read_as_if_alone(model):
    rows = [make_row(sheet := fact_sheet(n, 2, 20 + 9 * n), sheet.facts) for n in range(3)]
    told = tell(model, rows)
    alone = []
    for row in rows:
        logits = dense_logits(model, row.token_ids)
        alone += [logits[place - 1] for place, weight in enumerate(row.weights) if weight]
    torch.testing.assert_close(told.logits, torch.stack(alone), atol=1e-4, rtol=0)


def test_a_few_steps_lower_the_loss():
    training = Training(QUICK, SMALL)
    losses = [training.advance() for _ in range(30)]
    assert sum(losses[-5:]) < 0.7 * sum(losses[:5])


def test_a_seed_and_a_plan_are_a_model_even_if_it_is_interrupted(tmp_path):
    straight, first, second = (Training(QUICK, SMALL) for _ in range(3))
    for training in (straight, first):
        for _ in range(3):
            training.advance()
    straight.advance()
    train.save(first, tmp_path / "checkpoint.pt")
    second.resume(torch.load(tmp_path / "checkpoint.pt", weights_only=True))
    second.advance()
    export(straight.model, tmp_path / "straight")
    export(second.model, tmp_path / "resumed")
    for path in (tmp_path / "straight").iterdir():
        assert path.read_bytes() == (tmp_path / "resumed" / path.name).read_bytes()


def test_the_command_trains_exports_and_measures_and_refuses_another_plan(tmp_path):
    command = ["--out", str(tmp_path), "--questions", "1", "--steps"]
    result = CliRunner().invoke(train.main, [*command, "1"])
    assert result.exit_code == 0, result.output
    assert "step 1: loss" in result.stderr
    assert result.stdout.count("\n| 8 |") == 5 and "Of 1 answers" in result.stdout
    assert load_model(tmp_path / "weights").config == load_model(TINY).config
    result = CliRunner().invoke(train.main, [*command, "2"])
    assert result.exit_code == 1
    assert "'num_steps': 1" in result.stderr and "Traceback" not in result.stderr
