"""The guard as its rule: whatever is run in whatever order, only right numbers are shown."""

import nbformat.v4 as v4
import pytest
from hypothesis import given
from hypothesis import strategies as st

from radixlab.lesson.guard import Guard
from radixlab.lesson.publish.tags import lesson_of, problems
from radixlab.lesson.sections import read, write


def code(id, source, *tags):
    return v4.new_code_cell(source, id=id, metadata={"tags": list(tags)})


CELLS = [
    code("imports", "from lessons import cache_of"),
    code("a", "cache = cache_of(16)", "fresh"),
    code("a1", "cache.take(1)", "step"),
    code("guess", "predict('00/x', 'How many?')"),
    code("a-read", "x = cache.size()"),
    code("a2", "cache.take(2)", "step"),
    code("a-last", "x, cache.size()"),
    code("pure", "2 + 2", "free"),
    code("b", "cache = cache_of(8)", "fresh"),
    code("b1", "cache.take(4)\ncache.size()", "step"),
    code("b-read", "cache.size() + 1"),
]
LESSON = lesson_of(v4.new_notebook(cells=CELLS))
SOURCES = {cell["id"]: cell.source for cell in CELLS}
RULE = "This cell continues a section. Run it again from “{}” (cell {}) on."
FROM_A, FROM_B = RULE.format("cache = cache_of(16)", "a"), RULE.format("cache = cache_of(8)", "b")


class Kernel:
    """Runs cells under a guard as IPython would, and keeps what each one really did."""

    def __init__(self, ids=True, name=None):
        self.guard, self.ids = Guard({"00_x": LESSON}, name), ids
        self.names, self.done = set(), []

    def run(self, id, source=None, fails=False):
        source = SOURCES[id] if source is None else source
        cell_id = id if self.ids else None
        refused = self.guard.refusal(source, cell_id, self.names.__contains__)
        if refused is None:
            self.guard.begin(source, cell_id)
            self.done.append(id)
            if not fails and id in LESSON:
                self.names |= {n for c in LESSON.values() for n, by in c.needs.items() if by == id}
            self.guard.end(source, cell_id, succeeded=not fails)
        return refused

    def run_all(self, *ids):
        return [self.run(id) for id in ids]


@pytest.fixture(params=[True, False], ids=["ids", "no ids"])
def kernel(request):
    return Kernel(request.param)


def test_run_all_twice_refuses_nothing(kernel):
    assert kernel.run_all(*SOURCES, *SOURCES) == [None] * (2 * len(SOURCES))


@pytest.mark.parametrize(
    ("before", "cell", "said"),
    [
        ([], "a1", FROM_A),
        ([], "a-read", FROM_A),
        (["a"], "a-read", FROM_A),  # a step too few
        (["a", "a1"], "a1", FROM_A),  # the same step twice
        (["a", "a1"], "a-last", FROM_A),
        (["a", "a1", "a2"], "a-read", FROM_A),  # a step too many
        (["a", "a1", "a2"], "a2", FROM_A),
        (["a", "a1", "b"], "a-read", FROM_A),  # `cache` is another one now
        (["a", "a1"], "b-read", FROM_B),
        (["b", "b1"], "b1", FROM_B),
        (["a", "a1"], "a-read", None),
        (["a", "a1", "a-read"], "a-read", None),
        (["a", "a1"], "a2", None),  # a cell that only reads may be left out
        (["b"], "b1", None),
        (["b", "b1", "a", "a1"], "a2", None),
        (["a", "a1", "guess", "pure"], "guess", None),
        ([], "pure", None),
        (["b", "b1"], "guess", None),
    ],
)
def test_a_cell_runs_only_after_exactly_its_steps(kernel, before, cell, said):
    assert kernel.run_all("imports", *before) == [None] * (len(before) + 1)
    assert kernel.run(cell) == said


def test_what_reads_a_missing_name_says_where_it_comes_from(kernel):
    assert kernel.run("a") == (
        "This cell needs cache_of, which is not defined yet. "
        "Run “from lessons import cache_of” (cell imports) first."
    )
    kernel.run_all("imports", "a", "a1", "a2")
    assert kernel.run("a-last").startswith("This cell needs x, which")
    assert kernel.done == ["imports", "a", "a1", "a2"]


@pytest.mark.parametrize("cell", ["a", "a1"])
def test_after_a_cell_that_failed_or_was_stopped_the_section_begins_again(kernel, cell):
    kernel.run_all("imports", "a", "a1")
    kernel.run("a")
    kernel.run(cell, fails=True)
    assert kernel.run("a1") == kernel.run("a-read") == FROM_A
    assert kernel.run_all("a", "a1", "a-read") == [None] * 3


def test_a_cell_that_only_reads_may_fail(kernel):
    kernel.run_all("imports", "a", "a1")
    kernel.run("a-read", fails=True)
    assert kernel.run("a-read") is None


def test_an_announced_exception_is_a_step_done():
    cells = [*CELLS[:2], code("a1", "cache.take(99)", "step", "raises-exception"), CELLS[4]]
    kernel = Kernel()
    kernel.guard = Guard({"00_x": lesson_of(v4.new_notebook(cells=cells))})
    kernel.run_all("imports", "a")
    kernel.run("a1", "cache.take(99)", fails=True)
    assert kernel.run("a-read") is None


def test_a_changed_step_makes_the_section_the_learners_own(kernel):
    kernel.run_all("imports", "a")
    assert kernel.run("a1", "cache.take(7)") is None
    assert kernel.run_all("a-read", "a2", "a-read", "a1") == [None] * 4
    assert kernel.run("b-read") == FROM_B
    assert kernel.run_all("a", "a1", "a1") == [None, None, FROM_A]


def test_a_changed_fresh_cell_begins_its_section():
    kernel = Kernel()
    kernel.run("imports")
    assert kernel.run("a", "cache = cache_of(32)") is None
    kernel.names.add("cache")
    assert kernel.run_all("a1", "a2", "a1") == [None] * 3


@pytest.mark.parametrize("id", ["a-read", "mine"])
def test_a_changed_reading_cell_or_an_added_one_changes_nothing(id):
    kernel = Kernel()
    kernel.run_all("imports", "a", "a1")
    assert kernel.run(id, "print(cache)") is None
    assert kernel.run_all("a-read", "a1") == [None, FROM_A]


def test_without_ids_an_unknown_cell_may_be_a_changed_step():
    kernel = Kernel(ids=False)
    kernel.run_all("imports", "a")
    kernel.run("mine", "cache.take(7)")
    assert kernel.run_all("a-read", "a1", "a1") == [None] * 3


def test_another_lesson_in_the_same_kernel_begins_from_nothing():
    other = lesson_of(v4.new_notebook(cells=[code("o", "y = 1", "fresh"), code("p", "y")]))
    guard = Guard({"00_x": LESSON, "01_y": other})

    def run(source):
        refused = guard.refusal(source, None, lambda name: True)
        if refused is None:
            guard.begin(source, None)
            guard.end(source, None, succeeded=True)
        return refused

    assert [run(SOURCES[id]) for id in ("a", "a1")] + [run("y = 1"), run("y")] == [None] * 4
    assert run(SOURCES["a-read"]) == FROM_A
    assert run("y") == RULE.format("y = 1", "o")


def test_a_text_that_two_lessons_share_belongs_to_the_notebook_that_is_open():
    other = lesson_of(v4.new_notebook(cells=[code("o", "y = 1", "fresh"), CELLS[4]]))
    for name, said in (("00_x", FROM_A), ("01_y", RULE.format("y = 1", "o")), (None, None)):
        guard = Guard({"00_x": LESSON, "01_y": other}, name)
        assert guard.refusal(SOURCES["a-read"], None, lambda name: True) == said


@given(
    st.lists(st.tuples(st.sampled_from(list(SOURCES)), st.sampled_from([False] * 9 + [True]))),
    st.booleans(),
)
def test_in_any_order_what_runs_sees_the_state_of_a_run_from_top_to_bottom(cells, ids):
    """The oracle: since its fresh cell, exactly the changes above a cell, whole and in order."""
    kernel, state = Kernel(ids), None
    for id, fails in cells:
        cell = LESSON[id]
        refused = kernel.run(id, fails=fails)
        if refused is not None:
            continue
        if cell.kind in ("step", "read"):
            assert state == [cell.section, *cell.before]
        if cell.kind == "fresh":
            state = [id] if not fails else None
        elif cell.kind == "step":
            state = [*state, id] if not fails else None


def test_what_make_notebooks_writes_down_is_what_is_read():
    assert read(write(LESSON)) == LESSON


@pytest.mark.parametrize(
    ("cells", "said"),
    [
        ([code("s", "f()", "step")], "a step before the first fresh cell"),
        ([code("s", "f()", "step", "fresh")], "fresh and step exclude each other"),
        (
            [code("f", "y = 1", "fresh"), code("r", "y"), code("q", "y")],
            "cell q: the text of cell r again",
        ),
        (
            [code("f", "y = 1", "fresh"), code("g", "z = 1", "fresh"), code("r", "y + z")],
            "cell r: y comes from the section of f",
        ),
        (
            [code("f", "y = 1", "fresh"), code("p", "w = y", "free")],
            "cell p: y comes from the section of f",
        ),
    ],
)
def test_tags_that_contradict_each_other_are_named(cells, said):
    assert any(said in line for line in problems(v4.new_notebook(cells=cells)))


def deeper(*cells):
    return [
        v4.new_markdown_cell("## Going deeper: more"),
        *cells,
        v4.new_markdown_cell("## Answer"),
    ]


@pytest.mark.parametrize(
    ("cells", "said"),
    [
        ([*deeper(code("d", "y = 1")), code("c", "y")], "cell c: y comes from a section that may"),
        ([*deeper(code("d", "y = 1", "fresh")), code("c", "2")], "cell c: it continues a section"),
        (
            [code("f", "y = []", "fresh"), *deeper(code("d", "y.append(1)", "step"))],
            "cell d: a step that may be skipped",
        ),
    ],
)
def test_a_core_that_leans_on_what_may_be_skipped_is_named(cells, said):
    (found,) = problems(v4.new_notebook(cells=cells))
    assert said in found


def test_good_tags_have_no_problem():
    assert list(problems(v4.new_notebook(cells=CELLS))) == []
