"""Known misspellings, doubled words and mixed spellings, looked for in prose.

codespell knows the misspellings that people make; unlike a dictionary it raises no alarm at a
word of the field. It reads notebooks, docs, docstrings, comments, messages, and our JavaScript.
"""

import re
import subprocess
import sys
from importlib import resources

from tests.repo import links

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


def texts(prose):
    """List `(where, text)` for all that people read, without code; `prose` is `words.prose()`."""
    found = [*((f"{path}:{line}", text) for path, line, text in prose), *_more()]
    return [(where, " ".join(_CODE.sub(" … ", text).split())) for where, text in found]


def _more():
    for path in links.texts():
        if path.parent.name in ("deploy", "benchmarks", "peers") or path.parent == links.ROOT:
            yield path.relative_to(links.ROOT).as_posix(), links.prose(path)
    for path in sorted(links.ROOT.glob("radixlab/**/*.js")):
        for number, line in enumerate(path.read_text("utf-8").splitlines(), 1):
            if "//" in line or "/**" in line:
                yield f"{path.relative_to(links.ROOT).as_posix()}:{number}", line


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


def mixed(text, known):
    """List the words of a text that `american()` knows, with the British ones."""
    found = {word.lower() for word in re.findall(r"(?<![\w-])[A-Za-z]+(?![\w-])", text)}
    return [f"{word} ==> {known[word]}" for word in sorted(found & known.keys())]
