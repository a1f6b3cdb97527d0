"""Known misspellings, doubled words and mixed spellings in the prose of the repository.

codespell knows the misspellings that people make; unlike a dictionary it raises no alarm at a
word of the field. It reads notebooks, docs, docstrings, comments, messages, and our JavaScript.
"""

import re
import subprocess
import sys
from importlib import resources

import pytest

from tests.repo import links, words

pytest.importorskip("codespell_lib", reason="codespell is not installed: the extra `dev` brings it")

NAMES = {"caf", "fro", "ines", "nd"}
"""Not words of ours: patterns, a cut-off example, a name, an ordinal."""
AMERICAN = {
    *("authorization", "center", "color", "math", "summarize", "unrecognized"),  # names in code
    *("focused", "focuses", "license", "meter", "program", "routing", "story", "writable"),
}
"""American words that may stay; those in the second row are British too."""
_DOUBLED = re.compile(r"\b([a-z]+)[ \n]+\1\b(?![=(\[.:_])")
_DOUBLED_RIGHTLY = {"had", "that"}
_CODE = re.compile(r"`[^`]*`|^>>>.*$|^(?: {4}|\t).*$|^```.*?^```", re.DOTALL | re.MULTILINE)


def prose():
    """Yield `(where, text)` for all that people read, without code."""
    yield from ((f"{path}:{line}", text) for path, line, text in words.prose())
    for path in links.texts():
        if path.parent.name in ("deploy", "benchmarks", "peers") or path.parent == links.ROOT:
            yield path.relative_to(links.ROOT).as_posix(), links.prose(path)
    for path in sorted(links.ROOT.glob("radixlab/**/*.js")):
        for number, line in enumerate(path.read_text("utf-8").splitlines(), 1):
            if "//" in line or "/**" in line:
                yield f"{path.relative_to(links.ROOT).as_posix()}:{number}", line


@pytest.fixture(scope="module")
def texts():
    return [(where, " ".join(_CODE.sub(" … ", text).split())) for where, text in prose()]


def misspelt(texts, folder):
    """What codespell finds, as `where: wrong ==> right`."""
    file = folder / "prose.txt"
    file.write_text("".join(f"{text}\n" for _, text in texts), encoding="utf-8")
    command = [sys.executable, "-m", "codespell_lib", "-L", ",".join(NAMES), str(file)]
    run = subprocess.run(command, capture_output=True, text=True, cwd=folder)
    assert run.returncode in (0, 65), run.stderr
    found = re.findall(r"prose\.txt:(\d+): (.+)", run.stdout)
    return [f"{texts[int(line) - 1][0]}: {what}" for line, what in found]


def doubled(text):
    return [hit[0] for hit in _DOUBLED.finditer(text) if hit[1] not in _DOUBLED_RIGHTLY]


def american():
    """Map American spellings to the British ones, which this repository uses."""
    data = resources.files("codespell_lib").joinpath("data/dictionary_en-GB_to_en-US.txt")
    rows = (line.split("->") for line in data.read_text("utf-8").splitlines() if "->" in line)
    pairs = {there.split(",")[0].strip(): here for here, there in rows}
    return {there: here for there, here in pairs.items() if there not in AMERICAN}


def test_no_word_is_misspelt(texts, tmp_path):
    assert misspelt(texts, tmp_path) == []


def test_no_word_stands_twice(texts):
    assert [f"{where}: {hit}" for where, text in texts for hit in doubled(text)] == []


def test_spelling_is_british(texts):
    known = american()
    found = [
        f"{where}: {word} ==> {known[word]}"
        for where, text in texts
        for word in {word.lower() for word in re.findall(r"(?<![\w-])[A-Za-z]+(?![\w-])", text)}
        if word in known
    ]
    assert found == []


def test_a_misspelling_is_found_where_it_stands(tmp_path):
    lines = [("a", "A block of the cache."), ("b", "It recieves the adress."), ("c", "Evict it.")]
    assert misspelt(lines, tmp_path) == [
        "b: recieves ==> receives",
        "b: adress ==> address",
    ]


@pytest.mark.parametrize("text", ["of the the block", "is\nis", "a block block"])
def test_a_doubled_word_is_found(text):
    assert len(doubled(text)) == 1


@pytest.mark.parametrize("text", ["he had had it", "import main main()", "the then", "why why(x)"])
def test_other_pairs_pass(text):
    assert doubled(text) == []


def test_the_texts_are_read(texts):
    where = {name.partition(":")[0] for name, _ in texts}
    assert {"README.md", "deploy/README.md", "docs/why.md", "radixlab/viz/js/log.js"} <= where
    assert "optimise" in american().values() and len(american()) > 500
