"""The prose of the repository, and the words that it must not use.

The rule behind the list: plain English that an editor of a good textbook would pass, and one field
word for each thing. An entry is a pattern, what to write instead, and where it applies.
"""

import ast
import io
import json
import re
import tokenize
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

ROOT = Path(__file__).parents[2]
SHORT = 3
"""A string with fewer words is a name or a key, not prose."""


@dataclass(frozen=True)
class Banned:
    """A word or phrase that no text may have."""

    pattern: str
    instead: str
    within: tuple[str, ...] = ("",)
    """Beginnings of the paths to which it applies."""

    def found(self, path: str, text: str) -> list[str]:
        """List its occurrences in a text, with a little context."""
        if not path.startswith(self.within):
            return []
        hits = re.finditer(self.pattern, text, re.IGNORECASE)
        return [text[max(0, hit.start() - 30) : hit.end() + 30] for hit in hits]


MODEL_OUTPUT = ("radixlab/model/", "radixlab/sched/", "radixlab/engine.py", "radixlab/llm/")
ENGINE = (*MODEL_OUTPUT, "radixlab/attention/", "radixlab/cache/", "radixlab/events.py")
READ_ALOUD = (*ENGINE, "radixlab/lesson/", "radixlab/observe/", "radixlab/viz/")
"""What has been read sentence by sentence; extend this as more is read."""
BANNED = (
    # non-words and archaisms
    Banned(r"manieth", "n-th, or rank"),
    Banned(r"\banew\b", "again, or from scratch"),
    Banned(r"\bbe it\b", "whether … or …"),
    Banned(r"\bbut for\b", "except"),
    Banned(r"\bsuch as (?:has|have|is|are)\b", "those that have"),
    Banned(r"\b(?:is|are) none of\b", "is not one of, or say what it is"),
    Banned(r"\bso-and-so\b", "name it"),
    Banned(r"\bcan be had\b", "is available"),
    Banned(r"\bas good as absent\b", "counts as absent"),
    # telegrams and inversions
    Banned(r"(?:^|[.;:]\s+)Knows\b", "This file knows …; it does not know …"),
    Banned(r"\b(?<!there )(?:is|are) no (?!longer\b|\w+er\b)\w+", "is not a …"),
    Banned(r"\bno more than\b", "at most", READ_ALOUD),
    Banned(r"\btwice is once\b", "a second call does nothing"),
    # one field word for each thing
    Banned(r"\bholders? too many\b", "extra reference"),
    Banned(r"\bscores? (?:that|which) are no\b|\bno numbers\b", "non-finite logits"),
    Banned(r"(?<!attention )\bscor(?:es?|ed|ing)\b", "logits", MODEL_OUTPUT),
    Banned(
        r"(?<!in )(?<!takes )(?<!take )\bplaces?\b", "position, index, slot, row or rank", ENGINE
    ),
)


def of_python(path: Path) -> Iterator[tuple[int, str]]:
    """Yield docstrings, comments and messages with their lines."""
    source = path.read_text(encoding="utf-8")
    for token in tokenize.generate_tokens(io.StringIO(source).readline):
        if token.type == tokenize.COMMENT:
            yield token.start[0], token.string.lstrip("# ")
    for node in ast.walk(ast.parse(source)):
        if isinstance(node, ast.Constant) and isinstance(node.value, str):
            text = re.sub(r"`[^`]*`", "`…`", " ".join(node.value.split()))
            if len(text.split()) >= SHORT:
                yield node.lineno, text


def of_notebook(path: Path) -> Iterator[tuple[int, str]]:
    """Yield the markdown cells with their numbers."""
    for number, cell in enumerate(json.loads(path.read_text(encoding="utf-8"))["cells"]):
        if cell["cell_type"] == "markdown":
            yield number, "".join(cell["source"])


def prose() -> Iterator[tuple[str, int, str]]:
    """Yield `(path, line or cell, text)` for all prose."""
    for path in sorted(ROOT.glob("radixlab/**/*.py")):
        name = path.relative_to(ROOT).as_posix()
        yield from ((name, line, text) for line, text in of_python(path))
    for folder in ("notebooks", "exercises", "solutions"):
        for path in sorted(ROOT.glob(f"{folder}/*.ipynb")):
            name = path.relative_to(ROOT).as_posix()
            yield from ((name, cell, text) for cell, text in of_notebook(path))
    guides = ("*.md", "docs/*.md", "exercises/*.md", "solutions/*.md", "deploy/*.md")
    for path in sorted(path for pattern in guides for path in ROOT.glob(pattern)):
        yield path.relative_to(ROOT).as_posix(), 1, path.read_text(encoding="utf-8")
