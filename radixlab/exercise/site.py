"""What exercise 8.5.5 hands out for deploying a server and driving load, and the box's side of it.

The server and the load are on the grader's side: nothing of a learner's opens a socket or starts a
process. What is here passes plain data through, and raises where the other side says so.
"""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from radixlab.exercise.plain import plain_number, plain_text

SETTINGS = ("host", "port", "num_blocks", "block_size", "max_running", "max_queue")
"""What `Machine.start` wants to know: the flags of `radixlab serve` with the same names."""
LEDGER = ("requests", "prompt_tokens", "generation_tokens", "cached_tokens")
"""The four numbers on each side of a ledger."""
MOST_TOKENS = 10_000


@dataclass(frozen=True, slots=True)
class Site:
    """What you are told about a machine and the traffic to come."""

    host: str
    port: int
    block_size: int
    """Tokens per block."""
    document_tokens: tuple[int, ...]
    """The length of each document that people ask about. All are asked about all the time."""
    own_tokens: int
    """The most tokens of a question and its answer together, which follow the document."""
    max_running: int
    """Requests that run at the same time."""
    answer_ms: int
    """How long a request runs."""
    max_wait_ms: int
    """Nobody should wait longer than this before they run."""
    start_limit_s: float
    """A server that is not ready after this many seconds will never be ready."""


class Machine:
    """Where your server will run."""

    def __init__(self, judge: Any) -> None:
        self._judge = judge

    def start(self, settings: dict[str, Any]) -> None:
        """Start a server, and return at once: it is not ready yet. To be called once."""
        told = {}
        for name in SETTINGS:
            value = settings.get(name) if isinstance(settings, dict) else None
            text = value[:100] if type(value) is str else None
            told[name] = text if text is not None else plain_number(value)
        problem = self._judge.start(told)
        if problem:
            raise ValueError(problem)

    def get(self, path: str) -> int:
        """Ask the server for a path, such as "/ready"; return the status, such as 200.

        Raises `ConnectionError` if nobody listens.
        """
        status = self._judge.get(path[:100] if type(path) is str else plain_text(path))
        if status is None:
            raise ConnectionError("nobody listens there")
        return int(status)

    def sleep(self, seconds: float) -> None:
        """Let time pass on this machine's clock, which is not yours."""
        self._judge.sleep(plain_number(seconds))

    def clock(self) -> float:
        """Return the seconds since some moment in the past, on this machine's clock."""
        return float(self._judge.clock())


def play_deploy(
    deploy: Callable[[Site, Machine], Any], facts: list[Any], judge: Any, may_raise: bool
) -> str | None:
    """Call `deploy` for a site; return the name of the exception if one may be raised, and is."""
    host, port, block_size, documents, *rest = facts
    site = Site(host, port, block_size, tuple(documents), *rest)
    try:
        deploy(site, Machine(judge))
    except NotImplementedError:
        raise
    except Exception as error:
        if not may_raise:
            raise
        return plain_text(type(error).__name__)
    return None


def play_ledger(ledger: Callable[..., Any], prompts: list[list[int]], judge: Any) -> Any:
    """Call `ledger` with functions that send and scrape; return both sides as plain data."""

    def send(prompt: list[int]) -> dict[str, int]:
        """Send a prompt and wait for the answer; say how it went."""
        tokens = [plain_number(token) for token in list(prompt)[:MOST_TOKENS]]
        answer: dict[str, int] = judge.send(tokens)
        return answer

    def scrape() -> str:
        """Return the text of `GET /metrics`."""
        text: str = judge.scrape()
        return text

    found = ledger([list(prompt) for prompt in prompts], send, scrape)
    if not isinstance(found, dict):
        return plain_text(found)
    return {name: _side(found.get(name)) for name in ("sent", "counted")}


def _side(found: Any) -> Any:
    if not isinstance(found, dict):
        return plain_text(found)
    return [plain_number(found.get(name)) for name in LEDGER]
