"""Every rule of the cache is named by a test: its id in the docstring, its sentence in the name."""

import ast
import re
from pathlib import Path

# M match, L locks, E eviction, C copy-on-write, H host tier, S scheduling, K keys, T time.
RULES = {
    *(f"M{i}" for i in range(1, 13)),
    *(f"L{i}" for i in range(1, 12)),
    *(f"E{i}" for i in range(1, 10)),
    *(f"C{i}" for i in range(1, 8)),
    *(f"H{i}" for i in range(1, 10)),
    *(f"S{i}" for i in range(1, 9)),
    *(f"K{i}" for i in range(1, 5)),
    "T1",
    "T3",
    "T5",
    "T6",
}
TESTS = sorted(Path(__file__).parent.parent.rglob("test_*.py"))


def named_rules() -> set[str]:
    found = set()
    for path in TESTS:
        for item in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
            if isinstance(item, ast.FunctionDef) and item.name.startswith("test_"):
                ids = (ast.get_docstring(item) or "").split(":")[0].split("(")[0]
                found |= set(re.findall(r"\b[MLECHSKT]\d+\b", ids))
    return found


def test_no_rule_is_without_a_test():
    assert sorted(RULES - named_rules()) == []


def test_no_test_names_a_rule_there_is_not():
    assert sorted(named_rules() - RULES) == []
