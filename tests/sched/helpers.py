"""How the tests of the scheduler are written: an engine without a model, under oath."""

from collections.abc import Callable, Sequence

import numpy as np

from radixlab.cache import CacheConfig, KVCacheManager, check
from radixlab.config import SchedulerConfig
from radixlab.engine import Engine, NewToken
from radixlab.events import CacheRestarted
from radixlab.model.counting import CountingRunner
from radixlab.observe import State, fold, snapshot
from radixlab.sched import Request
from tests.cache.helpers import BLOCK_SIZE, text


class Served:
    """An engine over a pool of canaries; after every step, all oracles speak.

    `check` finds nothing, the fold over the events equals the engine, and every read of a block
    was of what the request had, or its like, had written there: the runner sees to that.
    """

    def __init__(
        self,
        num_blocks: int = 64,
        *,
        block_size: int = BLOCK_SIZE,
        vocab_size: int = 1000,
        eos_ids: Sequence[int] = (),
        policy=None,
        num_host_blocks: int = 0,
        partial_reuse_tokens: int = 0,
        pin_budget_blocks: int = 0,
        **scheduler,
    ):
        cache = CacheConfig(
            num_blocks,
            block_size,
            num_host_blocks=num_host_blocks,
            partial_reuse_tokens=partial_reuse_tokens,
            pin_budget_blocks=pin_budget_blocks,
        )
        self.state = State(num_blocks, block_size, num_host_blocks=num_host_blocks)
        self.num_restarts = 0
        """Faults that have cost the whole cache."""
        self.manager = KVCacheManager(cache, self._hear, policy)
        self.runner = CountingRunner(cache, vocab_size)
        config = {"max_batch_tokens": 512} | scheduler
        self.engine = Engine(self.manager, self.runner, SchedulerConfig(**config), eos_ids)
        self.finished: list[int] = []
        """Ids in the order in which they finished."""

    def _hear(self, event) -> None:
        self.num_restarts += isinstance(event, CacheRestarted)
        fold(self.state, event)

    def ask(self, prompt: str | list[int], max_tokens: int = 1, **more) -> Request:
        """Add a request; a prompt may be drawn."""
        tokens = text(prompt, self.manager.config.block_size) if type(prompt) is str else prompt
        return self.engine.add_request(tokens, max_tokens, **more)

    def step(self, times: int = 1) -> list[NewToken]:
        """Step, and ask every oracle; return the new tokens of the last step."""
        new: list[NewToken] = []
        for _ in range(times):
            new = self.engine.step()
            self.finished += [token.request_id for token in new if token.finish_reason]
            self.verify()
        return new

    def until(self, done: Callable[[], bool], most: int = 300) -> None:
        """Step until something is so; a livelock is a failed test."""
        for _ in range(most):
            if done():
                return
            self.step()
        raise AssertionError(f"not so after {most} steps: {self.engine.requests}")

    def run(self) -> None:
        """Step until all is served."""
        most = 200 + 50 * len(self.engine.requests)
        self.until(lambda: not self.engine.has_work, most)

    def serve(self, *prompts: str) -> None:
        """Serve one after the other, so that the cache has them."""
        for prompt in prompts:
            self.ask(prompt)
            self.run()

    def abort(self, request: Request) -> bool:
        """Abort, and ask every oracle."""
        was_there = self.engine.abort(request.id)
        self.verify()
        return was_there

    def verify(self) -> None:
        """Ask the oracles; see that every block is accounted for by the requests that run."""
        check(self.manager)
        assert self.state == snapshot(self.manager)
        running = self.engine.scheduler.running
        assert [r.sequence for r in running] == [
            self.manager.sequences[r.sequence.id] for r in running
        ]
        assert len(self.manager.sequences) == len(running)

    def answer(self, request: Request) -> list[int]:
        """What a request must be answered, computed without any cache."""
        tokens = request.tokens.token_ids[: request.num_prompt_tokens]
        output: list[int] = []
        while len(output) < request.max_tokens and not request.eos_ids.intersection(output):
            next_token = self.runner.next_token(np.append(tokens, np.array(output, np.int32)))
            output += self.runner.choose(np.array([next_token]), [request.sampler])
        return output

    def verify_idle(self) -> None:
        """Nothing runs, nothing waits, nothing has leaked."""
        stats = self.engine.stats()
        assert (stats.num_waiting, stats.num_running) == (0, 0)
        assert stats.cache.num_evictable_blocks + stats.cache.num_free_blocks == (
            stats.cache.num_blocks
        )
        self.manager.reset()
        assert self.manager.stats().num_free_blocks == stats.cache.num_blocks
