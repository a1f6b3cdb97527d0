"""The prose of the repository keeps to plain English and to one field word for each thing."""

import re

import pytest

from tests.repo import spelling, words

STYLE = "radixlab/model/x.py"
BAD = {
    "Give each block a name anew.": r"\banew\b",
    "Return the how-manieth of it.": r"manieth",
    "Read any block, be it on the host or not.": r"\bbe it\b",
    "All of it but for the root.": r"\bbut for\b",
    "The engine, such as has a host tier.": r"\bsuch as",
    "A stop string is none of its tokens.": r"none of",
    "Block so-and-so is free.": r"so-and-so",
    "As many blocks as can be had.": r"can be had",
    "Null is as good as absent.": r"as good as absent",
    "Checks. Knows bytes; no blocks.": r"Knows",
    "It is no sequence.": r"(?:is|are) no (?!",
    "It takes no more than 7 blocks.": r"no more than",
    "Finish. Twice is once.": r"twice is once",
    "The block has a holder too many.": r"too many",
    "Logits that are no numbers.": r"no numbers",
    "Score every next token.": r"scor",
    "Map each token to its place.": r"places",
}
GOOD = (
    "There is no block left, and the node is no longer a leaf.",
    "The tree knows its nodes. This file knows bytes; it does not know blocks.",
    "A private block is written in place. The copy takes place later.",
    "The mask is added to the attention scores.",
    "None of these blocks is free, but all are cached for the next request.",
)


@pytest.fixture(scope="module")
def prose():
    return list(words.prose())


def test_no_text_has_a_banned_word(prose):
    found = [
        f"{path}:{line}: …{hit}… ({rule.instead})"
        for path, line, text in prose
        for rule in words.BANNED
        for hit in rule.found(path, text)
    ]
    assert not found, "\n".join(found)


def test_no_word_is_misspelt_or_stands_twice_and_spelling_is_british(prose, tmp_path):
    pytest.importorskip("codespell_lib", reason="codespell is not installed: `dev` brings it")
    texts, known = spelling.texts(prose), spelling.american()
    assert spelling.misspelt(texts, tmp_path) == []
    assert [f"{where}: {hit}" for where, text in texts for hit in spelling.doubled(text)] == []
    assert [f"{where}: {hit}" for where, text in texts for hit in spelling.mixed(text, known)] == []
    files = {where.partition(":")[0] for where, _ in texts}
    assert {"README.md", "deploy/README.md", "docs/why.md", "radixlab/viz/js/log.js"} <= files


def test_every_text_is_read(prose):
    paths = {path for path, _, _ in prose}
    assert "radixlab/attention/plan.py" in paths and "README.md" in paths
    assert sum(path.endswith(".ipynb") for path in paths) == 20
    comments = [text for path, _, text in prose if path == "radixlab/sched/scheduler.py"]
    assert any(text.startswith("generating requests first") for text in comments)


@pytest.mark.parametrize("text, pattern", BAD.items(), ids=BAD)
def test_a_banned_word_is_found(text, pattern):
    found = [rule.pattern for rule in words.BANNED if rule.found(STYLE, text)]
    assert any(pattern in each for each in found)


@pytest.mark.parametrize("text", GOOD)
def test_plain_english_passes(text):
    assert not [rule for rule in words.BANNED if rule.found(STYLE, text)]


def test_every_rule_has_an_example():
    assert len(BAD) == len(words.BANNED)


PLURAL = re.compile(
    r"\{[^{}:]+\} (?:locked |cached |whole )?(?:blocks|chunks|nodes|pages|pins|tokens)\b"
)
JUDGES = ("radixlab/bridge/", "radixlab/yours/")


def test_what_is_said_of_a_learners_part_agrees_in_number():
    "`1 block`, `2 blocks`: a count goes through `escape.count`, because small cases are the rule."
    said = [
        f"{path.relative_to(words.ROOT)}: {hit.group()}"
        for folder in JUDGES
        for path in sorted((words.ROOT / folder).glob("*.py"))
        for hit in PLURAL.finditer(path.read_text(encoding="utf-8"))
    ]
    assert said == []
