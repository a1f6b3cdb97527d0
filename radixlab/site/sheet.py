"""The cheat sheet: tree, blocks, calls, events, settings and rules on one sheet of paper.

Its words come from the engine: docstrings, the rulebook, the settings, the legend of the view. So
the sheet cannot be older than the code. `paper.py` prints it.
"""

import ast
import html
import inspect
from collections.abc import Iterable, Iterator
from dataclasses import MISSING, fields
from functools import cache

from radixlab import config, observe
from radixlab.cache import CacheConfig, KVCacheManager, rules
from radixlab.config import SchedulerConfig
from radixlab.events import EVENT_TYPES
from radixlab.observe.state import NodeState, State
from radixlab.site.documents import REFERENCE, inline
from radixlab.site.markdown import Heading
from radixlab.site.page import Page
from radixlab.viz.facts import BlockFacts, Standing, block_facts
from radixlab.viz.palette import LEGEND

PATH = "cheatsheet.html"
CALLS = (
    *("peek", "allocate", "commit", "append", "prepare_write", "complete", "fork"),
    *("release", "preempt", "pin", "evict", "reset", "stats"),
)
"""The manager's calls, in the order of a request's life."""
INSTRUCTION = "Name the capital of "
QUESTIONS = ("Norway:)", "Greece:)")
BLOCK_SIZE = 4


@cache
def sheet() -> Page:
    """Draw the cheat sheet."""
    calls = ((f"{name}()", getattr(KVCacheManager, name)) for name in CALLS)
    parts = {
        "Tree": _tree(),
        "Blocks": _blocks(),
        "Calls": _rows((name, _first_sentence(call)) for name, call in calls),
        "Settings": _rows(_settings()),
        "Events": _rows((name, _first_sentence(cls)) for name, cls in EVENT_TYPES.items()),
        "Rules": _rules(),
    }
    sections = (
        f'<section class="part"><h2 id="{name}">{name}</h2>{body}</section>\n'
        for name, body in parts.items()
    )
    body = f'<h1 id="sheet">Cheat sheet</h1>\n<div class="sheet">\n{"".join(sections)}</div>\n'
    headings = (Heading(1, "sheet", "Cheat sheet"), *(Heading(2, name, name) for name in parts))
    lead = "Tree, blocks, calls, events, settings and all rules on one page."
    return Page(PATH, "Cheat sheet", REFERENCE, body, headings, lead)


def _rows(rows: Iterable[tuple[str, str]]) -> str:
    found = (
        f"<dt><code>{html.escape(name)}</code></dt><dd>{inline(text)}</dd>" for name, text in rows
    )
    return f"<dl>{''.join(found)}</dl>"


def _first_sentence(thing: object) -> str:
    """Return the first line of a docstring, without the rules that it cites."""
    line = (inspect.getdoc(thing) or "").partition("\n")[0]
    return line.rpartition(" (")[0] + "." if line.endswith(").") and _cites(line) else line


def _cites(line: str) -> bool:
    last = line.rpartition(" (")[2].rstrip(").")
    known = {rule.id for rule in rules.rules()}
    return all(each.strip() in known for each in last.split(","))


def _settings() -> Iterator[tuple[str, str]]:
    """Yield each setting with its default and what it means, as config.py says it."""
    for cls in (CacheConfig, SchedulerConfig):
        told = _told(cls.__name__)
        for field in fields(cls):
            default = "" if field.default is MISSING else f" = {field.default}"
            yield f"{field.name}{default}", told[field.name]


def _told(name: str) -> dict[str, str]:
    """Map the settings of a class of config.py to the texts below them."""
    tree = ast.parse(inspect.getsource(config))
    cls = next(
        node for node in ast.walk(tree) if isinstance(node, ast.ClassDef) and node.name == name
    )
    found = {}
    for field, text in zip(cls.body, cls.body[1:], strict=False):
        if isinstance(field, ast.AnnAssign) and isinstance(text, ast.Expr):
            words = " ".join(str(ast.literal_eval(text.value)).split())
            found[ast.unparse(field.target)] = words
    return found


def _rules() -> str:
    parts = []
    for letter, subject in rules.letters().items():
        rows = "".join(
            f'<li><a href="rulebook.html#{rule.id}">{rule.id}</a> {inline(rule.sentence)}</li>'
            for rule in rules.rules(letter)
        )
        parts.append(f"<h3>{html.escape(subject)}</h3><ul>{rows}</ul>")
    return "".join(parts)


def _blocks() -> str:
    rows = "".join(
        f'<li><i class="block is-{standing.value}"></i> {html.escape(LEGEND[standing])}</li>'
        for standing in Standing
    )
    return (
        f'<ul class="legend">{rows}</ul><p><b>in use + evictable + free = pool.</b> '
        "slot = block_id · block_size + offset. <code>ref_count</code> keeps a block from being "
        "freed; <code>lock_ref</code> keeps a node from being evicted.</p>"
    )


def _tree() -> str:
    """Draw what two prompts with one instruction leave in a real cache."""
    cache = KVCacheManager(CacheConfig(num_blocks=12, block_size=BLOCK_SIZE))
    for question in QUESTIONS:
        prompt = list((INSTRUCTION + question).encode())
        cache.commit(cache.allocate(prompt), len(prompt))
    cache.release(next(iter(cache.sequences.values())))
    state = observe.snapshot(cache)
    facts = block_facts(state)
    roots = [node for node in state.nodes.values() if node.parent_id is None]
    drawn = "".join(_node(node, state, facts) for node in roots)
    return (
        f'<div class="tree">{drawn}</div><p>{len(QUESTIONS)} prompts share an instruction, a block '
        f"holds {BLOCK_SIZE} tokens, and one of the requests still runs. A node has the tokens of "
        "whole blocks. A child is found by its whole first block. A request locks its node and all "
        "nodes above it. Only unlocked leaves are evicted.</p>"
    )


def _node(node: NodeState, state: State, facts: BlockFacts) -> str:
    blocks = "".join(
        f'<i class="block is-{facts.of(block).value}">{block}</i>' for block in node.block_ids
    )
    text = html.escape(bytes(node.tokens).decode())
    locks = f"{node.lock_ref} lock{'s' if node.lock_ref != 1 else ''}"
    children = [child for child in state.nodes.values() if child.parent_id == node.id]
    below = "".join(_node(child, state, facts) for child in children)
    return (
        f'<div class="branch"><div class="node"><b>node {node.id} · {locks}</b>'
        f"<code>{text}</code><span>{blocks}</span></div><div>{below}</div></div>"
    )
