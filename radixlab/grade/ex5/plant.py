"""A server in the laboratory: the real engine without a model, driven step by step, and scraped.

Nothing here listens on a port or reads a clock, so the same traffic gives the same metrics
everywhere. It can leak, which the shipped engine cannot: the switch is in this file and nowhere
else.
"""

from collections import deque
from collections.abc import Iterable

from radixlab.cache import CacheConfig, KVCacheManager
from radixlab.cache.errors import OutOfBlocksError
from radixlab.config import SchedulerConfig
from radixlab.engine import Engine, NewToken
from radixlab.grade.ex5.metering import Meter
from radixlab.model.counting import CountingRunner
from radixlab.sched import Request

Prompt = list[int]
Arrival = tuple[Prompt, int]
"""A prompt, and the number of tokens of its answer."""
VOCABULARY = 4_000
LOST = ("salt", "lost")


class Plant:
    """An engine with a queue limit and metrics."""

    def __init__(
        self,
        num_blocks: int,
        block_size: int = 16,
        max_running: int = 8,
        max_queue: int = 64,
        num_host_blocks: int = 0,
        eos_ids: Iterable[int] = (),
    ) -> None:
        config = CacheConfig(num_blocks, block_size, explain=True, num_host_blocks=num_host_blocks)
        self.max_queue = max_queue
        self.engine = Engine(
            KVCacheManager(config),
            CountingRunner(config, VOCABULARY, canary=False),
            SchedulerConfig(max_running=max_running),
            eos_ids,
        )
        self.meter = Meter(self.engine)

    def add(self, prompt: Prompt, max_tokens: int) -> Request | None:
        """Add a request to the queue; None if the queue is full, and the request is refused."""
        if len(self.engine.scheduler.waiting) >= self.max_queue:
            return None
        return self.engine.add_request(prompt, max_tokens)

    def step(self) -> list[NewToken]:
        """Compute one batch, if there is work."""
        news = self.engine.step() if self.engine.has_work else []
        self.meter.told(news)
        return news

    def serve(self, prompt: Prompt, max_tokens: int) -> Request | None:
        """Serve one request, and whatever else waits, to the end."""
        request = self.add(prompt, max_tokens)
        while self.engine.has_work:
            self.step()
        return request

    def spend(self, arrivals: Iterable[Arrival], num_steps: int, to_the_end: bool = False) -> None:
        """Let requests arrive evenly over the first half of the steps, or over all of them."""
        waiting = deque(arrivals)
        every = max(1, num_steps // (1 if to_the_end else 2) // max(1, len(waiting)))
        for number in range(num_steps):
            if waiting and number % every == 0:
                self.add(*waiting.popleft())
            self.step()

    def leak(self, num_blocks: int) -> None:
        """Lose blocks: allocate them to sequences that are never released."""
        manager = self.engine.manager
        manager.emit = None  # the metrics do not hear of them either
        for _ in range(num_blocks):
            try:
                manager.allocate([1], LOST)
            except OutOfBlocksError:
                break
        manager.emit = self.meter.hear

    def scrape(self) -> str:
        """Return the metrics as they are now."""
        return self.meter.text()
