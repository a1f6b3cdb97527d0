"""A repository of a few lines with everything in it that a page of the site can show."""

import nbformat

from radixlab.lesson.build import name_cells

TITLE = """# 00 · A small lesson

*About 3 minutes on the core path, 3 with everything.*

**What does a page need?**

Rules M8 and E6 say it, and [the guide](../docs/guide.md#a-wide-table) too; the
[solution](../solutions/ex1_small.ipynb) does not. $$\\left\\lfloor \\frac{a}{b} \\right\\rfloor$$
"""
IMPORTS = """from radixlab.cache import CacheConfig, KVCacheManager
from radixlab.lesson import decode, encode, predict, reveal, show
from radixlab.viz import CacheView, Tape, compare"""
FIRST = """cache = KVCacheManager(CacheConfig(num_blocks=12, block_size=4))
view = CacheView(cache, decode, title="</script><b>Two prompts</b>")
first = cache.allocate(encode("The sky is blue."))
display(view)
cache.commit(first, first.num_tokens)
tape = Tape(cache, "one")"""
SECOND = """other = Tape(cache, "two")
second = cache.allocate(encode("The sky is red. Why?"))
cache.release(first)
view"""
QUESTIONS = """print("a very long line: " + "x" * 300)
predict("00/blocks", "How many?", unit="blocks")
reveal("00/blocks", 16, unit="blocks")
predict("00/which", "Which?", choices=["this <one>", "that one"])
reveal("00/which", "that one")"""
SHOWN = "show(KVCacheManager.allocate)"
PAIR = 'compare(tape, other, decode, title="Two tapes")'
GUIDE = """# A guide

Text with `code`, <kbd>keys</kbd> and [a lesson](../notebooks/00_small.ipynb#A-section).

## A wide table

| | b | c |
|---|---|---|
| `a_name_that_is_rather_long` | 1 | WIDE |

    code in a box

```python
x = 1
```
""".replace("WIDE", "word " * 60)


def notebook(*cells: str) -> str:
    """A notebook; a cell that begins with `#` is prose."""
    made = [
        nbformat.v4.new_markdown_cell(text) if text.startswith("# ") or text.startswith("## ")
        else nbformat.v4.new_code_cell(text)
        for text in cells
    ]  # fmt: skip
    book = nbformat.v4.new_notebook(cells=made)
    name_cells(book)
    return nbformat.writes(book)


def write(root):
    """Write the repository."""
    files = {
        "README.md": "# radixlab\n\nSee [the guide](docs/guide.md) and [deploy](deploy/run.sh).\n",
        "deploy/run.sh": "echo run\n",
        "docs/guide.md": GUIDE,
        "solutions/ex1_small.ipynb": notebook("# Solved", "SECRET = 1"),
        "exercises/ex1_small.ipynb": notebook(
            "# Exercise 8.5.1 · Small\n\n**Can you?**\n\n5 points.", "answer = ..."
        ),
        "notebooks/00_small.ipynb": notebook(
            TITLE, IMPORTS, FIRST, "## A section\n\nMore.", SECOND, QUESTIONS, SHOWN, PAIR
        ),
    }
    for name, text in files.items():
        (root / name).parent.mkdir(parents=True, exist_ok=True)
        (root / name).write_text(text, encoding="utf-8")
    return root
