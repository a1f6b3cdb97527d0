"""The pages that are not notebooks: Markdown files of the repository, and the rulebook."""

import html
import re
from collections.abc import Iterator
from functools import cache
from pathlib import Path

from radixlab.cache import rules
from radixlab.cache.rules import Rule
from radixlab.site.anchors import slug_of_document
from radixlab.site.links import Links
from radixlab.site.markdown import Converter, Heading
from radixlab.site.page import Page

REFERENCE, GUIDES = "Reference", "Guides"
RULEBOOK = "rulebook.html"
_REFERENCE = ("docs/glossary.md", "benchmarks/RESULTS.md", "benchmarks/WORKLOADS.md")
_GUIDES = ("README.md", "deploy/README.md", "AGENTS.md")
_CODE = re.compile(r"`([^`]+)`")


def documents(root: Path) -> dict[str, str]:
    """Map the Markdown files of the repository that become pages to their addresses."""
    docs = sorted(path.relative_to(root).as_posix() for path in root.glob("docs/*.md"))
    wanted = dict.fromkeys([*_GUIDES, *docs, *_REFERENCE])
    return {source: _address(source) for source in wanted if (root / source).is_file()}


def _address(source: str) -> str:
    if source == "README.md":
        return "set-up.html"
    name = source.removesuffix("/README.md").removesuffix(".md").rsplit("/", 1)[-1]
    return f"{'reference' if source in _REFERENCE else 'guides'}/{name.lower()}.html"


def document(root: Path, source: str, links: Links, link_rules: dict[str, str]) -> Page:
    """Draw one Markdown file."""
    path = links.pages[source]
    text = (root / source).read_text(encoding="utf-8")
    markdown = Converter(links.of(source, path), slug_of_document, link_rules)
    body = markdown(text)
    title = next((each.text for each in markdown.headings if each.level == 1), source)
    if source == "README.md":
        title = "Set-up and commands"  # its own title is the name of the project
        body = body.replace(">radixlab</h1>", f">{title}</h1>", 1)
    group = REFERENCE if source in _REFERENCE else GUIDES
    return Page(path, title, group, body, tuple(markdown.headings))


@cache
def rulebook() -> Page:
    """Draw the rulebook from the rules themselves."""
    headings = [Heading(1, "rulebook", "The rulebook")]
    body = ['<h1 id="rulebook">The rulebook</h1>\n', f"<p>{_intro()}</p>\n"]
    for letter, subject in rules.letters().items():
        headings.append(Heading(2, letter, f"{letter}: {subject}"))
        body.append(f'<h2 id="{letter}">{letter}: {html.escape(subject)}</h2>\n')
        body += map(_rule, rules.rules(letter))
        body += [_unused(id, why) for id, why in rules.unused(letter).items()]
    lead = "What the cache and the scheduler always keep, why, and which test proves it."
    return Page(RULEBOOK, "The rulebook", REFERENCE, "".join(body), tuple(headings), lead)


def _intro() -> str:
    count = len(rules.rules())
    return (
        f"{count} rules hold at every moment, whatever the traffic. Each names the function that "
        "enforces it, the tests that prove it, and the broken engines that break it on purpose. "
        "<code>radixlab rules M8</code> prints the same in a terminal."
    )


def _rule(rule: Rule) -> str:
    facts = "".join(_facts(rule))
    return (
        f'<article class="rule" id="{rule.id}"><h3><a href="#{rule.id}">{rule.id}</a> '
        f"{inline(rule.sentence)}</h3>\n<p>{inline(rule.why)}</p>\n"
        f"<details><summary>Enforced and proved by</summary><dl>{facts}</dl></details></article>\n"
    )


def _facts(rule: Rule) -> Iterator[str]:
    functions = [str(place) for name in rule.functions if (place := rules.place(name))]
    for name, values in (
        ("Enforced by", functions),
        ("Proved by", [f"tests/{test}" for test in rule.tests]),
        ("Broken on purpose by", list(rule.mutants)),
    ):
        if values:
            rows = "".join(f"<dd><code>{html.escape(value)}</code></dd>" for value in values)
            yield f"<dt>{name}</dt>{rows}"


def _unused(id: str, why: str) -> str:
    return f'<p class="unused" id="{id}"><b>{id}</b> is not in use. {inline(why)}</p>\n'


def inline(text: str) -> str:
    """Return a sentence as HTML, with its code in backticks.

    >>> inline("at most `a < b` times")
    'at most <code>a &lt; b</code> times'
    """
    return _CODE.sub(r"<code>\1</code>", html.escape(text, quote=False))
