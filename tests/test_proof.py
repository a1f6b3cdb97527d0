"""The proof: with everything on, every answer of the tiny model is that of a run without a cache.

200 requests come one after the other, a few a step, to a pool that holds five of them: prefixes
are shared, copied inside blocks, forked, evicted to the host, loaded back and dropped; requests are
preempted and some aborted. All logits are then compared with those of dense runs.
"""

from collections import defaultdict

import numpy as np
import pytest

torch = pytest.importorskip("torch", reason="torch is not installed: the extra `model` brings it")
pytest.importorskip("safetensors", reason="safetensors is not installed: the extra `model` has it")

from radixlab.cache import CacheConfig, KVCacheManager, check  # noqa: E402
from radixlab.config import SchedulerConfig  # noqa: E402
from radixlab.engine import Engine  # noqa: E402
from radixlab.model.loader import load_model  # noqa: E402
from radixlab.model.runner import Runner, dense_logits  # noqa: E402
from radixlab.model.sampler import Sampler, SamplingParams  # noqa: E402
from radixlab.model.tiny import TINY  # noqa: E402

MODEL = load_model(TINY, torch.float32)
CACHE = CacheConfig(40, 4, num_host_blocks=50, partial_reuse_tokens=1)
TOLERANCE = 1e-4


@pytest.fixture(autouse=True, scope="module")
def one_thread():
    before = torch.get_num_threads()
    torch.set_num_threads(1)
    yield
    torch.set_num_threads(before)


class Recorded(Runner):
    """Keeps every row of logits, by the tokens that it follows."""

    def __init__(self, *args):
        super().__init__(*args)
        self.rows = defaultdict(list)
        for memory in (self.store.data, self.store.host):
            memory.fill_(torch.nan)  # what is read before it is written shows

    def forward(self, work):
        logits = super().forward(work)
        for item, row in zip(work, logits, strict=True):
            self.rows[item.sequence.token_ids[: item.end].tobytes()].append(row)
        return logits


class Traffic:
    """Prompts that branch off documents and go on from earlier answers."""

    def __init__(self, seed: int):
        self.random = np.random.default_rng(seed)
        self.past = [self.tokens(30) for _ in range(3)]

    def tokens(self, num: int):
        return self.random.integers(MODEL.config.vocab_size, size=num, dtype=np.int32)

    def prompt(self):
        past = self.past[int(self.random.integers(len(self.past)))]
        kept = past[: int(self.random.integers(len(past) // 2, len(past) + 1))][:70]
        return np.append(kept, self.tokens(int(self.random.integers(1, 12))))

    def serve(self, engine: Engine, num_requests: int):
        """Let them come, a few a step; yield all that were asked, at the end answered."""
        asked = []
        while len(asked) < num_requests or engine.has_work:
            for _ in range(int(self.random.integers(3)) if len(asked) < num_requests else 0):
                max_tokens = int(self.random.integers(1, 24))
                asked.append(engine.add_request(self.prompt(), max_tokens, sampler=GREEDY))
                if self.random.random() < 0.2:
                    params = SamplingParams(temperature=1.0, seed=len(asked))
                    asked.append(engine.fork_request(asked[-1], Sampler(params)))
            for new in engine.step():
                if new.finish_reason:
                    request = next(r for r in asked if r.id == new.request_id)
                    self.past.append(whole(request))
            if engine.has_work and self.random.random() < 0.02:
                engine.abort(next(reversed(engine.requests)))
            check(engine.manager)
        return asked


GREEDY = Sampler(SamplingParams())


def whole(request):
    """All tokens of a request, its answer's included."""
    prompt = request.tokens.token_ids[: request.num_prompt_tokens]
    return np.append(prompt, np.array(request.output, np.int32))


def test_whatever_the_cache_did_each_answer_is_that_of_a_dense_run():
    manager, runner = KVCacheManager(CACHE), Recorded(MODEL, CACHE)
    config = SchedulerConfig(max_running=8, max_batch_tokens=24, max_passes=4)
    engine = Engine(manager, runner, config)
    asked = Traffic(seed=5).serve(engine, 200)
    worst = max(difference(runner, request) for request in asked)
    assert 0 < worst <= TOLERANCE
    everything_happened(engine)
    manager.reset()


def difference(runner: Recorded, request) -> float:
    """Compare an answer, if it is greedy, and all logits on its way with those of a dense run.

    Returns the largest difference. A fork throws dice, or it would write what its origin does.
    """
    tokens = whole(request)
    dense = dense_logits(MODEL, tokens.tolist())
    if request.sampler is GREEDY:
        likeliest = dense.argmax(-1)[request.num_prompt_tokens - 1 : -1]
        assert request.output == likeliest.tolist()
    worst = 0.0
    for end in range(1, len(tokens) + 1):
        for row in runner.rows.get(tokens[:end].tobytes(), ()):
            worst = max(worst, float((row - dense[end - 1]).abs().max()))
    return worst


def everything_happened(engine: Engine) -> None:
    """A run in which nothing went wrong because nothing happened proves nothing."""
    stats = engine.stats()
    assert stats.num_preemptions > 5
    assert stats.cached_tokens > stats.prompt_tokens / 5
    cache = stats.cache
    for what in ("evicted", "written_back", "loaded_back", "dropped", "copied"):
        assert getattr(cache, f"{what}_blocks") > 20, what
    assert cache.partial_hit_tokens > 20
