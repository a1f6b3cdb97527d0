"""Links of README, docs, deploy, benchmarks and all notebooks lead somewhere."""

import nbformat
import pytest

from tests.repo import links

FILES = list(links.texts())


@pytest.mark.parametrize("path", FILES, ids=lambda path: path.relative_to(links.ROOT).as_posix())
def test_links_lead_somewhere(path):
    found = {target: links.fault(target, path) for target in links.links(links.prose(path))}
    assert {target: fault for target, fault in found.items() if fault} == {}


def test_the_texts_with_most_links_are_read():
    names = {path.relative_to(links.ROOT).as_posix() for path in FILES}
    assert {"README.md", "deploy/README.md", "docs/glossary.md", "benchmarks/RESULTS.md"} <= names
    assert sum(name.endswith(".ipynb") for name in names) >= 19
    assert len(list(links.links((links.ROOT / "README.md").read_text("utf-8")))) > 20


GOOD = (
    "other.md",
    "other.md#a-part-with-code-and-more",
    "other.md#twice-1",
    "#here",
    "book.ipynb#Step-back",
    "book.ipynb#cell-id=view-08",
    "a%20file.txt",
    "./",
    "https://arxiv.org/abs/2309.06180#S3",
    "http://localhost:8000/metrics",
    "mailto:someone@example.org",
)
BAD = {
    "gone.md": "no file",
    "other.md#gone": "no heading",
    "other.md#in-code": "no heading",
    "#gone": "no heading",
    "book.ipynb#step-back": "no heading",
    "book.ipynb#cell-id=gone": "no heading",
    "../../../../etc/passwd": "out of the repository",
    "/etc/passwd": "out of the repository",
    "": "out of the repository",
    "https://": "no host",
    "https:///path": "no host",
    "http://exa mple/": "no host",
    "https://[half": "no address",
    "mailto:nobody": "no address",
    "javascript:alert(1)": "scheme javascript",
    "file:///etc/passwd": "scheme file",
}


@pytest.fixture(scope="module")
def page(tmp_path_factory):
    folder = tmp_path_factory.mktemp("links")
    other = "# Other\n\n## A part: with `code`, and *more*\n\n## Twice\n\n## Twice\n\n"
    other += "```\n# In code\n```\n"
    (folder / "other.md").write_text(other)
    (folder / "a file.txt").touch()
    cell = nbformat.v4.new_markdown_cell("## Step back", id="view-08")
    (folder / "book.ipynb").write_text(nbformat.writes(nbformat.v4.new_notebook(cells=[cell])))
    (folder / "page.md").write_text("# Here\n")
    return folder / "page.md"


@pytest.mark.parametrize("target", GOOD)
def test_a_right_link_passes(page, target):
    assert links.fault(target, page) is None


@pytest.mark.parametrize("target, words", BAD.items(), ids=BAD)
def test_a_wrong_link_is_named(page, target, words):
    assert words in links.fault(target, page)


MARKDOWN = {
    "[a](b.md)": ["b.md"],
    "[a](b.md 'title') ![c](d.png)": ["d.png"],
    '[a](b.md "title")': ["b.md"],
    "[`code`](b.md) and [x [y] z](c.md)": ["b.md", "c.md"],
    "`[a](b.md)` and\n\n    [a](b.md)\n\n```\n[a](b.md)\n```\n": [],
    '<img src="a.png" alt=""><a href="b.html">': ["a.png", "b.html"],
    '<source srcset="dark.png">': ["dark.png"],
    "See https://example.org/a. Or (https://example.org/b).": [
        "https://example.org/a",
        "https://example.org/b",
    ],
}


@pytest.mark.parametrize("text, wanted", MARKDOWN.items(), ids=range(len(MARKDOWN)))
def test_links_are_found_outside_of_code(text, wanted):
    assert list(links.links(text)) == wanted
