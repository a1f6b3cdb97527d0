"""How fast is `radixlab why`, by kind of tokens? Processor seconds of one process, as ratios.

    python benchmarks/why_speed.py --requests 3000

One log of chat bodies, of which at least 90 % of each is in an earlier one, is explained with bytes
÷ 4, with a model's tokenizer, and as the token ids that this tokenizer makes. A further log has a
new document in nearly every body. All run in one process, one after another, `--rounds` times, and
the least time of each counts.
"""

import argparse
import json
import random
import tempfile
import time
from collections.abc import Iterator
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


def main() -> None:
    """Print the table."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--requests", type=int, default=3000)
    parser.add_argument("--rounds", type=int, default=2)
    parser.add_argument("--tokenizer", default="tiny", help="a folder, or a model's name")
    options = parser.parse_args()
    num = options.requests
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        chats = write(folder / "chats.jsonl", bodies(num, 3_000))
        new = write(folder / "new.jsonl", bodies(num, 30_000))
        encode = open_tokenizer(options.tokenizer).encode
        ids = ({"token_ids": encode(request.text).tolist()} for request in read_log(chats))
        ids_path = write(folder / "ids.jsonl", ids)
        cases = {
            "bytes ÷ 4": (chats, None),
            f"tokenizer {options.tokenizer}": (chats, options.tokenizer),
            "token ids": (ids_path, None),
            "bytes ÷ 4, new documents": (new, None),
        }
        least = dict.fromkeys(cases, float("inf"))
        for _ in range(options.rounds):
            for case, (path, tokenizer) in cases.items():
                least[case] = min(least[case], seconds(path, tokenizer, num))
        base = least["bytes ÷ 4"]
        print(f"{num:,} requests, {chats.stat().st_size / 1e6:,.0f} MB")
        print("| log | ms a request | ratio to bytes ÷ 4 |\n|---|---:|---:|")
        for case, cost in least.items():
            print(f"| {case} | {1e3 * cost / num:.2f} | {cost / base:.2f} |")


if __name__ == "__main__":
    main()
