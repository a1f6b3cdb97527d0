import functools
import inspect
import re
import subprocess
import sys
from pathlib import Path

import pytest

import radixlab
from radixlab.lesson import show, source, tokens
from radixlab.lesson.guesses import GuessBook
from radixlab.lesson.source import Listing, excerpt, listing


def test_lines_carry_their_numbers_in_the_file():
    found = listing(GuessBook.save)
    file = Path(inspect.getsourcefile(GuessBook)).read_text().splitlines()
    for number, line in enumerate(found.lines, found.first_line):
        assert file[number - 1].strip() == line.strip()


def test_path_is_relative_to_the_package():
    assert listing(GuessBook).path == "radixlab/lesson/guesses.py"
    assert listing(radixlab).path == "radixlab/__init__.py"
    assert str(Path.cwd()) not in str(listing(GuessBook))


def test_a_method_is_dedented_and_complete():
    found = listing(GuessBook.save)
    assert found.lines[0].startswith("def save(")
    assert any('"""Store one guess' in line for line in found.lines)


def test_a_module_starts_at_line_one():
    found = listing(tokens)
    assert found.first_line == 1
    assert found.lines == tuple(Path(tokens.__file__).read_text().rstrip("\n").split("\n"))


def test_wrapped_functions_and_properties_show_what_was_written():
    def plain():
        return 1

    class Holder:
        held = property(plain)
        fixed = staticmethod(plain)

    assert listing(functools.lru_cache(plain)).lines == listing(plain).lines
    assert listing(Holder.held).lines == listing(plain).lines
    assert listing(vars(Holder)["fixed"]).lines == listing(plain).lines


@pytest.mark.parametrize("thing", [len, 3, "text", int])
def test_what_has_no_source_is_named(thing):
    with pytest.raises(TypeError, match="Python source"):
        show(thing)


def test_numbers_are_aligned_and_blank_lines_bare():
    text = str(Listing("radixlab/x.py", 9, ("def f():", "", "    return 1")))
    assert text == "radixlab/x.py\n 9  def f():\n10\n11      return 1"


def test_markdown_fence_outlasts_one_in_the_source():
    bundle = Listing("x.py", 1, ('"""', "```", '"""'))._repr_mimebundle_()
    assert bundle["text/markdown"].startswith("`x.py`\n````python\n")
    assert bundle["text/plain"].startswith("x.py\n1  ")


def test_show_prints_where_there_is_no_notebook():
    code = "from radixlab.lesson import show, encode; show(encode)"
    run = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert run.stdout == f"{listing(tokens.encode)}\n"


def test_importing_lesson_pulls_in_no_notebook_machinery():
    heavy = ("IPython", "ipywidgets", "nbformat", "matplotlib")
    code = f"import sys, radixlab.lesson; print([m for m in {heavy} if m in sys.modules])"
    run = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert run.stdout == "[]\n"


def test_code_typed_in_a_cell_names_no_file(tmp_path):
    namespace: dict = {"__name__": "__main__"}
    text = "def typed():\n    return 1\n"
    cell = str(tmp_path / "ipykernel_1" / "1.py")
    source.inspect.linecache.cache[cell] = (len(text), None, text.splitlines(True), cell)
    exec(compile(text, cell, "exec"), namespace)
    assert str(listing(namespace["typed"])) == "this notebook\n1  def typed():\n2      return 1"


def test_an_excerpt_is_found_without_importing_its_module():
    whole = excerpt("attention/triton/kernels.py", "decode_spans")
    file = (Path(radixlab.__file__).parent / "attention/triton/kernels.py").read_text().splitlines()
    assert whole.lines[0] == "@triton.jit" == file[whole.first_line - 1]
    part = excerpt("attention/triton/kernels.py", "decode_spans", "acc = tl.zeros", "_attend")
    assert part.lines[0].startswith("acc = ") and "_attend_keys" in part.lines[-1]
    assert [line.strip() for line in part.lines] == [
        line.strip() for line in file[part.first_line - 1 :][: len(part.lines)]
    ]


@pytest.mark.parametrize(
    ("name", "first", "says"), [("nobody", "", "no function 'nobody'"), ("excerpt", "$$", "'$$'")]
)
def test_an_excerpt_of_what_is_not_there_is_an_error(name, first, says):
    with pytest.raises(ValueError, match=re.escape(says)):
        excerpt("lesson/source.py", name, first)


SAMPLE = Listing("x.py", 8, ("def f():", "    a = 1", "    b = a", "    c = a", "    return c"))


@pytest.mark.parametrize(
    ("parts", "shown"),
    [
        (["a = 1"], [8, 9]),
        (["return c"], [8, None, 12]),
        ([("b = a", "c = a")], [8, None, 10, 11]),
        (["a = 1", "c = a"], [8, 9, None, 11]),
        ([("a = 1", "return")], [8, 9, 10, 11, 12]),
    ],
)
def test_parts_keep_their_numbers_and_gaps_are_marked(parts, shown):
    _, *body = str(SAMPLE.only(*parts)).split("\n")
    numbers = [line.split()[0] for line in body]
    assert numbers == ["⋮" if number is None else str(number) for number in shown]


@pytest.mark.parametrize("parts", [["d ="], ["c = a", "a = 1"], [("b = a", "a = 1")], ["f()"]])
def test_a_part_that_is_not_there_or_out_of_order_is_an_error(parts):
    with pytest.raises(ValueError, match="has no line with"):
        SAMPLE.only(*parts)


def test_parts_of_the_real_source_are_lines_of_its_file():
    found = listing(GuessBook.save)
    part = found.only(found.lines[-1].strip())
    assert str(part).split("\n")[-1] == str(found).split("\n")[-1]
    assert len(str(part).split("\n")) < len(str(found).split("\n"))
