"""One offline file with the whole player and a whole log: `view.save("run.html")`.

The file holds the same JavaScript and CSS as the widget, and the recording as JSON. It needs no
network: its content policy forbids every request. The texts of tokens are untrusted, so `<` is
escaped in the JSON and no text can end the script.
"""

import html
import json
from collections.abc import Iterable
from pathlib import Path
from typing import Any

from radixlab.events import Event
from radixlab.files import replace_text
from radixlab.observe.state import State
from radixlab.viz.bundle import css, page_js, pair_page_js
from radixlab.viz.event_log import EventLog
from radixlab.viz.sources import event_sources
from radixlab.viz.text import Decode, count, plain

_POLICY = (
    "default-src 'none'; script-src 'unsafe-inline'; style-src 'unsafe-inline'; img-src data: blob:"
)
_PAGE = """<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta http-equiv="Content-Security-Policy" content="{policy}">
<meta name="viewport" content="width=device-width">
<title>{title}</title>
<style>
{css}
body {{ max-width: 1200px; margin: 16px auto; padding: 0 16px; }}
body {{ font: 13px/1.45 system-ui, sans-serif; }}
@media (prefers-color-scheme: dark) {{ body {{ background: #16191d; color: #e6e9ec; }} }}
.rx-page-bar {{ margin-top: 12px; }}
</style>
</head>
<body>
<script type="application/json" id="recording">{recording}</script>
<script type="module">
{script}
openPage(JSON.parse(document.getElementById("recording").textContent));
</script>
</body>
</html>
"""


def whole_recording(
    start: State, events: Iterable[Event], decode: Decode | None = None, title: str = ""
) -> dict[str, Any]:
    """Return a log as the view takes it, with all of its events, however long it is."""
    log = EventLog(start, decode, max_bytes=2**62)
    log.events += events
    requests = bool(start.num_requests or start.sequences) or any(
        getattr(event, "sequence_id", None) is not None for event in log.events
    )
    has_site = any(event.site for event in log.events)
    is_foreign = bool(log.events) and not requests and not has_site
    more: dict[str, Any] = {"title": plain(title), "sources": event_sources(), "requests": requests}
    if is_foreign:  # another engine's tree keeps no rules of ours
        more["lamp"] = False
    return log.to_json() | more


def page(recording: dict[str, Any]) -> str:
    """Return the HTML of a page that plays a recording."""
    title = str(recording.get("title") or "A cache, event by event")
    return _whole(title, json.dumps(recording, separators=(",", ":")), page_js())


def pair_page(title: str, pair: str) -> str:
    """Return the HTML of a page that plays two runs; `pair` is the JSON of both."""
    return _whole(title or "Two runs, event by event", pair, pair_page_js())


def _whole(title: str, recording: str, script: str) -> str:
    return _PAGE.format(
        policy=_POLICY,
        title=html.escape(plain(title)),
        css=css(),
        recording=recording.replace("<", "\\u003c"),
        script=script,
    )


def save_page(path: str | Path, recording: dict[str, Any]) -> str:
    """Write the page, whole or not at all; return a line with the number of events and the size."""
    text = page(recording)
    replace_text(Path(path), text)
    num_events = count(len(recording["events"]), "event")
    start = recording["from"]
    since = f" from event {start:,} on; the log has forgotten those before" if start else ""
    return f"{path}: {num_events}{since}, {len(text.encode()) / 1e6:.1f} MB"
