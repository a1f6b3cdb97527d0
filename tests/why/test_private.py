"""`--no-text`: nothing of any prompt is in the table, the JSON or the page, whatever the fault."""

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from radixlab.why.explain import explain
from radixlab.why.show.as_json import json_text
from radixlab.why.show.page import cell, page
from radixlab.why.show.table import table
from tests.why import logs

LENGTH = 14
"""Characters of a prompt that nobody writes by accident."""
SECRET = "zqxj-77"


def texts(value: Any) -> Iterator[str]:
    """Yield every text of a body, and every key that is not OpenAI's or Anthropic's."""
    if isinstance(value, str):
        yield value
    elif isinstance(value, dict):
        for key, item in value.items():
            if key not in ("model", "session", "role", "type"):
                yield from texts(item)
    elif isinstance(value, list):
        for item in value:
            yield from texts(item)


def shown(path: Path, **settings: Any) -> str:
    report = explain(path, text=False, **settings)
    assert report.requests and report.causes
    name = "log.jsonl"
    parts = [json_text(report), page(report, name), cell(report, name), table(report, name)]
    return "\n".join(parts)


QUICK = ("clock", "tools shuffled", "keys shuffled", "message edited", "model changed", "expired")
FAULTS = [
    name if name in QUICK else pytest.param(name, marks=pytest.mark.soak) for name in logs.FAULTS
]


@pytest.mark.parametrize("fault", FAULTS)
def test_no_fault_brings_text_into_a_report_without_text(tmp_path: Path, fault: str) -> None:
    case = logs.case(3, fault, **({} if fault == "below minimum" else {"sessions": 2, "turns": 3}))
    path = tmp_path / "log.jsonl"
    path.write_text("".join(f"{json.dumps(body)}\n" for body in case.bodies), "utf-8")
    said = shown(path, **case.settings)
    for body in case.bodies:
        for text in texts(body):
            for start in range(0, len(text) - LENGTH, LENGTH):
                assert text[start : start + LENGTH] not in said


def bodies(hidden: str) -> Iterator[dict[str, Any]]:
    """Yield bodies that differ in one secret value each, in every field that can hold one."""
    base = {"model": "m", "messages": [{"role": "user", "content": "Hello. " * 40}]}
    tool = {
        "name": "t",
        "parameters": {"type": "object", "properties": {hidden: {"type": "string"}}},
    }
    called = {"id": hidden, "type": "function", "function": {"name": hidden, "arguments": hidden}}
    yield base
    yield base | {"cache_salt": hidden}
    yield base | {"chat_template": hidden}
    yield base | {"reasoning_effort": hidden}
    yield base | {"messages": [{"role": "user", "content": hidden}]}
    yield base | {"messages": [{"role": "user", "name": hidden, "content": "Hello. " * 40}]}
    yield base | {"messages": [{"role": hidden, "content": "Hello. " * 40}]}
    yield base | {"tools": [{"type": "function", "function": tool}]}
    yield base | {"tools": [{hidden: "Hello. " * 40, "type": "function"}]}
    yield base | {"response_format": {"type": "json_schema", "json_schema": {"name": hidden}}}
    yield base | {"messages": [{"role": "assistant", "content": None, "tool_calls": [called]}]}
    yield base | {"messages": [{"role": "user", "content": [{"type": hidden, hidden: hidden}]}]}
    yield base | {"session": hidden, "user": hidden}
    yield {"prompt": hidden}
    yield {"model": "claude", "system": hidden, "messages": base["messages"], "max_tokens": 1}
    blocks = [{"type": "tool_use", "id": hidden, "name": hidden, "input": {hidden: hidden}}]
    yield {"model": "claude", "messages": [{"role": "assistant", "content": blocks}]}


def test_no_field_brings_text_into_a_report_without_text(tmp_path: Path) -> None:
    long = "Hello. " * 200
    hidden = [f"{SECRET}-{number}" for number in range(3)]
    found = []
    for several in zip(*(bodies(text) for text in hidden), strict=True):
        path = tmp_path / "log.jsonl"
        after = {"role": "user", "content": long}
        lines = [
            json.dumps(
                body | {"messages": [*body["messages"], after]} if "messages" in body else body
            )
            for body in (*several, *several)
        ]
        path.write_text("\n".join([*lines, f"{SECRET} broken", ""]), "utf-8")
        if SECRET in shown(path):
            found.append(several[0])
    assert found == []
