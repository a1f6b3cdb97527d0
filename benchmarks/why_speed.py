"""How fast is `radixlab why`, by kind of log and of tokens? Processor seconds, as ratios.

    python benchmarks/why_speed.py --requests 3000
    python benchmarks/why_speed.py --goal chats --requests 100000

The first command explains logs of several shapes, in nearly all of which 90 % of each body is in an
earlier one: with bytes ÷ 4, with a model's tokenizer, and as the token ids that this tokenizer
makes. All run in one process, one after another, `--rounds` times, and the least time of each
counts. The second command explains one long log of a shape once, and prints the seconds on the
clock, the processor seconds and the peak of memory. It needs 32 kB of disk for each request.
"""

import argparse
import json
import random
import resource
import tempfile
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

from radixlab.why.explain import explain
from radixlab.why.reading import read_log
from radixlab.why.tokenizers import open_tokenizer

WORDS = [f"{a}{b}{c}" for a in "bdfklmnprst" for b in "aeiou" for c in ("n", "rt", "sel", "mik")]
NUM_PROMPTS = 40
"""System prompts that the log has."""


def prose(rng: random.Random, num_bytes: int) -> str:
    """Return lines of words, about so many bytes."""
    lines, size = [], 0
    while size < num_bytes:
        lines.append(" ".join(rng.choices(WORDS, k=rng.randint(6, 14))).capitalize() + ".")
        size += len(lines[-1]) + 1
    return "\n".join(lines)


def bodies(num: int, own_bytes: int, all_bytes: int = 32_000) -> Iterator[dict[str, Any]]:
    """Yield chat bodies of `all_bytes`, of which `own_bytes` are new in each."""
    rng = random.Random(0)
    systems = [prose(rng, all_bytes - own_bytes) for _ in range(NUM_PROMPTS)]
    for _ in range(num):
        roles = ("system", rng.choice(systems)), ("user", prose(rng, own_bytes))
        yield {"model": "m", "messages": [{"role": r, "content": text} for r, text in roles]}


def turns(*pairs: tuple[str, str]) -> list[dict[str, Any]]:
    """Return messages, given their roles and texts."""
    return [{"role": role, "content": text} for role, text in pairs]


def with_clock(num: int) -> Iterator[dict[str, Any]]:
    """Yield the same with a clock in the first line of the system prompt."""
    for number, body in enumerate(bodies(num, 3_000)):
        hours, seconds = divmod(7 * number, 3600)
        now = f"{hours % 24:02}:{seconds // 60:02}:{seconds % 60:02}"
        system = body["messages"][0]
        system["content"] = f"It is {now} now.\n{system['content']}"
        yield body


def conversations(num: int, with_name: bool = False) -> Iterator[dict[str, Any]]:
    """Yield the turns of many conversations, each body longer than the one before, mixed."""
    rng = random.Random(0)
    systems = [prose(rng, 24_000) for _ in range(NUM_PROMPTS)]
    live: list[tuple[str, str, list[tuple[str, str]]]] = []
    for number in range(num):
        if len(live) < max(4, min(500, num // 40)):
            live.append((f"session {number}", rng.choice(systems), []))
        entry = rng.choice(live)
        name, system, said = entry
        said.append(("user", prose(rng, 400)))
        body = {"messages": turns(("system", system), *said)}
        yield {**body, "session": name} if with_name else body
        said.append(("assistant", prose(rng, 1_200)))
        if len(said) > 20:
            live.remove(entry)


def tool(rng: random.Random, number: int) -> dict[str, Any]:
    """Return a tool of about 700 bytes, in Anthropic's form."""
    fields = {
        rng.choice(WORDS): {"type": "string", "description": prose(rng, 60)} for _ in range(4)
    }
    schema = {"type": "object", "properties": fields}
    name = f"{rng.choice(WORDS)}_{number}"
    return {"name": name, "description": prose(rng, 350), "input_schema": schema}


def agents(num: int, is_anthropic: bool) -> Iterator[dict[str, Any]]:
    """Yield the steps of agents with tools, mixed, each body longer than the one before."""
    rng = random.Random(0)
    kits = [([tool(rng, n) for n in range(20)], prose(rng, 6_000)) for _ in range(12)]
    live: list[tuple[int, list[dict[str, Any]]]] = []
    for _ in range(num):
        if len(live) < max(4, min(300, num // 40)):
            live.append((rng.randrange(len(kits)), turns(("user", prose(rng, 500)))))
        entry = rng.choice(live)
        (tools, system), messages = kits[entry[0]], entry[1]
        if is_anthropic:
            model = {"model": "claude-sonnet-4-5", "max_tokens": 500}
            yield {**model, "tools": tools, "system": system, "messages": messages}
        else:
            functions = [{"type": "function", "function": each} for each in tools]
            first = turns(("system", system))
            yield {"model": "m", "tools": functions, "messages": first + messages}
        messages += _step(rng, tools[0]["name"], f"call_{len(messages)}", is_anthropic)
        if len(messages) > 18:
            live.remove(entry)


def _step(rng: random.Random, name: str, call: str, is_anthropic: bool) -> list[dict[str, Any]]:
    """Return a call of a tool, and what it returned."""
    given, result = {"path": f"src/{rng.choice(WORDS)}.py"}, prose(rng, 1_200)
    if is_anthropic:
        use = {"type": "tool_use", "id": call, "name": name, "input": given}
        back = {"type": "tool_result", "tool_use_id": call, "content": result}
        return [{"role": "assistant", "content": [use]}, {"role": "user", "content": [back]}]
    function = {"name": name, "arguments": json.dumps(given)}
    calls = [{"id": call, "type": "function", "function": function}]
    return [
        {"role": "assistant", "content": None, "tool_calls": calls},
        {"role": "tool", "tool_call_id": call, "content": result},
    ]


SHAPES: dict[str, Callable[[int], Iterator[dict[str, Any]]]] = {
    "chats": lambda num: bodies(num, 3_000),
    "clock": with_clock,
    "conversations": conversations,
    "sessions": lambda num: conversations(num, with_name=True),
    "agents": lambda num: agents(num, is_anthropic=False),
    "anthropic": lambda num: agents(num, is_anthropic=True),
    "documents": lambda num: bodies(num, 30_000),
}
"""Logs by name. Only in the last one little of each body is in an earlier one."""


def write(path: Path, log: Iterator[dict[str, Any]]) -> Path:
    """Write a log, one body a line."""
    with path.open("w") as file:
        file.writelines(json.dumps(body) + "\n" for body in log)
    return path


def seconds(path: Path, tokenizer: str | None, num: int) -> float:
    """Return the processor seconds of one report."""
    start = time.process_time()
    report = explain(path, tokenizer=tokenizer)
    assert report.requests == num
    return time.process_time() - start


def explain_once(shape: str, num: int) -> None:
    """Explain one log once, and print what it took."""
    with tempfile.TemporaryDirectory() as name:
        path = write(Path(name) / "log.jsonl", SHAPES[shape](num))
        print(f"{shape}: {num:,} requests, {path.stat().st_size / 1e6:,.0f} MB", flush=True)
        start = time.perf_counter()
        cost = seconds(path, None, num)
        wall = time.perf_counter() - start
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * 1024
    print(f"{wall:.0f} s, of which the processor worked {cost:.0f} s; at most {peak / 1e6:,.0f} MB")


def main() -> None:
    """Print the table, or the figures of one long log."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--requests", type=int, default=3000)
    parser.add_argument("--rounds", type=int, default=2)
    parser.add_argument("--tokenizer", default="tiny", help="a folder, or a model's name")
    parser.add_argument("--goal", choices=SHAPES, help="one long log of this shape, once")
    options = parser.parse_args()
    num = options.requests
    if options.goal:
        explain_once(options.goal, num)
        return
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        logs = {shape: write(folder / f"{shape}.jsonl", log(num)) for shape, log in SHAPES.items()}
        chats = logs["chats"]
        encode = open_tokenizer(options.tokenizer).encode
        ids = ({"token_ids": encode(request.text).tolist()} for request in read_log(chats))
        ids_path = write(folder / "ids.jsonl", ids)
        cases: dict[str, tuple[Path, str | None]] = {s: (path, None) for s, path in logs.items()}
        cases[f"chats, tokenizer {options.tokenizer}"] = chats, options.tokenizer
        cases["chats, token ids"] = ids_path, None
        least = dict.fromkeys(cases, float("inf"))
        for _ in range(options.rounds):
            for case, (path, tokenizer) in cases.items():
                least[case] = min(least[case], seconds(path, tokenizer, num))
        base = least["chats"]
        print(f"{num:,} requests, {chats.stat().st_size / 1e6:,.0f} MB of chats")
        print("| log | ms a request | ratio to chats |\n|---|---:|---:|")
        for case, cost in least.items():
            print(f"| {case} | {1e3 * cost / num:.2f} | {cost / base:.2f} |")


if __name__ == "__main__":
    main()
