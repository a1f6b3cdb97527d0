"""Makes the two example logs: `python -m radixlab.why.examples.make`.

The same seed gives the same bytes. Each fault is one function below, so that a reader can compare
what was done with what `radixlab why` says.
"""

import gzip
import json
import random
from collections.abc import Callable, Iterator
from datetime import UTC, datetime, timedelta
from typing import Any

from radixlab.why.examples import CODING_AGENT, SUPPORT_DESK

Body = dict[str, Any]
Turns = list[tuple[str, str]]
START = datetime(2026, 11, 23, 9, 0, tzinfo=UTC)
THINGS = [
    "invoice",
    "refund",
    "booking",
    "ticket",
    "voucher",
    "address",
    "deposit",
    "receipt",
    "contract",
    "delivery",
    "payment",
    "account",
    "discount",
    "deadline",
    "reminder",
    "statement",
]
VERBS = ["check", "cancel", "renew", "explain", "correct", "confirm", "forward", "postpone"]
PARTS = [
    "parser",
    "scheduler",
    "cache",
    "lexer",
    "index",
    "queue",
    "reader",
    "writer",
    "planner",
    "session",
]


def support_desk(seed: int = 0) -> Iterator[Body]:
    """Yield the chats of two teams, by time."""
    rng = random.Random(seed)
    talks = [_talk(team, rng) for team in ("billing", "travel") for _ in range(4)]
    rules = {team: _rules(team, rng) for team in ("billing", "travel")}
    for number, (when, team, session, history) in enumerate(_by_time(talks, rng)):
        system = f"You are the assistant of the {team} team.\n{rules[team]}"
        if team == "billing":
            system = f"It is {when:%Y-%m-%d %H:%M:%S}.\n{system}"  # the fault: a clock, and first
        yield {
            "timestamp": when.isoformat(),
            "session": session,
            "id": f"request-{number}",
            "model": "gpt-4o-mini",
            "messages": [
                {"role": "system", "content": system},
                *({"role": role, "content": text} for role, text in history),
            ],
        }


def coding_agent(seed: int = 1) -> Iterator[Body]:
    """Yield the messages of three agents, by time."""
    rng = random.Random(seed)
    faults: dict[str, Callable[[Body, random.Random], None]] = {
        "shuffling": _shuffle_tools,
        "forgetting": _cut_history,
        "careful": lambda body, rng: None,
    }
    talks = [_talk(agent, rng, num_turns=6) for agent in faults for _ in range(3)]
    rules = {agent: _rules(agent, rng) for agent in faults}
    tools = {agent: [_tool(part, rng) for part in rng.sample(PARTS, 7)] for agent in faults}
    for when, agent, session, history in _by_time(talks, rng):
        body: Body = {
            "model": "claude-sonnet-4-5",
            "max_tokens": 1024,
            "system": f"You are the {agent} agent of a compiler project.\n{rules[agent]}",
            "tools": list(tools[agent]),
            "messages": [{"role": role, "content": text} for role, text in history],
        }
        faults[agent](body, rng)
        yield {"timestamp": when.timestamp(), "session": session, "body": body}


def _shuffle_tools(body: Body, rng: random.Random) -> None:
    """Give the tools another order, as a dictionary or a set of plug-ins may."""
    rng.shuffle(body["tools"])


def _cut_history(body: Body, rng: random.Random) -> None:
    """Leave out the second and third message once the history is long, to save tokens."""
    if len(body["messages"]) > 5:
        del body["messages"][1:3]


def _talk(owner: str, rng: random.Random, num_turns: int = 5) -> tuple[str, str, Turns]:
    """Return who talks, the session and all turns, a question and an answer in turn."""
    session = f"{owner}-{rng.randrange(16**6):06x}"
    turns = []
    for _ in range(num_turns):
        turns += [("user", _prose(rng, 2)), ("assistant", _prose(rng, 5))]
    return owner, session, turns


def _by_time(
    talks: list[tuple[str, str, Turns]], rng: random.Random
) -> list[tuple[datetime, str, str, Turns]]:
    """Return one request for each question, with the history before it."""
    requests = []
    for owner, session, turns in talks:
        when = START + timedelta(seconds=rng.randrange(600))
        for number in range(0, len(turns), 2):
            requests.append((when, owner, session, turns[: number + 1]))
            when += timedelta(seconds=rng.randrange(15, 60))
    return sorted(requests, key=lambda request: request[:3])


def _rules(owner: str, rng: random.Random) -> str:
    return "\n".join(f"{n}. For the {owner} team: {_prose(rng, 2)}" for n in range(1, 13))


def _tool(part: str, rng: random.Random) -> Body:
    properties = {
        name: {"type": "string", "description": _prose(rng, 1)} for name in ("file", "to")
    }
    return {
        "name": f"{rng.choice(VERBS)}_{part}",
        "description": f"Works on the {part}. {_prose(rng, 2)}",
        "input_schema": {"type": "object", "properties": properties, "required": ["file"]},
    }


def _prose(rng: random.Random, num_sentences: int) -> str:
    return " ".join(
        f"{rng.choice(VERBS).title()} the {rng.choice(THINGS)} of the {rng.choice(THINGS)} "
        f"before you {rng.choice(VERBS)} the {rng.choice(THINGS)}."
        for _ in range(num_sentences)
    )


def log(bodies: Iterator[Body]) -> bytes:
    """Return bodies as the bytes of a log, one a line."""
    return "".join(json.dumps(body, ensure_ascii=False) + "\n" for body in bodies).encode()


if __name__ == "__main__":
    SUPPORT_DESK.write_bytes(log(support_desk()))
    CODING_AGENT.write_bytes(gzip.compress(log(coding_agent()), mtime=0))
