"""The cheat sheet says what the code says today, and fits on one sheet of paper."""

import html
import re
from dataclasses import fields

import pytest

pytest.importorskip("mistune", reason="mistune is not installed: the extra `dev` brings it")
pytest.importorskip("latex2mathml", reason="latex2mathml is not installed: `dev` brings it")

from radixlab.cache import CacheConfig, rules
from radixlab.config import SchedulerConfig
from radixlab.events import EVENT_TYPES
from radixlab.site.documents import rulebook
from radixlab.site.paper import NotPrintedError, print_page
from radixlab.site.sheet import sheet
from radixlab.viz.palette import LEGEND

TEXT = " ".join(html.unescape(re.sub(r"<[^>]+>", " ", sheet().body)).split())


def without_code(sentence):
    return " ".join(sentence.replace("`", " ").split())


@pytest.mark.parametrize("rule", rules.rules(), ids=lambda rule: rule.id)
def test_every_rule_is_on_the_sheet_and_in_the_book(rule):
    plain = " ".join(re.sub(r"<[^>]+>", " ", sheet().body).split())
    assert f"{rule.id} {without_code(rule.sentence)}" in html.unescape(plain)
    assert f'id="{rule.id}"' in rulebook().body


def test_every_event_setting_and_standing_is_on_the_sheet():
    for name in EVENT_TYPES:
        assert f" {name} " in TEXT
    for config in (CacheConfig(num_blocks=1), SchedulerConfig()):
        for field in fields(config)[0 if isinstance(config, SchedulerConfig) else 1 :]:
            assert f" {field.name} = {getattr(config, field.name)} " in TEXT
    for words in LEGEND.values():
        assert words in TEXT


def test_the_tree_is_what_the_engine_makes():
    assert "node 2 · 1 lock Name the capital of 0 1 2 3 4" in TEXT
    assert "node 1 · 0 locks Norway:) 5 6" in TEXT and "node 3 · 1 lock Greece:) 7 8" in TEXT


def test_without_a_browser_the_pdf_is_refused_by_name(monkeypatch, tmp_path):
    monkeypatch.setenv("PATH", str(tmp_path))
    with pytest.raises(NotPrintedError, match="no Chromium on the PATH"):
        print_page(tmp_path / "page.html")


def test_a_browser_that_prints_nothing_is_named(monkeypatch, tmp_path):
    program = tmp_path / "chromium"
    program.write_text("#!/bin/sh\nexit 3\n")
    program.chmod(0o755)
    monkeypatch.setenv("PATH", str(tmp_path))
    with pytest.raises(NotPrintedError, match="ended with code 3 and printed nothing"):
        print_page(tmp_path / "page.html")
