"""`radixlab rules`: the rulebook of the cache, as a list, a rule at a time, or as JSON."""

import json
import textwrap
from collections.abc import Iterator
from typing import Any

import click

from radixlab.cache import rules as book
from radixlab.cache.rules import Rule
from radixlab.cli.shared import examples

WIDTH = 80


@click.command(
    "rules", epilog=examples("radixlab rules", "radixlab rules M", "radixlab rules M8 L5")
)
@click.option("--json", "as_json", is_flag=True, help="Print a list of objects, one per rule.")
@click.argument("names", nargs=-1, metavar="[ID|LETTER]...")
def rules_command(names: tuple[str, ...], as_json: bool) -> None:
    """Print the rules that the cache keeps: all, those of a LETTER, or one by its ID in full.

    A rule in full says why it is there, which functions enforce it and which test proves it.
    """
    wanted = [name.strip().upper() for name in names]
    chosen = [rule for name in wanted for rule in _named(name)] if wanted else book.rules()
    if as_json:
        click.echo(json.dumps([_fields(rule) for rule in dict.fromkeys(chosen)], indent=2))
        return
    for line in _overview() if not wanted else _pages(wanted):
        click.echo(line)


def _named(name: str) -> list[Rule]:
    return book.rules(name) if name in book.letters() else [book.rule(name)]


def _overview() -> Iterator[str]:
    num = len(book.rules())
    num_starred = sum(rule.starred for rule in book.rules())
    yield from textwrap.wrap(
        f"{num} rules. For each of the {num_starred} with a * a mutant is kept, an engine that "
        "breaks the rule, and the rule's tests must catch it. `radixlab rules M8` prints one rule "
        "in full.",
        WIDTH,
    )
    for letter in book.letters():
        yield ""
        yield from _list(letter)


def _pages(wanted: list[str]) -> Iterator[str]:
    for number, name in enumerate(wanted):
        if number:
            yield ""
        yield from _list(name) if name in book.letters() else _page(book.rule(name))


def _list(letter: str) -> Iterator[str]:
    yield book.letters()[letter]
    for rule in book.rules(letter):
        star = "*" if rule.starred else " "
        yield from _hanging(f"{rule.id:>4}{star}", rule.sentence)
    for id, why in book.unused(letter).items():
        yield from _hanging(f"{id:>4}", f"Not in use. {why}")


def _page(rule: Rule) -> Iterator[str]:
    yield from _hanging(f"{rule.id:7}", rule.sentence)
    yield from _hanging("why", rule.why)
    yield from _column("where", [str(book.place(name) or name) for name in rule.functions])
    yield from _column("test", [f"tests/{test}" for test in rule.tests])
    yield from _column("mutant", list(rule.mutants) or ["none is kept"])


def _hanging(head: str, text: str) -> list[str]:
    """Wrap a text behind its head, the lines after the first below its first word."""
    head = f"{head:7}"
    return textwrap.wrap(
        text,
        WIDTH,
        initial_indent=head,
        subsequent_indent=" " * len(head),
        break_on_hyphens=False,
    )


def _column(head: str, lines: list[str]) -> list[str]:
    """Put a head before the first of several lines, none of which is wrapped: they are copied."""
    return [f"{head if not number else '':7}{line}" for number, line in enumerate(lines)]


def _fields(rule: Rule) -> dict[str, Any]:
    places = [(name, book.place(name)) for name in rule.functions]
    return {
        "id": rule.id,
        "subject": book.letters()[rule.letter],
        "sentence": rule.sentence,
        "why": rule.why,
        "functions": [
            {"function": name, "file": place and place.file, "line": place and place.line}
            for name, place in places
        ],
        "tests": list(rule.tests),
        "mutants": list(rule.mutants),
        "starred": rule.starred,
    }
