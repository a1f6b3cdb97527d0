"""The rulebook holds: whatever it names exists, and whoever cites a rule cites one that it has.

A test cites rules at the beginning of its docstring, before a colon or a bracket.
"""

import ast
import importlib
import inspect
import io
import json
import re
import tokenize
from collections.abc import Iterator
from functools import cache
from pathlib import Path
from types import FunctionType

import pytest

from radixlab.cache import RadixTree
from radixlab.cache.locks import Locks
from radixlab.cache.rules import Rule, RuleError, letters, of, place, rule, rules
from tests.mutants.broken import MUTANTS

ROOT = Path(__file__).parents[2]
TESTS = ROOT / "tests"
ID = re.compile(rf"(?<![\w.-])[{''.join(letters())}][1-9]\d?(?![\w-])")
STARRED = 37
"""The rules that engines in the field have broken worst; a star is not lost by chance."""


# ---- who cites what


def cited_by_tests(path: Path) -> dict[str, set[str]]:
    """Map the tests of a file to the rules that they are named for."""
    tests = (
        item
        for item in ast.walk(ast.parse(path.read_text(encoding="utf-8")))
        if isinstance(item, ast.FunctionDef) and item.name.startswith("test_")
    )
    return {test.name: cited(re.split(r"[:(]", ast.get_docstring(test) or "")[0]) for test in tests}


@cache
def citations() -> dict[str, set[str]]:
    """Map `file::test`, as the book writes it, to the rules that the test is named for."""
    return {
        f"{path.relative_to(TESTS).as_posix()}::{name}": ids
        for path in sorted(TESTS.rglob("test_*.py"))
        for name, ids in cited_by_tests(path).items()
    }


def cited(text: str) -> set[str]:
    return set(ID.findall(text))


def prose(path: Path) -> Iterator[str]:
    """Yield what a file says in words: comments and strings of Python, the cells of a notebook."""
    text = path.read_text(encoding="utf-8")
    if path.suffix == ".ipynb":
        yield from ("".join(cell["source"]) for cell in json.loads(text)["cells"])
    elif path.suffix == ".py":
        for token in tokenize.generate_tokens(io.StringIO(text).readline):
            if token.type in (tokenize.COMMENT, tokenize.STRING):
                yield token.string
    else:
        yield text


PROSE = [
    *(ROOT / "radixlab").rglob("*.py"),
    *(path for name in ("notebooks", "solutions") for path in (ROOT / name).glob("*.ipynb")),
    *ROOT.glob("*.md"),
    *(ROOT / "benchmarks").glob("*.md"),
]


# ---- what the book names exists


def resolve(function: str) -> object:
    """Import what a dotted path names."""
    module, names = function, []
    while True:
        try:
            found: object = importlib.import_module(module)
            break
        except ModuleNotFoundError:
            module, _, name = module.rpartition(".")
            names.insert(0, name)
    for name in names:
        found = getattr(found, name)
    return found


@cache
def broken_functions() -> dict[str, set[str]]:
    """Map each mutant to the functions that it changes, as its source names them: `RadixTree.find`.

    From the source, for a compiled engine has mutants too, though none can be applied to it.
    """
    found: dict[str, set[str]] = {}
    for path in (TESTS / "mutants" / "engines").glob("*.py"):
        for mutant in ast.parse(path.read_text(encoding="utf-8")).body:
            calls = (call for call in ast.walk(mutant) if isinstance(call, ast.Call))
            edits = (call for call in calls if getattr(call.func, "id", "") == "Edit")
            changed = {ast.unparse(call.args[0]).removesuffix(".fget") for call in edits}
            found[getattr(mutant, "name", "")] = changed
    return found


def changes_a_named_function(mutant: str, entry: Rule) -> bool:
    changed = {f".{name}" for name in broken_functions()[mutant]}
    return any(function.endswith(name) for function in entry.functions for name in changed)


def faults(entry: Rule) -> list[str]:
    """Say what is wrong with an entry of the book; nothing, if it is sound."""
    found = [] if entry.functions else ["it has no function"]
    found += [] if entry.tests else ["it has no test"]
    for function in entry.functions:
        try:
            target = resolve(function)
        except (AttributeError, ValueError):
            found.append(f"there is no {function}")
            continue
        if not (
            callable(target) or inspect.isdatadescriptor(target)
        ):  # a property, perhaps compiled
            found.append(f"{function} is no function")
        if place(function) is None:
            found.append(f"the source of {function} is not found")
    for test in entry.tests:
        if test not in citations():
            found.append(f"there is no test {test}")
        elif entry.id not in citations()[test]:
            found.append(f"{test} does not cite it")
    mutants = {name for name, mutant in MUTANTS.items() if mutant.rule == entry.id}
    if mutants != set(entry.mutants):
        found.append(f"the mutants registered for it are {sorted(mutants)}")
    if entry.starred and not mutants:
        found.append("it is starred and has no mutant")
    if mutants and not any(changes_a_named_function(mutant, entry) for mutant in mutants):
        found.append("no mutant of it changes a function that it names")
    return found


@cache
def page(file: str) -> tuple[str, dict[int, str]]:
    """Return the docstring of a file, and the source of its functions by their first line."""
    text = (ROOT / file).read_text(encoding="utf-8")
    module, lines = ast.parse(text), text.splitlines()
    functions = (node for node in ast.walk(module) if isinstance(node, ast.FunctionDef))
    sources = {
        each.lineno: "\n".join(lines[each.lineno - 1 : each.end_lineno]) for each in functions
    }
    return ast.get_docstring(module) or "", sources


def cites(function: str) -> set[str]:
    """Return the rules that a function cites, or its file at the top."""
    found = place(function)
    docstring, sources = page(found.file)
    return cited(docstring) | cited(sources[found.line])


@pytest.mark.parametrize("entry", rules(), ids=lambda entry: entry.id)
def test_a_rule_has_a_function_a_test_and_if_starred_a_mutant(entry):
    assert faults(entry) == []


@pytest.mark.parametrize("entry", rules(), ids=lambda entry: entry.id)
def test_a_function_that_enforces_a_rule_cites_it_or_its_file_does(entry):
    assert [name for name in entry.functions if entry.id not in cites(name)] == []


def test_every_star_is_there():
    assert sum(entry.starred for entry in rules()) == STARRED


def test_the_rules_of_a_letter_are_numbered_in_order_and_each_says_its_sentence():
    assert list(dict.fromkeys(entry.letter for entry in rules())) == list(letters())
    for letter in letters():
        numbers = [int(entry.id[1:]) for entry in rules(letter)]
        assert numbers == sorted(set(numbers))
        for entry in rules(letter):
            assert all(
                text.endswith(".") and "\n" not in text for text in (entry.sentence, entry.why)
            )


# ---- nobody cites a rule that is not there


def known() -> set[str]:
    return {entry.id for entry in rules()}


def test_no_test_cites_a_rule_there_is_not():
    wrong = {test: ids - known() for test, ids in citations().items() if ids - known()}
    assert wrong == {}


def test_no_mutant_breaks_a_rule_there_is_not():
    assert {mutant.rule for mutant in MUTANTS.values()} - known() == set()


def test_no_page_cites_a_rule_there_is_not():
    found = {
        (path.relative_to(ROOT).as_posix(), id)
        for path in PROSE
        for text in prose(path)
        for id in cited(text)
    }
    assert {(path, id) for path, id in found if id not in known()} == set()


# ---- a fault is seen


def sound() -> dict:
    """Return the fields of an entry without a fault."""
    entry = rule("E6")
    assert faults(entry) == []
    return {name: getattr(entry, name) for name in Rule.__dataclass_fields__}


TREE = "radixlab.cache.tree.RadixTree"
FAULTS = {
    "no function": ({"functions": ()}, "has no function"),
    "a function that moved": ({"functions": (f"{TREE}.take_out",)}, f"no {TREE}.take_out"),
    "a class that moved": ({"functions": ("radixlab.cache.tree.Tree.find",)}, "no radixlab"),
    "a file that moved": ({"functions": ("radixlab.cache.trees.RadixTree.find",)}, "no radixlab"),
    "no function at all": ({"functions": ("radixlab.cache.tree.TOKEN_BYTES",)}, "is no function"),
    "another function": ({"functions": (f"{TREE}.stats",)}, "no mutant of it changes"),
    "no test": ({"tests": ()}, "has no test"),
    "a test that is gone": ({"tests": ("cache/test_tree.py::test_x",)}, "no test cache/test_tree"),
    "a test of another rule": (
        {"tests": ("cache/test_tree.py::test_an_empty_tree_answers",)},
        "does not cite it",
    ),
    "no mutant": ({"mutants": ()}, "the mutants registered for it"),
    "a mutant that is gone": ({"mutants": ("gone",)}, "the mutants registered for it"),
    "a star without a mutant": ({"id": "E4", "mutants": ()}, "starred and has no mutant"),
}


@pytest.mark.parametrize(("change", "says"), FAULTS.values(), ids=FAULTS)
def test_a_fault_in_the_book_is_seen(change, says):
    assert any(says in fault for fault in faults(Rule(**(sound() | change))))


@pytest.mark.parametrize("wrong", ["M13", "L99", "T4", "S0", "K10"])
def test_a_wrong_citation_is_seen(wrong, tmp_path):
    file = tmp_path / "page.py"
    file.write_text(f'def f():\n    """Does a thing ({wrong})."""\n    # and that: {wrong}\n')
    found = [id for text in prose(file) for id in cited(text)]
    assert found == ([] if wrong == "S0" else [wrong, wrong])
    assert wrong not in known()


@pytest.mark.parametrize("word", ["S3-FIFO", "H100", "M5a", "L1/x-L2y", "xM8", "2.M8", "SM90"])
def test_a_word_that_is_no_id_cites_nothing(word):
    assert cited(word) <= {"L1"}


# ---- the reader


def test_a_function_knows_its_rules():
    assert "E6" in {entry.id for entry in of(RadixTree._remove)}
    assert of(f"{TREE}._remove") == of(RadixTree._remove)
    assert {entry.id for entry in of(Locks.protect)} >= {"E1", "L4"}
    assert of(RadixTree.stats) == of("radixlab.nothing.there") == []


def test_every_function_of_the_book_is_found_where_python_finds_it():
    seen = 0
    for function in {name for entry in rules() for name in entry.functions}:
        target, found = resolve(function), place(function)
        plain = inspect.unwrap(getattr(target, "fget", target))
        if isinstance(plain, FunctionType):  # and not compiled
            lines, first = inspect.getsourcelines(plain)
            seen += 1
            assert Path(inspect.getsourcefile(plain)) == ROOT / found.file
            assert lines[found.line - first].strip().startswith(f"def {plain.__name__}(")
            assert plain.__qualname__ == found.name
    assert seen


@pytest.mark.parametrize(
    ("id", "says"),
    [
        ("M13", "the nearest are M12, M11, M10"),
        ("m80", "the nearest are M12, M11, M10"),
        ("X8", "the nearest are M8, L8, E8"),
        ("X99", "such as M8"),
        ("blah", "such as M8"),
        ("", "such as M8"),
        ("M", "such as M8"),
        (8, "such as M8"),
        ("T4", "not in use. It is about clients"),
        ("K5", "not in use"),
        ("M" + "9" * 9000, "no rule"),
    ],
)
def test_an_unknown_rule_is_refused_in_one_line(id, says):
    with pytest.raises(RuleError) as caught:
        rule(id)
    message = str(caught.value)
    assert says in message and len(message) < 300 and "\n" not in message
