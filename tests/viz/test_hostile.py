"""Token texts that nobody would write, in every picture and message: escaped, and nobody stops."""

import json
import shutil
import subprocess
import unicodedata
from collections.abc import Callable
from itertools import product
from pathlib import Path
from typing import Any

import pytest

from radixlab.cache import KVCacheManager
from radixlab.config import CacheConfig
from radixlab.observe import snapshot
from radixlab.observe.state import NodeState, SequenceState, State
from radixlab.observe.wire import state_to_json
from radixlab.viz import CacheView, render_dot, still, summary, tree_dot
from radixlab.viz.event_log import EventLog
from radixlab.viz.glyphs import drawable
from radixlab.viz.text import plain

BIDI = [chr(k) for k in (0x61C, 0x200E, 0x200F, *range(0x202A, 0x202F), *range(0x2066, 0x206A))]
TEXTS = {
    "a script": '"]; <script>alert(1)</script>',
    "an image": "<img src=x onerror=alert(1)>",
    "an entity": "</TD>&amp;&#0;",
    "escapes of DOT": "a\\N\\G\\l",
    "a formula": "$\\frac{1}$",
    "a terminal's escape": "\x1b[2J\x07",
    "controls": "".join(map(chr, [*range(32), 127, *range(0x80, 0xA0)])),
    "a line's end": "a\r\nb\u2028c\u2029d\x85",
    "a high surrogate": "\ud83d",
    "a low surrogate": "x\ude00",
    "surrogates, turned round": "\ude00\ud83d",
    "emoji": "😀👩‍👩‍👧🇩🇪☝🏽",
    "Chinese": "你好世界",
    "Arabic": "مرحبا",
    "combining": "e\u0301\u0301\u0301" * 9,
    "no width": "a\u200bb\u00adc\ufeffd",
    "tags": "\U000e0001\U000e0041",
    "private use and noncharacters": "\ue000\uffff\U0010ffff",
    "long": "x" * 10_000,
    "long, of emoji": "😀" * 10_000,
    "nothing": "",
} | {f"U+{ord(c):04X}": f"a{c}b" for c in BIDI}


class Odd(str):
    __slots__ = ()

    def __str__(self) -> str:
        raise ValueError


def _raises(token: int) -> str:
    raise RuntimeError(token)


DECODERS: dict[str, Callable[[int], Any]] = {
    "raises": _raises,
    "returns nothing": lambda token: None,
    "returns bytes": lambda token: b"\xff",
    "returns a number": lambda token: token,
    "returns an odd string": lambda token: Odd("odd"),
    "divides by zero": lambda token: chr(token // 0),
    "takes no argument": lambda: "x",  # type: ignore[dict-item,misc]
    "recurses": lambda token: DECODERS["recurses"](token),
}


def small(namespace: str = "x") -> State:
    node = NodeState(0, None, ("salt", namespace), [0, 1], [0])
    return State(2, 2, nodes={0: node}, sequences={0: SequenceState(0, None, [0, 1], [0])})


def shown_plainly(text: str) -> bool:
    """Say whether a text can be sent, and leaves the text around it alone."""
    text.encode()
    return not any(c in text for c in [*BIDI, "\x00", "\x1b", "\u2028", "\u200b"])


@pytest.mark.parametrize("text", TEXTS.values(), ids=TEXTS)
def test_words_and_labels_of_any_text_are_plain(text: str) -> None:
    state = small(text)
    assert shown_plainly(words := summary(state, lambda _: text))
    assert len(words.splitlines()) == 3 and len(words) < 20_000
    source = tree_dot(state, lambda _: text).source
    assert shown_plainly(source) and "<script" not in source and "<img" not in source
    assert "\\N" not in source and len(source) < 20_000
    assert shown_plainly(plain(text)) and shown_plainly(drawable(text))


@pytest.mark.parametrize(
    "name", ["a script", "controls", "a high surrogate", "emoji", "Chinese", "Arabic", "long"]
)
def test_pictures_of_any_text_can_be_drawn(name: str, recwarn: pytest.WarningsRecorder) -> None:
    text = TEXTS[name]
    assert still(small(), lambda _: text).startswith(b"\x89PNG")
    assert render_dot(tree_dot(small(text), lambda _: text)).startswith(b"\x89PNG")
    assert not [w for w in recwarn if "Glyph" in str(w.message)]


@pytest.mark.parametrize("decode", DECODERS.values(), ids=DECODERS)
def test_a_decoder_that_fails_stops_nobody(decode: Callable[[int], Any]) -> None:
    cache = KVCacheManager(CacheConfig(num_blocks=8, block_size=2))
    view = CacheView(cache, decode)
    cache.commit(cache.allocate([5, 6, 7, 8]), 4)
    end = view.feed.event_log.end
    message = json.loads(view.feed.event_log.message(0, 1))
    assert len(message["events"]) == end > 0  # the listener heard every event
    said = "odd" if decode is DECODERS["returns an odd string"] else "<5>"
    assert message["vocab"]["5"] == said and said in view.snapshot().text
    assert view.snapshot().png.startswith(b"\x89PNG")
    cache.commit(cache.allocate([9, 9]), 2)
    assert view.feed.event_log.end > end
    assert view.feed.event_log.state() == snapshot(cache)


@pytest.mark.parametrize("text", TEXTS.values(), ids=TEXTS)
def test_messages_of_any_text_can_be_sent(text: str) -> None:
    log = EventLog(small(text), lambda _: text)
    for sent in (log.recording_text({"title": text}), log.keyframe_text()):
        assert sent.isascii() and json.loads(sent)
    assert len(json.loads(log.recording_text({}))["vocab"]["0"]) < 600


def test_a_title_of_any_text_can_be_sent() -> None:
    cache = KVCacheManager(CacheConfig(num_blocks=8, block_size=2))
    assert all(shown_plainly(CacheView(cache, chr, text).title) for text in TEXTS.values())


@pytest.mark.skipif(shutil.which("node") is None, reason="node is not installed")
def test_the_browser_has_the_same_words(tmp_path: Path) -> None:
    cases = []
    for text in TEXTS.values():
        pair = [text, "", text[:1], text[1:]]  # halves of a character in two tokens
        node = NodeState(0, None, ("salt", text), [0, 1, 2, 3], [0, 1])
        state = State(2, 2, nodes={0: node})
        recording = json.loads(EventLog(state, pair.__getitem__).recording_text({}))
        words = summary(state, pair.__getitem__)
        cases.append([state_to_json(state), recording["vocab"], words])
    run_in_node(
        tmp_path,
        cases,
        """
for (const [state, vocab, words] of cases) {
  const texts = new Map(Object.entries(vocab).map(([id, text]) => [Number(id), text]));
  deepStrictEqual(summary(stateFromJson(state), texts), words);
}""",
    )


JOINED = ["👩", "\u200d", "\ufe0f", "🏽", "a", "\ud83d", "é"]


@pytest.mark.skipif(shutil.which("node") is None, reason="node is not installed")
def test_the_browser_escapes_the_same_characters(tmp_path: Path) -> None:
    """All characters that Python knows, one by one, and joiners between all neighbours."""
    known = [chr(k) for k in range(0x110000) if unicodedata.category(chr(k)) != "Cn"]
    known += [chr(k) for k in (0xFFFE, 0xFFFF, 0xFDD0, 0x10FFFF)]
    texts = ["".join(f"{c}b" for c in known[k : k + 1000]) for k in range(0, len(known), 1000)]
    texts += ["".join(neighbours) for neighbours in product(JOINED, repeat=3)]
    assert all(shown_plainly(plain(text)) for text in texts)
    cases = [[text, plain(text)] for text in texts]
    script = "for (const [text, shown] of cases) deepStrictEqual(plain(text), shown);"
    run_in_node(tmp_path, cases, script)


def run_in_node(tmp_path: Path, cases: list[Any], script: str) -> None:
    """Run a script over `cases` with the modules of the view that write text."""
    (tmp_path / "cases.json").write_text(json.dumps(cases), "utf-8")
    folder = Path(__file__).parents[2] / "radixlab" / "viz" / "js"
    head = f"""
import {{ readFileSync }} from "node:fs";
import {{ deepStrictEqual }} from "node:assert";
import {{ stateFromJson }} from {json.dumps((folder / "cachestate.js").as_uri())};
import {{ plain }} from {json.dumps((folder / "shown.js").as_uri())};
import {{ summary }} from {json.dumps((folder / "summary.js").as_uri())};
const cases = JSON.parse(readFileSync({json.dumps(str(tmp_path / "cases.json"))}, "utf8"));
"""
    (tmp_path / "compare.mjs").write_text(head + script, "utf-8")
    command = ["node", str(tmp_path / "compare.mjs")]
    done = subprocess.run(command, capture_output=True, text=True, timeout=120)
    assert done.returncode == 0, done.stderr
